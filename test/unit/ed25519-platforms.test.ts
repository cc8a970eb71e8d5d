import { webcrypto } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { buildSync } from 'esbuild'
import t from 'tap'
import type * as Ed25519 from '../../lib/identity/ed25519.ts'
import { VECTORS } from '../fixtures/torsion.ts'

// The rule in one bundle, which then runs with the globals of various platforms: that of `secure-node/message`, which
// is the same everywhere, without what the build of `secure-node/browser` puts in the place of other files.
const { outputFiles, metafile } = buildSync({
  entryPoints: [fileURLToPath(new URL('../../lib/identity/ed25519.ts', import.meta.url))],
  bundle: true,
  format: 'iife',
  globalName: 'ed25519',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  // A browser has none; tweetnacl would ask it for `crypto`.
  define: { require: 'undefined' },
  metafile: true,
  write: false,
  outdir: 'out',
})

/** The module inside a platform that has these globals besides those of the language. */
function load(globals: Record<string, unknown>): typeof Ed25519 {
  const context = createContext({ TextEncoder, ...globals })
  return runInContext(`${outputFiles[0]!.text}\ned25519`, context) as typeof Ed25519
}

/** A good and a bad one, judged by the default engine. */
async function judge({ verifySignature }: typeof Ed25519): Promise<boolean[]> {
  const vectors = [VECTORS.get('plain')![9]!, VECTORS.get('flipped')![0]!]
  return Promise.all(vectors.map((v) => verifySignature(v.signature, v.message, v.publicKey)))
}

t.test('the bundle for browsers imports nothing', (t) => {
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports)
  t.same(
    imports.filter((entry) => entry.external),
    [],
  )
  t.notMatch(outputFiles[0]!.text, /(?:require|import)\(["']node:/)
  t.end()
})

t.test('a browser with WebCrypto uses it', async (t) => {
  const module = load({ crypto: webcrypto })
  t.equal(module.defaultEngine().name, 'webcrypto')
  t.same(await judge(module), [true, false])
  t.equal(module.defaultEngine().name, 'webcrypto', 'it knows the answers')
  t.throws(() => module.engine('node'), { code: 'engine-unavailable', message: /node:crypto/ })
})

t.test('a page without crypto.subtle uses tweetnacl', async (t) => {
  for (const globals of [
    {},
    { crypto: {} },
    { process: {} },
    { process: { getBuiltinModule: () => undefined } },
  ]) {
    const module = load(globals)
    t.equal(module.defaultEngine().name, 'tweetnacl')
    t.throws(() => module.engine('node'), { code: 'engine-unavailable' })
    t.throws(() => module.engine('webcrypto'), { code: 'engine-unavailable', message: /crypto\.subtle/ })
  }
  t.same(await judge(load({})), [true, false])
})

t.test('a platform with a node:crypto uses it, unless that gives wrong answers', async (t) => {
  const module = load({ process, Buffer, crypto: webcrypto })
  t.equal(module.defaultEngine().name, 'node')
  t.same(await judge(module), [true, false])
  const gullible = { getBuiltinModule: () => ({ createPublicKey: () => ({}), verify: () => true }) }
  t.equal(load({ process: gullible, Buffer, crypto: webcrypto }).defaultEngine().name, 'webcrypto')
})
