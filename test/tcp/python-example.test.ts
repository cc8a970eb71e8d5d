import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { collect, ROOT, run, toJavaScript } from '../fixtures/programs.ts'

const skip = spawnSync('python3', ['--version']).status === 0 ? false : 'there is no python3 here'

t.test('the program "With Python" of the README does what it says', { skip }, async (t) => {
  const [, section] = readFileSync(join(ROOT, 'README.md'), 'utf8').split('## With Python\n')
  const [, program] = section!.match(/```ts\n([^]*?)```/)!
  const [, script] = section!.match(/```python\n([^]*?)```/)!
  const folder = join(ROOT, '.tap/examples')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'with-python.mjs')
  // A free port: the one in the text may be taken on this machine.
  const source = `${program!.replace("'127.0.0.1', 10001", "'127.0.0.1', 0")}\nconsole.log('port', node.port)`
  writeFileSync(file, await toJavaScript(source))
  const child = spawn(process.execPath, [file], { cwd: folder, stdio: 'pipe' })
  t.teardown(() => child.kill('SIGKILL'))
  const output = collect(child)
  const ended = once(child, 'close')
  while (!/port \d+\n/.test(output.stdout)) await once(child.stdout, 'data')
  const [, port] = output.stdout.match(/port (\d+)/)!
  const python = await run('python3', ['-'], folder, script!.replace('10001', port!))
  t.equal(python.stderr, '')
  t.equal(python.stdout.replaceAll('\r', ''), "javascript is there\nit says {'text': 'Hi there!'}\n")
  t.strictSame(await ended, [0, null], output.stderr)
  t.match(output.stdout, "python says { text: 'Hello!' }")
})
