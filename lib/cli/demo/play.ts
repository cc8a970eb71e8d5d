import { setTimeout as delay } from 'node:timers/promises'
import { type AttackRecord, type AttackAnswer, costsLink, type Evidence, type Plan } from './check.ts'
import type { Crew } from './crew.ts'
import type { AttackKind, Introduction } from './member-api.ts'
import { EDGES, MEMBERS, neighbours } from './topology.ts'

/** What the play tells while it goes on. */
export interface Audience {
  /** A new act. */
  act(title: string): void
  /** How far the act is. */
  progress(done: number, all: number): void
}

export interface PlayOptions {
  /** Messages of each node. */
  readonly messages: number
  readonly lines: readonly string[]
}

/** How fast it went when everybody sent as fast as they could. */
export interface Speed {
  /** Messages of all nodes together, each counted once. */
  readonly messages: number
  /** From before the first was signed until the last was delivered. */
  readonly seconds: number
}

export interface Outcome extends Evidence {
  readonly speed: Speed
  /** Messages up to this number were sent one by one, those after it as fast as possible. */
  readonly quiet: number
}

interface AttackScript {
  readonly name: string
  readonly kind: AttackKind
  readonly attacker: number
  readonly author: number
  readonly expected: AttackAnswer
}

/** Messages of each node that are sent one by one: alone on the line, they show what a hop takes. */
const QUIET = 20
/** Between two of them, in ms. */
const QUIET_PAUSE = 10
/** How long nothing may happen before it is taken as the end, in ms. The check then says what is missing. */
const PATIENCE = 5_000
const POLL = 10

/**
 * By four different nodes. Those that cost no link come first; of the others each cuts off only its attacker,
 * as these are the two ends of the line.
 */
const ATTACKS: readonly AttackScript[] = [
  { name: 'an old message sent again', kind: 'replay', attacker: 3, author: 1, expected: 'duplicate' },
  { name: 'a message of an earlier session', kind: 'earlier', attacker: 2, author: 5, expected: 'before-start' },
  { name: "another node's message, altered", kind: 'alter', attacker: 1, author: 4, expected: 'bad-signature' },
  { name: "a message in another node's name", kind: 'forge', attacker: 5, author: 3, expected: 'forged-author' },
]

/** The demo from the first act to the last. Judges nothing: that is up to the check. */
export class Play {
  readonly #crew: Crew
  readonly #audience: Audience
  readonly #options: PlayOptions
  readonly #ports: number[] = []
  #introductions: readonly Introduction[] = []

  constructor(crew: Crew, audience: Audience, options: PlayOptions) {
    this.#crew = crew
    this.#audience = audience
    this.#options = options
  }

