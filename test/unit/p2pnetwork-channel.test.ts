import t from 'tap'
import { P2pNetworkChannel } from '../../lib/transport/p2pnetwork-channel.ts'
import { helloFrame } from '../../lib/transport/p2pnetwork-frames.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { ChannelRecorder } from '../fixtures/channel-recorder.ts'
import { FakeChannel } from '../fixtures/fake-channel.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A channel that was accepted, and the IDs that its peer has introduced itself with. */
function accept() {
  const clock = new ManualClock()
  const line = new FakeChannel()
  const introduced: string[] = []
  const channel = new P2pNetworkChannel(line, 'responder', {
    clock,
    maxFrameBytes: 1_000,
    idPattern: undefined,
    onIntroduced: (_channel, _id, foreign) => introduced.push(foreign),
    onClosed: () => undefined,
  })
  const owner = new ChannelRecorder(channel)
  channel.write(helloFrame('default', 'node', undefined, 0))
  return { clock, line, channel, owner, introduced }
}

t.test('an ID is complete when its sender has been silent for 200 ms', async (t) => {
  const { clock, line, owner, introduced } = accept()
  line.receive(bytes('ali'))
  await clock.advanceAsync(199)
  line.receive(bytes('ce:8080'))
  await clock.advanceAsync(199)
  t.same(introduced, [])
  t.equal(owner.byteLength, 0)
  await clock.advanceAsync(1)
  t.same(introduced, ['alice'])
  t.ok(owner.byteLength > 0, 'its owner hears a hello')
})

t.test('what came while this process stood still belongs to it', async (t) => {
  const { clock, line, introduced } = accept()
  line.receive(bytes('ali'))
  // Timers come before what waits to be read.
  setImmediate(() => line.receive(bytes('ce:8080')))
  clock.advance(10_000)
  await nextTurn()
  await nextTurn()
  t.same(introduced, [])
  await clock.advanceAsync(200)
  t.same(introduced, ['alice'])
})

t.test('a silence that ends with the channel says nothing', async (t) => {
  for (const end of ['end', 'destroy'] as const) {
    const { clock, line, channel, introduced } = accept()
    line.receive(bytes('alice'))
    clock.advance(200)
    channel[end]()
    await nextTurn()
    t.same(introduced, [], end)
  }
})

t.test('a line that ends tells that its ID is complete', async (t) => {
  const { clock, line, owner, introduced } = accept()
  line.receive(bytes('alice'))
  clock.advance(200)
  line.close()
  t.same(introduced, ['alice'])
  await owner.closed()
  await nextTurn()
  t.same(introduced, ['alice'], 'once')
})
