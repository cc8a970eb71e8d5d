import t, { type Test } from 'tap'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { MemoryNetwork, type MemoryNetworkOptions } from '../../lib/transport/memory.ts'
import type { Channel, Transport } from '../../lib/transport/transport.ts'
import { ChannelRecorder, ListenRecorder, turns } from '../fixtures/channel-recorder.ts'

const A = '10.0.0.1'
const B = '10.0.0.2'
const C = '10.0.0.3'
const PORT = 8_000

const text = (value: string) => new TextEncoder().encode(value)

function makeNetwork(options: MemoryNetworkOptions = {}) {
  const clock = new ManualClock()
  return { clock, network: new MemoryNetwork({ clock, ...options }) }
}

async function listen(
  t: Test,
  transport: Transport,
  host: string,
  port = PORT,
  owner = new ListenRecorder(),
) {
  const listener = await transport.listen(host, port, owner, {
    handshakeTimeout: 0,
    clock: new ManualClock(),
  })
  t.teardown(() => listener.close())
  return { listener, owner }
}

function dial(transport: Transport, host: string, port = PORT, signal?: AbortSignal): Promise<Channel> {
  return transport.dial(host, port, { handshakeTimeout: 0, clock: new ManualClock(), signal })
}

/** A connection from host A to host B. */
async function connect(t: Test, network: MemoryNetwork, clock: ManualClock) {
  const { owner } = await listen(t, network.transport(B), B)
  const dialled = dial(network.transport(A), B)
  await clock.advanceAsync(10_000)
  const near = new ChannelRecorder(await dialled)
  const far = await owner.channel()
  t.teardown(() => {
    near.channel.destroy()
    far.channel.destroy()
  })
  await turns()
  return { near, far }
}

t.test('each end sees the host of the other', async (t) => {
  const { network, clock } = makeNetwork()
  const { near, far } = await connect(t, network, clock)
  t.equal(near.channel.remoteHost, B)
  t.equal(near.channel.remotePort, PORT)
  t.equal(far.channel.remoteHost, A)
  t.equal(near.channel.peerId, undefined)
  t.equal(near.channel.encrypted, false)
})

t.test('listening', async (t) => {
  t.test('port 0 gives free ports from 49152 on', async (t) => {
    const { network } = makeNetwork()
    await listen(t, network.transport(A), A, 49_153)
    const first = await listen(t, network.transport(A), A, 0)
    const second = await listen(t, network.transport(A), A, 0)
    t.equal(first.listener.port, 49_152)
    t.equal(second.listener.port, 49_154)
  })

  t.test('two hosts may use one port', async (t) => {
    const { network } = makeNetwork()
    await listen(t, network.transport(A), A)
    await listen(t, network.transport(B), B)
    await t.rejects(listen(t, network.transport(B), B), {
      code: 'EADDRINUSE',
      message: 'listen EADDRINUSE: address already in use 10.0.0.2:8000',
    })
  })

  t.test('a wildcard stands for the host of the transport', async (t) => {
    const { network } = makeNetwork()
    const { listener, owner } = await listen(t, network.transport(B), '0.0.0.0')
    t.equal(listener.host, '0.0.0.0')
    await listen(t, network.transport(A), '0.0.0.0')
    const channel = await dial(network.transport(A), B)
    channel.destroy()
    t.same(owner.asked, [A])
  })

  t.test('an old listener that closes again leaves its successor alone', async (t) => {
    const { network } = makeNetwork()
    const { listener } = await listen(t, network.transport(B), B)
    await listener.close()
    await listen(t, network.transport(B), B)
    await listener.close()
    const channel = await dial(network.transport(A), B)
    channel.destroy()
  })

  for (const port of [-1, 65_536, 1.5, Number.NaN]) {
    t.test(`port ${port} is refused`, async (t) => {
      const { network } = makeNetwork()
      await t.rejects(listen(t, network.transport(A), A, port), { code: 'invalid-argument' })
      await t.rejects(dial(network.transport(A), A, port), { code: 'invalid-argument' })
    })
  }

  t.test('a host whose ports are all taken has no free one', async (t) => {
    const { network } = makeNetwork()
    const transport = network.transport(A)
    for (let port = 49_152; port <= 65_535; port++) await listen(t, transport, A, port)
    await t.rejects(listen(t, transport, A, 0), { code: 'EADDRINUSE' })
    await listen(t, transport, B, 0)
  })
})

