// Frames that no node sends: before the link is up and after, to a SecureNode and to a plain Node. Each costs the
// link that brought it, with a reason, and nobody else anything.
import t from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import { encodeFrame, Kind } from '../../lib/wire/frame.ts'
import { encodeHello, proofBytes } from '../../lib/wire/hello.ts'
import { eventually } from '../fixtures/happenings.ts'
import type { RawPeer } from '../fixtures/raw-peer.ts'
import { Stage, type StageOptions } from '../fixtures/stage.ts'

type Attack = (peer: RawPeer, stage: Stage) => void
interface Case {
  readonly title: string
  readonly code: string
  readonly attack: Attack
}

const raw =
  (...bytes: number[]): Attack =>
  (peer) =>
    peer.channel.write(Uint8Array.from(bytes))
const frame =
  (kind: number, payload: string | Uint8Array = ''): Attack =>
  (peer) =>
    peer.say(kind, payload)

const PLAIN_KINDS = [Kind.text, Kind.json, Kind.bytes, Kind.compressed]
const UNKNOWN_KINDS = [0x00, 0x08, 0x0f, 0x14, 0x1f, 0x26, 0x43, 0x7f, 0x80, 0xff]

/** After the handshake, at any node. */
const EVERYWHERE: Case[] = [
  { title: 'a frame of 2^32 - 1 bytes', code: 'frame-too-large', attack: raw(255, 255, 255, 255, 0x20) },
  { title: 'a frame of 2^31 bytes', code: 'frame-too-large', attack: raw(128, 0, 0, 0, 0x10) },
  { title: 'a frame one byte too large', code: 'frame-too-large', attack: raw(0, 16, 0, 1) },
  { title: 'a frame without a kind', code: 'frame-empty', attack: raw(0, 0, 0, 0) },
  { title: 'a second hello', code: 'unexpected-frame', attack: frame(Kind.hello, '{}') },
  { title: 'a second proof', code: 'unexpected-frame', attack: frame(Kind.proof, new Uint8Array(64)) },
  { title: 'a second welcome', code: 'unexpected-frame', attack: frame(Kind.welcome) },
  { title: 'a ping of 7 bytes', code: 'bad-payload', attack: frame(Kind.ping, new Uint8Array(7)) },
  { title: 'a ping of a megabyte', code: 'bad-payload', attack: frame(Kind.ping, new Uint8Array(1_000_000)) },
  ...UNKNOWN_KINDS.map((kind) => ({
    title: `the unknown kind ${kind}`,
    code: 'unexpected-frame',
    attack: frame(kind, 'payload'),
  })),
]

const SECURE: Case[] = [
  ...EVERYWHERE,
  ...PLAIN_KINDS.map((kind) => ({
    title: `the unsigned kind ${kind}`,
    code: 'unexpected-frame',
    attack: frame(kind, '"unsigned"'),
  })),
  { title: 'an empty document', code: 'bad-json', attack: frame(Kind.message) },
  {
    title: 'a document that is too large',
    code: 'too-large',
    attack: frame(Kind.message, 'x'.repeat(300_000)),
  },
  { title: 'a million brackets', code: 'too-deep', attack: frame(Kind.message, '['.repeat(260_000)) },
  {
    title: 'a document that pollutes prototypes',
    code: 'bad-shape',
    attack: frame(Kind.message, '{"__proto__":{"polluted":true}}'),
  },
]

const PLAIN: Case[] = [
  ...EVERYWHERE,
  { title: 'a signed document', code: 'unexpected-frame', attack: frame(Kind.message, '{}') },
  { title: 'text that is no UTF-8', code: 'bad-payload', attack: frame(Kind.text, Uint8Array.of(0xff)) },
  { title: 'JSON that is none', code: 'bad-payload', attack: frame(Kind.json, '{') },
  { title: 'nothing as JSON', code: 'bad-payload', attack: frame(Kind.json) },
  { title: 'JSON that is too deep', code: 'bad-payload', attack: frame(Kind.json, '['.repeat(33)) },
  { title: 'a million brackets', code: 'bad-payload', attack: frame(Kind.json, '['.repeat(1_000_000)) },
  {
    title: 'JSON that pollutes prototypes',
    code: 'bad-payload',
    attack: frame(Kind.json, '[{"__proto__":{"polluted":true}}]'),
  },
  { title: 'an unknown compression', code: 'bad-payload', attack: frame(Kind.compressed, 'zz') },
  {
    title: 'compressed data that is cut off',
    code: 'bad-payload',
    attack: frame(Kind.compressed, Uint8Array.of(1, Kind.text, 0x78, 0x9c)),
  },
]

