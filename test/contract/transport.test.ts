import t, { type Test } from 'tap'
import { systemClock } from '../../lib/clock.ts'
import { Identity } from '../../lib/identity/identity.ts'
import { Random } from '../../lib/testing/random.ts'
import { MemoryNetwork } from '../../lib/transport/memory.ts'
import { TcpTransport } from '../../lib/transport/tcp.ts'
import { TlsTransport } from '../../lib/transport/tls.ts'
import type { Channel, DialOptions, Listener, Transport } from '../../lib/transport/transport.ts'
import { ChannelRecorder, ListenRecorder, turns } from '../fixtures/channel-recorder.ts'

const HOST = '127.0.0.1'
const OPTIONS: DialOptions = { handshakeTimeout: 10_000, clock: systemClock }
const MIB = 1_024 * 1_024

/** What the contract leaves open: who listens and who dials may need transports of their own. */
interface Candidate {
  readonly title: string
  make(): { server: Transport; client: Transport }
}

const CANDIDATES: readonly Candidate[] = [
  { title: 'tcp', make: () => ({ server: new TcpTransport(), client: new TcpTransport() }) },
  {
    title: 'tls',
    make: () => ({
      server: new TlsTransport(Identity.generate()),
      client: new TlsTransport(Identity.generate()),
    }),
  },
  {
    title: 'memory',
    make: () => {
      const network = new MemoryNetwork()
      return { server: network.transport(), client: network.transport() }
    },
  },
  {
    title: 'memory with latency',
    make: () => {
      const network = new MemoryNetwork({ latency: { min: 0, max: 2 } })
      return { server: network.transport(), client: network.transport() }
    },
  },
]

interface Pair {
  readonly server: Transport
  readonly client: Transport
  readonly owner: ListenRecorder
  readonly listener: Listener
  /** The end that dialled, and the end that accepted. */
  readonly near: ChannelRecorder
  readonly far: ChannelRecorder
}

async function listen(t: Test, server: Transport, owner = new ListenRecorder(), port = 0): Promise<Listener> {
  const listener = await server.listen(HOST, port, owner, OPTIONS)
  t.teardown(() => listener.close())
  return listener
}

async function dial(t: Test, client: Transport, port: number, signal?: AbortSignal): Promise<Channel> {
  const channel = await client.dial(HOST, port, { ...OPTIONS, signal })
  t.teardown(() => channel.destroy())
  return channel
}

