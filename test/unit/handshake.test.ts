import t from 'tap'
import { Handshake, type HandshakePort } from '../../lib/connections/handshake.ts'
import { verifySignature } from '../../lib/identity/ed25519.ts'
import { Identity } from '../../lib/identity/identity.ts'
import { Random } from '../../lib/testing/random.ts'
import type { CloseReason } from '../../lib/wire/close-code.ts'
import { type Frame, Kind } from '../../lib/wire/frame.ts'
import { encodeHello, type Hello, type Mode, proofBytes, type Role } from '../../lib/wire/hello.ts'
import { fromHex } from '../../lib/wire/hex.ts'
import type { NodeId } from '../../lib/wire/ids.ts'
import { turns } from '../fixtures/channel-recorder.ts'

const EMPTY = new Uint8Array(0)
const alice = Identity.fromSeed(new Uint8Array(32).fill(1))
const bob = Identity.fromSeed(new Uint8Array(32).fill(2))
const eve = Identity.fromSeed(new Uint8Array(32).fill(3))
const NAMES = new Map(Object.entries(Kind).map(([name, kind]) => [kind as number, name]))

function helloOf(id: string, change: Partial<Hello> = {}): Uint8Array {
  return encodeHello({ mode: 'signed', net: 'default', id, time: 0, listen: [], caps: [], ...change })
}

interface Change {
  identity?: Identity
  role?: Role
  mode?: Mode
  provenId?: NodeId
  expectedId?: string
  verdict?: CloseReason | undefined | Promise<CloseReason | undefined>
  sign?: HandshakePort['sign']
  verify?: HandshakePort['verify']
}

/** One end of a handshake, and what it says and decides. */
function makeEnd(change: Change = {}) {
  const { identity = alice, role = 'initiator', mode = 'signed', provenId, expectedId, verdict } = change
  const log: string[] = []
  const sent: Frame[] = []
  const hello = helloOf(identity.id, { mode })
  const handshake = new Handshake({
    role,
    self: { id: identity.id, net: 'default', mode },
    hello,
    provenId,
    expectedId,
    send: (kind, payload) => {
      sent.push({ kind, payload })
      log.push(`send ${NAMES.get(kind) ?? kind}`)
    },
    sign: change.sign ?? ((bytes) => identity.sign(bytes)),
    verify: change.verify ?? ((signature, bytes, id) => verifySignature(signature, bytes, fromHex(id))),
    admit: ({ id }) => {
      log.push(`admit ${id.slice(0, 4)}`)
      return verdict
    },
    done: ({ id }) => log.push(`done ${id.slice(0, 4)}`),
    fail: (code, text) => log.push(`fail ${code}${text === '' ? '' : ` ${text}`}`),
  })
  const receive = (kind: number, payload: Uint8Array = EMPTY): void => handshake.receive({ kind, payload })
  handshake.start()
  log.length = 0
  return { handshake, log, sent, hello, receive }
}

/** The proof that a peer makes for an end. */
async function proofFor(
  end: ReturnType<typeof makeEnd>,
  peer: Identity,
  hello: Uint8Array,
  role: Role = 'responder',
) {
  const [first, second] = role === 'responder' ? [end.hello, hello] : [hello, end.hello]
  return peer.sign(proofBytes(role, first, second))
}

/** Lets signatures be made and checked, which happens in the thread pool. */
async function settle(isDone: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000 && !isDone(); turn++) await turns(1)
  await turns(3)
}

const ID = { alice: alice.id.slice(0, 4), bob: bob.id.slice(0, 4) }

for (const mode of ['signed', 'plain'] as const) {
  t.test(
    `two ${mode} ends that hear each other are done, each after welcome was said both ways`,
    async (t) => {
      const left = makeEnd({ mode })
      const right = makeEnd({ mode, identity: bob, role: 'responder' })
      let [fromLeft, fromRight] = [0, 0]
      while (!left.handshake.isOver || !right.handshake.isOver) {
        while (fromLeft < left.sent.length) right.handshake.receive(left.sent[fromLeft++]!)
        while (fromRight < right.sent.length) left.handshake.receive(right.sent[fromRight++]!)
        await turns(1)
      }
      const proof = mode === 'signed' ? ['send proof'] : []
      t.strictSame(left.log, [...proof, `admit ${ID.bob}`, 'send welcome', `done ${ID.bob}`])
      t.strictSame(right.log, [...proof, `admit ${ID.alice}`, 'send welcome', `done ${ID.alice}`])
    },
  )
}