/** Instead of a handshake. */
const STRANGERS: Case[] = [
  { title: 'a frame of 2^32 - 1 bytes', code: 'frame-too-large', attack: raw(255, 255, 255, 255, 1) },
  { title: 'a frame without a kind', code: 'frame-empty', attack: raw(0, 0, 0, 0) },
  { title: 'a hello of more than 4 KiB', code: 'frame-too-large', attack: raw(0, 0, 16, 1) },
  { title: 'a message', code: 'unexpected-frame', attack: frame(Kind.message, '{}') },
  { title: 'a text', code: 'unexpected-frame', attack: frame(Kind.text, 'hello') },
  { title: 'a ping', code: 'unexpected-frame', attack: frame(Kind.ping, new Uint8Array(8)) },
  { title: 'a welcome', code: 'unexpected-frame', attack: frame(Kind.welcome) },
  { title: 'a proof', code: 'unexpected-frame', attack: frame(Kind.proof, new Uint8Array(64)) },
  { title: 'an empty hello', code: 'bad-hello', attack: frame(Kind.hello) },
  { title: 'a hello that is no object', code: 'bad-hello', attack: frame(Kind.hello, 'null') },
  { title: 'a hello that is a list', code: 'bad-hello', attack: frame(Kind.hello, '[]') },
  { title: 'a hello of brackets', code: 'bad-hello', attack: frame(Kind.hello, '['.repeat(4_000)) },
  { title: 'a hello of version 2', code: 'wrong-version', attack: frame(Kind.hello, '{"v":2}') },
  { title: 'a hello of no version', code: 'bad-hello', attack: frame(Kind.hello, '{"v":"1"}') },
  {
    title: 'an HTTP request',
    code: 'frame-too-large',
    attack: (peer) =>
      peer.channel.write(new TextEncoder().encode('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')),
  },
  {
    title: 'a hello that pollutes prototypes',
    code: 'bad-hello',
    attack: frame(Kind.hello, '{"__proto__":{"v":1},"constructor":{"prototype":{"polluted":true}}}'),
  },
]

function run(title: string, options: StageOptions, cases: readonly Case[], isPeer: boolean): void {
  t.test(title, async (t) => {
    const stage = await Stage.start(t, options)
    for (const { title, code, attack } of cases) {
      t.test(title, async (t) => {
        const peer = await (isPeer ? stage.attacker(t) : stage.stranger(t))
        attack(peer, stage)
        t.equal(await peer.closed(), code)
      })
    }
    t.test('and nobody else notices', async (t) => {
      await stage.isUnharmed(t)
      t.same(stage.shown, [])
      t.equal(stage.victim.allNodes.size, 1)
      t.equal(stage.victim.stats().pending, 0)
      t.equal(({} as { polluted?: unknown }).polluted, undefined)
      t.same(
        stage.losses.sort(),
        isPeer ? cases.map(({ code }) => code).sort() : [],
        'one loss per attacker, none of a stranger',
      )
    })
  })
}

run('frames of a peer, to a SecureNode', {}, SECURE, true)
run('frames of a peer, to a plain Node', { kind: 'plain' }, PLAIN, true)
run('frames of a stranger, to a SecureNode', {}, STRANGERS, false)
run('frames of a stranger, to a plain Node', { kind: 'plain' }, STRANGERS, false)
run('frames of a peer, through TLS', { carrier: 'tls' }, SECURE.slice(0, 12), true)
run('frames of a stranger, through TLS', { carrier: 'tls' }, STRANGERS, false)
run('frames of a peer, through TCP', { carrier: 'tcp' }, SECURE.slice(0, 12), true)

