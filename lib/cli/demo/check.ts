import type { Attempt, Delivery, MemberRefusal, MemberReport } from './member-api.ts'
import { type Edge, neighbours } from './topology.ts'

/** What was to happen in the demo. */
export interface Plan {
  readonly members: readonly number[]
  readonly edges: readonly Edge[]
  /** Messages of each member. */
  readonly messages: number
  /** Who says one thing more after the attacks, to each other. */
  readonly survivors: readonly number[]
}

/** What must become of an attack: the code of its refusal, or that it is recognised as a copy. */
export type AttackAnswer = 'duplicate' | 'before-start' | 'bad-signature' | 'forged-author'

/** An attack that was carried out. */
export interface AttackRecord extends Attempt {
  readonly name: string
  readonly attacker: number
  readonly expected: AttackAnswer
  /** By how much the number of copies grew at each victim; for `duplicate`. */
  readonly copies?: readonly number[]
  /** What the attacker was told when it connected again afterwards; where that is to be tried. */
  readonly knock?: string
}

/** Everything that was seen. */
export interface Evidence {
  readonly plan: Plan
  readonly reports: readonly MemberReport[]
  readonly attacks: readonly AttackRecord[]
}

/** Examples that a complaint names. */
const MAX_NAMED = 5

/**
 * Judges a demo: everything that was not as it must be, in words; nothing when all is well. It believes no
 * totals: every message of every author is looked for at every other node.
 */
export function check({ plan, reports, attacks }: Evidence): string[] {
  return [
    ...plan.members.flatMap((member) => {
      const report = reports.find((other) => other.member === member)
      return report === undefined ? [`node ${member} has not reported`] : checkReport(report, plan, attacks)
    }),
    ...attacks.flatMap((attack) => checkAttack(attack, reports)),
  ]
}

function checkReport(report: MemberReport, plan: Plan, attacks: readonly AttackRecord[]): string[] {
  return [
    ...checkSent(report, plan),
    ...plan.members.flatMap((author) => checkAuthor(report, author, plan)),
    ...checkStrange(report, plan),
    ...checkRefusals(report, attacks),
    ...checkLinks(report, plan, attacks),
  ]
}

function checkSent({ member, sent }: MemberReport, plan: Plan): string[] {
  const expected = lastNumber(plan, member, undefined)
  return sent === expected ? [] : [`node ${member} sent ${sent} messages instead of ${expected}`]
}

/** The highest number that an author's messages have at a receiver, or at all. */
function lastNumber({ messages, survivors }: Plan, author: number, receiver: number | undefined): number {
  const isHeard = receiver === undefined || survivors.includes(receiver)
  return messages + (survivors.includes(author) && isHeard ? 1 : 0)
}

/** Whether a node was given every message of an author exactly once, and none of its own. */
function checkAuthor({ member, deliveries }: MemberReport, author: number, plan: Plan): string[] {
  const counts = new Map<number, number>()
  for (const [from, number] of deliveries) {
    if (from === author) counts.set(number, (counts.get(number) ?? 0) + 1)
  }
  if (author === member) {
    return counts.size === 0 ? [] : [`node ${member} was given ${counts.size} of its own messages`]
  }
  const numbers = Array.from({ length: lastNumber(plan, author, member) }, (_, index) => index + 1)
  const missing = numbers.filter((number) => !counts.has(number))
  const doubled = numbers.filter((number) => (counts.get(number) ?? 0) > 1)
  return [
    ...complain(missing, `node ${member} did not get`, `of node ${author}`),
    ...complain(doubled, `node ${member} was given more than once`, `of node ${author}`),
  ]
}

function complain(numbers: readonly number[], what: string, whose: string): string[] {
  if (numbers.length === 0) return []
  const named = numbers.slice(0, MAX_NAMED).join(', ')
  const more = numbers.length > MAX_NAMED ? ', …' : ''
  return [`${what} ${numbers.length} of the messages ${whose} (number ${named}${more})`]
}

/** Whether a node was given something that nobody was to say. */
function checkStrange({ member, deliveries, strange }: MemberReport, plan: Plan): string[] {
  const isForeign = ([author, number]: Delivery): boolean =>
    !plan.members.includes(author) || number < 1 || number > lastNumber(plan, author, member)
  const foreign = deliveries.filter(isForeign).map(([author, number]) => `${author}/${number}`)
  const what = [...foreign, ...strange.map((text) => JSON.stringify(text))]
  if (what.length === 0) return []
  return [`node ${member} was given what nobody has said: ${what.slice(0, MAX_NAMED).join(', ')}`]
}

/** Whether a node refused anything but the attacks on it. */
function checkRefusals({ member, refusals }: MemberReport, attacks: readonly AttackRecord[]): string[] {
  const isAttack = ({ id, via, code }: MemberRefusal): boolean =>
    attacks.some(
      (attack) =>
        attack.id === id &&
        attack.attacker === via &&
        attack.expected === code &&
        attack.victims.includes(member),
    )
  const others = refusals.filter((refusal) => !isAttack(refusal))
  return others.map(({ code, via }) => `node ${member} refused a message from node ${via}: ${code}`)
}

/** Whether a node has the links that it should have: all but those that an attack has cost. */
function checkLinks(report: MemberReport, plan: Plan, attacks: readonly AttackRecord[]): string[] {
  const { member, links, endings } = report
  const lost = attacks.filter(costsLink).flatMap(({ attacker, victims }) => {
    if (attacker === member) return victims
    return victims.includes(member) ? [attacker] : []
  })
  const expected = neighbours(member, plan.edges).filter((other) => !lost.includes(other))
  if (expected.join() === links.join()) return []
  const why = endings.map(({ member: other, code, by }) => `; its link with ${other} ended: ${code} by ${by}`)
  return [`node ${member} is connected with ${namesOf(links)} instead of ${namesOf(expected)}${why.join('')}`]
}

/** Whether an attack is one that no honest node could have passed on. */
export function costsLink({ expected }: Pick<AttackRecord, 'expected'>): boolean {
  return expected === 'bad-signature' || expected === 'forged-author'
}

function namesOf(members: readonly number[]): string {
  return members.length === 0 ? 'nobody' : members.join(', ')
}

/** Whether an attack ended as it must, at each of those that it was sent to. */
function checkAttack(attack: AttackRecord, reports: readonly MemberReport[]): string[] {
  const { name, attacker, victims, copies = [], expected, knock } = attack
  const what = `the attack of node ${attacker} (${name})`
  if (victims.length === 0) return [`${what} was sent to nobody`]
  const failures = victims.flatMap((victim, index) => {
    if (expected === 'duplicate') {
      return copies[index] === 1 ? [] : [`${what} was not recognised as a copy by node ${victim}`]
    }
    const refusals = reports.find(({ member }) => member === victim)?.refusals ?? []
    const answers = refusals.filter(({ id, via }) => id === attack.id && via === attacker)
    if (answers.length === 1 && answers[0]!.code === expected) return []
    const answer = answers.map(({ code }) => code).join(', ') || 'nothing'
    return [`${what} was to be answered with ${expected} by node ${victim}, which answered with ${answer}`]
  })
  const isKeptOut = !costsLink(attack) || knock === 'banned'
  if (!isKeptOut) failures.push(`node ${attacker} was not kept out after its attack: ${knock ?? 'not tried'}`)
  return failures
}
