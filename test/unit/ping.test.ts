import t from 'tap'
import { FIRST_PING } from '../../lib/limits/limits.ts'
import { Heartbeat } from '../../lib/services/ping.ts'

const INTERVAL = 20_000
const TIMEOUT = 45_000

function start(now = 0, random = Math.random): Heartbeat {
  return new Heartbeat({ pingInterval: INTERVAL, pingTimeout: TIMEOUT, random }, now)
}

/** When the next ping is due, to the millisecond, while the peer talks all the time. */
function nextPing(heartbeat: Heartbeat, from: number): number {
  for (let now = from; ; now++) {
    heartbeat.heard(now)
    if (heartbeat.due(now) === 'ping') return now
  }
}

t.test('pings are an interval apart, shortened by up to a quarter', async (t) => {
  const pauses = Array.from({ length: 30 }, () => {
    const heartbeat = start()
    const first = nextPing(heartbeat, 0)
    return nextPing(heartbeat, first + 1) - first
  })
  t.ok(pauses.every((pause) => pause >= 0.75 * INTERVAL && pause <= INTERVAL))
  t.ok(new Set(pauses).size > 20, 'links that came up together do not ping together')
})

t.test('the first ping goes out soon, so that every link has a latency', async (t) => {
  const firsts = Array.from({ length: 30 }, () => nextPing(start(), 0))
  t.ok(firsts.every((at) => at <= Math.min(FIRST_PING, INTERVAL)))
  t.ok(new Set(firsts).size > 20, 'links that came up together do not ping together')
})

t.test('how much a pause is shortened is up to chance alone', async (t) => {
  for (const [chance, pause] of [
    [0, 0.75],
    [0.5, 0.875],
    [1, 1],
  ] as const) {
    const heartbeat = start(0, () => chance)
    const first = nextPing(heartbeat, 0)
    t.equal(first, chance * Math.min(FIRST_PING, INTERVAL))
    t.equal(nextPing(heartbeat, first + 1), first + pause * INTERVAL)
  }
})

t.test('a link that brings nothing for too long is dead, whatever pings are out', async (t) => {
  const heartbeat = start(1_000)
  t.equal(heartbeat.due(1_000), undefined)
  t.equal(heartbeat.due(1_000 + INTERVAL), 'ping')
  t.equal(heartbeat.due(1_000 + 2 * INTERVAL), 'ping')
  t.equal(heartbeat.due(1_000 + TIMEOUT - 1), undefined)
  t.equal(heartbeat.due(1_000 + TIMEOUT), 'dead')
  t.equal(heartbeat.due(1_000 + 2 * TIMEOUT), 'dead')
})

t.test('whatever is heard keeps it alive', async (t) => {
  const heartbeat = start()
  for (let now = 0; now < 10 * TIMEOUT; now += TIMEOUT - 1) {
    heartbeat.heard(now)
    t.not(heartbeat.due(now + TIMEOUT - 1), 'dead')
  }
})

t.test('a pong gives the time of the round trip, the smallest one, and a smoothed one', async (t) => {
  const heartbeat = start()
  t.equal(heartbeat.latency, undefined)
  const times: (number | undefined)[] = []
  const measure = (sentAt: number, took: number): void => {
    heartbeat.pong(
      heartbeat.ping(sentAt, (latency) => times.push(latency)),
      sentAt + took,
    )
  }
  measure(0, 80)
  t.strictSame(heartbeat.latency, { last: 80, smoothed: 80, min: 80 })
  measure(100, 160)
  t.strictSame(heartbeat.latency, { last: 160, smoothed: 90, min: 80 })
  measure(300, 10)
  t.strictSame(heartbeat.latency, { last: 10, smoothed: 80, min: 10 })
  t.strictSame(times, [80, 160, 10])
})

t.test('a clock that is set back makes no time negative', async (t) => {
  const heartbeat = start()
  heartbeat.pong(heartbeat.ping(1_000), 400)
  t.strictSame(heartbeat.latency, { last: 0, smoothed: 0, min: 0 })
})

t.test('each ping has its own 8 bytes, and a pong answers for those before it', async (t) => {
  const heartbeat = start()
  const times: string[] = []
  const pings = [0, 1, 2].map((index) =>
    heartbeat.ping(index, (latency) => times.push(`${index}: ${latency ?? '-'}`)),
  )
  t.strictSame(
    pings.map(({ length }) => length),
    [8, 8, 8],
  )
  t.equal(new Set(pings.map(String)).size, 3)
  heartbeat.pong(pings[1]!, 10)
  t.strictSame(times, ['0: 10', '1: 9'], 'a peer leaves out some when there are too many')
  heartbeat.pong(pings[0]!, 500)
  heartbeat.pong(pings[2]!, 10)
  t.strictSame(times, ['0: 10', '1: 9', '2: 8'], 'one that comes late after all means nothing')
})

t.test('a pong is known by its bytes, also in an array of another class', async (t) => {
  const heartbeat = start()
  const ping = heartbeat.ping(0)
  heartbeat.pong(Buffer.from(ping), 5)
  t.match(heartbeat.latency, { last: 5 })
})

t.test('a pong that answers no ping, or answers twice, or has another length, is ignored', async (t) => {
  const heartbeat = start()
  const ping = heartbeat.ping(0)
  for (const odd of [new Uint8Array(0), new Uint8Array(8), ping.subarray(1), new Uint8Array(8).fill(255)]) {
    heartbeat.pong(odd, 5)
    t.equal(heartbeat.latency, undefined)
  }
  heartbeat.pong(ping, 5)
  heartbeat.pong(ping, 500)
  t.match(heartbeat.latency, { last: 5 })
})

t.test('16 pings wait for an answer; the oldest gives up its place', async (t) => {
  const heartbeat = start()
  const answers: string[] = []
  const pings = Array.from({ length: 17 }, (_, index) =>
    heartbeat.ping(index, (latency) => answers.push(`${index}: ${latency ?? 'none'}`)),
  )
  t.strictSame(answers, ['0: none'])
  heartbeat.pong(pings[0]!, 20)
  heartbeat.pong(pings[1]!, 20)
  t.strictSame(answers, ['0: none', '1: 19'])
})

t.test('at the end nobody waits any longer', async (t) => {
  const heartbeat = start()
  const answers: unknown[] = []
  const ping = heartbeat.ping(0, (latency) => answers.push(latency))
  heartbeat.ping(0, (latency) => answers.push(latency))
  heartbeat.stop()
  t.strictSame(answers, [undefined, undefined])
  heartbeat.pong(ping, 1)
  heartbeat.stop()
  t.equal(answers.length, 2)
})
