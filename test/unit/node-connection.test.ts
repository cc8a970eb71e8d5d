import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { FIRST_PING } from '../../lib/limits/limits.ts'
import { NodeConnection } from '../../lib/node-connection.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { encodeFrame, Kind } from '../../lib/wire/frame.ts'
import { turns } from '../fixtures/channel-recorder.ts'
import { FakeChannel } from '../fixtures/fake-channel.ts'
import { closeFrame, FakeOwner, helloFrame, makeLink, makeUpLink, WELCOME } from '../fixtures/fake-link.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)
const text = (value: string) => encodeFrame(Kind.text, utf8(value))
const ping = (payload: Uint8Array) => encodeFrame(Kind.ping, payload)

/** The close frames that a connection wrote, as JSON. */
function goodbyes({ channel }: ReturnType<typeof makeLink>): unknown[] {
  return channel.written('close').map((payload) => JSON.parse(Buffer.from(payload).toString()) as unknown)
}

t.test('a connection is up when both ends have accepted each other', async (t) => {
  const { connection, owner, receive, clock, channel } = makeLink()
  t.match(connection, {
    id: '',
    claimedId: '',
    isUp: false,
    connectedAt: 0,
    direction: 'inbound',
    host: '10.0.0.9',
  })
  t.equal(channel.written('hello').length, 1)
  clock.advance(7)
  receive(helloFrame({ listen: [{ host: '', port: 5 }] }))
  t.match(connection, { id: 'bob', claimedId: 'bob', isUp: false })
  clock.advance(8)
  receive(WELCOME)
  t.match(connection, { id: 'bob', isUp: true, connectedAt: clock.now(), listen: [{ host: '', port: 5 }] })
  t.strictSame(owner.log, ['admit bob', 'up'])
  t.equal(await connection.opened, undefined)
  t.equal(clock.pendingTimers, 0, 'the deadline of the handshake is over')
})

t.test('a connection tells its peer where it sees it, and keeps what the peer says', async (t) => {
  const { connection, channel, receive } = makeLink()
  const [hello] = channel.written('hello')
  const seen = { host: '10.0.0.9', port: 9_009 }
  t.match(JSON.parse(Buffer.from(hello!).toString()), { seen })
  t.equal(connection.seenAt, undefined)
  receive(helloFrame({ seen: { host: '203.0.113.5', port: 40_000 } }))
  t.strictSame(connection.seenAt, { host: '203.0.113.5', port: 40_000 })
  // It is the address of the socket, not the name that was dialled.
  const dialled = makeLink({ direction: 'outbound', host: 'example.org', port: 80 })
  t.match(JSON.parse(Buffer.from(dialled.channel.written('hello')[0]!).toString()), { seen })
})

t.test('a peer may not say where it sees this node, or something else', async (t) => {
  for (const seen of [
    undefined,
    null,
    '10.0.0.1:80',
    {},
    { host: 'a b', port: 80 },
    { host: 'a', port: 0 },
  ]) {
    const link = makeLink()
    link.receive(helloFrame({ seen: seen as undefined }), WELCOME)
    t.equal(link.connection.isUp, true)
    t.equal(link.connection.seenAt, undefined, JSON.stringify(seen))
  }
})

t.test('how far the clock of the peer is ahead is known from its hello', async (t) => {
  for (const offset of [0, 1, -1, 15_000, -3_600_000]) {
    const { connection, receive, clock } = makeLink()
    t.equal(connection.clockOffset, 0)
    clock.advance(500)
    receive(helloFrame({ time: clock.now() + offset }))
    t.equal(connection.clockOffset, offset)
    clock.advance(7_000)
    receive(WELCOME)
    t.equal(connection.clockOffset, offset, 'it does not grow')
  }
  const far = makeLink()
  far.receive(helloFrame({ time: Number.MAX_SAFE_INTEGER }))
  t.ok(Number.isSafeInteger(far.connection.clockOffset))
})

