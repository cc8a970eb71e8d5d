import t from 'tap'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { encodeFrame, Kind } from '../../lib/wire/frame.ts'
import { FrameChannel, type FrameHandlers } from '../../lib/wire/frame-channel.ts'
import { turns } from '../fixtures/channel-recorder.ts'
import { FakeChannel } from '../fixtures/fake-channel.ts'

const WELCOME = encodeFrame(Kind.welcome, new Uint8Array(0))
const text = (value: string) => encodeFrame(Kind.text, new TextEncoder().encode(value))

/** An open frame channel over a fake, and what it told its owner. */
function open({ maxBytes = 64, onKind = (_kind: number, _frames: FrameChannel<string>): void => {} } = {}) {
  const clock = new ManualClock()
  const channel = new FakeChannel()
  const frames = new FrameChannel(channel, clock, maxBytes, 'the owner')
  const log: string[] = []
  frames.open({
    onActivity: (now) => log.push(`activity ${now - Date.UTC(2026, 0, 1)}`),
    onFrame: ({ kind, payload }) => {
      log.push(`frame ${kind} ${payload.length}`)
      onKind(kind, frames)
    },
    onFault: (fault) => log.push(`fault ${fault}`),
    onDrain: () => log.push('drain'),
    onClose: (error) => log.push(`close ${error?.message ?? 'clean'}`),
  })
  return { clock, channel, frames, log }
}

t.test('whatever arrives is a sign of life, whole frames or not', async (t) => {
  const { clock, channel, log } = open()
  channel.receive(WELCOME.subarray(0, 2))
  clock.advance(5)
  channel.receive(WELCOME.subarray(2))
  t.strictSame(log, ['activity 0', 'activity 5', `frame ${Kind.welcome} 0`])
})

t.test('drains and the end are passed on', async (t) => {
  const { channel, frames, log } = open()
  channel.queuedBytes = 7
  t.equal(frames.queuedBytes, 7)
  t.equal(frames.encrypted, false)
  channel.drain()
  channel.close(new Error('gone'))
  t.strictSame(log, ['drain', 'close gone'])
})

t.test('bytes that are no frames are a fault', async (t) => {
  const { channel, log } = open()
  channel.receive(Buffer.concat([WELCOME, Uint8Array.of(0, 0, 0, 0), WELCOME]))
  t.strictSame(log, ['activity 0', `frame ${Kind.welcome} 0`, 'fault frame-empty'])
})

t.test('the limit can be raised, also by the frame before', async (t) => {
  const { channel, frames, log } = open({ onKind: (_, channel) => (channel.maxBytes = 200) })
  channel.receive(Buffer.concat([WELCOME, text('x'.repeat(199)), text('x'.repeat(200))]))
  t.strictSame(log, [
    'activity 0',
    `frame ${Kind.welcome} 0`,
    `frame ${Kind.text} 199`,
    'fault frame-too-large',
  ])
  frames.destroy()
})

t.test('what is written in one turn leaves together', async (t) => {
  const { channel, frames } = open()
  frames.write(WELCOME)
  frames.write(text('a'))
  t.strictSame(channel.calls, ['open', 'cork', 'write', 'write'])
  await turns(2)
  t.strictSame(channel.calls, ['open', 'cork', 'write', 'write', 'uncork'])
  frames.write(text('b'))
  await turns(2)
  t.strictSame(channel.calls.slice(5), ['cork', 'write', 'uncork'])
})

t.test('many links that are written to in one turn are let go together, each once', async (t) => {
  const links = Array.from({ length: 3 }, () => open())
  for (const { frames } of links) frames.write(WELCOME)
  links[0]!.frames.write(text('a'))
  links[1]!.frames.end(100)
  await turns(2)
  t.strictSame(
    links.map(({ channel }) => channel.calls.slice(1)),
    [
      ['cork', 'write', 'write', 'uncork'],
      ['cork', 'write', 'uncork', 'resume', 'end'],
      ['cork', 'write', 'uncork'],
    ],
  )
  links[2]!.frames.write(WELCOME)
  await turns(2)
  t.strictSame(links[2]!.channel.calls.slice(4), ['cork', 'write', 'uncork'])
  t.equal(links[0]!.channel.count('uncork'), 1)
})