t.test('what needs no waiting is done before the frame was taken', async (t) => {
  const { log, receive } = makeEnd({ mode: 'plain' })
  receive(Kind.hello, helloOf('bob', { mode: 'plain' }))
  t.strictSame(log, ['admit bob', 'send welcome'])
  receive(Kind.welcome)
  t.strictSame(log, ['admit bob', 'send welcome', 'done bob'])
})

t.test('the responder says welcome last: whoever hears it knows that both ends are up', async (t) => {
  const { log, receive, handshake } = makeEnd({ mode: 'plain', role: 'responder' })
  receive(Kind.hello, helloOf('bob', { mode: 'plain' }))
  await turns(2)
  t.strictSame(log, ['admit bob'])
  t.equal(handshake.claimedId, 'bob')
  receive(Kind.welcome)
  t.strictSame(log, ['admit bob', 'send welcome', 'done bob'])
})

t.test('the ID that a peer claims is known before it is proven', async (t) => {
  const { handshake, receive } = makeEnd()
  t.equal(handshake.claimedId, undefined)
  receive(Kind.hello, helloOf(bob.id))
  t.equal(handshake.claimedId, bob.id)
})

t.test('where the transport proves the ID nobody signs', async (t) => {
  const end = makeEnd({ provenId: bob.id })
  end.receive(Kind.hello, helloOf(bob.id))
  t.strictSame(end.log, [`admit ${ID.bob}`, 'send welcome'])
  const other = makeEnd({ provenId: eve.id })
  other.receive(Kind.hello, helloOf(bob.id))
  t.strictSame(other.log, ['fail bad-proof another key than the hello'])
})

t.test('a hello is held against this node', async (t) => {
  const odd: [change: Partial<Hello>, reason: string][] = [
    [{ net: 'other' }, 'wrong-net one end is in the network "default", the other in "other"'],
    [{ mode: 'plain' }, 'wrong-mode one end speaks signed messages, the other plain ones'],
    [{ id: alice.id }, 'self-connection both ends have the same ID'],
    [{ id: `01${'00'.repeat(31)}` }, 'bad-hello'],
    [{ id: 'bob' }, 'bad-hello'],
    [{ nonce: 'ab' }, 'bad-hello'],
  ]
  for (const [change, reason] of odd) {
    const { log, receive, handshake } = makeEnd()
    const text = JSON.parse(Buffer.from(helloOf(bob.id)).toString()) as object
    receive(Kind.hello, Buffer.from(JSON.stringify({ ...text, ...change })))
    t.strictSame(log, [`fail ${reason}`])
    t.equal(handshake.isOver, true)
  }
  const { log, receive } = makeEnd()
  receive(Kind.hello, Buffer.from(JSON.stringify({ v: 2 })))
  t.strictSame(log, ['fail wrong-version'])
})

t.test('another node than the expected one is refused, by either kind of ID', async (t) => {
  const end = makeEnd({ expectedId: eve.id })
  end.receive(Kind.hello, helloOf(bob.id))
  t.strictSame(end.log, [`fail identity-mismatch ${bob.id}`])
  const plain = makeEnd({ mode: 'plain', expectedId: 'bob' })
  plain.receive(Kind.hello, helloOf('bob', { mode: 'plain' }))
  t.strictSame(plain.log, ['admit bob', 'send welcome'])
})

t.test('a proof is good for one session, one role and one key', async (t) => {
  const hello = helloOf(bob.id)
  const forgers: Record<string, (end: ReturnType<typeof makeEnd>) => Promise<Uint8Array>> = {
    'our own, sent back': async (end) => end.sent.find(({ kind }) => kind === Kind.proof)!.payload,
    'made for the other role': (end) => proofFor(end, bob, hello, 'initiator'),
    'made by another key': (end) => proofFor(end, eve, hello),
    'of another session of ours': () => proofFor(makeEnd(), bob, hello),
    'over another hello of the peer': (end) => proofFor(end, bob, helloOf(bob.id)),
    'with the hellos in the wrong order': (end) => bob.sign(proofBytes('responder', hello, end.hello)),
    'for another purpose': () => bob.sign(hello),
    nothing: async () => EMPTY,
    'all zeros': async () => new Uint8Array(64),
    'too long': async (end) => Buffer.concat([await proofFor(end, bob, hello), Uint8Array.of(0)]),
    'too short': async (end) => (await proofFor(end, bob, hello)).subarray(0, 63),
  }
  for (const [name, forge] of Object.entries(forgers)) {
    const end = makeEnd()
    end.receive(Kind.hello, hello)
    await settle(() => end.log.includes('send proof'))
    end.receive(Kind.proof, await forge(end))
    await settle(() => end.handshake.isOver)
    t.strictSame(end.log, ['send proof', 'fail bad-proof the signature is not of the key in the hello'], name)
  }
  const end = makeEnd()
  end.receive(Kind.hello, hello)
  end.receive(Kind.proof, await proofFor(end, bob, hello))
  await settle(() => end.log.includes('send welcome'))
  t.strictSame(end.log, ['send proof', `admit ${ID.bob}`, 'send welcome'], 'the genuine one')
})

