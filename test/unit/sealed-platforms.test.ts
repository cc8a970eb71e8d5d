import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { hexToBytes } from '@noble/hashes/utils.js'
import { build } from 'esbuild'
import t from 'tap'
import type * as IdentityModule from '../../lib/identity/identity.ts'
import type * as BoxModule from '../../lib/seal/password-box.ts'
import type * as SealedModule from '../../lib/seal/sealed.ts'
import type { Json } from '../../lib/message/canonical.ts'
import type { SealedFile } from '../fixtures/sealed-file.ts'

type Bundle = typeof SealedModule & typeof IdentityModule & typeof BoxModule

const pathOf = (path: string): string => fileURLToPath(new URL(`../../lib/${path}`, import.meta.url))
const exported = ['seal/sealed.ts', 'identity/identity.ts', 'seal/password-box.ts']
const { outputFiles } = await build({
  stdin: {
    contents: exported.map((path) => `export * from ${JSON.stringify(pathOf(path))}`).join('\n'),
    resolveDir: pathOf('.'),
  },
  bundle: true,
  format: 'iife',
  globalName: 'bundle',
  platform: 'browser',
  write: false,
})
const FILE = new URL('../vectors/sealed.json', import.meta.url)
const { keys, sealed, unreadable, boxes } = JSON.parse(readFileSync(FILE, 'utf8')) as SealedFile

/** What it is where there is no `process` and no `Buffer`. */
function load(): Bundle {
  const browser = { TextEncoder, TextDecoder, crypto: globalThis.crypto, atob, btoa, setTimeout }
  return runInContext(`${outputFiles[0]!.text}\nbundle`, createContext(browser)) as Bundle
}

const bundle = load()
const bytesOf = (hex: string | null): Uint8Array | undefined => (hex === null ? undefined : hexToBytes(hex))
const readerOf = (name: string): SealedModule.Unsealer => {
  const { seed } = keys.find((written) => written.name === name || written.id === name)!
  return new bundle.Unsealer(bundle.Identity.fromSeed(hexToBytes(seed)))
}
/** Objects of the other realm, as they look. */
const plain = (result: unknown): unknown =>
  JSON.parse(
    JSON.stringify(result, (_, value: unknown) => (ArrayBuffer.isView(value) ? Object.values(value) : value)),
  )

t.test('where there is nothing but the language, what is sealed is opened', async (t) => {
  for (const vector of sealed) {
    const attachment = bytesOf(vector.attachment)
    const expected = {
      ok: true,
      data: JSON.parse(vector.payload) as Json,
      ...(attachment && { bytes: [...attachment] }),
    }
    const opened = readerOf(vector.head.to[0]!).open(
      vector.head,
      vector.seal as SealedModule.Seal,
      vector.data,
      bytesOf(vector.bytes),
    )
    t.strictSame(plain(opened), expected, vector.name)
  }
})

t.test('and what cannot be read is not', async (t) => {
  for (const { name, reader, head, seal, data, bytes } of unreadable) {
    const opened = readerOf(reader).open(head, seal as SealedModule.Seal, data, bytesOf(bytes))
    t.strictSame(plain(opened), { ok: false }, name)
  }
})

t.test('and a payload is sealed so that Node.js opens it', async (t) => {
  const { Unsealer } = await import('../../lib/seal/sealed.ts')
  const { Identity } = await import('../../lib/identity/identity.ts')
  const { head } = sealed[0]!
  const made = bundle.seal(head, { a: 1 }, Uint8Array.of(1, 2))
  const reader = new Unsealer(Identity.fromSeed(hexToBytes(keys[1]!.seed)))
  const { seal, data, bytes } = plain(made) as { seal: SealedModule.Seal; data: string; bytes: number[] }
  t.match(reader.open(head, seal, data, Uint8Array.from(bytes)), { ok: true, data: { a: 1 } })
})

t.test('and boxes are opened, but no files', async (t) => {
  const [box] = boxes
  const opened = await bundle.openWithPassword(hexToBytes(box!.box!), box!.password)
  t.strictSame([...opened], [0x61, 0x61, 0x61])
  await t.rejects(bundle.sealFileWithPassword('a', 'b', 'secret'), { code: 'file-unreadable' })
  await t.rejects(bundle.openFileWithPassword('a', 'b', 'secret'), { code: 'file-unreadable' })
})