t.test('when a link is pinged is up to the chance that its node is given', async (t) => {
  for (const [chance, pause] of [
    [0.1, 100],
    [0.5, 500],
    [1, 1_000],
  ] as const) {
    const settings = { pingInterval: 1_000, pingTimeout: 5_000, random: () => chance }
    const { clock, connection, channel } = makeLink({ settings })
    channel.receive(Buffer.concat([helloFrame(), WELCOME]))
    clock.advance(pause - 1)
    connection.tick(clock.now())
    t.equal(channel.written('ping').length, 0)
    clock.advance(1)
    connection.tick(clock.now())
    t.equal(channel.written('ping').length, 1)
  }
})

t.test('a connection is up at the beginning of time, too', async (t) => {
  const { owner, channel } = makeLink()
  Object.assign(owner, { clock: new ManualClock(0) })
  const connection = new NodeConnection({ owner, channel, direction: 'inbound', host: 'a', port: 1 })
  connection.open()
  channel.receive(Buffer.concat([helloFrame(), WELCOME]))
  t.match(connection, { isUp: true, connectedAt: 0 })
})

t.test('before it is up, frames are small; afterwards they are as large as the option says', async (t) => {
  const stranger = makeLink()
  stranger.receive(encodeFrame(Kind.hello, new Uint8Array(4_096)))
  t.match(stranger.connection.closeReason, { code: 'frame-too-large', by: 'us' })
  const { receive, owner, connection } = makeUpLink({ settings: { maxFrameBytes: 10_000 } })
  receive(text('x'.repeat(9_999)))
  t.strictSame(owner.log, [`frame ${Kind.text}`])
  receive(text('x'.repeat(10_000)))
  t.match(connection.closeReason, { code: 'frame-too-large' })
})

t.test('a message right behind the welcome is for the application', async (t) => {
  const { receive, owner } = makeLink()
  receive(helloFrame(), WELCOME, text('first'))
  t.strictSame(owner.log, ['admit bob', 'up', `frame ${Kind.text}`])
  t.equal(Buffer.from(owner.frames[0]!.payload).toString(), 'first')
})

t.test('the handshake has one deadline, in total: bytes that trickle in do not extend it', async (t) => {
  const link = makeLink({ settings: { handshakeTimeout: 1_000 } })
  const hello = helloFrame()
  for (let at = 0; at < 99; at++) {
    link.clock.advance(10)
    link.channel.receive(hello.subarray(at, at + 1))
  }
  t.equal(link.connection.closeReason, undefined)
  link.clock.advance(10)
  t.match(link.connection.closeReason, { code: 'handshake-timeout', by: 'us' })
  t.match(await link.connection.opened, { code: 'handshake-timeout' })
  t.strictSame(link.owner.log, ['down handshake-timeout us'])
})

t.test('the time that the transport took for its own handshake counts', async (t) => {
  for (const [took, left] of [
    [0, 10_000],
    [9_000, 1_000],
    [20_000, 1],
    [-5, 10_005],
  ] as const) {
    // prettier-ignore
    const { owner, channel, clock } = makeLink()
    channel.acceptedAt = clock.now() - took
    const connection = new NodeConnection({ owner, channel, direction: 'inbound', host: 'a', port: 1 })
    connection.open()
    clock.advance(left - 1)
    t.equal(connection.closeReason, undefined, `${took}`)
    clock.advance(1)
    t.match(connection.closeReason, { code: 'handshake-timeout' })
  }
})

t.test('a refusal is told to the peer', async (t) => {
  const link = makeLink()
  link.owner.verdict = { code: 'too-many-connections', text: 'the limit is 3', by: 'us' }
  link.receive(helloFrame())
  t.strictSame(goodbyes(link), [{ code: 'too-many-connections', text: 'the limit is 3' }])
  t.strictSame(await link.connection.opened, {
    code: 'too-many-connections',
    text: 'the limit is 3',
    by: 'us',
  })
})

