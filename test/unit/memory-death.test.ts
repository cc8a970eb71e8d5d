// Owners of connections that die: killed, or without power. And hosts that nobody can dial.
import t, { type Test } from 'tap'
import type { ManualClock } from '../../lib/testing/manual-clock.ts'
import type { MemoryNetwork } from '../../lib/transport/memory.ts'
import { ChannelRecorder, turns } from '../fixtures/channel-recorder.ts'
import { A, B, C, dial, listen, makeNetwork, PORT, text } from '../fixtures/memory-hosts.ts'

/** A connection from host A to host B, and what both ends live by. */
async function connect(t: Test, network: MemoryNetwork, clock: ManualClock) {
  const [from, to] = [network.transport(A), network.transport(B)]
  const { owner } = await listen(t, to, B)
  const dialled = dial(from, B)
  await clock.advanceAsync(1_000)
  const near = new ChannelRecorder(await dialled)
  const far = await owner.channel()
  t.teardown(() => {
    near.channel.destroy()
    far.channel.destroy()
  })
  await turns()
  return { from, to, near, far, owner }
}

t.test('a killed owner is told nothing; what it has written arrives, and then a clean end', async (t) => {
  const { network, clock } = makeNetwork({ latency: 10 })
  const { from, near, far } = await connect(t, network, clock)
  near.channel.write(text('last words'))
  from.kill()
  near.channel.write(text('from the grave'))
  far.channel.write(text('hello?'))
  await clock.advanceAsync(10)
  t.equal(far.text, 'last words')
  await clock.advanceAsync(100)
  t.equal(far.closes.length, 1)
  t.same(near.log, [], 'not even the end')
  near.channel.destroy()
  await turns()
  t.equal(near.closes.length, 1, 'unless what is left of it tidies up')
  t.equal(clock.pendingTimers, 0)
})

t.test('what nobody had read makes the end a reset, as with TCP', async (t) => {
  const { network, clock } = makeNetwork({ latency: 10 })
  const { from, near, far } = await connect(t, network, clock)
  near.channel.pause()
  far.channel.write(text('unread'))
  await clock.advanceAsync(10)
  from.kill()
  await clock.advanceAsync(10)
  t.match(await far.closed(), { code: 'ECONNRESET' })
})

t.test('a killed listener refuses dials, and its port is free again', async (t) => {
  const { network, clock } = makeNetwork({ latency: 10 })
  const { to, near, far } = await connect(t, network, clock)
  to.kill()
  to.kill('power')
  await clock.advanceAsync(10)
  t.equal(await near.closed(), undefined)
  t.same(far.log, [])
  const late = t.rejects(dial(network.transport(C), B), { code: 'ECONNREFUSED' })
  await clock.advanceAsync(20)
  await late
  await listen(t, network.transport(B), B)
})

t.test('what the dead ask for stays without an answer', async (t) => {
  const { network, clock } = makeNetwork({ latency: 10 })
  await listen(t, network.transport(B), B)
  const transport = network.transport(A)
  let settled = 0
  const early = dial(transport, B)
  transport.kill()
  const late = dial(transport, B)
  const listening = transport.listen(A, PORT, {} as never)
  for (const promise of [early, late, listening]) {
    void promise.then(
      () => settled++,
      () => settled++,
    )
  }
  await clock.advanceAsync(60_000)
  t.equal(settled, 0)
  t.equal(clock.pendingTimers, 0)
})

t.test('without power nobody is told, and dials wait, until somebody listens there again', async (t) => {
  const { network, clock } = makeNetwork({ latency: 10 })
  const { to, near, far } = await connect(t, network, clock)
  far.channel.write(text('on its way'))
  to.kill('power')
  near.channel.write(text('hello?'))
  let isUp = false
  const patient = dial(network.transport(C), B)
  void patient.then(() => (isUp = true))
  await clock.advanceAsync(60_000)
  t.same([...near.log, ...far.log], [])
  t.equal(near.channel.queuedBytes, 6)
  t.notOk(isUp)
  const { owner } = await listen(t, network.transport(B), B)
  await clock.advanceAsync(100)
  t.match(await near.closed(), { code: 'ECONNRESET' }, 'the new one knows nothing of the old connections')
  const channel = await patient
  channel.destroy()
  ;(await owner.channel()).channel.destroy()
  await turns()
})