t.test('the hello that a proof is over is the one that came, whoever reuses its buffer', async (t) => {
  const end = makeEnd()
  const hello = helloOf(bob.id)
  const chunk = Buffer.from(hello)
  end.receive(Kind.hello, chunk)
  chunk.fill(0)
  end.receive(Kind.proof, await proofFor(end, bob, hello))
  await settle(() => end.log.includes('send welcome'))
  t.ok(end.log.includes('send welcome'))
})

t.test('a refusal is passed on, and ends it', async (t) => {
  const verdict = { code: 'banned', text: 'for ever', by: 'us' } as const
  for (const answer of [verdict, Promise.resolve(verdict)]) {
    const { log, receive, handshake } = makeEnd({ mode: 'plain', verdict: answer })
    receive(Kind.hello, helloOf('bob', { mode: 'plain' }))
    receive(Kind.welcome)
    await turns(1)
    t.strictSame(log, ['admit bob', 'fail banned for ever'])
    t.equal(handshake.isOver, true)
  }
})

t.test('a welcome that comes while this node has not decided counts when it has', async (t) => {
  let decide = (_reason: CloseReason | undefined): void => {}
  const verdict = new Promise<CloseReason | undefined>((resolve) => (decide = resolve))
  const { log, receive, handshake } = makeEnd({ mode: 'plain', verdict })
  receive(Kind.hello, helloOf('bob', { mode: 'plain' }))
  receive(Kind.welcome)
  await turns(2)
  t.strictSame(log, ['admit bob'])
  t.equal(handshake.isOver, false)
  decide(undefined)
  await turns(2)
  t.strictSame(log, ['admit bob', 'send welcome', 'done bob'])
})

t.test('who cannot sign gives up, and the process lives', async (t) => {
  for (const sign of [
    () => Promise.reject(new Error('no key')),
    () => {
      throw new Error('no key')
    },
  ]) {
    // prettier-ignore
    const { log, receive, handshake } = makeEnd({ sign })
    receive(Kind.hello, helloOf(bob.id))
    await turns(2)
    t.strictSame(log, ['fail bad-proof this node cannot prove its ID'])
    t.equal(handshake.isOver, true)
  }
})

t.test('the proof is judged by what the node judges with', async (t) => {
  const asked: [Uint8Array, Uint8Array, string][] = []
  const end = makeEnd({
    verify: async (...given) => {
      asked.push(given)
      return true
    },
  })
  const hello = helloOf(bob.id)
  const proof = new Uint8Array(64).fill(7)
  end.receive(Kind.hello, hello)
  end.receive(Kind.proof, proof)
  await settle(() => end.log.length === 3)
  t.strictSame(end.log, ['send proof', `admit ${ID.bob}`, 'send welcome'])
  t.strictSame(asked, [[proof, proofBytes('responder', end.hello, hello), bob.id]])
})

t.test('who cannot judge a proof takes it for a bad one, and the process lives', async (t) => {
  for (const verify of [
    () => Promise.reject(new Error('no engine')),
    () => {
      throw new Error('no engine')
    },
  ]) {
    const end = makeEnd({ verify })
    const hello = helloOf(bob.id)
    end.receive(Kind.hello, hello)
    end.receive(Kind.proof, await proofFor(end, bob, hello))
    await settle(() => end.handshake.isOver)
    t.strictSame(end.log, ['send proof', 'fail bad-proof the signature is not of the key in the hello'])
  }
})