t.test('identities that are not proven', async (t) => {
  for (const carrier of ['memory', 'tls'] as const) {
    t.test(`a stranger cannot say hello as somebody else (${carrier})`, async (t) => {
      const stage = await Stage.start(t, { carrier })
      const somebody = Identity.generate().id
      for (const [id, code] of [
        [somebody, 'bad-proof'],
        [stage.friend.id, 'bad-proof'],
        [stage.victim.id, 'self-connection'],
        [`01${'00'.repeat(31)}`, 'bad-hello'],
        ['', 'bad-hello'],
        [somebody.toUpperCase(), 'bad-hello'],
      ] as const) {
        const peer = await stage.stranger(t, { hello: { id } })
        await peer.introduce()
        peer.say(Kind.welcome)
        t.equal(await peer.closed(), code, id)
      }
      await stage.isUnharmed(t)
      t.same(stage.losses, [])
    })
  }

  t.test('a hello of another network, or of the other kind of node', async (t) => {
    const stage = await Stage.start(t)
    for (const [hello, code] of [
      [{ net: 'elsewhere' }, 'wrong-net'],
      [{ mode: 'plain' }, 'wrong-mode'],
      [{ net: '' }, 'bad-hello'],
      [{ mode: 'both' }, 'bad-hello'],
      [{ time: 0.5 }, 'bad-hello'],
    ] as const) {
      const peer = await stage.stranger(t, { hello: hello as object })
      await peer.introduce()
      t.equal(await peer.closed(), code, JSON.stringify(hello))
    }
    await stage.isUnharmed(t)
  })

  t.test('a handshake that somebody else has made before is worth nothing', async (t) => {
    const stage = await Stage.start(t)
    const identity = Identity.generate()
    const hello = encodeHello({
      mode: 'signed',
      net: 'default',
      id: identity.id,
      time: Date.now(),
      listen: [],
      caps: [],
    })
    const honest = await stage.stranger(t)
    honest.say(Kind.hello, hello)
    const proof = await identity.sign(proofBytes('initiator', hello, await honest.frame(Kind.hello)))
    honest.say(Kind.proof, proof)
    honest.say(Kind.welcome)
    await honest.frame(Kind.welcome)
    const thief = await stage.stranger(t)
    thief.say(Kind.hello, hello)
    thief.say(Kind.proof, proof)
    thief.say(Kind.welcome)
    t.equal(await thief.closed(), 'bad-proof', 'the nonce of the other end was another one')
    t.equal(honest.isClosed, false)
    await stage.isUnharmed(t)
  })

  t.test('a handshake that is sent back to its maker is worth nothing', async (t) => {
    const stage = await Stage.start(t)
    const mirror = await stage.stranger(t)
    mirror.say(Kind.hello, await mirror.frame(Kind.hello))
    t.equal(await mirror.closed(), 'self-connection')

    // The proof of the other end, under the own ID: it was made for the other role, and by another key.
    const [one, two] = [await stage.stranger(t), await stage.stranger(t)]
    const hello = (identity: Identity): Uint8Array =>
      encodeHello({ mode: 'signed', net: 'default', id: identity.id, time: Date.now(), listen: [], caps: [] })
    one.say(Kind.hello, hello(one.identity))
    const proof = await one.frame(Kind.proof)
    one.say(Kind.proof, proof)
    two.say(Kind.hello, hello(two.identity))
    two.say(Kind.proof, proof)
    t.equal(await one.closed(), 'bad-proof')
    t.equal(await two.closed(), 'bad-proof')
    await stage.isUnharmed(t)
  })

  t.test('a proof of the wrong length, twice, or with a good one behind it', async (t) => {
    const stage = await Stage.start(t)
    for (const attack of [
      (peer: RawPeer) => peer.say(Kind.proof, new Uint8Array(63)),
      (peer: RawPeer) => peer.say(Kind.proof),
      (peer: RawPeer) => {
        peer.say(Kind.proof, new Uint8Array(64))
        peer.say(Kind.proof, new Uint8Array(64))
      },
    ]) {
      const peer = await stage.stranger(t)
      peer.say(
        Kind.hello,
        encodeHello({ mode: 'signed', net: 'default', id: peer.identity.id, time: 0, listen: [], caps: [] }),
      )
      attack(peer)
      peer.say(Kind.welcome)
      t.match(await peer.closed(), /bad-proof|unexpected-frame/)
    }
    await stage.isUnharmed(t)
  })
})

