import t, { type Test } from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import type { NoiseChannel } from '../../lib/transport/noise-channel.ts'
import { shakeHandsOver } from '../../lib/transport/noise-link.ts'
import { makeNoiseProof, readNoiseProof } from '../../lib/transport/noise-proof.ts'
import { fromHex } from '../../lib/wire/hex.ts'
import { MAX_HELD_BYTES, MAX_NOISE_BYTES } from '../../lib/limits/web-limits.ts'
import { ChannelRecorder } from '../fixtures/channel-recorder.ts'
import { type Meddler, TestPipe } from '../fixtures/pipes.ts'

const alice = Identity.generate()
const bob = Identity.generate()
const clock = new ManualClock(1_000_000)
const terms = { clock, timeout: 10_000 }
const dialling = (pipe: TestPipe, identity = alice) =>
  shakeHandsOver(pipe, { ...terms, role: 'initiator', identity })
const accepting = (pipe: TestPipe, identity = bob) =>
  shakeHandsOver(pipe, { ...terms, role: 'responder', identity })

async function connect(): Promise<{ pipes: [TestPipe, TestPipe]; near: NoiseChannel; far: NoiseChannel }> {
  const pipes = TestPipe.pair()
  const [near, far] = await Promise.all([dialling(pipes[0]), accepting(pipes[1])])
  return { pipes, near, far }
}

/** Both handshakes over a pipe that somebody meddles with: how they ended. */
async function outcome(near: Meddler, far: Meddler): Promise<string[]> {
  const [one, other] = TestPipe.pair()
  one.meddle = near
  other.meddle = far
  const ends = await Promise.allSettled([dialling(one), accepting(other)])
  return ends.map((end) =>
    end.status === 'fulfilled' ? end.value.peerId : (end.reason as { code: string }).code,
  )
}

const failed = ['handshake-failed', 'handshake-failed']
const flip =
  (which: number, at: number): Meddler =>
  (message, n) => {
    const copy = message.slice()
    if (n === which) copy[at < 0 ? copy.length + at : at]! ^= 1
    return copy
  }
const same: Meddler = (message) => message

t.test('both ends learn who the other one is', async (t) => {
  const { near, far } = await connect()
  t.equal(near.peerId, bob.id)
  t.equal(far.peerId, alice.id)
  t.same([near.encrypted, far.encrypted], [true, true])
})

t.test('who changes a message of the handshake ends it', async (t) => {
  for (const at of [0, 40, 100, -1])
    t.same(await outcome(same, flip(0, at)), failed, `the second, byte ${at}`)
  t.same(await outcome(flip(0, 5), same), failed, 'the first')
  // The one that dialled is done by then, as with TLS: it hears of it by the end of the link.
  for (const at of [0, 60, -1])
    t.same((await outcome(flip(1, at), same))[1], 'handshake-failed', `the third, byte ${at}`)
})

t.test('messages that are cut, long, empty or strange end it', async (t) => {
  const cases: Meddler[] = [
    (message) => message.subarray(0, -1),
    (message) => Uint8Array.of(...message, 0),
    () => new Uint8Array(0),
    () => new Uint8Array(MAX_NOISE_BYTES),
    () => new TextEncoder().encode('GET / HTTP/1.1'),
  ]
  for (const meddle of cases) t.same(await outcome(same, meddle), failed)
})

t.test('messages of an earlier handshake cannot be used again', async (t) => {
  const heard: Uint8Array[] = []
  const [one, other] = TestPipe.pair()
  one.meddle = (message) => (heard.push(message.slice()), message)
  await Promise.all([dialling(one), accepting(other)])
  const [mine, victim] = TestPipe.pair()
  const accepted = accepting(victim)
  mine.handlers = { onMessage: () => mine.inject(heard[1]!), onDrain() {}, onClose() {} }
  mine.inject(heard[0]!)
  await t.rejects(accepted, { code: 'handshake-failed' })
})