t.test('handlers are told whose channel it is', async (t) => {
  const told: string[] = []
  const handlers: FrameHandlers<string> = {
    onActivity: (_now, owner) => told.push(`activity ${owner}`),
    onFrame: (_frame, owner) => told.push(`frame ${owner}`),
    onFault: (fault, owner) => told.push(`${fault} ${owner}`),
    onDrain: (owner) => told.push(`drain ${owner}`),
    onClose: (_error, owner) => told.push(`close ${owner}`),
  }
  const [one, other] = ['one', 'other'].map((owner) => {
    const channel = new FakeChannel()
    new FrameChannel(channel, new ManualClock(), 64, owner).open(handlers)
    return channel
  })
  one!.receive(WELCOME)
  other!.drain()
  one!.close()
  other!.receive(Uint8Array.of(0, 0, 0, 0))
  t.strictSame(told, [
    'activity one',
    'frame one',
    'drain other',
    'close one',
    'activity other',
    'frame-empty other',
  ])
})

t.test('bytes and frames are counted, both ways', async (t) => {
  const { channel, frames } = open()
  frames.write(text('abc'))
  channel.receive(Buffer.concat([WELCOME, text('a'), text('b').subarray(0, 3)]))
  t.strictSame(frames.stats, { bytesIn: 14, bytesOut: 8, framesIn: 2, framesOut: 1 })
  const { stats } = frames
  frames.write(WELCOME)
  t.equal(stats.framesOut, 1, 'they are a copy')
})

t.test('the end flushes, and lets the farewell of the other end in', async (t) => {
  const { channel, frames } = open()
  frames.pause()
  frames.write(text('bye'))
  frames.end(100)
  t.strictSame(channel.calls, ['open', 'pause', 'cork', 'write', 'uncork', 'resume', 'end'])
  frames.pause()
  t.equal(channel.count('pause'), 1, 'it cannot be paused any more')
  await turns(2)
  t.equal(channel.count('uncork'), 1)
})

for (const way of ['end', 'destroy'] as const) {
  t.test(`after ${way} nothing is taken any more, not even from the chunk at hand`, async (t) => {
    const { channel, frames, log } = open({ onKind: (_, channel) => channel[way](100) })
    channel.receive(Buffer.concat([text('a'), text('b'), Uint8Array.of(0, 0, 0)]))
    channel.receive(text('c'))
    t.strictSame(log, ['activity 0', `frame ${Kind.text} 1`])
    t.equal(frames.stats.framesIn, 1)
  })
}

t.test('a frame that is not finished in time is overdue, however often a byte of it comes', async (t) => {
  const { clock, channel, frames } = open()
  t.equal(frames.due(clock.now(), 100), undefined)
  const frame = text('0123456789')
  for (let at = 0; at < 10; at++) {
    channel.receive(frame.subarray(at, at + 1))
    clock.advance(10)
  }
  t.equal(frames.due(clock.now(), 100), undefined, 'just in time')
  clock.advance(1)
  t.equal(frames.due(clock.now(), 100), 'frame-timeout')
  channel.receive(frame.subarray(10))
  t.equal(frames.due(clock.now(), 100), undefined)
})

t.test('the time of a frame begins anew with each frame', async (t) => {
  const { clock, channel, frames } = open()
  const [first, second] = [text('first'), text('second')]
  channel.receive(first.subarray(0, 7))
  clock.advance(80)
  channel.receive(Buffer.concat([first.subarray(7), second.subarray(0, 7)]))
  clock.advance(80)
  t.equal(frames.due(clock.now(), 100), undefined)
  clock.advance(30)
  t.equal(frames.due(clock.now(), 100), 'frame-timeout')
})

t.test('a frame is not overdue because of a pause of our own', async (t) => {
  const { clock, channel, frames } = open()
  channel.receive(text('abc').subarray(0, 6))
  frames.pause()
  clock.advance(1_000)
  t.equal(frames.due(clock.now(), 100), undefined, 'nobody reads')
  frames.resume()
  t.equal(frames.due(clock.now(), 100), undefined, 'the rest had no chance yet')
  clock.advance(101)
  t.equal(frames.due(clock.now(), 100), 'frame-timeout')
})

