import t from 'tap'
import { systemClock } from '../../lib/ground/clock.ts'
import { quote } from '../../lib/ground/texts.ts'
import { defaultEngine } from '../../lib/identity/ed25519.ts'
import * as directLimits from '../../lib/limits/direct-limits.ts'
import * as linkLimits from '../../lib/limits/limits.ts'
import * as networkLimits from '../../lib/limits/network-limits.ts'
import * as treeLimits from '../../lib/limits/tree-limits.ts'
import {
  checkConnectOptions,
  type NodeOptions,
  nodeOptionsOf,
  nodeSettings,
  type SecureNodeOptions,
  secureNodeSettings,
} from '../../lib/options/options.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { TcpTransport } from '../../lib/transport/tcp.ts'

const limits = { ...linkLimits, ...networkLimits, ...directLimits, ...treeLimits }

/** What an option may be, and what it may not be though it looks alike. */
interface Sample {
  readonly good: readonly unknown[]
  readonly bad: readonly unknown[]
  readonly rule: string
}

/** Of no option's type, nor is an empty list where lists are not. */
const NEVER = [null, Symbol('s'), 5n]
const count: Sample = {
  good: [1, 2, 1_000_000, Number.MAX_SAFE_INTEGER],
  bad: [0, -1, 1.5, NaN, Infinity, 2 ** 53, '5', true, {}],
  rule: 'a positive integer',
}
const duration: Sample = {
  good: [25_000, 29_999.5],
  bad: [0, -1, NaN, Infinity, 2 ** 31, '5', true, {}],
  rule: 'a positive number of milliseconds below 2^31',
}
const flag: Sample = { good: [true, false], bad: [0, 1, '', 'true', {}], rule: 'true or false' }

const LOGGER = { debug() {}, info() {}, warn() {}, error() {} }
class ClassLogger {
  debug(): void {}
  info(): void {}
  warn(): void {}
  error(): void {}
}

const NODE: Record<keyof NodeOptions, Sample> = {
  net: {
    good: ['a', 'my-net', 'A.b_c:d/e-1', 'n'.repeat(64)],
    bad: ['', ' a', 'a b', '-a', 'ä', 'a\n', 'n'.repeat(65), 1, true, {}],
    rule: 'a name like ^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$',
  },
  id: {
    good: ['a', 'Alice-1', 'x'.repeat(64)],
    bad: ['', '-a', 'a b', 'a/b', 'x'.repeat(65), 1, true, {}],
    rule: '1 to 64 letters, digits, ".", "_", ":" or "-"',
  },
  debug: flag,
  logger: {
    good: [LOGGER, { ...LOGGER, trace: () => {} }, new ClassLogger()],
    bad: [true, {}, () => {}, { ...LOGGER, warn: 1 }, { ...LOGGER, trace: 1 }, { info() {} }],
    rule: 'an object with the methods debug, info, warn and error',
  },
  maxConnections: count,
  maxPending: count,
  maxNewPerAddress: count,
  handshakeTimeout: duration,
  frameTimeout: duration,
  stopTimeout: duration,
  maxFrameBytes: {
    good: [4_096, 65_536],
    bad: [4_095, 0, -1, 4_096.5, 2 ** 31 + 1, 2 ** 32, '5000', NaN, true, {}],
    rule: 'an integer from 4096 to 2^31',
  },
  maxQueueBytes: { ...count, good: [2 ** 24, Number.MAX_SAFE_INTEGER] },
  pingInterval: duration,
  pingTimeout: { ...duration, good: [25_000, 2 ** 31 - 1] },
  reconnectMin: duration,
  reconnectMax: { ...duration, good: [501, 2 ** 31 - 1] },
  transport: {
    good: [new TcpTransport()],
    bad: ['tcp', 1, true, {}, TcpTransport, { dial: true }],
    rule: 'a transport',
  },
  clock: { good: [systemClock, new ManualClock()], bad: [1, 'now', true, {}, Date], rule: 'a clock' },
  random: { good: [Math.random, () => 0.5], bad: [0.5, 'random', true, {}, Math], rule: 'a function' },
}

