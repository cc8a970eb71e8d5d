// Identities that a browser keeps.
import t from 'tap'
import { SKIP, startBrowser, TestPage } from '../fixtures/chromium.ts'

const open = (page: TestPage, name: string): Promise<string> =>
  page.do(async ({ browser }, name) => (await browser.openIdentity(name)).id, name)

/** What a script of the page can read of a kept identity. */
const KEPT = `new Promise((resolve) => {
  const request = indexedDB.open('secure-node')
  request.onsuccess = () => {
    const entry = request.result.transaction('identities').objectStore('identities').get('alice')
    entry.onsuccess = () => resolve(entry.result)
  }
})`

t.test('identities in a browser', { skip: SKIP }, async (t) => {
  const { url, newContext } = await startBrowser(t)

  t.test('a page that is opened again is the same node, and another name another one', async (t) => {
    const page = await TestPage.open(await newContext(), url)
    const id = await open(page, 'alice')
    t.match(id, /^[0-9a-f]{64}$/)
    await page.goto(url)
    t.equal(await open(page, 'alice'), id)
    t.not(await open(page, 'bob'), id)
    const other = await TestPage.open(await newContext(), url)
    t.not(await open(other, 'alice'), id, 'and another profile another one')
  })

  t.test('tabs that ask at the same time get the same one', async (t) => {
    const context = await newContext()
    const pages = await Promise.all([1, 2, 3].map(() => TestPage.open(context, url)))
    const ids = await Promise.all(pages.flatMap((page) => [open(page, 'alice'), open(page, 'alice')]))
    t.equal(new Set(ids).size, 1)
  })

  t.test('the seed is kept encrypted, and no script can read the key', async (t) => {
    const page = await TestPage.open(await newContext(), url)
    await open(page, 'alice')
    const exported = await page.page.evaluate<string>(
      `${KEPT}.then(({ key }) => crypto.subtle.exportKey('raw', key)).then(() => 'exported', (error) => error.name)`,
    )
    t.equal(exported, 'InvalidAccessError')
    const bytes = await page.page.evaluate<number>(`${KEPT}.then(({ seed }) => seed.length)`)
    t.equal(bytes, 32 + 16, 'a seed and the tag of AES-GCM')
  })

  t.test('a browser without Ed25519 opens what one that has it keeps', async (t) => {
    const context = await newContext()
    const id = await open(await TestPage.open(context, url), 'alice')
    t.equal(await open(await TestPage.open(context, url, { hasEd25519: false }), 'alice'), id)
  })

  t.test('what was changed is refused, and so is a name that is none', async (t) => {
    const page = await TestPage.open(await newContext(), url)
    await open(page, 'alice')
    await page.page.evaluate(`${KEPT}.then((kept) => new Promise((resolve) => {
      kept.seed[0] ^= 1
      const request = indexedDB.open('secure-node')
      request.onsuccess = () => {
        const store = request.result.transaction('identities', 'readwrite').objectStore('identities')
        store.put(kept, 'alice').onsuccess = resolve
      }
    }))`)
    const failure = (name: string): Promise<unknown> =>
      page.do(async ({ browser }, name) => {
        try {
          return await browser.openIdentity(name)
        } catch (error) {
          return (error as { code: string }).code
        }
      }, name)
    t.equal(await failure('alice'), 'key-corrupt')
    t.equal(await failure(''), 'invalid-argument')
  })
})