t.test('a peer that takes nothing at all is stuck, one that takes little is not', async (t) => {
  const { clock, channel, frames } = open()
  const due = (): string | undefined => frames.due(clock.now(), 50)
  clock.advance(1_000)
  t.equal(due(), undefined, 'nothing waits')
  for (const waiting of [50, 40, 39]) {
    frames.write(text('x'.repeat(5)))
    channel.queuedBytes = waiting
    clock.advance(90)
    t.equal(due(), undefined)
  }
  clock.advance(100)
  t.equal(due(), undefined, 'just in time')
  frames.write(text('more'))
  channel.queuedBytes += text('more').length
  clock.advance(1)
  t.equal(due(), 'slow-peer', 'what is added is no progress')
  channel.queuedBytes = 0
  t.equal(due(), undefined)
})

t.test(
  'a remote end that does not read what is left has its time, and then the socket is gone',
  async (t) => {
    const { clock, channel, frames, log } = open()
    frames.write(text('bye'))
    frames.end(100)
    clock.advance(99)
    t.equal(channel.count('destroy'), 0)
    clock.advance(1)
    t.equal(channel.count('destroy'), 1)
    channel.close()
    t.strictSame(log, ['close clean'])
  },
)

t.test('a socket that is gone needs no timer', async (t) => {
  const { clock, channel, frames } = open()
  frames.end(100)
  t.equal(clock.pendingTimers, 1)
  channel.close()
  t.equal(clock.pendingTimers, 0)
  const second = open()
  second.channel.close()
  second.frames.end(100)
  t.equal(second.clock.pendingTimers, 0)
  clock.advance(1_000)
  t.strictSame([channel.count('destroy'), second.channel.count('destroy')], [0, 0])
})

t.test('who waits for something to be read hears of it, and of the end', async (t) => {
  const ways: ((made: ReturnType<typeof open>) => void)[] = [
    ({ channel }) => channel.drain(),
    ({ channel }) => channel.close(),
    ({ frames }) => frames.end(100),
    ({ frames }) => frames.destroy(),
  ]
  for (const way of ways) {
    const made = open()
    let isDrained = false
    const drained = made.frames.drained.then(() => (isDrained = true))
    await turns(1)
    t.equal(isDrained, false)
    way(made)
    await drained
  }
})

t.test('after a fault nothing is taken any more, whatever the owner does', async (t) => {
  const { channel, log } = open()
  channel.receive(Uint8Array.of(0, 0, 0, 0))
  channel.receive(Buffer.concat([WELCOME, text('a'), Uint8Array.of(0, 0, 0, 0)]))
  t.strictSame(log, ['activity 0', 'fault frame-empty'])
})

t.test('an end that waits for the other one goes on taking frames, for as long as it has time', async (t) => {
  const { clock, channel, frames, log } = open()
  frames.pause()
  frames.write(text('enough'))
  frames.endAfterPeer(100)
  t.strictSame(channel.calls, ['open', 'pause', 'cork', 'write', 'uncork', 'resume'])
  channel.receive(text('late'))
  t.strictSame(log, ['activity 0', `frame ${Kind.text} 4`])
  clock.advance(100)
  t.equal(channel.count('destroy'), 1)
  channel.receive(text('too late'))
  t.equal(log.length, 2)
})

t.test('the end of the other one leaves nothing to wait for', async (t) => {
  const { clock, channel, frames, log } = open()
  const drained = frames.drained
  frames.endAfterPeer(100)
  await drained
  channel.close()
  t.equal(clock.pendingTimers, 0)
  t.strictSame(log, ['close clean'])
  // A farewell that comes meanwhile ends it the usual way, with one timer in all.
  const second = open()
  second.frames.endAfterPeer(100)
  second.frames.end(50)
  t.equal(second.clock.pendingTimers, 1)
  second.clock.advance(1_000)
  t.equal(second.channel.count('destroy'), 1)
})
