import t from 'tap'
import { Random } from '../../lib/testing/random.ts'
import {
  canonicalIp,
  formatAddress,
  groupOf,
  isHost,
  isIpv6,
  isPort,
  isWildcard,
  parseAddress,
  type Reach,
  reachOf,
  toAddress,
} from '../../lib/wire/address.ts'

/** Texts that look like an IPv6 address, and are none. */
const NO_IPV6 = [
  ...[
    '',
    ':',
    ':::',
    '::1::',
    '1',
    '1:2',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
  ],
  ...[
    'g::1',
    '::1 ',
    ' ::1',
    '::1\n',
    '[::1]',
    '::1]',
    '::1/64',
    '::1#',
    '::1?x',
    '::1@a',
    '::x',
    '::\u0661',
  ],
  ...[
    '1.2.3.4',
    '::1.2.3',
    '::1.2.3.4.5',
    '::256.1.1.1',
    '::01.2.3.4',
    '1.2.3.4::',
    '::1:1.2.3.4:1',
    '::0x1',
  ],
  ...['::%', '::1%', '::1%a b', '::1%a%b', `::1%${'a'.repeat(33)}`, '%eth0', `${'0:'.repeat(40)}1`],
]
/** What is a number or an IPv4 address to some resolvers, and to others not. */
const NO_IPV4 = [
  ...[
    '1',
    '127.1',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.4.',
    '.1.2.3.4',
    '1..2.3',
    '256.1.1.1',
    '1.1.1.256',
    '1.2.3.999',
  ],
  ...[
    '010.0.0.1',
    '10.0.0.01',
    '00.0.0.0',
    '0x7f.0.0.1',
    '0x7f000001',
    '2130706433',
    '017700000001',
    '1.2.3.-4',
  ],
  ...['1.2.3.4 ', ' 1.2.3.4', '1.2.3.4\n', '+1.2.3.4', '1,2,3,4', '1.2.3.\u0664', '１.2.3.4', '1.2.3.4%eth0'],
]

t.test('an address is a host and a port', async (t) => {
  const good = {
    'localhost:1': { host: 'localhost', port: 1 },
    '127.0.0.1:10001': { host: '127.0.0.1', port: 10_001 },
    'node_1.example.org:65535': { host: 'node_1.example.org', port: 65_535 },
    'bücher.example:80': { host: 'bücher.example', port: 80 },
    '[::1]:80': { host: '::1', port: 80 },
    '[2A00:0::1]:80': { host: '2A00:0::1', port: 80 },
    '[fe80::1%eth0]:80': { host: 'fe80::1%eth0', port: 80 },
    '[fe80::1%br_lan-1.2]:80': { host: 'fe80::1%br_lan-1.2', port: 80 },
    '[::ffff:127.0.0.1]:80': { host: '::ffff:127.0.0.1', port: 80 },
  }
  for (const [text, address] of Object.entries(good)) {
    t.strictSame(parseAddress(text), address)
    t.strictSame(toAddress(text), address)
    t.strictSame(toAddress(address), address)
    t.equal(formatAddress(address.host, address.port), text)
  }
  t.strictSame(parseAddress('a:00080'), { host: 'a', port: 80 })
})

t.test('everything else is no address', async (t) => {
  const hosts = [
    '',
    ' ',
    'a b',
    'a\t',
    'a\n',
    'a\u0000',
    'a\u202e',
    'a\ud800',
    'a/b',
    'me@host',
    'a\\b',
    'a[',
    ']a',
  ]
  const ports = [
    '',
    '0',
    '-1',
    '65536',
    '100000',
    '+80',
    '80 ',
    ' 80',
    '8e1',
    '0x50',
    '1.5',
    'http',
    '80\n',
    '٨٠',
  ]
  const texts = [
    '',
    ':',
    'localhost',
    ':80',
    '::1:80',
    '::1',
    '[::1]',
    '[::1]80',
    '[::1]::80',
    '[[::1]]:80',
    'a:1:2',
  ]
  texts.push(
    'http://localhost:80',
    'localhost:80/',
    '[localhost]:80',
    '[127.0.0.1]:80',
    'x[::1]:80',
    '[::1]x:80',
  )
  texts.push(...[...hosts, 'a'.repeat(256)].map((host) => `${host}:80`), ...ports.map((port) => `a:${port}`))
  texts.push(...ports.map((port) => `[::1]:${port}`), ...NO_IPV6.map((host) => `[${host}]:80`))
  for (const text of texts) {
    t.equal(parseAddress(text), undefined, JSON.stringify(text))
    t.equal(toAddress(text), undefined)
  }
  t.ok(parseAddress(`${'a'.repeat(255)}:80`))
})

