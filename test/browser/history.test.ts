// Pages that are closed and opened again, and get what they missed.
import t from 'tap'
import type { BrowserNodeOptions } from '../../lib/browser/secure-node.ts'
import { Identity } from '../../lib/identity/identity.ts'
import { SecureNode } from '../../lib/secure-node.ts'
import { SKIP, startBrowser, TestPage } from '../fixtures/chromium.ts'

const KEPT: BrowserNodeOptions = { history: { folder: 'chat' } }

t.test('the history of a page', { skip: SKIP }, async (t) => {
  const node = new SecureNode('127.0.0.1', 0, Identity.generate(), { websocket: { port: 0 }, history: {} })
  const sayings: unknown[] = []
  node.on('nodeMessage', (_connection, data) => sayings.push(data))
  await node.start()
  t.teardown(() => node.stop())
  const { url, newContext } = await startBrowser(t)

  /** Starts a node in a page; the code of the error if that fails. */
  const enter = (page: TestPage, name: string, options: BrowserNodeOptions = KEPT): Promise<string> =>
    page.do(
      async (side, [name, address, options]) => {
        try {
          return await side.start(name, address, options)
        } catch (error) {
          return `${(error as { code: string }).code} ${String(error)}`
        }
      },
      [name, `127.0.0.1:${node.websocketPort!}`, options] as const,
    )
  const heard = (page: TestPage, data: string): Promise<void> =>
    page.until(() => page.messages.includes(data))

  t.test('a page that is opened again gets what it missed, and nothing twice', async (t) => {
    const context = await newContext()
    const page = await TestPage.open(context, url)
    const id = await enter(page, 'alice')
    await node.sendToNodes('one')
    await heard(page, 'one')
    await page.do(({ node }) => node!.sendToNodes('from the page').then(() => null), null)
    await page.page.close()
    await node.sendToNodes('two')
    await node.sendToNodes('three')
    const again = await TestPage.open(context, url)
    t.equal(await enter(again, 'alice'), id)
    await heard(again, 'three')
    await node.sendToNodes('four')
    await heard(again, 'four')
    t.same(again.messages, ['two', 'three', 'four'])
    t.same(sayings, ['from the page'])
  })

  t.test('what a page has kept, others get from it', async (t) => {
    const context = await newContext()
    const page = await TestPage.open(context, url)
    await enter(page, 'bob')
    await node.sendToNodes('for later')
    await heard(page, 'for later')
    const late = new SecureNode('127.0.0.1', 0, Identity.generate(), { websocket: { port: 0 }, history: {} })
    const got = new Promise((resolve) => {
      late.on('nodeMessage', (_connection, data, message) => {
        if (data === 'for later') resolve(message.late)
      })
    })
    await late.start()
    t.teardown(() => late.stop())
    await page.do(
      ({ node }, address) => node!.join(address).then(() => null),
      `127.0.0.1:${late.websocketPort!}`,
    )
    t.equal(await got, true)
  })

  t.test('in memory, it is the same for as long as the page is open', async (t) => {
    const page = await TestPage.open(await newContext(), url)
    await enter(page, 'carol', { history: {} })
    await heard(page, 'three')
    t.same(await page.page.evaluate('indexedDB.databases().then((all) => all.map(({ name }) => name))'), [
      'secure-node',
    ])
  })

  t.test('it is of one page at a time, and of one node', async (t) => {
    const context = await newContext()
    const page = await TestPage.open(context, url)
    await enter(page, 'alice')
    const other = await TestPage.open(context, url)
    t.match(await enter(other, 'bob'), /^history-unreadable .*another page has it/)
    await page.page.close()
    t.match(await enter(other, 'bob'), /^history-unreadable .*belongs to another node/)
    t.match(await enter(other, 'alice'), /^[0-9a-f]{64}$/, 'and is free again after that')
  })

  t.test('what is damaged is refused', async (t) => {
    const context = await newContext()
    const page = await TestPage.open(context, url)
    await enter(page, 'alice')
    await heard(page, 'three')
    await page.goto(url)
    await page.page.evaluate(`new Promise((resolve) => {
      const request = indexedDB.open('secure-node history chat')
      request.onsuccess = () => {
        const store = request.result.transaction('history', 'readwrite').objectStore('history')
        store.put(new Uint8Array(3), Uint8Array.of(0x6d, 1)).onsuccess = resolve
      }
    })`)
    await page.goto(url)
    t.match(await enter(page, 'alice'), /^history-unreadable .*damaged/)
  })

  t.test('without its file, only those who ask for it hear of that', async (t) => {
    const context = await newContext()
    await context.route('**/history.js', (route) => route.abort())
    const page = await TestPage.open(context, url)
    t.match(await enter(page, 'alice'), /^history-unavailable .*history\.js/)
    t.match(await enter(page, 'alice', {}), /^[0-9a-f]{64}$/)
  })
})