const ODD_ADDRESSES = [
  ...[
    '',
    'localhost',
    'localhost:',
    ':1',
    'a:0',
    'a:65536',
    '::1:80',
    '[::1]',
    '[a]:1',
    'http://a:1',
    'a b:1',
  ],
  ...[
    null,
    undefined,
    1,
    {},
    { host: 'a' },
    { port: 1 },
    { host: '', port: 1 },
    { host: 'a', port: '1' },
    [],
  ],
  ...[
    { host: 'a', port: 0 },
    { host: 'a/b', port: 1 },
    { host: 'a:b', port: 1 },
  ],
]

const { id: PLAIN_ID, ...BOTH } = NODE
const SECURE: Record<keyof SecureNodeOptions, Sample> = {
  ...BOTH,
  // Any signed message fits into a frame.
  maxFrameBytes: {
    good: [1_048_576, 3_000_000],
    bad: [1_048_575, 4_096, 0, -1, 1_048_576.5, 2 ** 31 + 1, '3000000', NaN, true, {}],
    rule: 'an integer from 1048576 to 2^31',
  },
  password: { good: ['secret', ' '], bad: ['', 1, true, {}], rule: 'a text that is not empty' },
  encryption: flag,
  windowPast: duration,
  windowFuture: duration,
  maxMessageIds: count,
  maxVerifications: count,
  messageRate: count,
  maxTraces: count,
  floodLinks: count,
  banTime: duration,
  bootstrap: {
    good: [[], ['localhost:1', '[::1]:65535', { host: 'example.org', port: 80 }, { host: '::1', port: 1 }]],
    bad: ['localhost:1', true, 1, {}, { host: 'a', port: 1 }, ...ODD_ADDRESSES.map((odd) => ['a:1', odd])],
    rule: 'a list of addresses like "host:port"',
  },
  history: {
    good: [
      {},
      { maxAge: 1_000 },
      { maxAge: 1, maxBytes: 1, folder: 'history' },
      { folder: new URL('file:///a') },
    ],
    bad: [true, [], 'history', { maxAge: 0 }, { maxBytes: '1' }, { folder: '' }, { days: 1 }],
    rule: 'an object with "maxAge", "maxBytes" or "folder"',
  },
  transports: {
    good: [[], [() => ({})]],
    bad: [true, {}, ['hyperswarm'], () => ({})],
    rule: 'an array of what makes transports, like hyperswarm(…)',
  },
  websocket: {
    good: [
      { port: 0 },
      { port: 65_535, host: '::', origins: '*', path: '/network' },
      { port: 1, origins: ['https://example.org', 'http://localhost:8080'] },
    ],
    bad: [
      ...[true, 8_080, [], {}, { port: -1 }, { port: 65_536 }, { port: '80' }, { port: 0, host: '' }],
      ...[
        { port: 0, origins: 'https://example.org' },
        { port: 0, origins: ['example.org'] },
      ],
      ...[
        { port: 0, origins: ['https://example.org/'] },
        { port: 0, path: 'network' },
        { port: 0, path: '/?a' },
      ],
      { port: 0, secure: true },
    ],
    rule: 'an object like { port: 8080 }; also host, origins, path',
  },
  status: {
    good: [
      { port: 0 },
      { port: 65_535, host: '::1', token: 'a-Token_of.16~ok', send: true, preview: 0 },
      { port: 1, preview: 2_000 },
    ],
    bad: [
      ...[true, 9_470, [], {}, { port: -1 }, { port: 65_536 }, { port: '9470' }, { port: 0, host: '' }],
      ...[
        { port: 0, token: 'short' },
        { port: 0, token: 'a b'.repeat(10) },
        { port: 0, token: 'a'.repeat(257) },
      ],
      ...[
        { port: 0, send: 1 },
        { port: 0, preview: -1 },
        { port: 0, preview: 2_001 },
        { port: 0, cors: true },
      ],
    ],
    rule: 'an object like { port: 9470 }; also host, token, send, preview',
  },
  types: { good: [{}], bad: [true, [], 'chat'], rule: 'an object with a schema for each type' },
  targetConnections: { good: [3, 8, 1_000], bad: [0, 1, 2, 3.5, '3', true], rule: 'an integer from 3' },
  maxOutboundPerGroup: count,
  advertise: {
    good: [false, [], ['127.0.0.1:1', '[2a00::1]:65535', { host: '203.1.113.5', port: 80 }]],
    bad: [
      ...['127.0.0.1:1', true, 1, {}, ['localhost:1'], ['0.0.0.0:1'], [{ host: '::', port: 1 }]],
      ...[['[fe80::1%eth0]:1'], ['224.0.0.1:1'], ...ODD_ADDRESSES.map((odd) => ['10.0.0.1:1', odd])],
    ],
    rule: 'IP addresses like "203.0.113.5:10001", or false',
  },
  peerBookFile: {
    good: ['peers.json', ' ', new URL('file:///peers.json')],
    bad: ['', 1, true, {}, { href: 'file:///peers.json' }],
    rule: 'the path of a file',
  },
  lan: flag,
  engine: {
    good: [defaultEngine(), { name: 'node', verify: () => true }],
    bad: [1, 'node', true, {}, { verify: true }, () => true],
    rule: 'a signature engine',
  },
}