t.test('an object with a host and a port is one, too, and a copy is made of them alone', async (t) => {
  const given = Object.assign(Object.create({ host: 'inherited' }) as object, { port: 1, more: true })
  t.strictSame(toAddress(given), { host: 'inherited', port: 1 })
  const odd: unknown[] = [undefined, null, true, 1, 1n, Symbol('a'), [], ['a', 1], {}, () => 'a:1', new Map()]
  for (const host of [
    '',
    'a b',
    'a:b',
    '[::1]',
    '::1::',
    'a:1',
    'a'.repeat(256),
    ...NO_IPV6.slice(0, 3),
    null,
    1,
    ['a'],
  ])
    odd.push({ host, port: 1 })
  for (const port of [0, -1, 65_536, 1.5, NaN, Infinity, '1', null, undefined, 1n])
    odd.push({ host: 'a', port })
  for (const value of odd) t.equal(toAddress(value), undefined)
})

t.test('texts of a million characters take no time', async (t) => {
  const long = 1_000_000
  const begun = performance.now()
  for (const part of ['a', '[', ':', '1:', '%', '%a', '0', '.', '[:', ']:1', '::%1']) {
    const text = part.repeat(long / part.length)
    for (const host of [text, `[::1%${text}]:1`, `[${text}]:1`, `${text}:1`, `::1%${text}`, `1.${text}`]) {
      t.equal(parseAddress(host), undefined)
      t.equal(canonicalIp(host), undefined)
      t.equal(reachOf(host), undefined)
      t.equal(isWildcard(host), false)
      t.equal(isIpv6(host), false)
    }
  }
  t.ok(performance.now() - begun < 5_000)
})

t.test('a port is a whole number from 1 to 65535', async (t) => {
  for (const port of [1, 80, 65_535]) t.equal(isPort(port), true)
  for (const port of [0, -0, -1, 65_536, 1.5, NaN, Infinity, '80', null, undefined, 80n, [80], {}])
    t.equal(isPort(port), false)
})

t.test('a host is a name or an IP address', async (t) => {
  for (const host of ['a', 'example.org.', '1.2.3.4', '010.1', '::', 'FE80::1%eth0'])
    t.equal(isHost(host), true, host)
  for (const host of ['', 'a:b', '[::1]', 'a b', '::1%']) t.equal(isHost(host), false, host)
  for (const host of ['::', '::1%lo', '1::', '::FFFF:1.2.3.4%a']) t.equal(isIpv6(host), true, host)
  for (const host of NO_IPV6) t.equal(isIpv6(host), false, JSON.stringify(host))
})

t.test('hosts that stand for all addresses, in all their spellings', async (t) => {
  for (const host of [
    '',
    '0.0.0.0',
    '::',
    '::0',
    '0::',
    '0:0:0:0:0:0:0:0',
    '::0.0.0.0',
    '0000::0000',
    '::ffff:0:0',
  ])
    t.equal(isWildcard(host), true, host)
  for (const host of ['0', '*', '00.0.0.0', '0.0.0.1', '::1', '::%lo', 'any', ' ', '[::]', ':::'])
    t.equal(isWildcard(host), false, host)
})

t.test('an IP address has one spelling', async (t) => {
  const spellings: Record<string, string[]> = {
    '::': ['0::', '::0', '0:0:0:0:0:0:0:0', '0000:0000:0000:0000:0000:0000:0000:0000', '::0.0.0.0'],
    '::1': ['0:0:0:0:0:0:0:1', '0::0001', '::0.0.0.1', '0:0::1'],
    '2a00::1': ['2A00::1', '2a00:0:0:0:0:0:0:1', '2a00:0000::0001', '2a00::0.0.0.1', '2a00:0::0:1'],
    '2a00:0:1::1': ['2a00:0:1:0:0:0:0:1', '2a00:0000:0001::1'],
    '1:0:2:3:4:5:6:7': ['1::2:3:4:5:6:7', '1:0:2:3:4:5:0.6.0.7'],
    '1::4:0:0:7:8': ['1:0:0:4:0:0:7:8'],
    'fe80::a00:1': ['FE80::10.0.0.1', 'fe80:0:0:0::0a00:0001'],
    '1.2.3.4': ['1.2.3.4'],
    '0.0.0.0': ['::ffff:0.0.0.0', '::ffff:0:0'],
    '255.255.255.255': ['::ffff:ffff:ffff'],
  }
  for (const [text, others] of Object.entries(spellings)) {
    for (const host of [text, ...others]) t.equal(canonicalIp(host), text, host)
  }
})

