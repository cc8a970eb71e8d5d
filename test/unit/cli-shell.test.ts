import t from 'tap'
import type { Address } from '../../lib/cli/address.ts'
import { describeNotice, type Notice } from '../../lib/cli/notice.ts'
import { Shell, type ShellPort } from '../../lib/cli/shell.ts'
import { plain } from '../../lib/cli/terminal.ts'
import type { NodeConnection, SecureNode } from '../../lib/index.ts'
import { NetworkMap } from '../../lib/discovery/network-map.ts'

const id = (digit: string): string => digit.repeat(64)

interface Table {
  readonly shell: Shell
  readonly node: { debug: boolean }
  readonly said: Notice[]
  readonly done: unknown[]
}

/** One that is alone. */
const MAP = new NetworkMap([{ id: id('a'), links: [], more: 0, latency: 0 }])

/** A shell on a node that is made of nothing; `explains` are the IDs that it knows. */
function sitDown(explains: readonly string[] = [], sendError?: Error): Table {
  const said: Notice[] = []
  const done: unknown[] = []
  const peer = {
    id: id('b'),
    direction: 'outbound',
    host: '::1',
    port: 80,
    latency: { last: 3, smoothed: 2.5, min: 2 },
    connectedAt: Date.now() - 60_000,
    stats: { bytesIn: 7, bytesOut: 8 },
    ping: () => Promise.resolve(3),
  }
  let sent = 0
  const node = {
    debug: false,
    allNodes: new Set([peer as unknown as NodeConnection]),
    stats: () => ({ sent: 1 }),
    peerBook: [{ id: id('b'), addresses: [{ host: '::1', port: 80 }], time: 0, source: { id: id('c') } }],
    discover: () => Promise.resolve(MAP),
    explain: (wanted: string) => (explains.includes(wanted) ? { id: wanted } : undefined),
    sendToNodes: (data: unknown) => {
      if (sendError !== undefined) return Promise.reject(sendError)
      done.push(data)
      return Promise.resolve({ id: id(String(sent++)), peers: 1 })
    },
  }
  const port: ShellPort = {
    node: node as unknown as SecureNode,
    connect: async (address: Address) => void done.push(address),
    stop: () => done.push('stop'),
  }
  return { shell: new Shell(port, (notice) => said.push(notice)), node, said, done }
}

t.test('text is sent, and what begins with two slashes too', async (t) => {
  const { shell, said, done } = sitDown()
  for (const line of ['hello', ' /not a command', '//etc/hosts', '', '   ']) t.ok(await shell.execute(line))
  t.strictSame(done, [{ text: 'hello' }, { text: ' /not a command' }, { text: '/etc/hosts' }])
  t.strictSame(said[0], { event: 'sent', id: id('0'), peers: 1 })
})

t.test('commands do what they are called', async (t) => {
  const { shell, node, said, done } = sitDown()
  t.ok(await shell.execute('/connect [::1]:80 '))
  t.ok(await shell.execute('/stop'))
  t.ok(await shell.execute('/quit  '))
  t.strictSame(done, [{ host: '::1', port: 80 }, 'stop', 'stop'])
  t.strictSame(said, [])
  const lines = ['/peers', '/book', '/discover', '/stats', '/help', '/debug']
  for (const line of lines) t.ok(await shell.execute(line))
  t.match(said, [
    { event: 'peers', peers: [{ id: id('b'), latency: 2.5, age: Number, bytesIn: 7 }] },
    {
      event: 'book',
      book: [{ id: id('b'), addresses: ['[::1]:80'], sinceLink: undefined, source: id('c') }],
    },
    { event: 'network', map: MAP },
    { event: 'stats', stats: { sent: 1 } },
    { event: 'help', commands: { '/stop': String } },
    { event: 'debug', on: true },
  ])
  t.equal(node.debug, true)
})

t.test('a command that is none gives a hint, and is not sent', async (t) => {
  const { shell, said, done } = sitDown()
  for (const line of ['/', '/nope', '/Stop', '/constructor', '/__proto__', '/toString', '/ stop']) {
    t.notOk(await shell.execute(line), line)
  }
  t.equal(said.length, 7)
  for (const notice of said) t.match(notice, { event: 'error', error: /there is no command .*\/help/ })
  t.strictSame(done, [])
})

t.test('what fails is said, not thrown', async (t) => {
  const { shell, said } = sitDown([], new Error('out of\npaper'))
  t.notOk(await shell.execute('hello'))
  t.notOk(await shell.execute('/connect'))
  t.notOk(await shell.execute('/connect somewhere'))
  t.match(said, [{ error: 'out of paper' }, { error: /host:port/ }, { error: /host:port/ }])
})

t.test('a message is explained by its first digits, or as the newest', async (t) => {
  const close = id('a').replace(/a$/, 'b')
  const { shell, said } = sitDown([id('a'), close, id('c')])
  const explain = async (argument: string): Promise<Notice | undefined> => {
    await shell.execute(`/explain ${argument}`)
    return said.pop()
  }
  t.match(await explain(''), { error: /no message yet/ })
  shell.remember(id('c'))
  shell.remember(id('a'))
  t.match(await explain(''), { explanation: { id: id('a') } })
  t.match(await explain('CCCC'), { explanation: { id: id('c') } })
  shell.remember(close)
  t.match(await explain('aaaa'), { error: /2 messages begin with aaaa; give more digits/ })
  t.match(await explain(close), { explanation: { id: close } }, 'a whole ID is always enough')
  t.match(await explain('ccc'), { error: /at least its first 4 digits/ })
  t.match(await explain('hello'), { error: /at least its first 4 digits/ })
  t.match(await explain('dddd'), { error: /no message that was seen lately begins with dddd/ })
  t.match(await explain(id('d')), { error: /not known here/ })
})