t.test('it ends once, for the first reason, and that is told once', async (t) => {
  const link = makeUpLink()
  link.connection.close('goodbye', 'that was it')
  link.connection.close('closed', 'again')
  link.receive(closeFrame({ code: 'banned' }), text('late'))
  link.clock.advance(100_000)
  link.connection.tick(link.clock.now())
  link.channel.close(new Error('late'))
  t.strictSame(link.owner.log, ['down goodbye us'])
  t.strictSame(link.connection.closeReason, { code: 'goodbye', text: 'that was it', by: 'us' })
  t.strictSame(goodbyes(link), [{ code: 'goodbye', text: 'that was it' }])
  t.equal(link.channel.count('end'), 1)
  t.equal(link.connection.isUp, false)
  t.equal(await link.connection.closed, undefined)
})

t.test('the reason of the peer is cleaned', async (t) => {
  const { connection, receive, channel, owner } = makeUpLink()
  receive(closeFrame({ code: 'slow-peer', text: 'too\u001b[2Jslow' }))
  t.strictSame(connection.closeReason, { code: 'slow-peer', text: 'too\ufffd[2Jslow', by: 'peer' })
  t.strictSame(owner.log, ['down slow-peer peer'])
  t.equal(channel.written('close').length, 0, 'it knows')
  t.equal(channel.count('end'), 1)
})

t.test('a close frame that is none ends it, too', async (t) => {
  for (const payload of [
    new Uint8Array(0),
    utf8('{'),
    utf8('null'),
    Uint8Array.of(255),
    utf8('['.repeat(99)),
  ]) {
    const { connection, receive } = makeUpLink()
    receive(encodeFrame(Kind.close, payload))
    t.strictSame(connection.closeReason, { code: 'closed', text: '', by: 'peer' })
  }
})

t.test('a peer that goes away without a word is lost', async (t) => {
  const { connection, channel, owner, clock } = makeUpLink()
  channel.close(new Error('read ECONNRESET\n'))
  t.strictSame(connection.closeReason, { code: 'lost', text: 'read ECONNRESET\ufffd', by: 'network' })
  t.strictSame(owner.log, ['down lost network'])
  await connection.closed
  t.equal(clock.pendingTimers, 0)
  const early = makeLink()
  early.channel.close()
  t.strictSame(await early.connection.opened, { code: 'lost', text: '', by: 'network' })
})

t.test('a goodbye is flushed, but a peer that does not read cannot keep the socket', async (t) => {
  const { connection, channel, clock } = makeUpLink({ settings: { stopTimeout: 300 } })
  let isClosed = false
  void connection.closed.then(() => (isClosed = true))
  connection.close('goodbye')
  t.strictSame(channel.calls.slice(-3), ['uncork', 'resume', 'end'])
  clock.advance(299)
  t.equal(channel.count('destroy'), 0)
  clock.advance(1)
  t.equal(channel.count('destroy'), 1)
  await turns(1)
  t.equal(isClosed, false, 'until the socket is gone')
  channel.close()
  await turns(1)
  t.equal(isClosed, true)
  t.equal(clock.pendingTimers, 0)
})

t.test('a connection that is retired says so, and takes in what is still on its way', async (t) => {
  const link = makeUpLink({ settings: { stopTimeout: 300 } })
  const { connection, receive, owner, channel, clock } = link
  const room = connection.room()
  connection.retire('enough', 'it has others')
  await room
  t.strictSame(goodbyes(link), [{ code: 'enough', text: 'it has others' }])
  t.strictSame(connection.closeReason, { code: 'enough', text: 'it has others', by: 'us' })
  t.equal(connection.isUp, false)
  receive(text('late'), ping(new Uint8Array(8)))
  t.strictSame(owner.log, ['down enough us', `frame ${Kind.text}`])
  t.strictSame(channel.written('pong'), [], 'nothing is sent any more')
  connection.retire('goodbye')
  connection.close('closed')
  t.equal(goodbyes(link).length, 1)
  clock.advance(300)
  t.equal(channel.count('destroy'), 1, 'but not for ever')
  channel.close()
  await connection.closed
})