const KINDS = [
  { kind: 'Node', samples: NODE as Record<string, Sample>, check: nodeSettings },
  { kind: 'SecureNode', samples: SECURE as Record<string, Sample>, check: secureNodeSettings },
] as const

for (const { kind, samples, check } of KINDS) {
  t.test(`options of a ${kind}`, async (t) => {
    for (const [name, { good, bad, rule }] of Object.entries(samples)) {
      t.test(name, async (t) => {
        for (const value of good) {
          const settings = check({ [name]: value }) as unknown as Record<string, unknown>
          t.equal(settings[name], value, 'it is taken as it is')
        }
        for (const value of [...bad, ...NEVER, ...(good.some(Array.isArray) ? [] : [[]])]) {
          const error = { code: 'invalid-option' }
          t.throws(() => check({ [name]: value }), error, `${name} ${quote(value)}`)
          try {
            check({ [name]: value })
          } catch (error) {
            t.ok((error as Error).message.startsWith(`option "${name}" must be ${rule}, got `), rule)
          }
        }
      })
    }

    t.test('undefined is the default', async (t) => {
      const empty = Object.fromEntries(Object.keys(samples).map((name) => [name, undefined]))
      t.strictSame(check(empty), check({}))
    })

    t.test('every option has a rule, and settings have no other names', async (t) => {
      t.strictSame(Object.keys(check({})).sort(), Object.keys(samples).sort())
    })

    t.test('unknown names are refused, with those that are known', async (t) => {
      const names = ['maxConnection', 'Net', '', '0', 'toString', 'constructor']
      for (const name of names) {
        t.throws(() => check({ [name]: undefined }), {
          code: 'invalid-option',
          message: `option "${name}" is not known here; the options are ${Object.keys(check({})).join(', ')}`,
        })
      }
      t.throws(() => check(JSON.parse('{"__proto__":{}}') as object), { code: 'invalid-option' })
    })

    t.test('options may be inherited, and a class may have them', async (t) => {
      const settings = check(Object.create({ net: 'inherited' }) as object)
      t.equal(settings.net, 'inherited')
    })

    t.test('what is no object has no options', async (t) => {
      for (const value of [null, 5, true, 'options', Symbol('s')]) {
        t.throws(() => check(value as unknown as object), { code: 'invalid-argument' }, String(value))
      }
    })

    t.test('the pauses between reconnections grow, or stay', async (t) => {
      t.throws(() => check({ reconnectMax: 499 }), {
        code: 'invalid-option',
        message: 'option "reconnectMax" must be at least "reconnectMin" (500), got 499',
      })
      t.throws(() => check({ reconnectMin: 30_001 }), { message: /^option "reconnectMax" / })
      t.ok(check({ reconnectMin: 7, reconnectMax: 7 }))
    })

    t.test('a frame fits into the queue of a peer', async (t) => {
      t.throws(() => check({ maxFrameBytes: 2 ** 22 }), {
        code: 'invalid-option',
        message:
          'option "maxQueueBytes" must be at least "maxFrameBytes" and its length (4194308), got 4194304',
      })
      t.throws(() => check({ maxQueueBytes: 2 ** 20 }), { message: /^option "maxQueueBytes" / })
      t.ok(check({ maxQueueBytes: 2_000_004, maxFrameBytes: 2_000_000 }))
    })

    t.test('a link is not dead before it was asked whether it lives', async (t) => {
      t.throws(() => check({ pingInterval: 45_000 }), {
        code: 'invalid-option',
        message: 'option "pingTimeout" must be more than "pingInterval" (45000), got 45000',
      })
      t.throws(() => check({ pingTimeout: 20_000 }), { code: 'invalid-option' })
      t.ok(check({ pingInterval: 5, pingTimeout: 6 }))
    })
  })
}