t.test('without latency', async (t) => {
  t.test('nothing is delivered in the turn in which it was sent', async (t) => {
    const { network, clock } = makeNetwork()
    const { near, far } = await connect(t, network, clock)
    near.channel.write(text('x'))
    await Promise.resolve()
    t.equal(far.byteLength, 0)
    t.equal(near.channel.queuedBytes, 1)
    await turns(1)
    t.equal(far.text, 'x')
    t.equal(near.channel.queuedBytes, 0)
  })

  t.test('no timer is set', async (t) => {
    const { network, clock } = makeNetwork()
    const { near, far } = await connect(t, network, clock)
    near.channel.write(text('ping'))
    await far.received(4)
    near.channel.end()
    await near.closed()
    t.equal(clock.pendingTimers, 0)
  })

  t.test('two ends that answer each other for ever let other work be done', async (t) => {
    const { network, clock } = makeNetwork()
    const { near, far } = await connect(t, network, clock)
    let rounds = 0
    near.onBytes = (bytes) => near.channel.write(bytes)
    far.onBytes = (bytes) => {
      rounds++
      far.channel.write(bytes)
    }
    near.channel.write(text('ball'))
    await turns(10)
    t.ok(rounds > 2 && rounds < 20, `${rounds} rounds in 10 turns`)
  })

  t.test('a handler that throws does not cost others their deliveries', async (t) => {
    const { network, clock } = makeNetwork()
    const { near, far } = await connect(t, network, clock)
    const { near: near2, far: far2 } = await connectAgain(network)
    far.onBytes = () => {
      throw new Error('broken owner')
    }
    const thrown = new Promise((resolve) => process.once('uncaughtException', resolve))
    near.channel.write(text('a'))
    near2.channel.write(text('b'))
    t.match(await thrown, { message: 'broken owner' })
    t.equal((await far2.received(1)).toString(), 'b')
    t.equal(near.channel.queuedBytes, 0)
    near2.channel.destroy()
    far2.channel.destroy()
  })

  t.test('fifty nodes exchange tens of thousands of chunks in a moment', async (t) => {
    const { network } = makeNetwork()
    const received = await floodNetwork(t, network, 50, 20)
    t.equal(received, 49_000)
    t.equal(network.chunksSent, 49_000)
    t.equal(network.bytesSent, 49_000 * 300)
  })
})

/** One more connection from A to B, to a listener of its own. */
async function connectAgain(network: MemoryNetwork) {
  const owner = new ListenRecorder()
  const options = { handshakeTimeout: 0, clock: new ManualClock() }
  const listener = await network.transport(B).listen(B, 0, owner, options)
  const near = new ChannelRecorder(await dial(network.transport(A), B, listener.port))
  await listener.close()
  return { near, far: await owner.channel() }
}

/** Every node sends to every other one; returns how many chunks arrived. */
async function floodNetwork(t: Test, network: MemoryNetwork, nodes: number, chunks: number): Promise<number> {
  let received = 0
  const count = { onBytes: () => (received += 1), onDrain() {}, onClose() {} }
  const channels: Channel[] = []
  const hosts = Array.from({ length: nodes }, (_, index) => `10.0.1.${index}`)
  for (const host of hosts) {
    const owner = new ListenRecorder((channel) => {
      channel.open(count)
      channels.push(channel)
    })
    await listen(t, network.transport(host), host, PORT, owner)
  }
  for (const [index, from] of hosts.entries()) {
    for (const to of hosts.slice(index + 1)) {
      const channel = await dial(network.transport(from), to)
      channel.open(count)
      channels.push(channel)
    }
  }
  await turns()
  const bytes = new Uint8Array(300)
  for (let round = 0; round < chunks; round++) for (const channel of channels) channel.write(bytes)
  while (received < channels.length * chunks) await turns(1)
  for (const channel of channels) channel.destroy()
  return received
}

t.test('latency', async (t) => {
  t.test('a dial takes a round trip, and bytes take a one-way trip', async (t) => {
    const { network, clock } = makeNetwork({ latency: 50 })
    const { owner } = await listen(t, network.transport(B), B)
    let isUp = false
    const dialled = dial(network.transport(A), B)
    void dialled.then(() => (isUp = true))
    await clock.advanceAsync(49)
    t.same(owner.asked, [])
    await clock.advanceAsync(1)
    t.same(owner.asked, [A])
    await clock.advanceAsync(49)
    t.notOk(isUp)
    await clock.advanceAsync(1)
    t.ok(isUp)
    const near = new ChannelRecorder(await dialled)
    const far = await owner.channel()
    near.channel.write(text('a'))
    await clock.advanceAsync(30)
    near.channel.write(text('b'))
    await clock.advanceAsync(19)
    t.equal(far.text, '')
    await clock.advanceAsync(1)
    t.equal(far.text, 'a')
    t.equal(near.channel.queuedBytes, 1)
    await clock.advanceAsync(30)
    t.equal(far.text, 'ab')
    near.channel.end()
    await clock.advanceAsync(50)
    t.equal(far.closes.length, 1)
    t.equal(near.closes.length, 0)
    await clock.advanceAsync(50)
    t.equal(near.closes.length, 1)
    t.equal(clock.pendingTimers, 0)
  })

  t.test('a spread latency keeps the order', async (t) => {
    const { network, clock } = makeNetwork({ latency: { min: 1, max: 100 } })
    const { near, far } = await connect(t, network, clock)
    for (let index = 0; index < 500; index++) {
      near.channel.write(Uint8Array.of(index & 0xff, index >> 8))
      clock.advance(1)
    }
    await clock.advanceAsync(200)
    const bytes = await far.received(1_000)
    t.same(
      Array.from({ length: 500 }, (_, index) => bytes.readUInt16LE(2 * index)),
      Array.from({ length: 500 }, (_, index) => index),
    )
  })

  t.test('nothing is left on the clock when both ends are gone', async (t) => {
    const { network, clock } = makeNetwork({ latency: 50 })
    const { near, far } = await connect(t, network, clock)
    near.channel.write(text('on its way'))
    near.channel.destroy()
    far.channel.destroy()
    t.equal(clock.pendingTimers, 0)
    await turns()
    t.equal(far.byteLength, 0)
    t.equal(far.closes.length, 1)
  })
})