t.test('a retired connection is gone as soon as its peer has closed', async (t) => {
  const { connection, receive, channel, clock } = makeUpLink()
  connection.retire('enough')
  receive(closeFrame({ code: 'goodbye' }))
  t.equal(channel.count('end'), 1)
  channel.close()
  await connection.closed
  t.equal(clock.pendingTimers, 0)
  t.match(connection.closeReason, { code: 'enough', by: 'us' })
})

t.test('a retired connection that brings nonsense brings nothing more', async (t) => {
  const { connection, receive, owner } = makeUpLink()
  connection.retire('enough')
  receive(Uint8Array.of(0, 0, 0, 0))
  receive(text('late'))
  t.strictSame(owner.log, ['down enough us'])
})

t.test('nothing is sent after the end', async (t) => {
  const { connection, channel } = makeUpLink()
  connection.close()
  const { length } = channel.frames
  connection.sendFrame(text('late'))
  t.equal(channel.frames.length, length)
  await t.rejects(connection.ping(), {
    code: 'connection-closed',
    message: 'the connection is closed: closed',
  })
})

t.test('a peer that does not read loses its connection, not our memory', async (t) => {
  const link = makeUpLink({ settings: { maxQueueBytes: 1_000 } })
  link.channel.queuedBytes = 990
  link.connection.sendFrame(text('12345'))
  t.equal(link.connection.isUp, true, 'it is just enough')
  link.connection.sendFrame(text('123456'))
  t.strictSame(link.connection.closeReason, {
    code: 'slow-peer',
    text: '990 bytes wait to be read',
    by: 'us',
  })
  t.equal(link.channel.count('destroy'), 1, 'a goodbye would wait as well')
  t.strictSame(goodbyes(link), [])
  t.strictSame(link.owner.log, ['down slow-peer us'])
})

t.test('senders wait for room, until the peer has read or gone', async (t) => {
  const { connection, channel, owner } = makeUpLink()
  await connection.room()
  channel.queuedBytes = 300_000
  t.equal(connection.isCongested, true)
  const log: string[] = []
  const waits = ['one', 'two'].map((name) => connection.room().then(() => log.push(name)))
  channel.queuedBytes = 270_000
  channel.drain()
  await turns(1)
  t.strictSame(log, [], 'not enough')
  channel.queuedBytes = 0
  channel.drain()
  await Promise.all(waits)
  t.strictSame(log, ['one', 'two'])
  t.strictSame(owner.log, ['drain', 'drain'])
  channel.queuedBytes = 300_000
  const last = connection.room()
  connection.close()
  await last
})

t.test('pings are answered with their own bytes', async (t) => {
  const { receive, channel, owner } = makeUpLink()
  receive(ping(utf8('12345678')), ping(utf8('abcdefgh')))
  t.strictSame(
    channel.written('pong').map((payload) => Buffer.from(payload).toString()),
    ['12345678', 'abcdefgh'],
  )
  t.strictSame(owner.log, [], 'the application hears nothing of it')
})

t.test('a flood of pings stays unanswered, and the link lives', async (t) => {
  const { receive, channel, connection, clock } = makeUpLink()
  for (let number = 0; number < 1_000; number++) receive(ping(new Uint8Array(8)))
  t.equal(channel.written('pong').length, 20)
  clock.advance(1_000)
  for (let number = 0; number < 1_000; number++) receive(ping(new Uint8Array(8)))
  t.equal(channel.written('pong').length, 30)
  t.equal(connection.isUp, true)
})

t.test('a ping of another length ends the link', async (t) => {
  for (const length of [0, 7, 9, 1_000]) {
    const { receive, connection } = makeUpLink()
    receive(ping(new Uint8Array(length)))
    t.strictSame(connection.closeReason, { code: 'bad-payload', text: 'a ping has 8 bytes', by: 'us' })
  }
})

