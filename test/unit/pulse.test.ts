import t from 'tap'
import { FIRST_PING, PONG_BURST, PONG_RATE } from '../../lib/limits/limits.ts'
import { Pulse, type PulseOutcome } from '../../lib/services/pulse.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { type Frame, FrameDecoder, Kind } from '../../lib/wire/frame.ts'

const INTERVAL = 20_000
const TIMEOUT = 45_000

/** The pings of a link that is the test itself. */
function make(random: () => number = () => 1) {
  const clock = new ManualClock()
  const sent: Frame[] = []
  const closes: string[] = []
  const decoder = new FrameDecoder(100)
  const inner = new Pulse({ pingInterval: INTERVAL, pingTimeout: TIMEOUT, random }, clock.now())
  const act = (outcome: PulseOutcome): void => {
    if (outcome instanceof Uint8Array)
      decoder.push(outcome, ({ kind, payload }) => sent.push({ kind, payload: payload.slice() }))
    else if (outcome !== undefined) closes.push(`${outcome.code}: ${outcome.text}`)
  }
  const pulse = {
    get latency() {
      return inner.latency
    },
    heard: (now: number) => inner.heard(now),
    onPing: (payload: Uint8Array) => act(inner.onPing(payload, clock.now())),
    onPong: (payload: Uint8Array) => inner.onPong(payload, clock.now()),
    measure() {
      const { frame, latency } = inner.measure(clock.now())
      act(frame)
      return latency
    },
    stop: () => inner.stop(),
  }
  /** Time passes, and the node looks after its links. */
  const tick = (ms: number): void => {
    clock.advance(ms)
    act(inner.due(clock.now()))
  }
  return { clock, sent, closes, pulse, tick }
}

t.test('a ping is answered with its own bytes, as they are', async (t) => {
  const { sent, closes, pulse } = make()
  const payload = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 255)
  pulse.onPing(payload)
  t.strictSame(sent, [{ kind: Kind.pong, payload }])
  t.strictSame(closes, [])
})

t.test('a ping of another length ends the link, unanswered', async (t) => {
  for (const length of [0, 1, 7, 9, 64]) {
    const { sent, closes, pulse } = make()
    pulse.onPing(new Uint8Array(length))
    t.strictSame([sent, closes], [[], ['bad-payload: a ping has 8 bytes']])
  }
})

t.test('a flood of pings is answered in part, for as long as it lasts', async (t) => {
  const { sent, closes, pulse, clock } = make()
  const flood = (): number => {
    const before = sent.length
    for (let count = 0; count < 1_000; count++) pulse.onPing(new Uint8Array(8))
    return sent.length - before
  }
  t.equal(flood(), PONG_BURST)
  t.equal(flood(), 0)
  for (let second = 0; second < 5; second++) {
    clock.advance(1_000)
    t.equal(flood(), PONG_RATE)
  }
  t.strictSame(closes, [])
})

t.test('a clock that is set back gives a flood no more than its share', async (t) => {
  const { sent, pulse, clock } = make()
  for (let count = 0; count < 100; count++) pulse.onPing(new Uint8Array(8))
  const now = clock.now.bind(clock)
  clock.now = () => now() - 1_000_000
  for (let count = 0; count < 100; count++) pulse.onPing(new Uint8Array(8))
  t.equal(sent.length, PONG_BURST)
})

t.test('a ping goes out when it is due, and what comes of it is the latency', async (t) => {
  const { sent, pulse, tick, clock } = make()
  tick(FIRST_PING - 1)
  t.equal(sent.length, 0)
  tick(1)
  t.strictSame(
    sent.map(({ kind }) => kind),
    [Kind.ping],
  )
  t.equal(sent[0]!.payload.length, 8)
  t.equal(pulse.latency, undefined)
  clock.advance(70)
  pulse.onPong(sent[0]!.payload)
  t.strictSame(pulse.latency, { last: 70, smoothed: 70, min: 70 })
})

t.test('chance says when, and only chance', async (t) => {
  const { sent, tick } = make(() => 0)
  tick(0)
  t.equal(sent.length, 1, 'the first one at once')
  tick(0.75 * INTERVAL - 1)
  t.equal(sent.length, 1)
  tick(1)
  t.equal(sent.length, 2)
})

t.test('a peer of which nothing is heard is dead, also if it is pinged in vain', async (t) => {
  const { closes, pulse, tick, clock, sent } = make()
  tick(INTERVAL)
  tick(INTERVAL)
  t.equal(sent.length, 2)
  tick(TIMEOUT - 2 * INTERVAL - 1)
  t.strictSame(closes, [])
  tick(1)
  t.strictSame(closes, [`timeout: nothing heard for ${TIMEOUT} ms`])
  const other = make()
  for (let seconds = 0; seconds < 200; seconds++) {
    other.tick(1_000)
    other.pulse.heard(other.clock.now())
  }
  t.strictSame(other.closes, [], 'whatever is heard will do')
  pulse.heard(clock.now())
})

t.test('a measurement is a ping of its own, and many of them are told apart', async (t) => {
  const { sent, pulse, clock } = make()
  const first = pulse.measure()
  clock.advance(10)
  const second = pulse.measure()
  clock.advance(5)
  t.not(String(sent[0]!.payload), String(sent[1]!.payload))
  pulse.onPong(sent[0]!.payload)
  clock.advance(5)
  pulse.onPong(sent[1]!.payload)
  t.strictSame([await first, await second], [15, 10])
  t.strictSame(pulse.latency, { last: 10, smoothed: 15 - 5 / 8, min: 10 })
})

t.test('pongs that answer nothing, or are none, mean nothing', async (t) => {
  const { sent, closes, pulse, clock } = make()
  const measured = pulse.measure()
  const { payload } = sent[0]!
  const odd = [0, 1, 7, 8, 9, 64].map((length) => new Uint8Array(length).fill(9))
  for (const bytes of [...odd, payload.slice(1), payload.slice(0, 7)]) pulse.onPong(bytes)
  t.equal(pulse.latency, undefined)
  clock.advance(3)
  pulse.onPong(Uint8Array.of(...payload, 1, 2, 3))
  t.equal(await measured, 3, 'the first 8 bytes count')
  clock.advance(1_000)
  pulse.onPong(payload)
  t.strictSame(pulse.latency, { last: 3, smoothed: 3, min: 3 }, 'once')
  t.strictSame(closes, [])
})

t.test('of too many measurements the oldest is given up, and at the end all are', async (t) => {
  const { pulse } = make()
  const measured = Array.from({ length: 17 }, () => pulse.measure())
  t.equal(await measured[0], undefined)
  pulse.stop()
  t.strictSame(await Promise.all(measured), new Array(17).fill(undefined))
})