t.test('what is no IP address has no spelling, no reach, and no group but itself', async (t) => {
  const names = ['localhost', 'fe80::1%eth0', 'dead.beef', 'ff', 'a.b.c.d']
  for (const host of [...NO_IPV6.filter((text) => text !== '1.2.3.4'), ...NO_IPV4, ...names]) {
    t.equal(canonicalIp(host), undefined, JSON.stringify(host))
    t.equal(reachOf(host), undefined)
    t.equal(groupOf(host), host)
  }
})

t.test('an IPv4 address in an IPv6 one is that IPv4 address, however it is written', async (t) => {
  const hosts: [string, Reach | undefined][] = [
    ['10.1.2.3', 'private'],
    ['127.0.0.1', 'loopback'],
    ['169.254.169.254', undefined],
    ['192.0.2.1', undefined],
    ['8.8.4.4', 'public'],
  ]
  for (const [ip, reach] of hosts) {
    const [a, b, c, d] = ip.split('.').map(Number) as [number, number, number, number]
    const [high, low] = [((a << 8) | b).toString(16), ((c << 8) | d).toString(16)]
    const spellings = [
      ...[`::ffff:${ip}`, `::FFFF:${ip}`, `0:0:0:0:0:ffff:${ip}`, `0::ffff:${ip}`, `::0:ffff:${ip}`],
      ...[
        `::ffff:${high}:${low}`,
        `0:0:0:0:0:ffff:${high}:${low}`,
        `0000::FfFf:${high.toUpperCase()}:${low}`,
      ],
      `::ffff:${high.padStart(4, '0')}:${low.padStart(4, '0')}`,
    ]
    for (const host of spellings) {
      t.equal(canonicalIp(host), ip, host)
      t.equal(reachOf(host), reach)
      t.equal(groupOf(host), groupOf(ip))
    }
    // Other ways to hide one: compatible, translated, NAT64, 6to4, Teredo. None of them is a way to a node.
    const disguises = [
      `::${ip}`,
      `::ffff:0:${ip}`,
      `64:ff9b::${ip}`,
      `64:ff9b:1::${ip}`,
      `2002:${high}:${low}::1`,
    ]
    for (const host of [...disguises, `2001:0:${high}:${low}::1`, `2001::${ip}`]) {
      t.not(canonicalIp(host), ip)
      t.equal(reachOf(host), undefined, host)
    }
  }
})