t.test('a ping of ours measures the way there and back', async (t) => {
  const { connection, channel, receive, clock } = makeUpLink()
  const took = connection.ping()
  await turns(1)
  clock.advance(30)
  const [payload] = channel.written('ping')
  receive(encodeFrame(Kind.pong, payload!))
  t.equal(await took, 30)
  t.strictSame(connection.latency, { last: 30, smoothed: 30, min: 30 })
  receive(encodeFrame(Kind.pong, utf8('whatever')), encodeFrame(Kind.pong, new Uint8Array(0)))
  t.equal(connection.isUp, true, 'odd pongs are ignored')
})

t.test('a ping is not answered by the end', async (t) => {
  const { connection, receive } = makeUpLink()
  const took = connection.ping()
  receive(closeFrame({ code: 'goodbye' }))
  await t.rejects(took, { code: 'connection-closed', message: 'the connection is closed: goodbye' })
  await t.rejects(makeLink().connection.ping(), { message: 'the connection is closed: it is not up' })
})

t.test('of too many pings the oldest is given up, and the link is not', async (t) => {
  const { connection } = makeUpLink()
  const pings = Array.from({ length: 17 }, () => connection.ping())
  const settled = Promise.allSettled(pings)
  await t.rejects(pings[0]!, { code: 'overload' })
  t.equal(connection.isUp, true)
  connection.close()
  t.ok((await settled).every(({ status }) => status === 'rejected'))
})

t.test('a peer that takes nothing is dropped, however little it is and whatever it says', async (t) => {
  const { connection, channel, clock, receive, owner } = makeUpLink({ settings: { frameTimeout: 5_000 } })
  // The first ping is out of the way: the fake would count it as taken.
  clock.advance(FIRST_PING)
  connection.tick(clock.now())
  connection.sendFrame(text('little'))
  channel.queuedBytes = 20
  for (let seconds = 0; seconds < 10; seconds++) {
    connection.tick(clock.now())
    t.equal(connection.isUp, true)
    clock.advance(1_000)
    receive(text('I am alive'))
  }
  clock.advance(1)
  connection.tick(clock.now())
  t.match(connection.closeReason, { code: 'slow-peer', text: '20 bytes wait to be read', by: 'us' })
  t.equal(owner.log.at(-1), 'down slow-peer us')
  t.equal(channel.count('destroy'), 1)
})

t.test('a silent peer is asked, and found dead', async (t) => {
  const link = makeUpLink({ settings: { pingInterval: 1_000, pingTimeout: 2_500, random: () => 1 } })
  const { clock, connection } = link
  const tick = (ms: number): void => {
    clock.advance(ms)
    connection.tick(clock.now())
  }
  tick(700)
  t.equal(link.channel.written('ping').length, 0)
  tick(400)
  t.equal(link.channel.written('ping').length, 1)
  tick(1_399)
  t.equal(connection.isUp, true)
  tick(1)
  t.strictSame(connection.closeReason, { code: 'timeout', text: 'nothing heard for 2500 ms', by: 'us' })
  t.strictSame(link.owner.log, ['down timeout us'])
})

t.test('any bytes keep a link alive, also parts of a frame', async (t) => {
  const { clock, connection, channel } = makeUpLink({ settings: { frameTimeout: 100_000 } })
  const frame = text('x'.repeat(50))
  for (let at = 0; at < 10; at++) {
    clock.advance(9_000)
    channel.receive(frame.subarray(at, at + 1))
    connection.tick(clock.now())
  }
  t.equal(connection.isUp, true)
})

t.test('a frame that never ends is the end', async (t) => {
  const { clock, connection, channel } = makeUpLink({ settings: { frameTimeout: 5_000 } })
  const frame = text('x'.repeat(50))
  for (let at = 0; at < 6; at++) {
    channel.receive(frame.subarray(at, at + 1))
    clock.advance(1_000)
    connection.tick(clock.now())
  }
  t.match(connection.closeReason, { code: 'frame-timeout', by: 'us' })
})

