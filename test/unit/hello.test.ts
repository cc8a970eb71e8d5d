import { sha256 } from '@noble/hashes/sha2.js'
import t from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import { MAX_HELLO_BYTES } from '../../lib/limits/limits.ts'
import {
  decodeHello,
  encodeHello,
  type Hello,
  isNodeId,
  isPlainId,
  proofBytes,
} from '../../lib/wire/hello.ts'

const ID = Identity.fromSeed(new Uint8Array(32).fill(7)).id
const HELLO: Hello = {
  v: 1,
  mode: 'signed',
  net: 'default',
  id: ID,
  time: 1_767_225_600_000,
  nonce: 'ab'.repeat(32),
  listen: [{ host: '10.0.0.1', port: 8_000 }],
  seen: { host: '10.0.0.2', port: 40_000 },
  caps: ['one'],
}

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const decode = (value: unknown) => decodeHello(json(value))
/** What becomes of a hello in which some values are others. */
const changed = (change: Record<string, unknown>) => decode({ ...HELLO, ...change })
const BAD = { ok: false, code: 'bad-hello' } as const

t.test('a hello is read as it was written', async (t) => {
  const result = decodeHello(encodeHello(HELLO))
  t.match(result, { ok: true, hello: { ...HELLO, nonce: /^[0-9a-f]{64}$/ } })
  t.not(result.ok && result.hello.nonce, HELLO.nonce)
})

t.test('no two hellos have the same nonce', async (t) => {
  t.not(Buffer.from(encodeHello(HELLO)).toString(), Buffer.from(encodeHello(HELLO)).toString())
})

t.test('the largest hello that is read as a whole fits into the limit of a stranger', async (t) => {
  const listen = Array.from({ length: 16 }, () => ({ host: 'h'.repeat(40), port: 65_535 }))
  const caps = Array.from({ length: 16 }, () => 'c'.repeat(64))
  const seen = { host: 's'.repeat(255), port: 65_535 }
  const hello = encodeHello({ ...HELLO, net: 'n'.repeat(64), listen, seen, caps })
  t.ok(hello.length + 1 < MAX_HELLO_BYTES, `${hello.length}`)
  const result = decodeHello(hello)
  t.strictSame(result.ok && [result.hello.listen, result.hello.seen, result.hello.caps], [listen, seen, caps])
})

t.test('what is no JSON object is no hello', async (t) => {
  for (const value of [null, true, 1, 'hello', [], [HELLO], {}]) t.strictSame(decode(value), BAD)
  for (const text of ['', '{', '\ufeff{}', '{"v":1}{}', 'undefined']) {
    t.strictSame(decodeHello(new TextEncoder().encode(text)), BAD, text)
  }
  t.strictSame(decodeHello(Uint8Array.of(0x22, 0xff, 0x22)), BAD, 'bytes that are no UTF-8')
  t.strictSame(decodeHello(new TextEncoder().encode('['.repeat(4_000))), BAD, 'deep nesting')
})

t.test('another version is told apart from nonsense', async (t) => {
  for (const v of [0, 2, -1, 99])
    t.strictSame(changed({ v }), { ok: false, code: 'wrong-version' }, String(v))
  for (const v of [undefined, null, '1', 1.5, [1], 1e308])
    t.strictSame(changed({ v }), BAD, JSON.stringify(v))
})

t.test('each value has its form, or it is no hello', async (t) => {
  const odd: Record<string, unknown[]> = {
    mode: [undefined, null, '', 'Signed', 'clear', 1, ['signed']],
    net: [undefined, null, '', 1, ' default', 'a b', '-a', 'n'.repeat(65), 'a\n', ['default']],
    id: [undefined, null, '', 1, ID.toUpperCase(), ID.slice(1), `${ID}0`, ` ${ID}`, 'alice', [ID]],
    time: [undefined, null, '1', 1.5, 2 ** 53, [1]],
    nonce: [undefined, null, '', 1, 'ab'.repeat(31), 'AB'.repeat(32), `${'ab'.repeat(32)}\n`],
  }
  for (const [name, values] of Object.entries(odd)) {
    for (const value of values)
      t.strictSame(changed({ [name]: value }), BAD, `${name} ${JSON.stringify(value)}`)
  }
  const noTime = JSON.stringify({ ...HELLO, time: 0 }).replace('"time":0', '"time":1e999')
  t.strictSame(decodeHello(new TextEncoder().encode(noTime)), BAD, 'a time beyond all numbers')
})

t.test('in signed mode the ID is a key that only one can sign for', async (t) => {
  const [zero, one] = ['00'.repeat(32), `01${'00'.repeat(31)}`]
  for (const id of [zero, one, `ec${'ff'.repeat(30)}7f`, `ed${'ff'.repeat(30)}7f`, 'ff'.repeat(32)]) {
    t.strictSame(changed({ id }), BAD, id)
    t.equal(isNodeId(id), false)
    t.match(changed({ id, mode: 'plain' }), { ok: true }, 'a plain ID is a claim anyway')
  }
  t.equal(isNodeId(ID), true)
  for (const value of ['', 'alice', undefined, 1, ID.toUpperCase()]) t.equal(isNodeId(value), false)
})