t.test('loss delays, and loses nothing', async (t) => {
  const { network, clock } = makeNetwork({ latency: 10, loss: 0.3, seed: 4 })
  const { near, far } = await connect(t, network, clock)
  for (let index = 0; index < 200; index++) {
    near.channel.write(Uint8Array.of(index))
    clock.advance(10)
  }
  await turns()
  const prompt = far.byteLength
  t.ok(prompt < 200, `${prompt} of 200 arrived at once`)
  await clock.advanceAsync(60_000)
  t.same([...far.bytes], [...Array(200).keys()])
})

t.test('the same seed takes the same course, another one another', async (t) => {
  const run = async (seed: number) => {
    const { network, clock } = makeNetwork({ latency: { min: 5, max: 50 }, loss: 0.1, seed })
    const { near, far } = await connect(t, network, clock)
    const start = clock.now()
    const arrivals: number[] = []
    far.onBytes = () => void arrivals.push(clock.now() - start)
    for (let index = 0; index < 50; index++) {
      near.channel.write(text('x'))
      clock.advance(20)
    }
    await clock.advanceAsync(60_000)
    near.channel.destroy()
    far.channel.destroy()
    return arrivals
  }
  const first = await run(1)
  t.equal(first.length, 50)
  t.same(await run(1), first)
  t.notSame(await run(2), first)
})

t.test('a cut', async (t) => {
  t.test('makes connections go silent, without a word, until it is healed', async (t) => {
    const { network, clock } = makeNetwork({ latency: 10 })
    const { near, far } = await connect(t, network, clock)
    near.channel.write(text('on its way '))
    network.cut(B, A)
    near.channel.write(text('into the void'))
    far.channel.write(text('hello?'))
    await clock.advanceAsync(3_600_000)
    t.equal(far.byteLength, 0)
    t.equal(near.byteLength, 0)
    t.same([...near.closes, ...far.closes], [])
    t.equal(near.channel.queuedBytes, 24)
    network.heal(A, B)
    await clock.advanceAsync(9)
    t.equal(far.byteLength, 0, 'what was lost travels anew')
    await clock.advanceAsync(1)
    t.equal(far.text, 'on its way into the void')
    t.equal(near.text, 'hello?')
  })

  t.test('hides that the other end is gone', async (t) => {
    const { network, clock } = makeNetwork()
    const { near, far } = await connect(t, network, clock)
    network.cut(A, B)
    near.channel.destroy()
    t.equal(await near.closed(), undefined)
    far.channel.write(text('are you there?'))
    await turns(50)
    t.same(far.closes, [])
    network.heal(A, B)
    await far.closed()
  })

  t.test('lets a dial wait until its signal', async (t) => {
    const { network } = makeNetwork()
    const { owner } = await listen(t, network.transport(B), B)
    network.cut(A, B)
    const controller = new AbortController()
    const dialled = dial(network.transport(A), B, PORT, controller.signal)
    let isSettled = false
    dialled.catch(() => {}).finally(() => (isSettled = true))
    await turns(50)
    t.notOk(isSettled)
    const reason = new Error('no answer')
    controller.abort(reason)
    await t.rejects(dialled, reason)
    network.heal(A, B)
    await turns()
    t.same(owner.asked, [], 'the dial was given up')
  })

  t.test('lets a patient dial through once it is healed', async (t) => {
    const { network } = makeNetwork()
    await listen(t, network.transport(B), B)
    network.cut(A, B)
    const dialled = dial(network.transport(A), B)
    await turns()
    network.heal(A, B)
    const channel = await dialled
    channel.destroy()
  })

  t.test('concerns its two hosts only', async (t) => {
    const { network, clock } = makeNetwork()
    const { near, far } = await connect(t, network, clock)
    network.cut(A, C)
    network.cut(B, C)
    network.cut(B, B)
    near.channel.write(text('x'))
    await far.received(1)
    t.pass('A and B hear each other')
  })
})

