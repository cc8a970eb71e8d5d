import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { collect, ROOT, run, toJavaScript } from '../fixtures/programs.ts'

// Inside the repository, so that `secure-node` is found as a package finds itself.
const folder = join(ROOT, '.tap/examples')
mkdirSync(folder, { recursive: true })

async function prepare(name: string, source: string): Promise<string> {
  const file = join(folder, `${name}.mjs`)
  writeFileSync(file, await toJavaScript(source))
  return file
}

const example = (name: string): Promise<string> =>
  prepare(name, readFileSync(join(ROOT, 'examples', `${name}.ts`), 'utf8'))

t.test('three weather stations in a line read each other, and end', async (t) => {
  const { code, stdout, stderr } = await run(process.execPath, [await example('extend')], folder)
  t.equal(code, 0, stderr)
  for (const celsius of [-3.5, 4, 11.25]) {
    const times = stdout.split(`measured {"celsius":${celsius}}`).length - 1
    t.equal(times, 2, `${celsius} reached both of the others`)
  }
})

t.test('the callback hears everything, and what was sent arrives as it was sent', async (t) => {
  const { code, stdout, stderr } = await run(process.execPath, [await example('callback')], folder)
  t.equal(code, 0, stderr)
  t.match(stdout, /alice outboundNodeConnected bob/)
  t.match(stdout, /bob nodeMessage alice hello/)
  t.match(stdout, /bob nodeMessage alice { numbers: \[ 1, 2, 3 \] }/)
  t.match(stdout, /bob nodeMessage alice Uint8Array\(3\) \[ 1, 2, 3 \]/)
  t.match(stdout, /alice outboundNodeDisconnected bob/)
})

t.test('a document is signed, verified, and refused when it was altered', async (t) => {
  const { code, stdout, stderr } = await run(process.execPath, [await example('document')], folder)
  t.equal(code, 0, stderr)
  t.match(stdout, /said { item: 'bicycle', paid: 120 }/)
  t.match(stdout, /altered: { ok: false, code: 'bad-signature' }/)
})

t.test('three chats in a line read each other', async (t) => {
  const file = await example('chat')
  const start = async (...args: string[]) => {
    const child = spawn(process.execPath, [file, ...args], { cwd: folder, stdio: 'pipe' })
    const output = collect(child)
    t.teardown(() => child.kill('SIGKILL'))
    const says = async (pattern: RegExp): Promise<RegExpMatchArray> => {
      for (;;) {
        const match = output.stdout.match(pattern)
        if (match !== null) return match
        await once(child.stdout, 'data')
      }
    }
    const port = (await says(/at 127\.0\.0\.1:(\d+)/))[1]!
    return { child, says, port }
  }
  const alice = await start('alice', '0')
  const bob = await start('bob', '0', `127.0.0.1:${alice.port}`)
  const carol = await start('carol', '0', `127.0.0.1:${bob.port}`)
  await alice.says(/joined/)
  await bob.says(/joined/)
  alice.child.stdin.write('hello from alice\n')
  await carol.says(/alice \([0-9a-f]{8}\): hello from alice/)
  carol.child.stdin.write('hello from carol\n')
  await alice.says(/carol \([0-9a-f]{8}\): hello from carol/)
  for (const { child } of [carol, bob, alice]) {
    child.stdin.end()
    const [code] = (await once(child, 'exit')) as [number]
    t.equal(code, 0, 'it ends at the end of its input')
  }
})

t.test('the first program of the README does what it says', async (t) => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const [, program] = readme.match(/```ts\n([^]*?)```/)!
  // Free ports: the ones in the text may be taken on this machine.
  const source = program!.replaceAll('10001', '0').replace("'127.0.0.1', 10002)", "'127.0.0.1', 0)")
  const file = await prepare('readme', source.replace('10002', 'bob.port'))
  const { code, stdout, stderr } = await run(process.execPath, [file], folder)
  t.equal(code, 0, stderr)
  t.match(stdout, /^[0-9a-f]{64} says { text: 'Hi there!' }\n$/)
})