async function connect(t: Test, candidate: Candidate): Promise<Pair> {
  const { server, client } = candidate.make()
  const owner = new ListenRecorder()
  const listener = await listen(t, server, owner)
  const near = new ChannelRecorder(await dial(t, client, listener.port))
  const far = await owner.channel()
  t.teardown(() => far.channel.destroy())
  return { server, client, owner, listener, near, far }
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

async function freePort(t: Test, server: Transport): Promise<number> {
  const listener = await listen(t, server)
  await listener.close()
  return listener.port
}

/** Every transport passes this suite; what is special about one of them is tested elsewhere. */
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

  t.test('what was queued in a destroyed channel is lost, and closes it at both ends', async (t) => {
    const { near, far } = await connect(t, candidate)
    far.channel.pause()
    near.channel.write(new Uint8Array(24 * MIB))
    await turns()
    near.channel.destroy()
    t.equal(await near.closed(), undefined)
    t.equal(near.channel.queuedBytes, 0)
    far.channel.resume()
    await far.closed()
    t.ok(far.byteLength < 24 * MIB)
    t.equal(far.closes.length, 1)
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
    t.equal(near.channel.queuedBytes, 4)
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

  t.test('port 0 is filled in, and both ends know where the other one is', async (t) => {
    const { listener, near, far } = await connect(t, candidate)
    t.ok(listener.port > 0 && listener.port < 65_536)
    t.equal(listener.host, HOST)
    t.equal(near.channel.remoteHost, HOST)
    t.equal(near.channel.remotePort, listener.port)
    t.equal(far.channel.remoteHost, HOST)
    t.ok(far.channel.remotePort > 0 && far.channel.remotePort !== listener.port)
    near.channel.destroy()
    await near.closed()
    t.equal(near.channel.remoteHost, HOST, 'also after the end')
  })

  t.test('a dial to nowhere rejects with the code of the platform', async (t) => {
    const { server, client } = candidate.make()
    const port = await freePort(t, server)
    await t.rejects(client.dial(HOST, port, OPTIONS), { code: 'ECONNREFUSED' })
  })

  t.test('a dial whose signal was aborted before rejects with its reason', async (t) => {
    const { server, client } = candidate.make()
    const owner = new ListenRecorder()
    const listener = await listen(t, server, owner)
    const reason = new Error('changed my mind')
    await t.rejects(dial(t, client, listener.port, AbortSignal.abort(reason)), reason)
    await turns()
    t.same(owner.asked, [], 'nothing was sent')
  })

  t.test('a dial whose signal is aborted on the way rejects with its reason', async (t) => {
    const { server, client } = candidate.make()
    const listener = await listen(t, server)
    const controller = new AbortController()
    const reason = new Error('changed my mind')
    const dialled = dial(t, client, listener.port, controller.signal)
    controller.abort(reason)
    await t.rejects(dialled, reason)
  })

  t.test('a signal that is aborted after the dial has succeeded does nothing', async (t) => {
    const { server, client } = candidate.make()
    const owner = new ListenRecorder()
    const listener = await listen(t, server, owner)
    const controller = new AbortController()
    const near = new ChannelRecorder(await dial(t, client, listener.port, controller.signal))
    const far = await owner.channel()
    controller.abort()
    far.channel.write(text('here'))
    t.equal((await near.received(4)).toString(), 'here')
    far.channel.destroy()
  })

  t.test('a second listener on the same address fails', async (t) => {
    const { server } = candidate.make()
    const listener = await listen(t, server)
    await t.rejects(listen(t, server, undefined, listener.port), { code: 'EADDRINUSE' })
  })

  t.test('a listener that closes frees its address and leaves channels alone', async (t) => {
    const { server, client, listener, owner, near, far } = await connect(t, candidate)
    await listener.close()
    await listener.close()
    await t.rejects(client.dial(HOST, listener.port, OPTIONS), { code: 'ECONNREFUSED' })
    const again = await listen(t, server, undefined, listener.port)
    t.equal(again.port, listener.port)
    near.channel.write(text('still here'))
    t.equal((await far.received(10)).toString(), 'still here')
    t.same(owner.errors, [])
  })

  t.test('who is not accepted is dropped, and nothing else is told', async (t) => {
    const { server, client } = candidate.make()
    const owner = new ListenRecorder()
    owner.isOpen = false
    const listener = await listen(t, server, owner)
    // Whether the dial fails or its channel closes at once depends on who shakes hands first.
    const dropped = await dial(t, client, listener.port).then(
      (channel) => new ChannelRecorder(channel).closed(),
      (error: unknown) => error,
    )
    t.ok(dropped instanceof Error)
    t.same(owner.asked, [HOST])
    t.equal(owner.channelCount, 0)
    t.same(owner.failures, [])
    owner.isOpen = true
    const near = new ChannelRecorder(await dial(t, client, listener.port))
    const far = await owner.channel()
    far.channel.write(text('in'))
    await near.received(2)
    far.channel.destroy()
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

  t.test('ten channels of one listener do not mix', async (t) => {
    const { server, client } = candidate.make()
    const owner = new ListenRecorder((channel) => {
      channel.open({ onBytes: (bytes) => channel.write(bytes), onDrain() {}, onClose() {} })
    })
    const listener = await listen(t, server, owner)
    const names = Array.from({ length: 10 }, (_, index) => `channel ${index}`)
    const replies = await Promise.all(
      names.map(async (name) => {
        const near = new ChannelRecorder(await dial(t, client, listener.port))
        near.channel.write(text(name))
        return (await near.received(name.length)).toString()
      }),
    )
    t.same(replies, names)
  })

  t.end()
}

for (const candidate of CANDIDATES) t.test(candidate.title, (t) => suite(t, candidate))
