// A browser judges as everybody does, with its own Ed25519 and without.
import { readFileSync } from 'node:fs'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import t from 'tap'
import { SKIP, startBrowser, TestPage } from '../fixtures/chromium.ts'
import { bytesOf, type WrittenDocument } from '../fixtures/forged-documents.ts'
import type { MessageFile } from '../fixtures/message-file.ts'
import type { WrittenVector } from '../fixtures/vector-file.ts'

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'))

function hexOf(written: WrittenDocument): string {
  if ('document' in written) return bytesToHex(utf8ToBytes(written.document))
  return 'documentHex' in written ? written.documentHex : bytesToHex(bytesOf(written.documentParts))
}

t.test('the verdicts of a browser are those of the vectors', { skip: SKIP }, async (t) => {
  const { valid, invalid } = read('messages') as MessageFile
  const signatures = read('ed25519') as readonly WrittenVector[]
  const documents = [...valid, ...invalid].map((one) => ({ bytes: hexOf(one), net: one.net, now: one.now }))
  const expected = [
    ...valid.map(({ id }) => id),
    ...invalid.map(({ code }) => code),
    ...signatures.map((vector) => String(vector.valid)),
  ]
  const { url, newContext } = await startBrowser(t)
  const context = await newContext()
  for (const hasEd25519 of [true, false]) {
    const page = await TestPage.open(context, url, { hasEd25519 })
    const verdicts = await page.do((side, [documents, signatures]) => side.judge(documents, signatures), [
      documents,
      signatures,
    ] as const)
    t.strictSame(verdicts, expected, hasEd25519 ? 'with its own Ed25519' : 'without')
    const isThere = await page.page.evaluate<boolean>(
      `crypto.subtle.generateKey('Ed25519', false, ['sign']).then(() => true, () => false)`,
    )
    t.equal(isThere, hasEd25519, 'the browser has what the test means')
  }
})
