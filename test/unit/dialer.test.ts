import t from 'tap'
import { Deferred } from '../../lib/ground/deferred.ts'
import { dial, type DialRequest } from '../../lib/connections/dialer.ts'
import { formatAddress } from '../../lib/wire/address.ts'
import { connectTimeout } from '../../lib/errors.ts'
import { NodeConnection } from '../../lib/node-connection.ts'
import type { Channel, DialOptions } from '../../lib/transport/transport.ts'
import { turns } from '../fixtures/channel-recorder.ts'
import { FakeChannel } from '../fixtures/fake-channel.ts'
import { closeFrame, FakeOwner, helloFrame, WELCOME } from '../fixtures/fake-link.ts'

/** A dial whose transport and remote end are the test. */
function make(change: Partial<DialRequest> = {}) {
  const owner = new FakeOwner()
  const channel = new FakeChannel()
  const reached = new Deferred<Channel>()
  const other = new Deferred<NodeConnection>()
  const asked: string[] = []
  const opened: NodeConnection[] = []
  let options: DialOptions | undefined
  const promise = dial(
    { host: 'there', port: 8_000, timeout: 5_000, signals: [], ...change },
    {
      clock: owner.clock,
      handshakeTimeout: 10_000,
      transport: {
        name: 'fake',
        listen: () => Promise.reject(new Error('not here')),
        dial: (host, port, given) => {
          asked.push(`${host} ${port}`)
          options = given
          return reached.promise
        },
      },
      open: (made) => {
        const place = { host: 'there', port: 8_000, expectedId: change.expectedId }
        const connection = new NodeConnection({ owner, channel: made, direction: 'outbound', ...place })
        opened.push(connection)
        connection.open()
        return connection
      },
      whenUp: (id, signal) => {
        asked.push(`when ${id} is up`)
        signal.addEventListener('abort', () => other.reject(signal.reason))
        return other.promise
      },
    },
  )
  promise.catch(() => {})
  /** The channel is there, and the hello of the peer has come. */
  const reach = async (...frames: Uint8Array[]): Promise<void> => {
    reached.resolve(channel)
    await turns(1)
    for (const frame of frames) channel.receive(frame)
    await turns(1)
  }
  const signal = (): AbortSignal | undefined => options?.signal
  return { promise, owner, clock: owner.clock, channel, reached, other, asked, opened, reach, signal }
}

const systemError = (code: string) => Object.assign(new Error(`raw ${code}`), { code })

t.test('the connection comes back when it is up', async (t) => {
  const { promise, reach, clock, opened, asked } = make()
  await reach(helloFrame(), WELCOME)
  t.equal(await promise, opened[0])
  t.equal(opened[0]!.isUp, true)
  t.strictSame(asked, ['there 8000'])
  t.equal(clock.pendingTimers, 0)
})

t.test('a failure of the network keeps its cause', async (t) => {
  for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'EPIPE']) {
    const { promise, reached, clock } = make()
    const cause = systemError(code)
    reached.reject(cause)
    await t.rejects(promise, { code: 'connect-failed', message: /^cannot connect to there:8000: /, cause })
    t.equal(clock.pendingTimers, 0)
  }
})

t.test('any other failure of a transport is one of its handshake', async (t) => {
  for (const cause of [systemError('ERR_SSL_WRONG_VERSION'), new Error('no certificate'), 'text', null]) {
    const { promise, reached } = make()
    reached.reject(cause)
    await t.rejects(promise, { code: 'handshake-failed', message: /^the handshake with there:8000 failed: / })
  }
})

t.test('why it did not come up is told by its code', async (t) => {
  const odd: [frames: Uint8Array[], code: string, message: RegExp, expectedId?: string][] = [
    [[closeFrame({ code: 'banned', text: 'go away' })], 'refused-by-peer', /banned \(go away\)$/],
    [[closeFrame({ code: 'handshake-timeout' })], 'connect-timeout', /within 5000 ms$/],
    [[helloFrame({ id: 'alice' })], 'self-connection', /^there:8000 is this node itself$/],
    [[closeFrame({ code: 'self-connection' })], 'self-connection', /^there:8000/],
    [[helloFrame()], 'identity-mismatch', /^expected node carol at there:8000, found bob$/, 'carol'],
    [[closeFrame({ code: 'identity-mismatch', text: 'x' })], 'refused-by-peer', /identity-mismatch \(x\)$/],
    [[helloFrame({ net: 'other' })], 'handshake-failed', /failed: wrong-net, one end is in the network/],
    [[new Uint8Array(8)], 'handshake-failed', /failed: frame-empty$/],
    [[Buffer.from('HTTP/1.1 400 Bad Request')], 'handshake-failed', /failed: frame-too-large$/],
  ]
  for (const [frames, code, message, expectedId] of odd) {
    const { promise, reach, clock, channel } = make(expectedId === undefined ? {} : { expectedId })
    await reach(...frames)
    await t.rejects(promise, { code, message }, code)
    channel.close()
    t.equal(clock.pendingTimers, 0)
  }
})

t.test('a peer that hangs up leaves a hint', async (t) => {
  for (const [error, text] of [
    [undefined, ''],
    [new Error('reset'), ' (reset)'],
  ] as const) {
    // prettier-ignore
    const { promise, reach, channel } = make()
    await reach()
    channel.close(error)
    await t.rejects(promise, {
      code: 'handshake-failed',
      message:
        `the handshake with there:8000 failed: it hung up before the handshake was finished${text}; ` +
        'is a node of the same kind (signed or plain, encrypted or not) listening there?',
    })
  }
})

