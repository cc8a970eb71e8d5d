import { spawn } from 'node:child_process'
import { randomFillSync, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { collect, ROOT, run, toJavaScript } from '../fixtures/programs.ts'

// Programs are started one after the other, and some wait for each other.
t.setTimeout(120_000)

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

/** A program that goes on until it is told to end, and what it says. */
function start(t: Test, file: string, ...args: string[]) {
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
  return { child, says }
}

t.test(
  'a test of an application passes on the virtual network, in the same time for the same seed',
  async (t) => {
    const file = await example('testing')
    const test = async (seed: string): Promise<string> => {
      const { code, stdout, stderr } = await run(process.execPath, [file], folder, '', { SEED: seed })
      t.equal(code, 0, stdout + stderr)
      t.match(stdout, /pass 3/)
      return stdout.match(/all rang after \d+ ms, seed \d+/)![0]
    }
    const first = await test('1234')
    t.match(first, /seed 1234$/)
    t.equal(await test('1234'), first)
  },
)

t.test('the test in docs/TESTING.md passes', async (t) => {
  const [, program] = readFileSync(join(ROOT, 'docs/TESTING.md'), 'utf8').match(/```js\n([^]*?)```/)!
  const { code, stdout, stderr } = await run(process.execPath, [await prepare('test', program!)], folder)
  t.equal(code, 0, stdout + stderr)
  t.match(stdout, /pass 1/)
})

t.test('three chats in a line read each other', async (t) => {
  const file = await example('chat')
  const startChat = async (...args: string[]) => {
    const { child, says } = start(t, file, ...args)
    const port = (await says(/at 127\.0\.0\.1:(\d+)/))[1]!
    return { child, says, port }
  }
  const alice = await startChat('alice', '0')
  const bob = await startChat('bob', '0', `127.0.0.1:${alice.port}`)
  const carol = await startChat('carol', '0', `127.0.0.1:${bob.port}`)
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

/** Ctrl-C, one after the other. */
async function interrupt(t: Test, programs: readonly ReturnType<typeof start>[]): Promise<void> {
  for (const { child } of programs) {
    child.kill('SIGINT')
    const [code] = (await once(child, 'exit')) as [number | null]
    t.equal(code, 0, 'it ends with Ctrl-C')
  }
}

t.test('a request is passed on, and who did so is proven', async (t) => {
  const { code, stdout, stderr } = await run(process.execPath, [await example('add-one')], folder)
  t.equal(code, 0, stderr)
  t.strictSame(stdout.trim().split('\n'), [
    'Bob is asked by Alice to add one to 41',
    'Carol is asked by Alice, through Bob',
    'Carol answers Alice: 42',
    'passed on by: Bob',
    'signed by Bob: bounce for Carol, Alice',
    'signed by Carol: answer for Alice',
  ])
})

t.test('a chain that forks becomes one again, and who was away catches up', async (t) => {
  const { code, stdout, stderr } = await run(process.execPath, [await example('blockchain')], folder)
  t.equal(code, 0, stderr)
  t.match(stdout, /Alice: first < Alice's second\n +Bob: first < Bob's second\n/, 'it forks')
  t.match(stdout, /Alice leaves its chain for a longer one/)
  for (const text of ["Alice's second", "Bob's second", 'third']) t.match(stdout, `hears of "${text}", late`)
  t.equal(stdout.match(/(Alice|Bob|Carol): first < Bob's second < third\n/g)?.length, 3, 'all have the same')
})

t.test('a typed chat', async (t) => {
  const file = await example('typed-chat')

  t.test('refuses what does not fit, before it is sent and when it comes', async (t) => {
    const { code, stdout, stderr } = await run(process.execPath, [file], folder)
    t.equal(code, 0, stderr)
    t.match(stdout, /\[Alice\] [0-9a-f]{8} is Bob\n/, 'a request')
    t.match(stdout, /\[Bob\] Alice \([0-9a-f]{8}\): Hello Bob!\n/)
    t.match(stdout, /\[Bob\] refused a message: invalid-content, [0-9a-f]{8}\n/)
    t.match(stdout, /\[Alice\] SecureNodeError: .*"chat" does not fit its schema: data\.text: .*\n/)
    t.notMatch(stdout, /Mallory/)
  })

  t.test('is one between two programs, and prints nothing that moves a cursor', async (t) => {
    const alice = start(t, file, 'alice', '0')
    const [, port] = await alice.says(/at 127\.0\.0\.1:(\d+)/)
    const bob = start(t, file, 'bob', '0', `127.0.0.1:${port}`)
    await bob.says(/you are bob/)
    // Nothing tells when they are connected: what comes too early is read by nobody.
    const talk = setInterval(() => bob.child.stdin.write('\x1b[2Jhello from bob\n'), 100)
    const [line] = await alice.says(/\[alice\] bob \([0-9a-f]{8}\): .*hello from bob/)
    clearInterval(talk)
    t.notOk(line.includes('\x1b'))
    for (const { child } of [bob, alice]) {
      child.stdin.end()
      t.equal((await once(child, 'exit'))[0], 0, 'it ends at the end of its input')
    }
  })
})

t.test('three nodes that were told one address know each other', async (t) => {
  const file = await example('join')
  const startNode = async (...args: string[]) => {
    const program = start(t, file, '0', ...args)
    const [, id, address] = await program.says(/^([0-9a-f]{8}) listens at ([0-9.:]+);/)
    return { ...program, id: id!, address: address! }
  }
  const first = await startNode()
  const second = await startNode(first.address)
  await second.says(/joined, links: 1/)
  const third = await startNode(second.address)
  await third.says(new RegExp(`found ${first.id} at ${first.address}`))
  for (const { says } of [first, second])
    await says(new RegExp(`${third.id} says {"text":"hello, I am new here"}`))
  await interrupt(t, [second, first, third])
})

t.test('three nodes on a local network find each other without any address', async (t) => {
  const file = await example('lan')
  const net = `test-${randomUUID()}`
  const names = ['alice', 'bob', 'carol']
  const programs = names.map((name) => start(t, file, name, net, '127.0.0.1'))
  for (const [index, { says }] of programs.entries()) {
    const others = names.filter((_, other) => other !== index)
    for (const other of others) await says(new RegExp(`^[0-9a-f]{8} says {"text":"${other} is here"}$`, 'm'))
  }
  await interrupt(t, programs)
})

t.test('files are shared, and arrive though their source dies', async (t) => {
  const file = await example('share')
  const root = t.testdir({ alice: { 'small.txt': 'a few words' }, bob: {}, carol: {}, dave: {} })
  const pathOf = (name: string, item: string): string => join(root, name, item)
  const startNode = async (name: string, ...args: string[]) => {
    const program = start(t, file, join(root, name), ...args)
    const [, address] = await program.says(/listens at ([0-9.:]+);/)
    return { ...program, address: address! }
  }
  const gets = (name: string, address: string, item: string) =>
    startNode(name, '--join', address, '--get', item)
  /** A part of it is there, and a part is not. */
  const isInTheMiddle = ({ says }: Pick<ReturnType<typeof start>, 'says'>) => says(/\] [1-9]\d? % from/)

  const large = randomFillSync(Buffer.alloc(48 * 1_024 * 1_024))
  writeFileSync(pathOf('alice', 'large.bin'), large)
  copyFileSync(pathOf('alice', 'large.bin'), pathOf('bob', 'large.bin'))
  const isComplete = (name: string): boolean => large.equals(readFileSync(pathOf(name, 'large.bin')))

  const alice = await startNode('alice')
  const bob = await gets('bob', alice.address, 'small.txt')
  await bob.says(/got small\.txt \(11 bytes\), and shares it/)
  t.equal(readFileSync(pathOf('bob', 'small.txt'), 'utf8'), 'a few words')

  const carol = await gets('carol', bob.address, 'large.bin')
  await carol.says(/gets large\.bin from [0-9a-f]{8}, [0-9a-f]{8}\n/)
  await isInTheMiddle(carol)
  alice.child.kill('SIGKILL')
  await carol.says(/got large\.bin/)
  t.ok(isComplete('carol'), 'the other source has brought the rest')

  const first = await gets('dave', bob.address, 'large.bin')
  await isInTheMiddle(first)
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  t.ok(existsSync(pathOf('dave', 'large.bin.part')))
  const second = await gets('dave', bob.address, 'large.bin')
  await second.says(/got large\.bin/)
  t.ok(isComplete('dave'), 'and when it dies itself, it goes on later')
  t.notOk(existsSync(pathOf('dave', 'large.bin.part')))
  await interrupt(t, [second, carol, bob])
})

t.test('the program of "Watching it" sees what it says', async (t) => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const [, program] = /\n## Watching it\n[^]*?```ts\n([^]*?)```/.exec(readme)!
  const source = program!
    .replace("connectWithNode('127.0.0.1', 10001)", "connectWithNode('127.0.0.1', watched.port)")
    .replace('port: 9470', 'port: 0')
    .replace(/'127\.0\.0\.1', 1000[12]/g, "'127.0.0.1', 0")
  const { code, stdout, stderr } = await run(process.execPath, [await prepare('watching', source)], folder)
  t.equal(code, 0, stderr)
  t.equal(stdout, 'a link, inbound\nchat delivered: {"text":"Hi there!"}\n1\n')
})

t.test('the first program of the README does what it says', async (t) => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const [, program] = readme.match(/```ts\n([^]*?)```/)!
  // Free ports: the ones in the text may be taken on this machine.
  const source = program!
    .replace("'127.0.0.1:10001'", '`127.0.0.1:${alice.port}`')
    .replace(/'127\.0\.0\.1', 1000[12]/g, "'127.0.0.1', 0")
  const file = await prepare('readme', source)
  const { code, stdout, stderr } = await run(process.execPath, [file], folder)
  t.equal(code, 0, stderr)
  t.match(stdout, /^[0-9a-f]{64} says { text: 'Hi there!' }\n$/)
})