t.test('a plain ID is a short name without white space', async (t) => {
  for (const id of ['a', 'Alice-1', '0.0.0.0:80', 'a_b', 'x'.repeat(64), ID]) t.equal(isPlainId(id), true, id)
  for (const id of ['', '.a', '-a', 'a b', 'a\n', 'ä', 'x'.repeat(65), undefined, null, 1, ['a']]) {
    t.equal(isPlainId(id), false, String(id))
  }
})

t.test('unknown names and a prototype in a hello mean nothing', async (t) => {
  const text = `{"__proto__":{"net":"evil"},"toJSON":1,"future":{},${JSON.stringify(HELLO).slice(1)}`
  t.strictSame(decodeHello(new TextEncoder().encode(text)), { ok: true, hello: HELLO })
})

t.test('addresses that are none are left out', async (t) => {
  const good = [
    { host: '', port: 1 },
    { host: '::1', port: 65_535 },
    { host: 'fe80::1%eth0', port: 80 },
    { host: 'node-1.example', port: 8_000 },
  ]
  const bad: unknown[] = [null, 1, 'a:1', [], ['a', 1], {}, { host: 'a' }, { port: 1 }]
  bad.push(...[0, -1, 65_536, 1.5, '80', null].map((port) => ({ host: 'a', port })))
  bad.push(
    ...['a b', 'a\n', '\u001b[2J', 'a/b', 'ä', 'a'.repeat(256), null, 1].map((host) => ({ host, port: 1 })),
  )
  for (const item of bad) {
    t.match(changed({ listen: [item, good[0]] }), { hello: { listen: [good[0]] } }, JSON.stringify(item))
  }
  t.match(changed({ listen: good.map((item) => ({ ...item, more: 1 })) }), { hello: { listen: good } })
})

t.test('where a node is seen may be missing, and what is no address is as good as that', async (t) => {
  const good = [
    { host: '127.0.0.1', port: 1 },
    { host: '::ffff:10.0.0.1', port: 65_535 },
    { host: 'fe80::1%eth0', port: 80 },
  ]
  for (const seen of good) {
    const result = changed({ seen: { ...seen, more: 1 } })
    t.strictSame(result.ok && result.hello.seen, seen)
  }
  const bad: unknown[] = [
    undefined,
    null,
    true,
    1,
    '10.0.0.1:80',
    [],
    [good[0]],
    {},
    { host: 'a' },
    { port: 1 },
  ]
  bad.push(...[0, -1, 65_536, 1.5, '80', null, [80]].map((port) => ({ host: 'a', port })))
  bad.push(
    ...['a b', 'a\n', '\u001b[2J', 'a/b', 'ä', '[::1]', 'a'.repeat(256), null, 1, ['a']].map((host) => ({
      host,
      port: 1,
    })),
  )
  for (const seen of bad) {
    const result = changed({ seen })
    t.strictSame(result.ok && result.hello.seen, undefined, JSON.stringify(seen))
    t.equal(result.ok, true, 'the hello is in order')
  }
  const text = JSON.stringify({ ...HELLO, seen: undefined })
  t.strictSame(
    decodeHello(new TextEncoder().encode(`{"seen":{"__proto__":{"host":"a","port":1}},${text.slice(1)}`)),
    { ok: true, hello: { ...HELLO, seen: undefined } },
    'nothing is inherited',
  )
})

t.test('of long lists the first 16 are looked at, and what is no list is an empty one', async (t) => {
  const listen = Array.from({ length: 400 }, (_, port) => ({ host: '', port: port + 1 }))
  const caps = Array.from({ length: 400 }, (_, number) => `cap-${number}`)
  t.match(changed({ listen, caps }), { hello: { listen: listen.slice(0, 16), caps: caps.slice(0, 16) } })
  for (const value of [undefined, null, {}, 'x', 1, { length: 2 ** 32 }]) {
    const result = changed({ listen: value, caps: value })
    t.strictSame(result.ok && [result.hello.listen, result.hello.caps], [[], []], JSON.stringify(value))
  }
  t.match(changed({ caps: [1, null, 'a b', 'ok', ['ok'], ''] }), { hello: { caps: ['ok'] } })
})

t.test('a proof is over a label, the role, and the hashes of both hellos', async (t) => {
  const [first, second] = [json('first'), json('second')]
  const expected = Buffer.concat([
    Buffer.from('secure-node/1 hello-proof\0initiator\0'),
    sha256(first),
    sha256(second),
  ])
  t.ok(expected.equals(proofBytes('initiator', first, second)))
  const all = [
    proofBytes('initiator', first, second),
    proofBytes('responder', first, second),
    proofBytes('initiator', second, first),
    proofBytes('responder', second, first),
  ]
  t.equal(new Set(all.map(String)).size, 4, 'none of them is another one')
})
