import t, { type Test } from 'tap'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { MemoryNetwork, type MemoryNetworkOptions } from '../../lib/transport/memory.ts'
import type { Channel } from '../../lib/transport/transport.ts'
import { ChannelRecorder, ListenRecorder, turns } from '../fixtures/channel-recorder.ts'
import { A, B, connect, dial, listen, makeNetwork, PORT, text } from '../fixtures/memory-hosts.ts'

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
