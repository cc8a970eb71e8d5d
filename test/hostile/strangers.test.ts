// Those who never become peers: they may cost neither memory nor time, nor keep others out for long.
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import type { NodeOptions } from '../../lib/options/options.ts'
import { encodeFrame, Kind } from '../../lib/wire/frame.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { genuine, withBrokenSignature } from '../fixtures/documents.ts'
import { eventually } from '../fixtures/happenings.ts'
import { OffsetClock, Stage } from '../fixtures/stage.ts'
import { clientHello, closed, connectRaw } from '../fixtures/tls-peers.ts'

const TIMEOUT = 150

/** Errors of inbound connections that did not come up, as the victim tells them. */
function errorsOf(stage: Stage): string[] {
  const errors: string[] = []
  stage.victim.on('inboundNodeConnectionError', (error: Error) => errors.push(error.message))
  return errors
}

t.test('over real sockets', async (t) => {
  for (const [carrier, kind] of [
    ['tls', 'secure'],
    ['tcp', 'secure'],
    ['tcp', 'plain'],
  ] as const) {
    t.test(`${kind} node, ${carrier}`, async (t) => {
      const stage = await Stage.start(t, { carrier, kind, victim: { handshakeTimeout: TIMEOUT } })
      const errors = errorsOf(stage)
      const { port } = stage.victim

      t.test('who says nothing is closed in time', async (t) => {
        const socket = await connectRaw(t, port)
        await eventually(() => stage.victim.stats().pending === 1)
        await closed(socket)
        await eventually(() => stage.victim.stats().pending === 0)
      })

      t.test('who says half of something is closed in time', async (t) => {
        const half =
          carrier === 'tls' ? (await clientHello(t)).subarray(0, 100) : Uint8Array.of(0, 0, 1, 0, 1, 0x7b)
        const socket = await connectRaw(t, port, half)
        await closed(socket)
        await eventually(() => stage.victim.stats().pending === 0)
      })

      t.test('who says it in drips is closed in time as well', async (t) => {
        const whole =
          carrier === 'tls' ? await clientHello(t) : encodeFrame(Kind.hello, new Uint8Array(4_000))
        const socket = await connectRaw(t, port)
        let at = 0
        const drip = setInterval(() => socket.write(whole.subarray(at, ++at)), 2)
        await closed(socket)
        clearInterval(drip)
        t.ok(at < whole.length, `${at} of ${whole.length} bytes`)
        await eventually(() => stage.victim.stats().pending === 0)
      })

      t.test('who speaks HTTP is closed at once', async (t) => {
        const socket = await connectRaw(
          t,
          port,
          'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\r\n',
        )
        await closed(socket)
        await eventually(() => stage.victim.stats().pending === 0)
      })

      t.test('who resets or ends the connection at once is forgotten', async (t) => {
        for (const leave of [
          (socket: Socket) => socket.resetAndDestroy(),
          (socket: Socket) => socket.end(),
          (socket: Socket) => socket.end(Uint8Array.of(22, 3, 1, 0)),
        ]) {
          const socket = await connectRaw(t, port)
          leave(socket)
          await closed(socket)
        }
        await eventually(() => stage.victim.stats().pending === 0)
      })

      t.test('each is told once, and nobody else notices', async (t) => {
        await eventually(() => errors.length >= 7)
        await stage.isUnharmed(t)
        t.equal(errors.length, 7)
        t.same(stage.losses, [])
      })
    })
  }
})

t.test('a hello in drips, from the first byte on, ends when its time is over', async (t) => {
  const clock = new ManualClock()
  const stage = await Stage.start(t, { victim: { clock }, friend: { clock } })
  const stranger = await stage.stranger(t)
  const start = clock.now()
  const bytes = encodeFrame(Kind.hello, new Uint8Array(4_000))
  for (let at = 0; !stranger.isClosed && at < bytes.length; at++) {
    stranger.channel.write(bytes.subarray(at, at + 1))
    await clock.advanceAsync(500)
  }
  t.equal(await stranger.closed(), 'handshake-timeout')
  t.ok(clock.now() - start <= 10_500, 'bytes do not extend it')
  await stage.isUnharmed(t)
})

t.test('a frame of a peer that is never finished', async (t) => {
  const clock = new ManualClock()
  const stage = await Stage.start(t, { victim: { clock }, friend: { clock } })
  const peer = await stage.attacker(t)
  const start = clock.now()
  peer.channel.write(encodeFrame(Kind.message, new Uint8Array(100_000)).subarray(0, 100))
  while (!peer.isClosed) {
    peer.channel.write(Uint8Array.of(0))
    await clock.advanceAsync(500)
  }
  t.equal(await peer.closed(), 'frame-timeout')
  t.ok(clock.now() - start < 33_000)
  await stage.isUnharmed(t)
})

t.test('a peer that falls silent', async (t) => {
  const clock = new ManualClock()
  const stage = await Stage.start(t, { victim: { clock }, friend: { clock } })
  const peer = await stage.attacker(t)
  const start = clock.now()
  while (!peer.isClosed) await clock.advanceAsync(500)
  t.equal(await peer.closed(), 'timeout')
  t.ok(clock.now() - start <= 46_000)
  await stage.isUnharmed(t)
})

