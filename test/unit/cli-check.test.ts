import t from 'tap'
import { type AttackRecord, check, type Evidence, type Plan } from '../../lib/cli/demo/check.ts'
import type { Delivery, MemberReport } from '../../lib/cli/demo/member-api.ts'
import { EDGES, MEMBERS, neighbours } from '../../lib/cli/demo/topology.ts'

const MESSAGES = 10
const SURVIVORS = [2, 3, 4]
const PLAN: Plan = { members: MEMBERS, edges: EDGES, messages: MESSAGES, survivors: SURVIVORS }

const ATTACKS: readonly AttackRecord[] = [
  { name: 'replay', attacker: 3, victims: [2, 4], id: 'r', expected: 'duplicate', copies: [1, 1] },
  { name: 'earlier', attacker: 2, victims: [1, 3, 4], id: 'e', expected: 'before-start' },
  { name: 'alter', attacker: 1, victims: [2], id: 'a', expected: 'bad-signature', knock: 'banned' },
  { name: 'forge', attacker: 5, victims: [4], id: 'f', expected: 'forged-author', knock: 'banned' },
]
const LOST = new Set(['1-2', '2-1', '5-4', '4-5'])

function lastNumber(author: number, member: number): number {
  return SURVIVORS.includes(author) && SURVIVORS.includes(member) ? MESSAGES + 1 : MESSAGES
}

/** The report of a member that has seen everything as it must be. */
function goodReport(member: number): MemberReport {
  const deliveries = MEMBERS.filter((author) => author !== member).flatMap((author) =>
    Array.from({ length: lastNumber(author, member) }, (_, at): Delivery => [author, at + 1, 1.5]),
  )
  const refusals = ATTACKS.filter(({ expected }) => expected !== 'duplicate')
    .filter(({ victims }) => victims.includes(member))
    .map(({ id, expected: code, attacker: via }) => ({ id, code, via }))
  return {
    member,
    id: String(member).repeat(64),
    sent: lastNumber(member, member),
    duplicates: 3,
    refused: {},
    deliveries,
    strange: [],
    refusals,
    links: neighbours(member).filter((other) => !LOST.has(`${member}-${other}`)),
    endings: [],
  }
}

/** What was seen in a good demo, but for the report of one member. */
function evidence(
  member = 0,
  change: (report: MemberReport) => Partial<MemberReport> = () => ({}),
): Evidence {
  const reports = MEMBERS.map(goodReport).map((report) =>
    report.member === member ? { ...report, ...change(report) } : report,
  )
  return { plan: PLAN, reports, attacks: ATTACKS }
}

function withAttack(index: number, change: Partial<AttackRecord>): Evidence {
  const attacks = ATTACKS.map((attack, at) => (at === index ? { ...attack, ...change } : attack))
  return { ...evidence(), attacks }
}

const without = (author: number, number: number) => (report: MemberReport) => ({
  deliveries: report.deliveries.filter(([from, which]) => from !== author || which !== number),
})
const withMore =
  (...more: Delivery[]) =>
  (report: MemberReport) => ({
    deliveries: [...report.deliveries, ...more],
  })

t.test('a demo in which all went well has no problems', (t) => {
  t.strictSame(check(evidence()), [])
  t.end()
})

