import t from 'tap'
import { ChannelRecorder, turns } from '../fixtures/channel-recorder.ts'
import { A, B, C, connect, dial, listen, makeNetwork, PORT, text } from '../fixtures/memory-hosts.ts'

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

  t.test(
    'what is on its way from a destroyed channel is lost, also what a clean end was to follow',
    async (t) => {
      const { network, clock } = makeNetwork({ latency: 50 })
      const { near, far } = await connect(t, network, clock)
      near.channel.write(text('on its way'))
      near.channel.end()
      await clock.advanceAsync(20)
      near.channel.destroy()
      await clock.advanceAsync(50)
      t.match(await far.closed(), { code: 'ECONNRESET' })
      t.same(far.log, ['close'])
      t.same(near.log, ['close'])
    },
  )

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