t.test('too many', async (t) => {
  const start = (t: Test, victim: NodeOptions): Promise<Stage> => Stage.start(t, { victim })

  t.test('at once: one address gets half of the places, and when those are gone there is room', async (t) => {
    const victim = { maxPending: 8, maxNewPerAddress: 1_000 }
    const stage = await Stage.start(t, { carrier: 'tls', victim })
    const sockets = Array.from({ length: 60 }, () => connect(stage.victim.port, stage.victim.host))
    t.teardown(() => {
      for (const socket of sockets) socket.destroy()
    })
    let dropped = 0
    for (const socket of sockets) {
      socket.on('error', () => {})
      socket.on('close', () => dropped++)
      socket.resume()
    }
    await eventually(() => dropped === 56)
    t.equal(stage.victim.stats().pending, 4)
    await stage.isUnharmed(t)
    for (const socket of sockets) socket.destroy()
    await eventually(() => stage.victim.stats().pending === 0)
    t.equal((await stage.attacker(t)).isClosed, false)
    await stage.isUnharmed(t)
  })

  t.test('at once, from one address: another address is let in at once', async (t) => {
    const stage = await start(t, { maxPending: 8 })
    const silent = await Promise.all(Array.from({ length: 8 }, () => stage.stranger(t, {}, '10.9.9.9')))
    await eventually(() => silent.filter(({ isClosed }) => isClosed).length === 4)
    t.equal((await stage.attacker(t, {}, '10.9.9.10')).isClosed, false)
    await stage.isUnharmed(t)
  })

  t.test(
    'of one address in a short time; other addresses, and a later time, are not its fault',
    async (t) => {
      const clock = new OffsetClock()
      const stage = await start(t, { maxNewPerAddress: 5, clock })
      const host = '10.9.9.9'
      for (let count = 0; count < 5; count++) await stage.attacker(t, {}, host)
      const late = await stage.stranger(t, {}, host)
      t.equal(await late.closed(), 'none', 'dropped without an answer')
      t.equal((await stage.attacker(t, {}, '10.9.9.10')).isClosed, false)
      clock.offset += 2_001
      t.equal((await stage.attacker(t, {}, host)).isClosed, false)
      const again = await stage.stranger(t, {}, host)
      t.equal(await again.closed(), 'none')
      await stage.isUnharmed(t)
    },
  )

  t.test(
    'that want to stay: the limit of connections holds, and a place that is free is given',
    async (t) => {
      const stage = await start(t, { maxConnections: 4 })
      const guests = await Promise.all([1, 2, 3].map(() => stage.attacker(t)))
      const late = await stage.stranger(t)
      await late.introduce()
      late.say(Kind.welcome)
      t.equal(await late.closed(), 'too-many-connections')
      guests[0]!.channel.destroy()
      await stage.until(() => stage.losses.length > 0)
      t.equal((await stage.attacker(t)).isClosed, false)
      await stage.isUnharmed(t)
    },
  )

  t.test('connections of one node: one is kept, and the honest rest is not touched', async (t) => {
    const clock = new ManualClock()
    const stage = await Stage.start(t, { victim: { clock }, friend: { clock } })
    const identity = Identity.generate()
    const peers = [await stage.attacker(t, { identity })]
    for (let count = 0; count < 5; count++) {
      const peer = await stage.stranger(t, { identity })
      await peer.introduce()
      peer.say(Kind.welcome)
      peers.push(peer)
    }
    // Whether the first one is to be kept is asked of the first one, which does not answer pings.
    while (peers.filter(({ isClosed }) => !isClosed).length > 1) await clock.advanceAsync(100)
    t.equal(stage.victim.allNodes.size <= 2, true)
    await stage.isUnharmed(t)
  })
})

t.test('a peer that was caught', async (t) => {
  t.test('is kept out until its ban ends, whichever side dials; and nobody else is', async (t) => {
    const clock = new OffsetClock()
    const stage = await Stage.start(t, { victim: { clock, banTime: 60_000 }, friend: { clock } })
    const identity = Identity.generate()
    const host = '10.9.9.9'
    const peer = await stage.attacker(t, { identity }, host)
    peer.say(Kind.message, withBrokenSignature(await genuine(Identity.generate(), { time: clock.now() })))
    t.equal(await peer.closed(), 'bad-signature')
    for (const offset of [0, 30_000, 59_000]) {
      clock.offset = offset
      const again = await stage.stranger(t, { identity }, host)
      await again.introduce()
      t.equal(await again.closed(), 'banned')
      t.equal((await stage.attacker(t, {}, host)).isClosed, false, 'another node at the same address')
    }
    clock.offset = 60_500
    t.equal((await stage.attacker(t, { identity }, host)).isClosed, false)
    await stage.isUnharmed(t)
  })

  t.test('may be dialled as little as it may dial', async (t) => {
    const identity = Identity.generate()
    const stage = await Stage.start(t, { friendIdentity: identity })
    const link = [...stage.friend.allNodes][0]!
    link.sendFrame(encodeFrame(Kind.message, new TextEncoder().encode('garbage')))
    await stage.until(() => stage.losses.length > 0)
    await t.rejects(stage.victim.connectWithNode(stage.friend.host, stage.friend.port), {
      code: 'handshake-failed',
      message: /banned/,
    })
    await t.rejects(stage.friend.connectWithNode(stage.victim.host, stage.victim.port), {
      code: 'refused-by-peer',
      message: /banned/,
    })
  })
})