const FAULTS: [name: string, Evidence, ...problems: (string | RegExp)[]][] = [
  [
    'a missing message',
    evidence(4, without(1, 7)),
    'node 4 did not get 1 of the messages of node 1 (number 7)',
  ],
  [
    'a missing last word',
    evidence(3, without(2, 11)),
    'node 3 did not get 1 of the messages of node 2 (number 11)',
  ],
  [
    'a node that got nothing',
    evidence(5, () => ({ deliveries: [] })),
    /^node 5 did not get 10 of the messages of node 1 \(number 1, 2, 3, 4, 5, …\)$/,
    /of node 2/,
    /of node 3/,
    /of node 4/,
  ],
  [
    'a message that came twice',
    evidence(2, withMore([3, 5, 1])),
    'node 2 was given more than once 1 of the messages of node 3 (number 5)',
  ],
  [
    'one too many and one too few, with the right total',
    evidence(2, (report) => ({ deliveries: [...without(3, 6)(report).deliveries, [3, 5, 1] as const] })),
    'node 2 did not get 1 of the messages of node 3 (number 6)',
    'node 2 was given more than once 1 of the messages of node 3 (number 5)',
  ],
  ['an echo', evidence(1, withMore([1, 4, 1])), 'node 1 was given 1 of its own messages'],
  [
    'a forged message that was delivered',
    evidence(4, (report) => ({ ...withMore([3, 1, 1])(report), strange: ['I never said this.'] })),
    'node 4 was given more than once 1 of the messages of node 3 (number 1)',
    'node 4 was given what nobody has said: "I never said this."',
  ],
  [
    'a message of somebody unknown',
    evidence(2, withMore([0, 1, 1])),
    'node 2 was given what nobody has said: 0/1',
  ],
  [
    'numbers that nobody has used',
    evidence(2, withMore([1, 0, 1], [1, 11, 1], [3, 12, 1])),
    'node 2 was given what nobody has said: 1/0, 1/11, 3/12',
  ],
  [
    'a last word that reached an outcast',
    evidence(1, withMore([3, 11, 1])),
    'node 1 was given what nobody has said: 3/11',
  ],
  ['a node that sent too little', evidence(5, () => ({ sent: 9 })), 'node 5 sent 9 messages instead of 10'],
  [
    'a refusal without an attack',
    evidence(3, (report) => ({ refusals: [...report.refusals, { code: 'stale', id: 'x', via: 4 }] })),
    'node 3 refused a message from node 4: stale',
  ],
  [
    'an attack that was refused for another reason',
    evidence(4, (report) => ({
      refusals: report.refusals.map((each) => (each.id === 'f' ? { ...each, code: 'bad-signature' } : each)),
    })),
    'node 4 refused a message from node 5: bad-signature',
    'the attack of node 5 (forge) was to be answered with forged-author by node 4, which answered with bad-signature',
  ],
  [
    'an attack that was blamed on somebody else',
    evidence(2, (report) => ({ refusals: report.refusals.map((each) => ({ ...each, via: 3 })) })),
    'node 2 refused a message from node 3: bad-signature',
    'the attack of node 1 (alter) was to be answered with bad-signature by node 2, which answered with nothing',
  ],
  [
    'an attack that was let pass by one of its victims',
    evidence(3, () => ({ refusals: [] })),
    'the attack of node 2 (earlier) was to be answered with before-start by node 3, which answered with nothing',
  ],
  [
    'a replay that was not recognised',
    withAttack(0, { copies: [1, 0] }),
    'the attack of node 3 (replay) was not recognised as a copy by node 4',
  ],
  ['a replay that nobody has counted', withAttack(0, { copies: [] }), /by node 2$/, /by node 4$/],
  [
    'an attacker who came back',
    withAttack(2, { knock: 'connected' }),
    'node 1 was not kept out after its attack: connected',
  ],
  [
    'an attack on nobody',
    withAttack(0, { victims: [], copies: [] }),
    'the attack of node 3 (replay) was sent to nobody',
  ],
  [
    'a link that was lost on the way',
    evidence(3, () => ({ links: [2], endings: [{ member: 4, code: 'slow-peer', by: 'us' }] })),
    'node 3 is connected with 2 instead of 2, 4; its link with 4 ended: slow-peer by us',
  ],
  [
    'a link that an attack has not cost',
    evidence(5, () => ({ links: [4] })),
    'node 5 is connected with 4 instead of nobody',
  ],
  [
    'a node that says nothing',
    { ...evidence(), reports: MEMBERS.slice(0, 4).map(goodReport) },
    'node 5 has not reported',
  ],
]

for (const [name, seen, ...problems] of FAULTS) {
  t.test(`${name} is a problem`, (t) => {
    const found = check(seen)
    t.equal(found.length, problems.length, found.join('\n'))
    for (const [index, problem] of problems.entries()) t.match(found[index], problem)
    t.end()
  })
}