t.test('a peer that this node does not read is not dead, and is still pinged', async (t) => {
  const { clock, connection, channel } = makeUpLink()
  channel.receive(text('abc').subarray(0, 6))
  connection.pause()
  for (let seconds = 0; seconds < 300; seconds++) {
    clock.advance(1_000)
    connection.tick(clock.now())
  }
  t.equal(connection.isUp, true)
  t.ok(channel.written('ping').length >= 14)
  connection.resume()
  clock.advance(1_000)
  connection.tick(clock.now())
  t.equal(connection.isUp, true, 'it has had no time yet')
  clock.advance(45_000)
  connection.tick(clock.now())
  t.match(connection.closeReason, { by: 'us' })
})

t.test('bytes and frames are counted', async (t) => {
  const { connection, receive } = makeUpLink()
  const { bytesIn, framesIn } = connection.stats
  receive(text('12345'))
  t.match(connection.stats, { bytesIn: bytesIn + 10, framesIn: framesIn + 1, framesOut: 2 })
})

t.test('a subclass and the application keep what they like with it', async (t) => {
  class Mine extends NodeConnection {
    score = 1
  }
  const { owner, channel } = makeLink()
  const mine = new Mine({ owner, channel, direction: 'outbound', host: 'a', port: 1 })
  mine.setInfo('name', 'bob')
  mine.setInfo('__proto__', { polluted: true })
  t.equal(mine.getInfo('name'), 'bob')
  t.strictSame(mine.getInfo('__proto__'), { polluted: true })
  t.equal(mine.getInfo('toString'), undefined)
  t.equal(mine.getInfo('polluted'), undefined)
  t.equal(mine.score, 1)
  mine.close()
})

t.test('a connection that is retired takes in what its peer sent before it knew', async (t) => {
  const { owner, channel, connection, receive } = makeUpLink()
  connection.retire('enough')
  t.match(connection.closeReason, { code: 'enough', by: 'us' })
  t.strictSame(owner.log.splice(0), ['down enough us'])
  t.equal(channel.written('close').length, 1)
  t.equal(channel.count('end'), 0, 'that is up to the peer')
  receive(text('on its way'), ping(new Uint8Array(8)))
  t.strictSame(owner.log.splice(0), [`frame ${Kind.text}`])
  t.equal(channel.written('pong').length, 0, 'nothing is said any more')
  connection.retire('enough')
  connection.close('closed')
  t.equal(channel.written('close').length, 1)
  t.match(connection.closeReason, { code: 'enough' })
})

t.test('a peer that does not end a retired connection is not waited for without end', async (t) => {
  const { channel, connection, clock, owner, receive } = makeUpLink({ settings: { stopTimeout: 2_000 } })
  connection.retire('enough')
  clock.advance(1_999)
  t.equal(channel.count('destroy'), 0)
  clock.advance(1)
  t.equal(channel.count('destroy'), 1)
  receive(text('too late'))
  t.strictSame(owner.log, ['down enough us'])
  t.equal(clock.pendingTimers, 0)
})

/** A channel that keeps nothing. */
class SilentChannel extends FakeChannel {
  override write(): void {}
  override cork(): void {}
  override uncork(): void {}
}

t.test('a link that is up and idle keeps little: its handshake is gone', async (t) => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const held = (): number => {
    collectGarbage()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const owner = new FakeOwner()
  const hello = helloFrame({ listen: [{ host: '', port: 5 }] })
  const up = (): NodeConnection => {
    const channel = new SilentChannel()
    const place = { host: channel.remoteHost, port: channel.remotePort }
    const connection = new NodeConnection({ owner, channel, direction: 'inbound', ...place })
    connection.open()
    channel.receive(Buffer.concat([hello, WELCOME]))
    return connection
  }
  const early = Array.from({ length: 100 }, up)
  const before = held()
  const links = Array.from({ length: 2_000 }, up)
  const bytes = (held() - before) / links.length
  t.ok([...early, ...links].every(({ isUp }) => isUp))
  // Half of it is the channel of this test.
  t.ok(bytes < 3_000, `${bytes} bytes each`)
})