  async perform(): Promise<Outcome> {
    const { messages } = this.#options
    await this.#start()
    await this.#connect()
    const quiet = Math.min(QUIET, Math.floor(messages / 4))
    await this.#talk('one by one', 1, quiet, QUIET_PAUSE)
    const speed = await this.#talk('as fast as possible', quiet + 1, messages, 0)
    const attacks = await this.#attack()
    const survivors = MEMBERS.filter((member) =>
      attacks.every((attack) => !costsLink(attack) || attack.attacker !== member),
    )
    await this.#lastWords(survivors)
    const plan: Plan = { members: MEMBERS, edges: EDGES, messages, survivors }
    return { plan, reports: await this.#crew.askAll('report'), attacks, speed, quiet }
  }

  async #start(): Promise<void> {
    this.#audience.act('starting five nodes, each a process with a key of its own')
    this.#introductions = await this.#crew.askAll('introduce')
    // What was signed in the same millisecond as a node starts would belong to this session.
    const newest = Math.max(...this.#introductions.map(({ earlierTime }) => earlierTime))
    while (Date.now() <= newest) await delay(1)
    const { lines, messages } = this.#options
    const ids = this.#introductions.map(({ id }) => id)
    const setup = { ids, lines, messages }
    this.#ports.push(
      ...(await Promise.all(MEMBERS.map((member) => this.#crew.ask(member, 'start', { ...setup, member })))),
    )
  }

  async #connect(): Promise<void> {
    this.#audience.act('connecting them: 1-2-3-4-5 and 2-4')
    await Promise.all(EDGES.map(([a, b]) => this.#crew.ask(a, 'connect', this.#portOf(b), this.#idOf(b))))
  }

  /** Everybody sends the messages of these numbers, and everybody else gets them. */
  async #talk(manner: string, first: number, last: number, pause: number): Promise<Speed> {
    const messages = (last - first + 1) * MEMBERS.length
    if (messages <= 0) return { messages: 0, seconds: 0 }
    this.#audience.act(`sending ${messages.toLocaleString('en')} messages, ${manner}`)
    const talking = this.#crew.askAll('talk', first, last, pause)
    // Looked at below: a failure must not go unheard meanwhile.
    talking.catch(() => {})
    const each = last * (MEMBERS.length - 1)
    const ended = await this.#delivered(MEMBERS, each)
    return { messages, seconds: (ended - Math.min(...(await talking))) / 1_000 }
  }

  /** Waits until each of these members has been given so many messages, or nothing comes any more. */
  async #delivered(members: readonly number[], each: number): Promise<number> {
    let sum = -1
    for (let since = performance.now(); ; await delay(POLL)) {
      const all = await Promise.all(members.map((member) => this.#crew.ask(member, 'progress')))
      const delivered = all.reduce((total, progress) => total + progress.delivered, 0)
      this.#audience.progress(delivered, each * members.length)
      const lastAt = Math.max(...all.map((progress) => progress.lastAt))
      if (all.every((progress) => progress.delivered >= each)) return lastAt
      if (delivered > sum) since = performance.now()
      else if (performance.now() - since > PATIENCE) return lastAt
      sum = delivered
    }
  }

  async #attack(): Promise<AttackRecord[]> {
    const records: AttackRecord[] = []
    for (const script of ATTACKS) {
      const { name, attacker } = script
      this.#audience.act(`node ${attacker} attacks its neighbours: ${name}`)
      records.push(await this.#carryOut(script))
    }
    return records
  }

  async #carryOut({ name, kind, attacker, author, expected }: AttackScript): Promise<AttackRecord> {
    const victims = neighbours(attacker).filter((member) => member !== author)
    const { earlier } = this.#introductions[author - 1]!
    const copiesOf = (id: string): Promise<number[]> =>
      Promise.all(victims.map((victim) => this.#crew.ask(victim, 'copiesOf', id)))
    // The ID of an old message is known only when it is sent again; it has not been copied since the last word.
    const replayed = kind === 'replay' ? await this.#crew.ask(attacker, 'heardOf', author) : undefined
    const before = replayed === undefined ? [] : await copiesOf(replayed)
    const attempt = await this.#crew.ask(attacker, 'attack', { kind, author, document: earlier })
    const record: AttackRecord = { ...attempt, name, attacker, expected }
    if (replayed !== undefined) {
      const after = await copiesOf(replayed)
      return { ...record, copies: after.map((count, index) => count - before[index]!) }
    }
    await Promise.all(attempt.victims.map((victim) => this.#refused(victim, attempt.id)))
    if (!costsLink(record)) return record
    return { ...record, knock: await this.#crew.ask(attacker, 'knock', this.#portOf(attempt.victims[0]!)) }
  }

  /** Waits until a victim has judged a message, or long enough. */
  async #refused(victim: number, id: string): Promise<void> {
    const since = performance.now()
    while (!(await this.#crew.ask(victim, 'hasRefused', id)) && performance.now() - since < PATIENCE) await delay(POLL)
  }

  /**
   * Those who are left say one thing more. It arrives only over links that the attacks have not cost; and as links
   * keep their order, whatever they let pass of the attacks has been delivered before it.
   */
  async #lastWords(survivors: readonly number[]): Promise<void> {
    this.#audience.act(`nodes ${survivors.join(', ')} go on talking`)
    const { messages } = this.#options
    const number = messages + 1
    await Promise.all(survivors.map((member) => this.#crew.ask(member, 'talk', number, number, 0)))
    await this.#delivered(survivors, messages * (MEMBERS.length - 1) + survivors.length - 1)
  }

  #portOf(member: number): number {
    return this.#ports[member - 1]!
  }

  #idOf(member: number): string {
    return this.#introductions[member - 1]!.id
  }
}
