import t, { type Test } from 'tap'
import { ChannelRecorder, ListenRecorder, turns } from '../fixtures/channel-recorder.ts'
import {
  type Candidate,
  CANDIDATES,
  connect,
  dial,
  freePort,
  HOST,
  listen,
  OPTIONS,
  text,
} from '../fixtures/transports.ts'

/** Listening and dialling of every transport pass this suite. */
function suite(t: Test, candidate: Candidate): void {
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
