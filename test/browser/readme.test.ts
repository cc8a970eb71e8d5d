// The program of the README's section on browsers, as a reader would start it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { SKIP, startBrowser } from '../fixtures/chromium.ts'
import { collect, ROOT } from '../fixtures/programs.ts'

t.test('a page signs, and a server knows who it was', { skip: SKIP }, async (t) => {
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
  while (!output.stdout.includes('\n')) await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])

  const { newContext } = await startBrowser(t)
  const page = await (await newContext()).newPage()
  const sign = async (text: string): Promise<string> => {
    await page.goto(output.stdout.trim())
    await page.waitForFunction('document.forms[0].onsubmit !== null')
    await page.fill('input', text)
    await page.click('button')
    await page.waitForFunction(`document.querySelector('#answer').textContent !== ''`)
    return page.innerText('#answer')
  }
  const [id, ...words] = (await sign('good morning')).split(' ')
  t.match(id, /^[0-9a-f]{64}$/)
  t.equal(words.join(' '), 'says good morning')
  t.equal(await sign('good evening'), `${id} says good evening`, 'the same one when the page is opened again')
})