t.test('more frames than a handshake has', async (t) => {
  const stage = await Stage.start(t)
  const peer = await stage.stranger(t)
  const hello = encodeHello({
    mode: 'signed',
    net: 'default',
    id: peer.identity.id,
    time: 0,
    listen: [],
    caps: [],
  })
  const flood = [
    encodeFrame(Kind.hello, hello),
    ...Array.from({ length: 50 }, () => encodeFrame(Kind.proof, hello)),
  ]
  peer.channel.write(Buffer.concat(flood))
  t.equal(await peer.closed(), 'unexpected-frame')
  await stage.isUnharmed(t)
})

t.test('messages before the welcome are not looked at', async (t) => {
  const stage = await Stage.start(t)
  const peer = await stage.stranger(t)
  await peer.introduce()
  peer.say(Kind.message, '{"never":"shown"}')
  t.equal(await peer.closed(), 'unexpected-frame')
  t.same(stage.refused, [])
  await stage.isUnharmed(t)
})

t.test('a farewell', async (t) => {
  t.test('that is odd ends the link like any other', async (t) => {
    const stage = await Stage.start(t)
    for (const payload of [
      '',
      'null',
      '{"code":7}',
      '{"code":"__proto__","text":{}}',
      '['.repeat(100_000),
      '{"code":"bad-signature","text":"\\u001b[2J\\u202e\\n"}',
    ]) {
      const peer = await stage.attacker(t)
      const link = stage.linkTo(peer)
      peer.say(Kind.close, payload)
      await peer.closed()
      t.match(link?.closeReason, { by: 'peer', code: /^[a-z-]+$/ })
      t.notMatch(link?.closeReason?.text, /[\u001b\u202e\n]/)
    }
    await stage.isUnharmed(t)
  })

  t.test('does not get its sender banned, whatever it says', async (t) => {
    const stage = await Stage.start(t)
    const identity = Identity.generate()
    const peer = await stage.attacker(t, { identity })
    peer.say(Kind.close, '{"code":"bad-signature"}')
    await peer.closed()
    await stage.attacker(t, { identity })
    t.equal(stage.victim.allNodes.size, 2)
  })

  t.test('with frames behind it: they are not looked at', async (t) => {
    const stage = await Stage.start(t)
    const peer = await stage.attacker(t)
    peer.channel.write(
      Buffer.concat([
        encodeFrame(Kind.close, new TextEncoder().encode('{"code":"goodbye"}')),
        encodeFrame(Kind.message, new TextEncoder().encode('garbage')),
      ]),
    )
    await peer.closed()
    t.same(stage.refused, [])
    await stage.isUnharmed(t)
  })
})

t.test('pings', async (t) => {
  t.test('are answered up to their rate, and a flood of them is harmless', async (t) => {
    const stage = await Stage.start(t)
    const peer = await stage.attacker(t)
    for (let count = 0; count < 10_000; count++) peer.say(Kind.ping, new Uint8Array(8))
    await eventually(() => stage.linkTo(peer)?.stats.framesIn === 10_003)
    await stage.isUnharmed(t)
    t.ok(peer.pongs >= 20 && peer.pongs < 100, `${peer.pongs} answers`)
    t.equal(stage.linkTo(peer)?.isUp, true)
  })

  t.test('answers that nobody asked for are ignored', async (t) => {
    const stage = await Stage.start(t)
    const peer = await stage.attacker(t)
    for (const length of [0, 1, 8, 100_000]) peer.say(Kind.pong, new Uint8Array(length))
    for (let count = 0; count < 1_000; count++) peer.say(Kind.pong, new Uint8Array(8))
    await eventually(() => stage.linkTo(peer)?.stats.framesIn === 1_007)
    await stage.isUnharmed(t)
    t.equal(stage.linkTo(peer)?.latency, undefined)
  })
})