t.test('of very many messages the newest are remembered', async (t) => {
  const ids = Array.from({ length: 1_001 }, (_, index) => String(index).padStart(6, '0').padEnd(64, 'f'))
  const { shell, said } = sitDown(ids)
  for (const each of ids) shell.remember(each)
  await shell.execute('/explain 000000')
  t.match(said.pop(), { event: 'error' })
  await shell.execute('/explain 000001')
  t.match(said.pop(), { event: 'explanation' })
})

t.test('every notice can be shown, and none can steer the terminal', (t) => {
  const evil = 'x\u001b[2J\n\u202ey'
  const peer = { id: id('b'), direction: 'inbound', host: evil, port: 1 } as const
  const facts = { ...peer, latency: undefined, age: 61_000, bytesIn: 1, bytesOut: 2 }
  const known = { id: id('b'), addresses: ['[::1]:80'], age: 3_000, sinceLink: undefined, source: id('c') }
  const refusal = { code: 'stale', via: id('b'), id: undefined, type: undefined }
  const message = { event: 'message', id: id('a'), from: id('b'), via: id('b'), time: 0 } as const
  const explanation = {
    id: id('a') as never,
    firstSeen: 0,
    via: id('b'),
    from: id('b'),
    type: 'message',
    verdict: 'relayed',
    relayedTo: [id('c')],
    relays: 2,
    duplicates: 3,
  } as const
  const stats = { inbound: 1, outbound: 0, pending: 0, bytesIn: 0, bytesOut: 0, sent: 0, received: 0 }
  const counts = { grafts: 0, prunes: 0, announced: 0, requested: 0, supplied: 0, abandoned: 0, ignored: 0 }
  const relayStats = {
    relayed: 0,
    duplicates: 0,
    messageIds: 0,
    refused: { stale: 2, 'bad-json': 1 },
    tree: { eager: 3, lazy: 2, missing: 1, ...counts },
  }
  const notices: [Notice, RegExp][] = [
    [
      { event: 'started', id: id('a'), host: '::1', port: 1, net: 'n', encryption: false, lan: false },
      /\[::1\]:1, network.*not encrypted;/s,
    ],
    [
      { event: 'started', id: id('a'), host: '0.0.0.0', port: 1, net: 'n', encryption: true, lan: true },
      /:1 \(whoever reaches.*, looking for others on the local network;/s,
    ],
    [{ event: 'joined', peers: 1, failures: [evil] }, /^joined: 1 peer\nx/],
    [{ event: 'joined', peers: 0, failures: [] }, /nobody else is there yet/],
    [{ event: 'alone', error: evil }, /\(trying again\)/],
    [{ event: 'connected', ...peer }, /connected bbbbbbbb \(inbound, x/],
    [{ event: 'disconnected', ...peer, code: 'closed', text: evil, by: 'peer' }, /closed by peer: x/],
    [{ event: 'unreachable', host: 'h', port: 1, trials: 1, error: evil }, /\(trying again\)/],
    [{ event: 'unreachable', host: 'h', port: 1, trials: 2, error: evil }, /^$/],
    [{ ...message, type: 'message', data: { text: evil } }, /^\d\d:\d\d:\d\d bbbbbbbb: x.*\(aaaaaaaa\)$/],
    [{ ...message, type: 'a/b', data: { text: evil, more: 1 } }, /\[a\/b\]: \{"text":"x/],
    [{ ...message, type: 'message', data: null }, /: null /],
    [{ ...message, type: 'message', data: ['text'] }, /: \["text"\] /],
    [{ event: 'refused', ...refusal, from: id('c') }, /in the name of cccccccc, brought by bbbbbbbb: stale/],
    [{ event: 'refused', ...refusal, from: undefined }, /refused a message, brought by/],
    [{ event: 'sent', id: id('a'), peers: 1 }, /^$/],
    [{ event: 'sent', id: id('a'), peers: 0 }, /nobody got this/],
    [{ event: 'peers', peers: [] }, /no peers/],
    [{ event: 'peers', peers: [facts, { ...facts, latency: 1.25 }] }, /bbbbbbbb.* - +1\s+min/],
    [{ event: 'book', book: [] }, /no nodes are known/],
    [{ event: 'book', book: [known] }, /bbbbbbbb  \[::1\]:80  3 s ago  cccccccc  never/],
    [{ event: 'network', map: MAP }, /^1 node, 0 links\n\nthis node\n  aaaaaaaa$/],
    [
      {
        event: 'stats',
        stats: { ...stats, ...relayStats, requests: { pending: 0, incoming: 0, dropped: {} } },
      },
      /refused +2 stale, 1 bad-json\ntree +3 eager, 2 lazy, 1 missing\n/,
    ],
    [{ event: 'explanation', explanation }, /relayed to +2: cccccccc …/],
    [{ event: 'explanation', explanation: { ...explanation, relays: 0, relayedTo: [] } }, /nobody/],
    [{ event: 'debug', on: true }, /on/],
    [{ event: 'debug', on: false }, /off/],
    [{ event: 'trace', text: evil }, /x/],
    [{ event: 'help', commands: { '/a': 'b' } }, /\/a {2}b/],
    [{ event: 'error', error: evil }, /x/],
    [{ event: 'stopped', sent: 1, received: 2 }, /1 sent, 2 received/],
  ]
  for (const [notice, pattern] of notices) {
    const lines = describeNotice(notice, plain)
    t.match(lines.join('\n'), pattern, notice.event)
    for (const line of lines) t.notMatch(line, /[\p{Cc}\p{Cf}]/u)
  }
  t.end()
})