t.test('an id is no option of a SecureNode, nor is a password one of a Node', async (t) => {
  t.throws(() => secureNodeSettings({ id: 'alice' } as object), { code: 'invalid-option' })
  t.throws(() => nodeSettings({ password: 'secret' } as object), { code: 'invalid-option' })
})

t.test('the defaults are the limits', async (t) => {
  t.match(secureNodeSettings({}), {
    net: 'default',
    debug: false,
    maxConnections: limits.MAX_CONNECTIONS,
    maxPending: limits.MAX_PENDING,
    maxNewPerAddress: limits.MAX_NEW_PER_ADDRESS,
    handshakeTimeout: limits.HANDSHAKE_TIMEOUT,
    frameTimeout: limits.FRAME_TIMEOUT,
    stopTimeout: limits.STOP_TIMEOUT,
    maxFrameBytes: limits.MAX_FRAME_BYTES,
    maxQueueBytes: limits.MAX_QUEUE_BYTES,
    pingInterval: limits.PING_INTERVAL,
    pingTimeout: limits.PING_TIMEOUT,
    reconnectMin: limits.RECONNECT_MIN,
    reconnectMax: limits.RECONNECT_MAX,
    transport: undefined,
    clock: systemClock,
    password: undefined,
    encryption: true,
    windowPast: limits.WINDOW_PAST,
    windowFuture: limits.WINDOW_FUTURE,
    maxMessageIds: limits.MAX_MESSAGE_IDS,
    maxVerifications: limits.MAX_VERIFICATIONS,
    messageRate: limits.MESSAGE_RATE,
    maxTraces: limits.MAX_TRACES,
    floodLinks: limits.FLOOD_LINKS,
    banTime: limits.BAN_TIME,
    random: Math.random,
    bootstrap: [],
    targetConnections: limits.TARGET_CONNECTIONS,
    maxOutboundPerGroup: limits.MAX_OUTBOUND_PER_GROUP,
    advertise: [],
    peerBookFile: undefined,
    lan: false,
    engine: undefined,
  })
  t.equal(nodeSettings({}).id, undefined, PLAIN_ID.rule)
})

t.test('the options of the base are those that both kinds of node have', async (t) => {
  const options = nodeOptionsOf(secureNodeSettings({ net: 'x', password: 'p', banTime: 5 }))
  t.strictSame(Object.keys(options).sort(), Object.keys(BOTH).sort())
  t.equal(options.net, 'x')
  t.ok(nodeSettings(options))
})

t.test('options of connectWithNode are checked, and nothing is coerced', async (t) => {
  const good = { reconnect: false, expect: 'bob', signal: new AbortController().signal, timeout: 0.5 }
  checkConnectOptions(good)
  for (const name of Object.keys(good)) checkConnectOptions({ [name]: undefined })
  const odd: Record<string, unknown[]> = {
    reconnect: [0, 1, 'yes', null],
    expect: ['', 'a b', 5, null, {}],
    temporary: [0, 1, 'yes', null],
    signal: [true, {}, new AbortController(), null],
    timeout: [0, -1, NaN, Infinity, 2 ** 31, '5', null, {}],
  }
  for (const [name, values] of Object.entries(odd)) {
    for (const value of values) {
      const error = { code: 'invalid-argument', message: new RegExp(`^${name} must be `) }
      t.throws(() => checkConnectOptions({ [name]: value }), error, `${name} ${quote(value)}`)
    }
  }
  t.throws(() => checkConnectOptions({ reconect: true }), {
    code: 'invalid-option',
    message:
      'option "reconect" is not known here; the options are reconnect, expect, temporary, signal, timeout',
  })
})
