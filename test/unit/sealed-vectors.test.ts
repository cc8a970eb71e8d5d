import { readFileSync, writeFileSync } from 'node:fs'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import t from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import type { Json } from '../../lib/message/canonical.ts'
import { openMessage } from '../../lib/message/message.ts'
import { defaultSealEngine } from '../../lib/seal/default-engine.ts'
import { scriptEngine } from '../../lib/seal/engine-script.ts'
import { openWithPassword } from '../../lib/seal/password-box.ts'
import { type OpenResult, type Seal, seal, Unsealer } from '../../lib/seal/sealed.ts'
import { unseal } from '../../lib/seal/unseal.ts'
import { agreementKey, agreementSecret } from '../../lib/seal/x25519.ts'
import type { NodeId } from '../../lib/wire/ids.ts'
import { boxByHand } from '../fixtures/hand-sealed.ts'
import { NOW } from '../fixtures/hand-signed.ts'
import { type SealedFile, writeSealedFile } from '../fixtures/sealed-file.ts'

const FILE = new URL('../vectors/sealed.json', import.meta.url)
// To write the file anew after a change: UPDATE_VECTORS=1 npx tap run test/unit/sealed-vectors.test.ts
if (process.env.UPDATE_VECTORS !== undefined) writeFileSync(FILE, writeSealedFile())
const TEXT = readFileSync(FILE, 'utf8')
const { keys, refused, sealed, unreadable, boxes, badBoxes } = JSON.parse(TEXT) as SealedFile
const ENGINES = [defaultSealEngine(), scriptEngine]
const bytesOf = (hex: string | null): Uint8Array | undefined => (hex === null ? undefined : hexToBytes(hex))

function identityOf(name: string): Identity {
  const found = keys.find((written) => written.name === name || written.id === name)
  return Identity.fromSeed(hexToBytes(found!.seed))
}

t.test('the file is the one that the fixtures make', async (t) => {
  t.equal(TEXT, writeSealedFile())
  for (const list of [sealed, unreadable, boxes, badBoxes]) {
    t.equal(new Set(list.map(({ name }) => name)).size, list.length, 'every vector has a name of its own')
  }
  t.ok(sealed.length >= 5 && unreadable.length >= 30 && badBoxes.length >= 15)
})

t.test('IDs become the keys that are written, or none', async (t) => {
  for (const { seed, id, secret, key } of keys) {
    t.equal(Identity.fromSeed(hexToBytes(seed)).id, id)
    t.equal(bytesToHex(agreementKey(id as NodeId)!), key)
    t.equal(bytesToHex(agreementSecret(hexToBytes(seed))), secret)
  }
  for (const { name, id } of refused) t.equal(agreementKey(id as NodeId), undefined, name)
})

t.test('what is sealed with the same keys is what is written', async (t) => {
  for (const vector of sealed) {
    for (const engine of ENGINES) {
      const secrets = {
        ephemeral: engine.agreement(hexToBytes(vector.ephemeral)),
        contentKey: hexToBytes(vector.contentKey),
      }
      const data = JSON.parse(vector.payload) as Json
      const made = seal(vector.head, data, bytesOf(vector.attachment), engine, secrets)
      t.strictSame(made.seal, vector.seal, `${vector.name}: ${engine.name}`)
      t.equal(made.data, vector.data)
      t.equal(made.bytes ? bytesToHex(made.bytes) : null, vector.bytes)
    }
  }
})

t.test('every addressee opens it, also as a whole message', async (t) => {
  for (const vector of sealed) {
    const bytes = bytesOf(vector.bytes)
    const expected = { data: JSON.parse(vector.payload) as Json, bytes: bytesOf(vector.attachment) }
    const verdict = await openMessage(vector.document, { now: NOW, net: 'default', bytes })
    if (!verdict.ok) throw new Error(verdict.code)
    for (const id of vector.head.to) {
      for (const engine of ENGINES) {
        const unsealer = new Unsealer(identityOf(id), engine)
        const opened = unsealer.open(vector.head, vector.seal as Seal, vector.data, bytes)
        t.match(opened, { ok: true, ...expected }, `${vector.name}: ${engine.name}`)
        t.match(unseal(verdict.message, unsealer), { ...expected, sealed: true })
      }
    }
  }
})

t.test('what cannot be read is not read', async (t) => {
  for (const vector of unreadable) {
    for (const engine of ENGINES) {
      const unsealer = new Unsealer(identityOf(vector.reader), engine)
      const opened: OpenResult = unsealer.open(
        vector.head,
        vector.seal as Seal,
        vector.data,
        bytesOf(vector.bytes),
      )
      t.strictSame(opened, { ok: false }, `${vector.name}: ${engine.name}`)
    }
  }
})

t.test('boxes are opened', async (t) => {
  for (const vector of boxes) {
    const content = new Uint8Array(vector.length).fill(0x61)
    const { password, cost } = vector
    const [salt, prefix] = [hexToBytes(vector.salt), hexToBytes(vector.prefix)]
    const box = vector.box ? hexToBytes(vector.box) : boxByHand({ password, cost, salt, prefix, content }).box
    if (vector.sha256 !== undefined) t.equal(bytesToHex(sha256(box)), vector.sha256)
    t.strictSame(await openWithPassword(box, password), content, vector.name)
  }
})

t.test('bad boxes are refused, each for its reason', async (t) => {
  for (const { name, password, box, code } of badBoxes) {
    await t.rejects(openWithPassword(hexToBytes(box), password), { code }, name)
  }
})
