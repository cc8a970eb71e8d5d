import { type Paint, shortId, table } from '../terminal.ts'
import { type LatencyRow, latencyByHops } from './latency.ts'
import type { MemberReport } from './member-api.ts'
import type { Outcome } from './play.ts'

/** Latencies of one distance, in ms: when messages come one by one, and when all nodes send at once. */
interface HopRow {
  readonly hops: number
  /** Undefined where too few messages were sent for it. */
  readonly quiet: LatencyRow | undefined
  readonly busy: LatencyRow | undefined
}

/** What the demo has measured, as `--json` prints it. */
export interface Summary {
  readonly ok: boolean
  /** What is not as it must be. */
  readonly problems: readonly string[]
  readonly nodes: readonly {
    readonly node: number
    readonly id: string
    readonly sent: number
    readonly delivered: number
    /** Further copies of messages that it had: the cycle brings them. */
    readonly duplicates: number
    readonly refused: Readonly<Record<string, number>>
  }[]
  readonly latency: readonly HopRow[]
  /** When everybody sends as fast as they can. */
  readonly speed: {
    readonly messages: number
    readonly seconds: number
    readonly messagesPerSecond: number
    readonly deliveriesPerSecond: number
  }
  readonly attacks: readonly {
    readonly name: string
    readonly attacker: number
    readonly victims: readonly number[]
    readonly answer: string
    /** Whether the attacker was turned away when it connected again. */
    readonly bannedAfterwards: boolean
  }[]
}

/** The figures of a demo. */
export function summarize(outcome: Outcome, problems: readonly string[]): Summary {
  const { attacks, reports, speed } = outcome
  const rate = speed.seconds > 0 ? Math.round(speed.messages / speed.seconds) : 0
  return {
    ok: problems.length === 0,
    problems,
    nodes: reports.map(rowOf),
    latency: hopRows(outcome),
    speed: {
      messages: speed.messages,
      seconds: round(speed.seconds),
      messagesPerSecond: rate,
      deliveriesPerSecond: rate * (reports.length - 1),
    },
    attacks: attacks.map(({ name, attacker, victims, expected, knock }) => ({
      name,
      attacker,
      victims,
      answer: expected,
      bannedAfterwards: knock === 'banned',
    })),
  }
}

function rowOf({
  member,
  id,
  sent,
  deliveries,
  duplicates,
  refused,
}: MemberReport): Summary['nodes'][number] {
  // Counted from what came, not from the node's own counter: that is what is being judged.
  return { node: member, id, sent, delivered: deliveries.length, duplicates, refused }
}

function hopRows({ reports, plan, quiet, warmUp }: Outcome): HopRow[] {
  const byHops = (isCounted: (number: number) => boolean): Map<number, LatencyRow> =>
    new Map(latencyByHops(reports, plan.edges, isCounted).map((row) => [row.hops, roundRow(row)]))
  const quietRows = byHops((number) => number > warmUp && number <= quiet)
  const busyRows = byHops((number) => number > quiet && number <= plan.messages)
  const hops = [...new Set([...quietRows.keys(), ...busyRows.keys()])].sort((a, b) => a - b)
  return hops.map((distance) => ({
    hops: distance,
    quiet: quietRows.get(distance),
    busy: busyRows.get(distance),
  }))
}

function roundRow({ p50, p99, ...row }: LatencyRow): LatencyRow {
  return {
    ...row,
    p50: p50 === undefined ? undefined : round(p50),
    p99: p99 === undefined ? undefined : round(p99),
  }
}

/** To microseconds: what is beyond them is noise. */
function round(value: number): number {
  return Math.round(value * 1_000) / 1_000
}

/** The summary for people: three tables, the speed, and the verdict. */
export function describeSummary(summary: Summary, paint: Paint): string[] {
  const { nodes, latency, attacks, speed } = summary
  const { messages, seconds, messagesPerSecond, deliveriesPerSecond } = speed
  const [nodeHead, ...nodeRows] = table(
    ['node', 'ID', 'sent', 'delivered', 'duplicates suppressed', 'refused'],
    nodes.map(({ node, id, sent, delivered, duplicates, refused }) => {
      return [node, shortId(id), sent, delivered, duplicates, countsOf(refused)]
    }),
  )
  const [hopHead, ...hopTable] = table(
    ['hops', 'one by one: p50', 'p99', 'all at once: p50', 'p99  (ms)'],
    latency.map(({ hops, quiet, busy }) => [
      hops,
      ...[quiet, busy].flatMap((row) => [ms(row?.p50), ms(row?.p99)]),
    ]),
  )
  const [attackHead, ...attackRows] = table(
    ['attack', 'by', 'against', 'answer'],
    attacks.map(({ name, attacker, victims, answer, bannedAfterwards }) => {
      return [name, attacker, victims.join(', '), bannedAfterwards ? `${answer}, node banned` : answer]
    }),
  )
  return [
    '',
    paint('strong', nodeHead!),
    ...nodeRows,
    '',
    paint('strong', hopHead!),
    ...hopTable,
    '',
    paint('strong', attackHead!),
    ...attackRows,
    '',
    `All at once: ${number(messages)} messages in ${seconds.toFixed(2)} s; ${number(messagesPerSecond)} messages/s, ${number(deliveriesPerSecond)} deliveries/s`,
    '',
    ...describeVerdict(summary, paint),
  ]
}

function describeVerdict({ ok, problems }: Summary, paint: Paint): string[] {
  if (!ok) return [paint('bad', 'Not as it must be:'), ...problems.map((problem) => `  ${problem}`)]
  const verdict =
    'Every message reached every other node exactly once; every attack was refused and reached nobody.'
  return [paint('good', verdict)]
}

function countsOf(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`)
  return parts.length === 0 ? '-' : parts.join(', ')
}

function ms(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(2)
}

function number(value: number): string {
  return value.toLocaleString('en')
}