t.test('a reset', async (t) => {
  t.test('breaks connections at once, at both ends', async (t) => {
    const { network, clock } = makeNetwork({ latency: 10 })
    const { near, far } = await connect(t, network, clock)
    near.channel.write(text('lost'))
    network.reset(B, A)
    t.match(await near.closed(), { code: 'ECONNRESET' })
    t.match(await far.closed(), { code: 'ECONNRESET' })
    await clock.advanceAsync(100)
    t.same(far.log, ['close'])
    t.same(near.log, ['close'])
    near.channel.write(text('x'))
    t.equal(near.channel.queuedBytes, 0)
  })

  t.test('reaches across a cut, and leaves other hosts alone', async (t) => {
    const { network, clock } = makeNetwork()
    const { near, far } = await connect(t, network, clock)
    network.cut(A, B)
    network.reset(A, C)
    await turns()
    t.same(near.closes, [])
    network.reset(A, B)
    t.match(await near.closed(), { code: 'ECONNRESET' })
    await far.closed()
  })

  t.test('fails a dial that is under way', async (t) => {
    const { network, clock } = makeNetwork({ latency: 10 })
    const { owner } = await listen(t, network.transport(B), B)
    const early = dial(network.transport(A), B)
    const checked = t.rejects(early, { code: 'ECONNRESET' })
    await turns()
    network.reset(A, B)
    await checked
    const late = dial(network.transport(A), B)
    await clock.advanceAsync(10)
    const far = await owner.channel()
    network.reset(A, B)
    await t.rejects(late, { code: 'ECONNRESET' })
    t.match(await far.closed(), { code: 'ECONNRESET' })
  })
})

t.test('a dial that is given up after it was accepted closes the other end', async (t) => {
  const { network, clock } = makeNetwork({ latency: 10 })
  const { owner } = await listen(t, network.transport(B), B)
  const controller = new AbortController()
  const dialled = dial(network.transport(A), B, PORT, controller.signal)
  await clock.advanceAsync(15)
  const far = await owner.channel()
  controller.abort()
  await t.rejects(dialled, { name: 'AbortError' })
  await clock.advanceAsync(10)
  await far.closed()
})

t.test('an owner that destroys a channel when it gets it leaves no dial hanging', async (t) => {
  const { network } = makeNetwork()
  await listen(t, network.transport(B), B, PORT, new ListenRecorder((channel) => channel.destroy()))
  const near = new ChannelRecorder(await dial(network.transport(A), B))
  await near.closed()
})

t.test('bytes sent to an end that is gone break the connection', async (t) => {
  const { network, clock } = makeNetwork({ latency: 10 })
  const { near, far } = await connect(t, network, clock)
  near.channel.destroy()
  far.channel.write(text('too late'))
  await clock.advanceAsync(50)
  t.match(await far.closed(), { code: 'ECONNRESET' })
})

t.test('a cork makes one chunk of many writes', async (t) => {
  const { network, clock } = makeNetwork()
  const { near, far } = await connect(t, network, clock)
  near.channel.cork()
  near.channel.cork()
  for (const digit of '123') near.channel.write(text(digit))
  near.channel.uncork()
  await turns()
  t.equal(far.byteLength, 0, 'corks are counted')
  near.channel.uncork()
  near.channel.uncork()
  t.equal((await far.received(3)).toString(), '123')
  t.same(far.log, ['bytes'])
  t.equal(network.chunksSent, 1)
  t.equal(network.bytesSent, 3)
})

t.test('a channel that destroys itself while it is read has lost the rest', async (t) => {
  const { network, clock } = makeNetwork()
  const { near, far } = await connect(t, network, clock)
  far.channel.pause()
  for (const digit of '123') near.channel.write(text(digit))
  await turns()
  far.onBytes = () => {
    far.log.push('bytes')
    far.channel.destroy()
  }
  far.channel.resume()
  t.match(await near.closed(), { code: 'ECONNRESET' })
  t.same(far.log, ['bytes', 'close'])
})

t.test('options are checked', (t) => {
  const refused: [string, MemoryNetworkOptions][] = [
    ['latency', { latency: -1 }],
    ['latency', { latency: Number.NaN }],
    ['latency', { latency: Infinity }],
    ['latency', { latency: { min: 5, max: 4 } }],
    ['loss', { loss: 1 }],
    ['loss', { loss: -0.1 }],
    ['seed', { seed: 0.5 }],
    ['lag', { lag: 5 } as MemoryNetworkOptions],
  ]
  for (const [name, options] of refused) {
    t.throws(() => new MemoryNetwork(options), { code: 'invalid-option', message: `option "${name}"` })
  }
  t.end()
})
