import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { build } from 'esbuild'
import t from 'tap'
import type * as Message from '../../lib/message/index.ts'
import { bytesOf, type WrittenDocument } from '../fixtures/forged-documents.ts'
import { NOW } from '../fixtures/hand-signed.ts'
import type { MessageFile } from '../fixtures/message-file.ts'

// What `secure-node/message` is in a browser: one bundle that imports nothing.
const { outputFiles, metafile } = await build({
  entryPoints: [fileURLToPath(new URL('../../lib/message/index.ts', import.meta.url))],
  bundle: true,
  format: 'iife',
  globalName: 'message',
  platform: 'browser',
  metafile: true,
  write: false,
  outdir: 'out',
})
const CODE = outputFiles[0]!.text

const vectors = JSON.parse(
  readFileSync(new URL('../vectors/messages.json', import.meta.url), 'utf8'),
) as MessageFile

/** The module where nothing is but the language, and these globals. */
function load(globals: Record<string, unknown> = {}): typeof Message {
  return runInContext(
    `${CODE}\nmessage`,
    createContext({ TextEncoder, TextDecoder, ...globals }),
  ) as typeof Message
}

function read(written: WrittenDocument): string | Uint8Array {
  if ('document' in written) return written.document
  if ('documentHex' in written) return hexToBytes(written.documentHex)
  return bytesOf(written.documentParts)
}

t.test('the bundle for browsers imports nothing', (t) => {
  const outputs = Object.values(metafile.outputs).flatMap(({ imports }) => imports)
  const inputs = Object.entries(metafile.inputs).flatMap(([file, { imports }]) =>
    imports.map(({ path, external }) => ({ file, path, external })),
  )
  t.same(
    outputs.filter(({ external }) => external),
    [],
  )
  t.same(
    inputs.filter(
      ({ path, external }) => (external === true && path !== '<runtime>') || path.startsWith('node:'),
    ),
    [],
  )
  t.notMatch(CODE, /(?:require|import)\(["']node:/)
  t.end()
})

t.test('no part of a node is in it: no link, no relay, no transport', (t) => {
  const files = Object.keys(metafile.inputs).filter((file) => file.includes('lib/'))
  t.same(
    files.filter((file) => /lib\/(?:relay|transport|services|cli|node|secure-node|endpoint)/.test(file)),
    [],
  )
  t.comment(`${files.length} files, ${outputFiles[0]!.contents.length} bytes, not minified`)
  t.end()
})

t.test('where there is nothing but the language, every vector gets the same verdict', async (t) => {
  const { openMessage, messageId } = load()
  let accepted = 0
  for (const vector of vectors.valid) {
    const verdict = await openMessage(read(vector), { net: vector.net, now: vector.now })
    if (verdict.ok && verdict.message.id === vector.id) accepted++
    else t.fail(vector.name)
    if ('document' in vector && messageId(vector.document) !== vector.id) t.fail(`${vector.name}: ID`)
  }
  t.equal(accepted, vectors.valid.length)
  for (const vector of vectors.invalid) {
    const verdict = await openMessage(read(vector), { net: vector.net, now: vector.now })
    t.equal(verdict.ok ? 'ok' : verdict.code, vector.code, vector.name)
  }
})

t.test('a browser signs what a node signs', async (t) => {
  const { Identity, signMessage, canonicalJson, SecureNodeError } = load()
  const [alice] = vectors.keys
  const [vector] = vectors.valid
  const identity = Identity.fromSeed(hexToBytes(alice!.seed))
  t.equal(identity.id, alice!.id)
  const fields = { data: 'hello, network', time: NOW, seq: NOW * 1_000 }
  t.equal(await signMessage(fields, identity), (vector as { document: string }).document)
  t.equal(canonicalJson({ b: [1], a: 'é' }), '{"a":"é","b":[1]}', 'also for objects of another realm')
  await t.rejects(signMessage({ data: NaN }, identity), SecureNodeError)
})

t.test('key files are for Node.js alone, and the error says so', async (t) => {
  const { Identity } = load({ crypto: globalThis.crypto })
  const identity = Identity.generate()
  await t.rejects(Identity.load('x.pem'), { code: 'key-unreadable', message: /need Node\.js/ })
  await t.rejects(identity.save('x.pem'), { code: 'key-write-failed', message: /need Node\.js/ })
  t.match(identity.id, /^[0-9a-f]{64}$/)
})

t.test('bytes of another realm are bytes', async (t) => {
  const { openMessage } = load()
  const [vector] = vectors.valid
  const bytes = utf8ToBytes((vector as { document: string }).document)
  const verdict = await openMessage(bytes, { now: vector!.now })
  t.ok(verdict.ok)
})
