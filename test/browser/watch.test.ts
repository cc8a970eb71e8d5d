// The page in a real browser, over a status interface that says what the test wants.
import { readFileSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { launch, type Misdeeds, watchOver, WITHOUT_BROWSER } from '../fixtures/browser.ts'
import { FakeNetwork } from '../fixtures/fake-network.ts'
import { FakeStatus } from '../fixtures/fake-status.ts'

interface Stage {
  readonly page: Page
  readonly fake: FakeStatus
  readonly net: FakeNetwork
  readonly misdeeds: Misdeeds
}

const OPTIONS = { viewport: { width: 1_200, height: 800 }, acceptDownloads: true }

/** A page that shows a network of this size. */
async function open(
  t: Test,
  browser: Browser,
  size: number,
  prepare: (fake: FakeStatus) => void = () => {},
  options = {},
): Promise<Stage> {
  const net = new FakeNetwork(size)
  const fake = new FakeStatus(net.ids)
  fake.opening = net.snapshots()
  fake.graph = net.graph()
  prepare(fake)
  await fake.start()
  t.teardown(() => fake.stop())
  const page = await browser.newPage({ ...OPTIONS, ...options })
  t.teardown(() => page.close())
  const misdeeds = watchOver(page, fake.origin)
  await page.goto(fake.url)
  await page.getByRole('status').filter({ hasText: 'Live' }).waitFor()
  return { page, fake, net, misdeeds }
}

/** Waits until a figure of the head has this value. */
async function figure(page: Page, name: string, value: string): Promise<void> {
  await page
    .locator(`#figure-${name}`)
    .filter({ hasText: new RegExp(`^${value}$`) })
    .waitFor()
}

/** The text under which a download was saved, and what stands in it. */
async function download(page: Page, button: string): Promise<{ name: string; text: string }> {
  await page.locator('#files summary').click()
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: button }).click()]) // prettier-ignore
  await page.locator('#files summary').click()
  return { name: file.suggestedFilename(), text: readFileSync(await file.path(), 'utf8') }
}

// A browser on a busy machine takes its time.
t.setTimeout(240_000)

