import { readFileSync } from 'node:fs'
import t from 'tap'
import { chooseSealEngine, defaultSealEngine } from '../../lib/seal/default-engine.ts'
import { NoiseHandshake } from '../../lib/transport/noise-handshake.ts'
import { fromHex, toHex } from '../../lib/wire/hex.ts'

interface Vector {
  readonly init_prologue: string
  readonly init_static: string
  readonly init_ephemeral: string
  readonly resp_static: string
  readonly resp_ephemeral: string
  readonly handshake_hash: string
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[]
}

const file = new URL('../vectors/noise.json', import.meta.url)
const vector = JSON.parse(readFileSync(file, 'utf8')) as Vector
const NOTHING = new Uint8Array(0)
const ENGINES = [defaultSealEngine(), chooseSealEngine(undefined)]
const PROLOGUE = fromHex(vector.init_prologue)

/** Both ends of the published handshake, or of one with fresh keys. */
function ends(engine = defaultSealEngine(), isFresh = false): [NoiseHandshake, NoiseHandshake] {
  const keys = (own: string, ephemeral: string) => ({
    static: engine.agreement(fromHex(own)),
    ephemeral: engine.agreement(fromHex(ephemeral)),
  })
  if (isFresh)
    return [
      new NoiseHandshake('initiator', engine, PROLOGUE),
      new NoiseHandshake('responder', engine, PROLOGUE),
    ]
  return [
    new NoiseHandshake('initiator', engine, PROLOGUE, keys(vector.init_static, vector.init_ephemeral)),
    new NoiseHandshake('responder', engine, PROLOGUE, keys(vector.resp_static, vector.resp_ephemeral)),
  ]
}

t.test('the published vector comes out, with either engine', async (t) => {
  for (const engine of ENGINES) {
    const [initiator, responder] = ends(engine)
    const turns = [
      [initiator, responder],
      [responder, initiator],
      [initiator, responder],
    ] as const
    for (const [at, [writer, reader]] of turns.entries()) {
      const { payload, ciphertext } = vector.messages[at]!
      t.ok(writer.isOurTurn && !reader.isOurTurn)
      const message = await writer.write(() => fromHex(payload))
      t.equal(toHex(message!), ciphertext)
      t.equal(toHex(reader.read(message!)!.payload), payload)
    }
    t.ok(initiator.isOver && responder.isOver)
    t.equal(toHex(initiator.hash), vector.handshake_hash)
    t.equal(toHex(responder.hash), vector.handshake_hash)
    const [near, far] = [initiator.split(), responder.split()]
    for (const [at, { payload, ciphertext }] of vector.messages.slice(3).entries()) {
      // The responder speaks first: its message comes after the initiator's last one.
      const [from, to] = at % 2 === 0 ? [far, near] : [near, far]
      const sealed = from.sends.encrypt(fromHex(payload))
      t.equal(toHex(sealed), ciphertext)
      t.equal(toHex(to.receives.decrypt(sealed)!), payload)
    }
  }
})

t.test('a payload vouches for what both ends know', async (t) => {
  const [initiator, responder] = ends(undefined, true)
  responder.read((await initiator.write(() => NOTHING))!)
  let vouched: Uint8Array | undefined
  const second = await responder.write(() => {
    vouched = responder.hash
    return fromHex('01')
  })
  t.same(initiator.read(second!)!.vouched, vouched)
})

t.test('a byte that was changed anywhere spoils the handshake', async (t) => {
  for (const at of [0, 31, 32, 79, 80, 95]) {
    const [initiator, responder] = ends(undefined, true)
    responder.read((await initiator.write(() => NOTHING))!)
    const second = (await responder.write(() => NOTHING))!
    t.equal(second.length, 96)
    second[at]! ^= 1
    t.equal(initiator.read(second), undefined, `byte ${at}`)
  }
  const [initiator, responder] = ends(undefined, true)
  const first = (await initiator.write(() => NOTHING))!
  first[0]! ^= 1
  responder.read(first)
  t.equal(
    initiator.read((await responder.write(() => NOTHING))!),
    undefined,
    'the first message is proven by the second',
  )
})

t.test('messages that are too short are none', async (t) => {
  for (const length of [0, 1, 31]) {
    t.equal(ends()[1].read(new Uint8Array(length)), undefined)
  }
  const [initiator, responder] = ends(undefined, true)
  responder.read((await initiator.write(() => NOTHING))!)
  const second = (await responder.write(() => NOTHING))!
  t.equal(initiator.read(second.subarray(0, 95)), undefined)
})

t.test('a key of small order makes no secret', async (t) => {
  for (const engine of ENGINES) {
    for (const key of [new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31))]) {
      const [, responder] = ends(engine, true)
      t.ok(responder.read(key), 'it is used only in the answer')
      t.equal(await responder.write(() => NOTHING), undefined)
    }
  }
})

t.test('a message of one handshake is worth nothing in another', async (t) => {
  const [initiator, responder] = ends(undefined, true)
  const [other, otherResponder] = ends(undefined, true)
  responder.read((await initiator.write(() => NOTHING))!)
  otherResponder.read((await other.write(() => NOTHING))!)
  const second = (await responder.write(() => NOTHING))!
  t.equal(other.read(second), undefined)
})

t.test('another prologue is another protocol', async (t) => {
  const engine = defaultSealEngine()
  const initiator = new NoiseHandshake('initiator', engine, PROLOGUE)
  const responder = new NoiseHandshake('responder', engine, NOTHING)
  responder.read((await initiator.write(() => NOTHING))!)
  t.equal(initiator.read((await responder.write(() => NOTHING))!), undefined)
})