/** The first and the last address of each range, and the neighbours that are in another one. */
const RANGES: Record<string, [reach: Reach | undefined, first: string, last: string][]> = {
  IPv4: [
    [undefined, '0.0.0.0', '0.255.255.255'],
    ['public', '1.0.0.0', '9.255.255.255'],
    ['private', '10.0.0.0', '10.255.255.255'],
    ['public', '11.0.0.0', '100.63.255.255'],
    ['private', '100.64.0.0', '100.127.255.255'],
    ['public', '100.128.0.0', '126.255.255.255'],
    ['loopback', '127.0.0.0', '127.255.255.255'],
    ['public', '128.0.0.0', '169.253.255.255'],
    [undefined, '169.254.0.0', '169.254.255.255'],
    ['public', '169.255.0.0', '172.15.255.255'],
    ['private', '172.16.0.0', '172.31.255.255'],
    ['public', '172.32.0.0', '191.255.255.255'],
    [undefined, '192.0.0.0', '192.0.0.255'],
    ['public', '192.0.1.0', '192.0.1.255'],
    [undefined, '192.0.2.0', '192.0.2.255'],
    ['public', '192.0.3.0', '192.88.98.255'],
    [undefined, '192.88.99.0', '192.88.99.255'],
    ['public', '192.88.100.0', '192.167.255.255'],
    ['private', '192.168.0.0', '192.168.255.255'],
    ['public', '192.169.0.0', '198.17.255.255'],
    [undefined, '198.18.0.0', '198.19.255.255'],
    ['public', '198.20.0.0', '198.51.99.255'],
    [undefined, '198.51.100.0', '198.51.100.255'],
    ['public', '198.51.101.0', '203.0.112.255'],
    [undefined, '203.0.113.0', '203.0.113.255'],
    ['public', '203.0.114.0', '223.255.255.255'],
    [undefined, '224.0.0.0', '255.255.255.255'],
  ],
  IPv6: [
    [undefined, '::', '::'],
    ['loopback', '::1', '::1'],
    [undefined, '::2', '::fffe:ffff:ffff'],
    [undefined, '::1:0:0:0', '1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['public', '2000::', '2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    [undefined, '2001::', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['public', '2001:200::', '2001:db7:ffff:ffff:ffff:ffff:ffff:ffff'],
    [undefined, '2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['public', '2001:db9::', '2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    [undefined, '2002::', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['public', '2003::', '3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    [undefined, '3fff::', '3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['public', '3fff:1000::', '3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    [undefined, '4000::', 'fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['private', 'fc00::', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    [undefined, 'fe00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ],
}

/** An IPv4 address as a number. */
const numberOf = (ip: string): number => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)

for (const [family, ranges] of Object.entries(RANGES)) {
  t.test(`how far ${family} addresses reach, at the borders of every range`, async (t) => {
    for (const [reach, first, last] of ranges) {
      t.equal(reachOf(first), reach, first)
      t.equal(reachOf(last), reach, last)
    }
  })
}

t.test('the ranges of IPv4 have no gaps, and within them all addresses are alike', async (t) => {
  const random = new Random(7)
  const textOf = (ip: number): string => [24, 16, 8, 0].map((bits) => (ip >>> bits) & 255).join('.')
  let next = 0
  for (const [reach, first, last] of RANGES['IPv4']!) {
    t.equal(numberOf(first), next, first)
    next = numberOf(last) + 1
    for (let trial = 0; trial < 50; trial++) {
      const ip = textOf(numberOf(first) + random.below(next - numberOf(first)))
      t.equal(reachOf(ip), reach, ip)
    }
  }
  t.equal(next, 2 ** 32)
})

t.test('special addresses that are none of a node', async (t) => {
  const special = [
    '255.255.255.255',
    '224.0.0.251',
    'fe80::1',
    'febf::1',
    'fec0::1',
    'ff02::1',
    'ff0e::1',
    '100::1',
  ]
  for (const host of [...special, '2001:20::1', '5f00::1']) t.equal(reachOf(host), undefined, host)
})

t.test('public addresses of one /16, or one /32 of IPv6, are one group', async (t) => {
  t.equal(groupOf('8.8.8.8'), '8.8')
  t.equal(groupOf('8.8.255.0'), '8.8')
  t.not(groupOf('8.9.8.8'), groupOf('8.8.8.8'))
  const hosts = ['2a00::1', '2a00:0:1::1', '2A00:0:ffff:1:2:3:4:5', '2a00:0000:0:0:1::', '2a00::1:0:0:0:1']
  t.strictSame(new Set(hosts.map(groupOf)), new Set(['2a00:0']))
  t.equal(groupOf('2a00:1450:4001:82a::200e'), '2a00:1450')
  t.equal(groupOf('2A00:1450::'), '2a00:1450')
  t.not(groupOf('2a00:1451::1'), groupOf('2a00:1450::1'))
  t.equal(groupOf('2a00:b::1'), '2a00:b')
})

t.test('every other address is a group of its own, whatever its spelling', async (t) => {
  for (const [one, other, same] of [
    ['10.0.0.1', '10.0.0.2', '::ffff:10.0.0.1'],
    ['127.0.0.1', '127.0.0.2', '::ffff:7f00:1'],
    ['192.0.2.1', '192.0.2.2', '::FFFF:192.0.2.1'],
    ['::1', '::2', '0:0::0:1'],
    ['fd00::1', 'fd00::2', 'FD00:0::1'],
    ['fe80::1', 'fe80::2', 'FE80::0001'],
    ['2001:db8::1', '2001:db8::2', '2001:DB8:0::1'],
    ['example.org', 'www.example.org', 'example.org'],
  ] as const) {
    t.not(groupOf(one), groupOf(other))
    t.equal(groupOf(one), groupOf(same))
  }
})