t.test('each frame has its place; anywhere else it is the end', async (t) => {
  const hello = () => helloOf('bob', { mode: 'plain' })
  const kinds = [...Object.values(Kind), 0, 0x7f, 0xff]
  for (const kind of kinds.filter((kind) => kind !== Kind.hello)) {
    const { log, receive } = makeEnd({ mode: 'plain' })
    receive(kind)
    t.strictSame(log, [`fail unexpected-frame kind ${kind} instead of hello`])
  }
  for (const kind of kinds.filter((kind) => kind !== Kind.welcome)) {
    const { log, receive } = makeEnd({ mode: 'plain' })
    receive(Kind.hello, hello())
    receive(kind, kind === Kind.hello ? hello() : EMPTY)
    t.strictSame(log.slice(2), [`fail unexpected-frame kind ${kind} instead of welcome`])
  }
  for (const kind of kinds.filter((kind) => kind !== Kind.proof)) {
    const { log, receive, handshake } = makeEnd()
    receive(Kind.hello, helloOf(bob.id))
    receive(kind)
    await settle(() => handshake.isOver)
    t.strictSame(log, ['send proof', `fail unexpected-frame kind ${kind} instead of proof`])
  }
})

t.test('a stranger cannot make it hold more than a few frames', async (t) => {
  const { log, receive, handshake } = makeEnd()
  receive(Kind.hello, helloOf(bob.id))
  for (let trial = 0; trial < 100; trial++) receive(Kind.proof, new Uint8Array(64))
  t.strictSame(log.slice(-1), ['fail unexpected-frame too many frames before the welcome'])
  t.equal(log.filter((line) => line.startsWith('fail')).length, 1)
  await turns(3)
  t.equal(handshake.isOver, true)
  t.notOk(log.includes('send welcome'))
})

t.test('after the end nothing has any effect', async (t) => {
  const { log, receive, handshake } = makeEnd({ mode: 'plain' })
  receive(Kind.hello, helloOf('bob', { mode: 'plain' }))
  receive(Kind.welcome)
  log.length = 0
  for (const kind of Object.values(Kind)) receive(kind)
  handshake.stop()
  receive(Kind.welcome)
  t.strictSame(log, [])
})

t.test('a stop in the middle silences whatever is under way', async (t) => {
  const hello = helloOf(bob.id)
  const whileSigning = makeEnd()
  whileSigning.receive(Kind.hello, hello)
  whileSigning.handshake.stop()
  const whileVerifying = makeEnd()
  whileVerifying.receive(Kind.hello, hello)
  await settle(() => whileVerifying.log.includes('send proof'))
  whileVerifying.receive(Kind.proof, await proofFor(whileVerifying, bob, hello))
  whileVerifying.handshake.stop()
  let decide = (_reason: CloseReason | undefined): void => {}
  const verdict = new Promise<CloseReason | undefined>((resolve) => (decide = resolve))
  const whileDeciding = makeEnd({ mode: 'plain', verdict })
  whileDeciding.receive(Kind.hello, helloOf('bob', { mode: 'plain' }))
  whileDeciding.receive(Kind.welcome)
  whileDeciding.handshake.stop()
  decide(undefined)
  await turns(50)
  t.strictSame(whileSigning.log, [])
  t.strictSame(whileVerifying.log, ['send proof'])
  t.strictSame(whileDeciding.log, ['admit bob'])
})

t.test('in whatever order frames come, it ends at most once, and never without a proof', async (t) => {
  const hello = helloOf(bob.id)
  const pool: [kind: number, payload: Uint8Array][] = [
    [Kind.hello, hello],
    [Kind.hello, EMPTY],
    [Kind.proof, new Uint8Array(64).fill(9)],
    [Kind.welcome, EMPTY],
    [Kind.welcome, hello],
    [Kind.ping, new Uint8Array(8)],
    [Kind.message, hello],
  ]
  const random = new Random(5)
  for (let round = 0; round < 200; round++) {
    const { log, receive, handshake } = makeEnd()
    for (let count = 1 + random.below(6); count > 0; count--) {
      receive(...pool[random.below(pool.length)]!)
      if (random.below(3) === 0) await turns(1)
    }
    await turns(4)
    t.ok(log.filter((line) => line.startsWith('fail')).length <= 1, `round ${round}: ${log.join(', ')}`)
    t.notOk(log.some((line) => line.startsWith('admit') || line.startsWith('done')))
    handshake.stop()
  }
})
