import { readFileSync } from 'node:fs'
import t from 'tap'
import { atTerminal, Cli, cli, hasTerminals } from '../fixtures/cli.ts'

// One after the other: each takes all the processors it can get for some seconds.

/** IDs of a process' children; only Linux tells. */
function childrenOf(pid: number): number[] {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return list.split(' ').filter(Boolean).map(Number)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

t.test('the demo sends its 1,000 messages, stands the attacks, and says so', async (t) => {
  const { code, stdout, stderr } = await cli(['demo'])
  t.equal(code, 0)
  t.equal(stderr, '')
  t.notMatch(stdout, /[\u001b\r]/, 'no control characters in a pipe')
  for (const node of [1, 2, 3, 4, 5]) {
    // Nodes 2 to 4 say one thing more in the end, to each other.
    const isSurvivor = node > 1 && node < 5
    const counts = isSurvivor ? '201 +802' : '200 +800'
    t.match(stdout, new RegExp(`^ +${node}  [0-9a-f]{8} +${counts} +\\d+  \\S`, 'm'))
  }
  for (const hops of [1, 2, 3]) t.match(stdout, new RegExp(`^ +${hops}( +\\d+\\.\\d\\d){4}$`, 'm'))
  t.match(stdout, /^an old message sent again +3 +2, 4 +duplicate$/m)
  t.match(stdout, /^a message of an earlier session +2 +1, 3, 4 +before-start$/m)
  t.match(stdout, /^a message of another node, altered +1 +2 +bad-signature, node banned$/m)
  t.match(stdout, /^a message in the name of another node +5 +4 +forged-author, node banned$/m)
  t.match(stdout, /^All at once: 850 messages in [\d.]+ s; [\d,]+ messages\/s, [\d,]+ deliveries\/s$/m)
  t.match(stdout, /every other node exactly once; every attack was refused and reached nobody\.\n$/)
})

t.test('the demo counts for programs too', async (t) => {
  const { code, stdout, stderr } = await cli(['demo', '--json', '--messages', '1'])
  t.match({ code, stderr }, { code: 0, stderr: '' })
  const summary = JSON.parse(stdout)
  t.equal(stdout, `${JSON.stringify(summary)}\n`, 'one line')
  t.match(summary, { ok: true, problems: [], speed: { messages: 5 } })
  t.strictSame(
    summary.nodes.map((node: { delivered: number }) => node.delivered),
    [4, 6, 6, 6, 4],
  )
  t.strictSame(
    summary.attacks.map((attack: { answer: string }) => attack.answer),
    ['duplicate', 'before-start', 'bad-signature', 'forged-author'],
  )
})

t.test('the demo refuses a number of messages that it cannot send', async (t) => {
  for (const count of ['0', '2001', 'many', '-1']) {
    const result = await cli(['demo', '--messages', count])
    t.match(result, { code: 2, stdout: '', stderr: /^secure-node: [^\n]*from 1 to 2000[^\n]*\n$/ })
  }
})

t.test(
  'the demo leaves nothing behind',
  { skip: process.platform !== 'linux' && 'needs /proc' },
  async (t) => {
    const start = async (): Promise<{ demo: Cli; children: number[] }> => {
      const demo = new Cli(['demo', '--messages', '2000'])
      t.teardown(() => demo.kill('SIGKILL'))
      await demo.says(/^sending .* one by one$/m)
      const children = childrenOf(demo.pid)
      t.equal(children.length, 5)
      return { demo, children }
    }

    t.test('after Ctrl-C', async (t) => {
      const { demo, children } = await start()
      const { code, stderr } = await demo.kill('SIGINT')
      t.match({ code, stderr }, { code: 130, stderr: 'secure-node: ended by SIGINT\n' })
      t.notOk(children.some(isAlive))
    })

    t.test('after the death of one of its nodes', async (t) => {
      const { demo, children } = await start()
      process.kill(children[2]!, 'SIGKILL')
      const { code, stderr } = await demo.finished
      t.match({ code, stderr }, { code: 1, stderr: 'secure-node: node 3 of the demo died: SIGKILL\n' })
      t.notOk(children.some(isAlive))
    })
  },
)

t.test(
  'the demo draws its progress at a terminal',
  { skip: !hasTerminals && 'no Python with pty' },
  async (t) => {
    const { code, screen } = await atTerminal(['demo', '--messages', '20'], [])
    t.equal(code, 0)
    t.match(screen, /\r#+\.* sending/)
    for (const line of screen.split('\r')) t.ok(line.replace('\u001b[K', '').length <= 120, 'no line wraps')
    t.match(screen, /\u001b\[32mEvery message reached every other node exactly once/)
  },
)
