// The parts of the demo that need no processes; its check has a file of its own.
import { join } from 'node:path'
import t from 'tap'
import { alterDocument, forgeDocument } from '../../lib/cli/demo/attack.ts'
import { latencyByHops, percentile } from '../../lib/cli/demo/latency.ts'
import { lineFor, readLines } from '../../lib/cli/demo/lines.ts'
import type { MemberReport } from '../../lib/cli/demo/member-api.ts'
import { describeSummary, summarize } from '../../lib/cli/demo/report.ts'
import { EDGES, hopsFrom, MEMBERS, neighbours } from '../../lib/cli/demo/topology.ts'
import { plain } from '../../lib/cli/terminal.ts'
import { Identity, openMessage, signMessage } from '../../lib/index.ts'

t.test('the members form a line with one more edge', (t) => {
  t.strictSame(
    MEMBERS.map((member) => neighbours(member)),
    [[2], [1, 3, 4], [2, 4], [2, 3, 5], [4]],
  )
  t.strictSame(
    [...hopsFrom(1)],
    [
      [1, 0],
      [2, 1],
      [3, 2],
      [4, 2],
      [5, 3],
    ],
  )
  t.strictSame([...hopsFrom(3)].sort(), [
    [1, 2],
    [2, 1],
    [3, 0],
    [4, 1],
    [5, 2],
  ])
  t.equal(hopsFrom(1, [[2, 3]]).get(2), undefined, 'who cannot be reached has no distance')
  t.end()
})

t.test('percentiles are values that were measured', (t) => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
  t.equal(percentile(hundred, 50), 50)
  t.equal(percentile(hundred, 99), 99)
  t.equal(percentile([3], 99), 3)
  t.equal(percentile([1, 2], 50), 1)
  t.equal(percentile([10, 9], 99), 10, 'not sorted as text')
  t.equal(percentile([], 50), undefined)
  t.end()
})

t.test('latencies are counted by distance', (t) => {
  const report = {
    member: 1,
    deliveries: [
      [2, 1, 5],
      [2, 2, 7],
      [5, 1, 30],
      [0, 1, 99],
    ],
  } as unknown as MemberReport
  t.strictSame(
    latencyByHops([report], EDGES, (number) => number === 1),
    [
      { hops: 1, count: 1, p50: 5, p99: 5 },
      { hops: 3, count: 1, p50: 30, p99: 30 },
    ],
  )
  t.strictSame(
    latencyByHops([], EDGES, () => true),
    [],
  )
  t.end()
})

t.test('the text is the README, or what else there is', (t) => {
  const license = 'MIT\n\n  \nsecond line\r\n'
  const folder = t.testdir({
    full: { 'README.md': '# Title\n\nText\n', LICENSE: license },
    poor: { 'README.md': '\n\n', LICENSE: license },
    none: {},
    wide: { 'README.md': `${'x'.repeat(399)}🙂` },
  })
  t.strictSame(readLines(join(folder, 'full')), ['# Title', 'Text'])
  t.strictSame(readLines(join(folder, 'poor')), ['MIT', 'second line'])
  t.strictSame(readLines(join(folder, 'wide')), [`${'x'.repeat(399)}\ufffd`], 'cut, but still text')
  t.throws(() => readLines(join(folder, 'none')), { message: /there is no text to send/ })
  t.equal(lineFor(['a', 'b', 'c'], 0, 4), 'b', 'the lines begin again')
  t.end()
})

t.test('an altered document is in order but for its signature', async (t) => {
  const document = await signMessage({ data: { number: 1, text: 'pay "text":" Bob' } }, Identity.generate())
  const altered = alterDocument(document)
  t.match(altered, '"text":"It is not true that pay')
  t.strictSame(await openMessage(altered), { ok: false, code: 'bad-signature' })
  t.match(await openMessage(document), { ok: true })
  t.throws(() => alterDocument('{}'), { message: /no text to alter/ })
})

t.test('a forged document is in order but for its signature', async (t) => {
  const [forger, victim] = [Identity.generate(), Identity.generate()]
  const fields = { net: 'demo', type: 'demo', data: { text: 'x' }, time: Date.now() }
  const forged = await forgeDocument({ ...fields, author: victim.id }, forger)
  t.match(forged, victim.id)
  t.strictSame(await openMessage(forged), { ok: false, code: 'bad-signature' })
  // In its own name, the same document is genuine: nothing but the name is wrong with it.
  const own = await openMessage(await forgeDocument({ ...fields, author: forger.id }, forger))
  t.match(own, { ok: true, message: { from: forger.id } })
})

t.test('the summary says what was wrong', (t) => {
  const report: MemberReport = {
    member: 1,
    id: 'a'.repeat(64),
    sent: 3,
    duplicates: 2,
    refused: { stale: 1 },
    deliveries: [
      [2, 1, 9],
      [2, 2, 1.23456],
      [2, 3, 500],
    ],
    strange: [],
    refusals: [],
    links: [2],
    endings: [],
  }
  const outcome = {
    plan: { members: [1], edges: EDGES, messages: 3, survivors: [] },
    reports: [report],
    attacks: [
      { name: 'x', attacker: 1, victims: [2], id: 'i', expected: 'bad-signature' as const, knock: 'banned' },
    ],
    speed: { messages: 1_500, seconds: 0.5 },
    warmUp: 1,
    quiet: 2,
  }
  const good = summarize(outcome, [])
  t.match(good, { ok: true, speed: { messagesPerSecond: 3_000 } })
  t.match(good.latency, [{ hops: 1, quiet: { count: 1, p50: 1.235 }, busy: { count: 1, p50: 500 } }])
  const text = describeSummary(good, plain).join('\n')
  t.match(text, /^ +1 {2}aaaaaaaa +3 +3 +2 {2}1 stale$/m)
  t.match(text, /1,500 messages in 0\.50 s; 3,000 messages\/s/)
  t.match(text, /exactly once/)
  const bad = describeSummary(summarize(outcome, ['node 1 is sad']), plain).join('\n')
  t.match(bad, /Not as it must be:\n {2}node 1 is sad$/)
  t.notMatch(bad, /exactly once/)
  const none = summarize({ ...outcome, speed: { messages: 0, seconds: 0 } }, [])
  t.equal(none.speed.messagesPerSecond, 0)
  t.end()
})
