import { InvalidArgumentError } from 'commander'
import t from 'tap'
import {
  collectAddress,
  formatAddress,
  parseAddress,
  parsePort,
  parseSeconds,
} from '../../lib/cli/address.ts'

t.test('an address is a host and a port', (t) => {
  const good = {
    'localhost:1': { host: 'localhost', port: 1 },
    '127.0.0.1:10001': { host: '127.0.0.1', port: 10_001 },
    'node_1.example.org:65535': { host: 'node_1.example.org', port: 65_535 },
    'bücher.example:80': { host: 'bücher.example', port: 80 },
    '[::1]:80': { host: '::1', port: 80 },
    '[fe80::1%eth0]:80': { host: 'fe80::1%eth0', port: 80 },
    '[::ffff:127.0.0.1]:80': { host: '::ffff:127.0.0.1', port: 80 },
  }
  for (const [text, address] of Object.entries(good)) {
    t.strictSame(parseAddress(text), address)
    t.equal(formatAddress(address), text)
  }
  t.end()
})

t.test('everything else is refused, with the rule', (t) => {
  const bad: [string, RegExp][] = [
    ['', /host:port/],
    ['localhost', /host:port/],
    [':80', /host:port/],
    ['::1:80', /\[address\]:port for IPv6/],
    ['http://localhost:80', /host:port/],
    ['a/b:80', /host:port/],
    ['me@host:80', /host:port/],
    ['a b:80', /host:port/],
    ['a\u0000:80', /host:port/],
    ['a\u202e:80', /host:port/],
    [`${'a'.repeat(256)}:80`, /host:port/],
    ['[localhost]:80', /IPv6/],
    ['[127.0.0.1]:80', /IPv6/],
    ['[]:80', /IPv6/],
    ['[::1]', /host:port/],
    ['localhost:', /from 1 to 65535/],
    ['localhost:0', /from 1 to 65535/],
    ['localhost:65536', /from 1 to 65535/],
    ['localhost:http', /from 1 to 65535/],
    ['[::1]:x', /from 1 to 65535/],
  ]
  for (const [text, rule] of bad) {
    t.throws(() => parseAddress(text), InvalidArgumentError, text)
    t.throws(() => parseAddress(text), { message: rule })
  }
  t.end()
})

t.test('a port is written in decimal digits', (t) => {
  t.equal(parsePort('0'), 0)
  t.equal(parsePort('65535'), 65_535)
  for (const text of ['', ' ', '-1', '+1', '1.5', '1e3', '0x50', '65536', '100000', '1 ', '١']) {
    t.throws(() => parsePort(text), { message: /from 0 to 65535/ }, JSON.stringify(text))
  }
  t.end()
})

t.test('an option that is repeated collects its addresses', (t) => {
  const one = collectAddress('a:1')
  t.strictSame(collectAddress('b:2', one), [
    { host: 'a', port: 1 },
    { host: 'b', port: 2 },
  ])
  t.equal(one.length, 1, 'the default of an option stays what it is')
  t.end()
})

t.test('seconds become milliseconds', (t) => {
  t.equal(parseSeconds('1'), 1_000)
  t.equal(parseSeconds('0.25'), 250)
  for (const text of ['', '0', '-1', 'x', '1e3', 'Infinity', 'NaN', '.5', '2147484']) {
    t.throws(() => parseSeconds(text), { message: /seconds, above 0/ }, text)
  }
  t.end()
})
