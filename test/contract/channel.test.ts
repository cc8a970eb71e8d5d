import t, { type Test } from 'tap'
import { Random } from '../../lib/testing/random.ts'
import type { Channel } from '../../lib/transport/transport.ts'
import { ChannelRecorder, ListenRecorder, turns } from '../fixtures/channel-recorder.ts'
import { pairOnDht, startDht } from '../fixtures/local-dht.ts'
import { type Candidate, CANDIDATES, connect, dial, listen, text } from '../fixtures/transports.ts'

const MIB = 1_024 * 1_024

/** The channels of every transport pass this suite; what is special about one of them is tested elsewhere. */
function suite(t: Test, candidate: Candidate): void {
  t.test('bytes travel both ways and stay in order', async (t) => {
    const { near, far } = await connect(t, candidate)
    near.channel.write(text('one '))
    near.channel.write(text('two '))
    far.channel.write(text('three'))
    near.channel.write(text('four'))
    t.equal((await far.received(12)).toString(), 'one two four')
    t.equal((await near.received(5)).toString(), 'three')
    t.same(near.closes, [])
  })

  t.test('the same bytes may be written again, and to other channels', async (t) => {
    const [one, other] = [await connect(t, candidate), await connect(t, candidate)]
    const [hello, bye] = [text('hello '), text('bye ')]
    for (const bytes of [hello, bye, hello]) for (const { near } of [one, other]) near.channel.write(bytes)
    one.near.channel.write(bye.subarray(0, 2))
    t.equal((await one.far.received(18)).toString(), 'hello bye hello by')
    t.equal((await other.far.received(16)).toString(), 'hello bye hello ')
  })

  t.test('a mebibyte in chunks of odd sizes arrives unchanged', async (t) => {
    const { near, far } = await connect(t, candidate)
    const random = new Random(7)
    const bytes = random.bytes(MIB)
    for (let offset = 0; offset < bytes.length;) {
      const length = 1 + random.below(20_011)
      near.channel.write(bytes.subarray(offset, offset + length))
      offset += length
    }
    t.ok((await far.received(MIB)).equals(bytes))
    t.equal(far.byteLength, MIB)
    t.equal(near.channel.queuedBytes, 0)
  })

  t.test('an empty write sends nothing and harms nothing', async (t) => {
    const { near, far } = await connect(t, candidate)
    near.channel.write(new Uint8Array(0))
    near.channel.write(text('x'))
    near.channel.write(new Uint8Array(0))
    t.equal((await far.received(1)).toString(), 'x')
    await turns()
    t.same(far.log, ['bytes'])
  })

  t.test('bytes that were sent before the other end opened are kept', async (t) => {
    const { server, client } = candidate.make()
    const accepted: Channel[] = []
    const owner = new ListenRecorder((channel) => {
      accepted.push(channel)
      channel.write(text('early'))
    })
    const listener = await listen(t, server, owner)
    const channel = await dial(t, client, listener.port)
    channel.write(text('late'))
    await turns(20)
    const near = new ChannelRecorder(channel)
    t.equal((await near.received(5)).toString(), 'early')
    const far = new ChannelRecorder(accepted[0]!)
    t.equal((await far.received(4)).toString(), 'late')
    far.channel.destroy()
  })

  t.test('an end that came before the other end opened is told after the bytes', async (t) => {
    const { server, client } = candidate.make()
    const owner = new ListenRecorder((channel) => {
      channel.open(new ChannelRecorder(channel))
      channel.write(text('bye'))
      channel.end()
    })
    const listener = await listen(t, server, owner)
    const near = new ChannelRecorder(await dial(t, client, listener.port))
    t.equal(await near.closed(), undefined)
    t.equal(near.text, 'bye')
    t.same(near.log, ['bytes', 'close'])
  })

  t.test('what is queued leaves before a clean end, which both ends see once', async (t) => {
    const { near, far } = await connect(t, candidate)
    near.channel.write(new Uint8Array(3 * MIB))
    near.channel.end()
    t.equal(await far.closed(), undefined)
    t.equal(await near.closed(), undefined)
    t.equal(far.byteLength, 3 * MIB)
    await turns()
    t.equal(far.closes.length, 1)
    t.equal(near.closes.length, 1)
    t.equal(far.log.at(-1), 'close')
    t.equal(near.log.at(-1), 'close')
  })

  t.test('both ends may end at the same time', async (t) => {
    const { near, far } = await connect(t, candidate)
    near.channel.write(text('a'))
    near.channel.end()
    far.channel.end()
    t.equal(await far.closed(), undefined)
    t.equal(await near.closed(), undefined)
    near.channel.end()
    near.channel.destroy()
    await turns()
    t.equal(near.closes.length, 1)
  })

  t.test('after its own end a channel delivers nothing more', async (t) => {
    const { near, far } = await connect(t, candidate)
    far.channel.write(text('still on its way'))
    near.channel.end()
    await near.closed()
    t.equal(near.byteLength, 0)
  })

  t.test('a paused channel that ends sees the end of the other all the same', async (t) => {
    const { near, far } = await connect(t, candidate)
    near.channel.pause()
    far.channel.write(new Uint8Array(MIB))
    await turns()
    near.channel.end()
    t.equal(await near.closed(), undefined)
    await far.closed()
    t.equal(near.byteLength, 0)
  })

  t.test('a destroyed channel closes once at both ends', async (t) => {
    const { near, far } = await connect(t, candidate)
    near.channel.destroy()
    near.channel.destroy()
    t.equal(await near.closed(), undefined, 'no error at the end that asked for it')
    await far.closed()
    await turns()
    t.equal(near.closes.length, 1)
    t.equal(far.closes.length, 1)
  })

  t.test('a channel that is destroyed while bytes are queued closes once at both ends', async (t) => {
    const { near, far } = await connect(t, candidate)
    far.channel.pause()
    near.channel.write(new Uint8Array(24 * MIB))
    await turns()
    near.channel.destroy()
    t.equal(await near.closed(), undefined)
    t.equal(near.channel.queuedBytes, 0)
    // What had arrived before may still be read; the rest never comes.
    far.channel.resume()
    await far.closed()
    await turns()
    t.equal(far.closes.length, 1)
    t.equal(near.closes.length, 1)
  })

  t.test('writing after the end does nothing', async (t) => {
    const { near, far } = await connect(t, candidate)
    near.channel.write(text('a'))
    near.channel.end()
    near.channel.write(text('b'))
    await far.closed()
    await near.closed()
    near.channel.write(text('c'))
    near.channel.end()
    far.channel.write(text('d'))
    far.channel.cork()
    far.channel.write(text('e'))
    far.channel.uncork()
    near.channel.pause()
    near.channel.resume()
    await turns()
    t.equal(far.text, 'a')
    t.same(near.log, ['close'])
    t.equal(near.channel.queuedBytes, 0)
  })

  t.test('a paused end holds the other one back, and drains it when it resumes', async (t) => {
    const { near, far } = await connect(t, candidate)
    far.channel.pause()
    await turns()
    const chunk = new Uint8Array(MIB)
    for (let count = 0; count < 24; count++) near.channel.write(chunk)
    await turns(50)
    t.equal(far.byteLength, 0)
    t.ok(near.channel.queuedBytes > MIB, 'the writer keeps what the other end does not take')
    t.equal(near.drains, 0)
    far.channel.resume()
    await far.received(24 * MIB)
    await near.drained()
    t.equal(near.channel.queuedBytes, 0)
    t.equal(far.byteLength, 24 * MIB)
  })

  t.test('a channel that is paused in the middle delivers the rest later', async (t) => {
    const { near, far } = await connect(t, candidate)
    near.channel.write(text('first'))
    await far.received(5)
    far.channel.pause()
    near.channel.write(text(' second'))
    await turns(50)
    t.equal(far.text, 'first')
    near.channel.end()
    await turns(50)
    t.same(far.closes, [], 'the end comes after the bytes')
    far.channel.resume()
    await far.closed()
    t.equal(far.text, 'first second')
  })

  t.test('a cork holds writes together and keeps their order', async (t) => {
    const { near, far } = await connect(t, candidate)
    near.channel.write(text('0'))
    await far.received(1)
    near.channel.cork()
    for (const digit of '1234') near.channel.write(text(digit))
    await turns(50)
    t.equal(far.text, '0')
    t.ok(near.channel.queuedBytes >= 4, 'with what a transport puts around them')
    near.channel.uncork()
    near.channel.write(text('5'))
    t.equal((await far.received(6)).toString(), '012345')
  })

  t.test('a corked channel that ends sends what it holds', async (t) => {
    const { near, far } = await connect(t, candidate)
    near.channel.cork()
    near.channel.write(text('held'))
    near.channel.end()
    await far.closed()
    t.equal(far.text, 'held')
  })

  t.test('a handler that ends or destroys its own channel hears nothing more', async (t) => {
    const { near, far } = await connect(t, candidate)
    far.onBytes = () => {
      far.log.push('bytes')
      far.channel.destroy()
    }
    for (let count = 0; count < 100; count++) near.channel.write(new Uint8Array(1_000))
    await far.closed()
    await near.closed()
    t.same(far.log, ['bytes', 'close'])
  })

  t.end()
}

for (const candidate of CANDIDATES) t.test(candidate.title, (t) => suite(t, candidate))

t.test('hyperswarm', async (t) => {
  const bootstrap = await startDht(t)
  // Its nodes have no addresses, so the suite of listening and dialling is not for them.
  await t.test('on a DHT of this machine', (t) =>
    suite(t, { title: 'hyperswarm', make: () => pairOnDht(bootstrap) }),
  )
})