t.test('who stands in between, with a handshake at each side, is found out', async (t) => {
  const mallory = Identity.generate()
  const [toAlice, alicePipe] = TestPipe.pair()
  const dialled = dialling(alicePipe)
  const seen = await accepting(toAlice, mallory)
  t.equal((await dialled).peerId, mallory.id, 'she has a link with him, and knows it')
  t.equal(seen.peerId, alice.id)
  // Her proof is for the hash of that handshake, and for her role in it.
  const hash = fromHex('ab'.repeat(32))
  const proof = await makeNoiseProof(alice, 'initiator', hash)
  t.equal(await readNoiseProof(proof, 'initiator', hash), alice.id)
  t.equal(await readNoiseProof(proof, 'responder', hash), undefined)
  t.equal(await readNoiseProof(proof, 'initiator', fromHex('ac'.repeat(32))), undefined)
  const stolen = proof.slice()
  stolen.set(fromHex(bob.id))
  t.equal(await readNoiseProof(stolen, 'initiator', hash), undefined)
  t.equal(await readNoiseProof(proof.subarray(1), 'initiator', hash), undefined)
  const small = proof.slice()
  small.fill(0, 0, 32)
  t.equal(await readNoiseProof(small, 'initiator', hash), undefined, 'a key with which anybody can sign')
})

t.test('who says nothing is left when the time is up', async (t) => {
  const own = new ManualClock(1_000_000)
  const [one] = TestPipe.pair()
  const waiting = shakeHandsOver(one, { ...terms, clock: own, role: 'responder', identity: bob })
  own.advance(10_000)
  await t.rejects(waiting, { code: 'handshake-failed', message: /longer than 10000 ms/ })
  t.ok(one.isGone)
})

t.test('who sends a flood before his turn is cut off', async (t) => {
  const [mine, victim] = TestPipe.pair()
  const accepted = accepting(victim)
  for (let n = 0; n < 100; n++) mine.inject(new Uint8Array(32).fill(9))
  await t.rejects(accepted, { code: 'handshake-failed' })
})

async function broken(
  t: Test,
  break_: (pipes: [TestPipe, TestPipe], near: NoiseChannel) => void,
): Promise<void> {
  const { pipes, near, far } = await connect()
  const recorder = new ChannelRecorder(far)
  break_(pipes, near)
  t.ok(await recorder.closed(), 'the channel ends with an error')
  t.equal(recorder.byteLength, 0)
}

t.test('what is changed, repeated, left out or empty afterwards ends the channel', async (t) => {
  const bytes = new TextEncoder().encode('pay 1 coin')
  await broken(t, ([pipe], near) => {
    pipe.meddle = flip(2, 3)
    near.write(bytes)
  })
  await broken(t, ([pipe], near) => {
    pipe.meddle = (message, n) => (n === 2 ? undefined : message)
    near.write(bytes)
    near.write(bytes)
  })
  await broken(t, ([pipe]) => pipe.inject(new Uint8Array(0)))
  await broken(t, ([pipe]) => pipe.inject(new Uint8Array(MAX_NOISE_BYTES + 1)))
  const { pipes, near, far } = await connect()
  const recorder = new ChannelRecorder(far)
  let first: Uint8Array | undefined
  pipes[0].meddle = (message) => (first ??= message.slice())
  near.write(bytes)
  near.write(bytes)
  t.ok(await recorder.closed())
  t.equal(recorder.text, 'pay 1 coin', 'once')
})

t.test('what nobody reads does not fill the memory', async (t) => {
  const { pipes, near, far } = await connect()
  const recorder = new ChannelRecorder(far)
  far.pause()
  const bytes = new Uint8Array(60_000)
  for (let sent = 0; sent <= MAX_HELD_BYTES && !pipes[1].isGone; sent += bytes.length) {
    near.write(bytes)
    await Promise.resolve()
  }
  t.match(await recorder.closed(), { message: /unread/ })
})