t.test('the picture of the network', { skip: WITHOUT_BROWSER }, async (t) => {
  const browser = await launch(t)

  await t.test('shows nodes, links and messages, and asks nobody else', async (t) => {
    const { page, fake, net, misdeeds } = await open(t, browser, 5)
    await figure(page, 'nodes', '5')
    await figure(page, 'links', '6')
    fake.emit(...net.message(0, 'good morning'), net.refusal(1, 0, 'bad-signature', 'it does not fit'))
    await figure(page, 'messages', '1')
    await figure(page, 'refused', '1')
    await page.getByRole('tab', { name: 'Messages' }).click()
    await page.getByText('good morning').waitFor()
    await page.getByText('Refused: bad-signature').waitFor()
    await page.getByText('it does not fit').waitFor()
    await page.getByRole('button', { name: 'chat' }).click()
    t.equal(await page.locator('.feed ol li').count(), 4, 'the way of the message, hop by hop')
    t.strictSame(misdeeds, { errors: [], foreign: [] })
    t.notMatch(page.url(), fake.token, 'the token is out of the address')
  })

  await t.test('can be used with keys alone, and says what is chosen', async (t) => {
    const { page, net } = await open(t, browser, 5)
    await figure(page, 'nodes', '5')
    await page.locator('#motion').focus()
    await page.keyboard.press('ArrowRight')
    await page.locator('#spoken').filter({ hasText: 'node 1' }).waitFor()
    await page.keyboard.press('ArrowRight')
    await page.locator('#spoken').filter({ hasText: 'node 2' }).waitFor()
    await page.keyboard.press('ArrowLeft')
    await page.locator('#spoken').filter({ hasText: 'node 1' }).waitFor()
    t.match(await page.locator('#spoken').textContent(), /4 links|3 links|2 links/)
    await page.keyboard.press('Enter')
    t.equal(await page.locator(':focus').getAttribute('id'), 'tab-node')
    await page.getByText(net.ids[0]!, { exact: true }).waitFor()
    await page.keyboard.press('ArrowRight')
    t.equal(await page.locator(':focus').getAttribute('id'), 'tab-messages')
    await page.keyboard.press('?')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    await page.keyboard.press('d')
    t.equal(await page.locator('html').getAttribute('data-theme'), 'light')
    await page.keyboard.press('d')
    t.equal(await page.locator('html').getAttribute('data-theme'), 'dark')
  })

  await t.test('everything can be reached with the tabulator, and the focus is seen', async (t) => {
    const { page } = await open(t, browser, 5, (fake) => (fake.canSend = true))
    await figure(page, 'nodes', '5')
    const reached = new Set<string>()
    for (let count = 0; count < 40; count++) {
      await page.keyboard.press('Tab')
      const found = await page.evaluate(
        '(() => { const { id, tagName } = document.activeElement; const style = getComputedStyle(document.activeElement); return { id: id || tagName, outline: style.outlineStyle + style.outlineWidth } })()',
      )
      const { id, outline } = found as { id: string; outline: string }
      if (id === 'BODY' || reached.has(id)) continue
      reached.add(id)
      t.match(outline, /^solid[1-9]/, `the focus on ${id} is seen`)
    }
    const wanted = ['labels', 'theme', 'help-open', 'motion', 'zoom-in', 'zoom-out', 'zoom-fit', 'tab-node', 'play', 'back', 'forth', 'replay', 'speed', 'moment', 'live'] // prettier-ignore
    t.strictSame(wanted.filter((id) => !reached.has(id)), []) // prettier-ignore
  })

  await t.test('goes back in time, plays it again and returns', async (t) => {
    const { page, fake, net } = await open(t, browser, 5)
    await figure(page, 'nodes', '5')
    for (let count = 0; count < 10; count++) fake.emit(...net.pass(1_000).message(count % 5, 'hi'))
    await figure(page, 'messages', '10')
    await page.locator('#moment').focus()
    await page.keyboard.press('Home')
    await figure(page, 'messages', '0')
    await page.getByText(/^Paused/).waitFor()
    await page.getByRole('button', { name: 'One event on' }).click()
    await figure(page, 'messages', '1')
    fake.emit(...net.pass(1_000).message(1, 'meanwhile'))
    t.equal(await page.locator('#figure-messages').textContent(), '1', 'the past stays as it was')
    await page.locator('#speed').selectOption('20')
    await page.getByRole('button', { name: 'Replay' }).click()
    await figure(page, 'messages', '11')
    await page.getByText(/^(Paused|Replay,)/).waitFor({ state: 'hidden' })
    t.equal(await page.locator('#live').getAttribute('aria-pressed'), 'true')
  })

  await t.test('saves a trace and opens it again, and the picture as a file', async (t) => {
    const { page, fake, net, misdeeds } = await open(t, browser, 5)
    fake.emit(...net.message(0, 'hi'))
    await figure(page, 'messages', '1')
    const trace = await download(page, 'Save trace')
    t.match(trace.name, /^secure-node-trace-.*\.json$/)
    const { format, events } = JSON.parse(trace.text) as { format: string; events: object[] }
    t.equal(format, 'secure-node/trace')
    t.ok(events.length >= 10)
    const picture = await download(page, 'Save picture')
    t.match(picture.name, /\.svg$/)
    t.match(picture.text, /^<svg .*role="img"/)
    t.equal(picture.text.match(/node \d<\/text>/g)?.length, 5)
    await page.locator('#trace-file').setInputFiles({ name: 'old.json', mimeType: 'application/json', buffer: Buffer.from(trace.text) }) // prettier-ignore
    await page.getByText('You see the trace old.json').waitFor()
    await figure(page, 'messages', '1')
    await page.locator('#trace-file').setInputFiles({ name: 'bad.json', mimeType: 'application/json', buffer: Buffer.from('{') }) // prettier-ignore
    await page.getByText('bad.json cannot be shown').waitFor()
    t.strictSame(misdeeds, { errors: [], foreign: [] })
  })

  await t.test('sends a message where that is allowed, and only there', async (t) => {
    const closed = await open(t, browser, 5)
    await figure(closed.page, 'nodes', '5')
    t.notOk(await closed.page.getByRole('tab', { name: 'Send' }).isVisible())
    const { page, fake, net } = await open(t, browser, 5, (status) => (status.canSend = true))
    await page.getByRole('tab', { name: 'Send' }).click()
    await page.getByLabel('From').selectOption(net.ids[2]!)
    await page.getByLabel('Text, or JSON').fill('{"text":"from the page"}')
    await page.getByRole('button', { name: 'Sign and send' }).click()
    await page.getByText('Sent to 2 peers').waitFor()
    t.strictSame(fake.sent, [{ node: net.ids[2], type: 'message', data: { text: 'from the page' } }])
  })

  await t.test('says that the connection is lost, and comes back by itself', async (t) => {
    const { page, fake, net } = await open(t, browser, 5)
    await figure(page, 'nodes', '5')
    fake.cut()
    await page.getByText('The connection is lost').waitFor()
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor()
    await page.getByText('The connection is lost').waitFor({ state: 'hidden' })
    fake.emit(...net.message(0, 'again'))
    await figure(page, 'messages', '1')
  })

  await t.test(
    'says what is missing where there is no token, and what to do where there is no node',
    async (t) => {
      const { page, fake } = await open(t, browser, 0)
      await page.getByText('No nodes yet').waitFor()
      const stranger = await browser.newPage(OPTIONS)
      t.teardown(() => stranger.close())
      await stranger.goto(fake.origin)
      await stranger.getByText('This page needs a token').waitFor()
    },
  )

  await t.test('shows 500 nodes while thousands of messages pass, and stays quick', async (t) => {
    const { page, fake, net, misdeeds } = await open(t, browser, 500)
    await figure(page, 'nodes', '500')
    await figure(page, 'links', '2,000')
    for (let round = 0; round < 20; round++)
      fake.emit(...net.pass(100).message(round, 'hi'), ...net.figures())
    await figure(page, 'messages', '20')
    await page.getByRole('tab', { name: 'Nodes' }).click()
    await page.getByText('200 of 500 nodes').waitFor()
    await page.getByLabel('Find nodes').fill(net.ids[321]!)
    await page.getByText('1 of 500 nodes').waitFor()
    await page.locator('#pane-nodes tbody button').click()
    await page
      .locator('#spoken')
      .filter({ hasText: net.ids[321]!.slice(0, 6) })
      .waitFor()
    await page.getByRole('tab', { name: 'Links' }).click()
    await page.getByText('200 of 2000 links').waitFor()
    t.strictSame(misdeeds, { errors: [], foreign: [] })
  })

  await t.test('knows nodes that nobody watches from what the network answers', async (t) => {
    const { page, net } = await open(t, browser, 60, (fake) => (fake.opening = fake.opening.slice(0, 1)))
    await figure(page, 'nodes', '60')
    await page.getByText('60; 1 tell of themselves').waitFor()
    t.ok(net)
  })

  await t.test('a name of another node is text, whatever stands in it', async (t) => {
    const name = '<img src=x onerror=alert(1)><b>bold</b>'
    const { page, misdeeds } = await open(t, browser, 5, (fake) => {
      const [first] = fake.opening as { status: object }[]
      first!.status = { ...first!.status, name }
    })
    await figure(page, 'nodes', '5')
    await page.getByRole('tab', { name: 'Nodes' }).click()
    await page.getByText(name).first().waitFor()
    t.equal(await page.locator('#panel img, #panel b').count(), 0)
    t.strictSame(misdeeds, { errors: [], foreign: [] })
  })

  await t.test('who wants no motion sees none', async (t) => {
    const { page, fake, net } = await open(t, browser, 5, undefined, {
      reducedMotion: 'reduce',
      colorScheme: 'dark',
    })
    await figure(page, 'nodes', '5')
    t.equal(await page.locator('html').getAttribute('data-theme'), 'dark', 'and what the system has')
    fake.emit(...net.message(0, 'hi'))
    await figure(page, 'messages', '1')
    const painted = await page.evaluate(
      '(() => { const canvas = document.getElementById("motion"); const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height); return data.some((value) => value !== 0) })()',
    )
    t.equal(painted, false, 'nothing on the canvas of what moves')
  })
})