t.test('the time is for all of it together', async (t) => {
  const early = make()
  early.clock.advance(5_000)
  t.equal(early.signal()?.aborted, true, 'the transport is told')
  early.reached.reject(early.signal()?.reason)
  await t.rejects(early.promise, {
    code: 'connect-timeout',
    message: 'no connection to there:8000 within 5000 ms',
  })
  const late = make()
  late.clock.advance(4_999)
  await late.reach(helloFrame())
  late.clock.advance(1)
  await t.rejects(late.promise, { code: 'connect-timeout' })
  t.match(late.opened[0]!.closeReason, { code: 'closed', by: 'us' })
})

t.test('a longer time than the handshake may take is cut by it', async (t) => {
  const { promise, reach, clock } = make({ timeout: 60_000 })
  await reach()
  clock.advance(10_000)
  await t.rejects(promise, { code: 'connect-timeout', message: /within 60000 ms/ })
})

t.test('any of the signals ends it, whatever it waits for', async (t) => {
  const reason = new Error('changed my mind')
  const frames: Record<string, Uint8Array[] | undefined> = {
    'the channel': undefined,
    'the hello': [],
    'the welcome': [helloFrame()],
    'the other connection': [helloFrame(), closeFrame({ code: 'duplicate' })],
  }
  for (const [name, given] of Object.entries(frames)) {
    const controllers = [new AbortController(), new AbortController()]
    const link = make({ signals: controllers.map(({ signal }) => signal) })
    if (given !== undefined) await link.reach(...given)
    controllers[1]!.abort(reason)
    if (given === undefined) link.reached.reject(link.signal()?.reason)
    await t.rejects(
      link.promise,
      {
        code: 'aborted',
        message: 'connecting to there:8000 was ended before it was done',
        cause: reason,
      },
      name,
    )
    t.ok(link.opened.every(({ closeReason }) => closeReason !== undefined))
    link.channel.calls.length = 0
  }
})

t.test('an error of ours as a reason is passed on as it is', async (t) => {
  const reason = connectTimeout('x', 1)
  const { promise } = make({ signals: [AbortSignal.abort(reason)] })
  await t.rejects(promise, reason)
})

t.test('a signal that was aborted before lets nothing begin', async (t) => {
  const { promise, asked, clock } = make({ signals: [AbortSignal.abort()] })
  await t.rejects(promise, { code: 'aborted' })
  t.strictSame(asked, [])
  t.equal(clock.pendingTimers, 0)
})

t.test(
  'a signal that is aborted in the moment in which the channel is there leaves nothing open',
  async (t) => {
    const controller = new AbortController()
    const { promise, reached, channel, opened } = make({ signals: [controller.signal] })
    reached.resolve(channel)
    controller.abort()
    await t.rejects(promise, { code: 'aborted' })
    t.strictSame(opened, [])
    t.strictSame(channel.calls, ['destroy'])
  },
)

t.test('a signal that is aborted in the moment in which the connection is up ends it', async (t) => {
  const controller = new AbortController()
  const { promise, reach, owner, opened } = make({ signals: [controller.signal] })
  owner.onUp = () => controller.abort()
  await reach(helloFrame(), WELCOME)
  await t.rejects(promise, { code: 'aborted' })
  t.match(opened[0]!.closeReason, { by: 'us' })
})

t.test('a signal that is aborted when it is up means nothing any more', async (t) => {
  const controller = new AbortController()
  const { promise, reach } = make({ signals: [controller.signal] })
  await reach(helloFrame(), WELCOME)
  const connection = await promise
  controller.abort()
  t.equal(connection.isUp, true)
})

t.test('a duplicate gives the connection that is kept instead', async (t) => {
  const { promise, reach, asked, other, opened } = make()
  await reach(helloFrame(), closeFrame({ code: 'duplicate' }))
  t.strictSame(asked, ['there 8000', 'when bob is up'])
  const { opened: kept, reach: reachKept } = make()
  await reachKept(helloFrame(), WELCOME)
  other.resolve(kept[0]!)
  t.equal(await promise, kept[0])
  t.not(kept[0], opened[0])
})

t.test('a duplicate, and a signal in the same moment, does not wait for ever', async (t) => {
  const controller = new AbortController()
  const { promise, reached, channel } = make({ signals: [controller.signal] })
  reached.resolve(channel)
  await turns(1)
  channel.receive(helloFrame())
  channel.receive(closeFrame({ code: 'duplicate' }))
  controller.abort()
  await t.rejects(promise, { code: 'aborted' })
})

t.test(
  'an application that cannot make a connection gets its own error, and the channel is closed',
  async (t) => {
    const owner = new FakeOwner()
    const channel = new FakeChannel()
    const mistake = new TypeError('mine')
    const promise = dial(
      { host: 'there', port: 8_000, timeout: 5_000, signals: [] },
      {
        clock: owner.clock,
        handshakeTimeout: 10_000,
        transport: { name: 'fake', listen: () => Promise.reject(mistake), dial: async () => channel },
        open: () => {
          throw mistake
        },
        whenUp: () => Promise.reject(mistake),
      },
    )
    await t.rejects(promise, mistake)
    t.strictSame(channel.calls, ['destroy'])
    t.equal(owner.clock.pendingTimers, 0)
  },
)

t.test('addresses are written for people', async (t) => {
  t.equal(formatAddress('10.0.0.1', 80), '10.0.0.1:80')
  t.equal(formatAddress('name', 80), 'name:80')
  t.equal(formatAddress('::1', 80), '[::1]:80')
})
