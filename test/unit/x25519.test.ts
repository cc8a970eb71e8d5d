import { sha512 } from '@noble/hashes/sha2.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import nacl from 'tweetnacl'
import t from 'tap'
import { publicKeyOf } from '../../lib/identity/ed25519.ts'
import { defaultSealEngine } from '../../lib/seal/default-engine.ts'
import { scriptEngine } from '../../lib/seal/engine-script.ts'
import { agreementKey, agreementSecret } from '../../lib/seal/x25519.ts'
import type { NodeId } from '../../lib/wire/ids.ts'
import * as curve from '../fixtures/edwards.ts'

const ENGINES = [defaultSealEngine(), scriptEngine]
const idOf = (point: Uint8Array): NodeId => bytesToHex(point) as NodeId
const hexOf = (key: Uint8Array | undefined): string | undefined => key && bytesToHex(key)
const seeds = Array.from({ length: 200 }, (_, at) => sha512(Uint8Array.of(at)).slice(0, 32))

t.test('scalars and points of RFC 7748, section 5.2', async (t) => {
  const vectors = [
    [
      'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
      'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
      'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
    ],
    [
      '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
      'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
      '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
    ],
  ] as const
  for (const engine of ENGINES) {
    for (const [secret, point, result] of vectors) {
      t.equal(hexOf(engine.agreement(hexToBytes(secret)).sharedWith(hexToBytes(point))), result, engine.name)
    }
  }
})

t.test('the agreement of RFC 7748, section 6.1', async (t) => {
  for (const engine of ENGINES) {
    const alice = engine.agreement(
      hexToBytes('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'),
    )
    const bob = engine.agreement(
      hexToBytes('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'),
    )
    t.equal(bytesToHex(alice.publicKey), '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a')
    t.equal(bytesToHex(bob.publicKey), 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f')
    const secret = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742'
    t.equal(hexOf(alice.sharedWith(bob.publicKey)), secret)
    t.equal(hexOf(bob.sharedWith(alice.publicKey)), secret)
  }
})

t.test('two fresh keys agree, and no two are the same', async (t) => {
  for (const engine of ENGINES) {
    const [one, other] = [engine.agreement(), engine.agreement()]
    t.strictNotSame(one.publicKey, other.publicKey)
    t.strictSame(one.sharedWith(other.publicKey), other.sharedWith(one.publicKey))
  }
})

t.test('the key that libsodium makes of its own example', async (t) => {
  const seed = hexToBytes('421151a459faeade3d247115f94aedae42318124095afabe4d1451a559faedee')
  t.equal(
    hexOf(agreementKey(idOf(publicKeyOf(seed)))),
    'f1814f0e8ff1043d8a44d25babff3cedcae6c22c3edaa48f857ae70de2baae50',
  )
  t.equal(
    bytesToHex(agreementSecret(seed)),
    '8052030376d47112be7f73ed7a019293dd12ad910b654455798b4667d73de166',
  )
})

t.test('the key of an ID belongs to the secret of its seed', async (t) => {
  const wrong = seeds.filter((seed) => {
    const key = agreementKey(idOf(publicKeyOf(seed)))
    return hexOf(key) !== bytesToHex(nacl.scalarMult.base(agreementSecret(seed)))
  })
  t.strictSame(wrong, [])
  for (const seed of seeds.slice(0, 20)) {
    t.strictSame(agreementSecret(seed), curve.toBytes(curve.secretOf(seed)), 'as RFC 8032 makes it')
  }
})

t.test('a key is worked out once', async (t) => {
  const id = idOf(publicKeyOf(new Uint8Array(32).fill(77)))
  t.equal(agreementKey(id), agreementKey(id))
})

t.test('a point and its negative have one key: the sign of x is no part of it', async (t) => {
  const point = publicKeyOf(seeds[0]!)
  const negative = point.slice()
  negative[31]! ^= 0x80
  t.strictSame(agreementKey(idOf(negative)), agreementKey(idOf(point)))
})

t.test('keys of small order are refused, in all of their spellings', async (t) => {
  const spellings = curve.TORSION.flatMap((point) => {
    const y = curve.toNumber(curve.encode(point)) & (2n ** 255n - 1n)
    const same = y + curve.P < 2n ** 255n ? [y, y + curve.P] : [y]
    return same.flatMap((value) => [curve.encodeRaw(value, 0n), curve.encodeRaw(value, 1n)])
  })
  t.equal(new Set(spellings.map(bytesToHex)).size, 14)
  for (const key of spellings) t.equal(agreementKey(idOf(key)), undefined, bytesToHex(key))
})

t.test('what is no point of the curve is refused, and all points are taken', async (t) => {
  let off = 0
  for (let y = 2n; y < 400n; y++) {
    const isPoint = curve.decode(y, 0n) !== undefined
    if (!isPoint) off++
    t.equal(agreementKey(idOf(curve.encodeRaw(y, 0n))) !== undefined, isPoint, `y = ${y}`)
  }
  t.ok(off > 150, `${off} that are none`)
  for (let more = 2n; more < 19n; more++) {
    t.equal(agreementKey(idOf(curve.encodeRaw(curve.P + more, 0n))), undefined, `y = p + ${more}`)
  }
})

t.test('a secret that everybody knows is none', async (t) => {
  const weak = [
    ...[0n, 1n, curve.P - 1n, curve.P, curve.P + 1n],
    325606250916557431795983626356110631294008115727848805560023387167927233504n,
    39382357235489614581723060781553021112529911719440698176882885853963445705823n,
  ]
  for (const engine of ENGINES) {
    const agreement = engine.agreement(seeds[1])
    for (const u of weak) {
      for (const sign of [0n, 1n]) {
        t.equal(agreement.sharedWith(curve.encodeRaw(u, sign)), undefined, `${engine.name}: ${u}`)
      }
    }
  }
})

t.test('both engines agree about keys that are written in an unusual way', async (t) => {
  const [one, other] = ENGINES.map((engine) => engine.agreement(seeds[2]))
  for (let more = 2n; more < 19n; more++) {
    for (const sign of [0n, 1n]) {
      const key = curve.encodeRaw(curve.P + more, sign)
      t.strictSame(one!.sharedWith(key), other!.sharedWith(key), `p + ${more}`)
      t.strictSame(one!.sharedWith(key), one!.sharedWith(curve.encodeRaw(more, 0n)), 'as RFC 7748 reads it')
    }
  }
})
