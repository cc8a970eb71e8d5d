// The program of the README's section on browsers, as a reader would start it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import t from 'tap'
import { SKIP, startBrowser } from '../fixtures/chromium.ts'
import { collect, ROOT } from '../fixtures/programs.ts'

t.test(
  'a page chats, and when it is opened again it is the same node and catches up',
  { skip: SKIP },
  async (t) => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
    const section = readme.slice(readme.indexOf('## In a browser\n'))
    // Inside the repository, so that `secure-node` is found as a package finds itself.
    const folder = join(ROOT, '.tap/in-a-browser')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'page.html'), /```html\n(.*?)```/s.exec(section)![1]!)
    writeFileSync(join(folder, 'serve.mjs'), /```js\n(.*?)```/s.exec(section)![1]!)
    const child = spawn(process.execPath, ['serve.mjs', '0'], { cwd: folder, stdio: 'pipe' })
    t.teardown(() => child.kill('SIGKILL'))
    const output = collect(child)
    const until = async (isDone: () => boolean): Promise<void> => {
      while (!isDone()) await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
    }
    const lines = (): string[] => output.stdout.trimEnd().split('\n')
    await until(() => output.stdout.includes('\n'))

    const { newContext } = await startBrowser(t)
    const [mine, yours] = [await newContext(), await newContext()]
    const open = async (context = mine): Promise<Page> => {
      const page = await context.newPage()
      await page.goto(lines()[0]!)
      await page.waitForFunction('document.forms[0].onsubmit !== null')
      return page
    }
    const say = async (page: Page, text: string): Promise<void> => {
      await page.fill('input', text)
      await page.click('button')
    }
    const first = await open()
    await say(first, 'good morning')
    await until(() => lines().length === 2)
    const [, id] = /^([0-9a-f]{64}) says good morning$/.exec(lines()[1]!)!
    await first.close()
    await say(await open(yours), 'are you there?')
    await until(() => lines().length === 3)
    const again = await open()
    await again.getByText('says are you there?').waitFor()
    await say(again, 'good evening')
    await until(() => lines().length === 4)
    t.equal(lines()[3], `${id!} says good evening`)
    await again.getByText('I says good evening').waitFor()
    t.equal(await again.locator('li').count(), 2, 'nothing of what it had before')
  },
)