t.test('a dial that was on its way when the power failed waits too', async (t) => {
  const { network, clock } = makeNetwork({ latency: 10 })
  const transport = network.transport(B)
  const { owner } = await listen(t, transport, B)
  const controller = new AbortController()
  const dialled = dial(network.transport(A), B, PORT, controller.signal)
  await clock.advanceAsync(5)
  transport.kill('power')
  await clock.advanceAsync(60_000)
  t.same(owner.asked, [])
  controller.abort(new Error('no answer'))
  await t.rejects(dialled, { message: 'no answer' })
})

t.test('a hidden host dials others, and nobody dials it', async (t) => {
  const { network, clock } = makeNetwork({ latency: 10 })
  const hidden = network.transport(A, true)
  const inside = await listen(t, hidden, '192.168.0.2')
  const outside = await listen(t, network.transport(B), B)
  t.same(hidden.hosts(), [])
  t.same(network.transport(B).hosts(), [B])
  const controller = new AbortController()
  const vain = dial(network.transport(B), A, PORT, controller.signal)
  const good = dial(hidden, B)
  await clock.advanceAsync(1_000)
  const channel = await good
  const far = await outside.owner.channel()
  t.equal(far.channel.remoteHost, A)
  t.same(inside.owner.asked, [])
  controller.abort(new Error('no answer'))
  await t.rejects(vain, { message: 'no answer' })
  channel.destroy()
  far.channel.destroy()
  t.equal(network.dialsTo(`${A}:${PORT}`), 1)
})

t.test('a partition of many hosts costs no pairs, and takes the place of the one before', async (t) => {
  const { network, clock } = makeNetwork({ latency: 10 })
  const { near, far } = await connect(t, network, clock)
  const others = Array.from({ length: 20_000 }, (_, number) => `host-${number}`)
  network.partition([[A, ...others.slice(0, 10_000)], others.slice(10_000)])
  near.channel.write(text('a'))
  await clock.advanceAsync(1_000)
  t.equal(far.text, '', 'B is in no group')
  network.partition([[A, B], others])
  await clock.advanceAsync(10)
  t.equal(far.text, 'a')
  network.partition([[B]])
  near.channel.write(text('b'))
  await clock.advanceAsync(1_000)
  t.equal(far.text, 'a')
  network.cut(A, B)
  network.partition([])
  await clock.advanceAsync(1_000)
  t.equal(far.text, 'a', 'a cut is no part of it')
  network.healAll()
  await clock.advanceAsync(10)
  t.equal(far.text, 'ab')
})

t.test('in simulated time, what is written at one time leaves together, corked or not', async (t) => {
  const tasks: (() => void)[] = []
  const chunks: number[] = []
  const { network, clock } = makeNetwork({
    latency: 10,
    soon: (task) => void tasks.push(task),
    onSend: ({ length }) => void chunks.push(length),
  })
  const work = () => {
    while (tasks.length > 0) tasks.shift()!()
  }
  const { owner } = await listen(t, network.transport(B), B)
  const dialled = dial(network.transport(A), B)
  clock.advance(20)
  const near = new ChannelRecorder(await dialled)
  const far = await owner.channel()
  work()
  near.channel.write(text('one '))
  near.channel.cork()
  near.channel.write(text('two '))
  near.channel.uncork()
  near.channel.write(text('three'))
  t.same(chunks, [])
  work()
  t.same(chunks, [13])
  near.channel.write(text(' and the end'))
  near.channel.end()
  t.same(chunks, [13, 12])
  work()
  clock.advance(10)
  work()
  t.equal(far.text, 'one two three and the end')
  clock.advance(10)
  work()
  t.equal(near.closes.length, 1)
  t.same(
    process.getActiveResourcesInfo().filter((name) => name === 'Timeout'),
    [],
  )
})

t.test('a share of the connections breaks', async (t) => {
  const { network, clock } = makeNetwork({ latency: 10 })
  const all = []
  for (let count = 0; count < 10; count++) {
    const { owner } = await listen(t, network.transport(B), B, PORT + count)
    const dialled = dial(network.transport(A), B, PORT + count)
    await clock.advanceAsync(20)
    all.push(new ChannelRecorder(await dialled), await owner.channel())
  }
  t.equal(network.resetShare(0.3), 3)
  await turns()
  t.equal(all.filter(({ closes }) => closes.length > 0).length, 6)
  for (const { channel } of all) channel.destroy()
  await turns()
})
