import { runInNewContext } from 'node:vm'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import t, { type Test } from 'tap'
import {
  canonicalJson,
  deepFreeze,
  hasForbiddenKey,
  parseJson,
  plainCopy,
} from '../../lib/message/canonical.ts'
import { Random } from '../../lib/testing/random.ts'
import { canonical, nested } from '../fixtures/hand-signed.ts'

/** Asserts that a value is refused, and where the culprit is said to be. */
function refuses(t: Test, value: unknown, path: string, why: RegExp): void {
  try {
    canonicalJson(value)
    t.fail(`${path} was accepted`)
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    t.equal(code, 'invalid-payload', message)
    t.ok(message.startsWith(`${path} cannot be sent: `), message)
    t.match(message, why)
  }
}

class Point {
  readonly x = 1
}

t.test('plain JSON values are written canonically', (t) => {
  const cases: [unknown, string][] = [
    [null, 'null'],
    [true, 'true'],
    ['', '""'],
    [0, '0'],
    [-0, '0'],
    [[], '[]'],
    [{}, '{}'],
    [{ b: [1, { d: null, c: false }], a: 'x' }, '{"a":"x","b":[1,{"c":false,"d":null}]}'],
    [{ 10: 'a', 9: 'b', '': 'c' }, '{"":"c","10":"a","9":"b"}'],
    [Object.assign(Object.create(null) as object, { a: 1 }), '{"a":1}'],
    [
      { constructor: 1, toString: 2, hasOwnProperty: 3, valueOf: 4 },
      '{"constructor":1,"hasOwnProperty":3,"toString":2,"valueOf":4}',
    ],
    ['\u2028\u2029\u007f</script>', '"\u2028\u2029\u007f</script>"'],
  ]
  for (const [value, text] of cases) t.equal(canonicalJson(value), text)
  t.end()
})

t.test('members that are undefined are left out', (t) => {
  t.equal(canonicalJson({ a: undefined, b: 1, c: { d: undefined } }), '{"b":1,"c":{}}')
  t.end()
})

t.test('the sorting example of RFC 8785, 3.2.3', (t) => {
  const value = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\ud83d\ude00': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
  }
  const order = [...canonicalJson(value).matchAll(/":"([^"]*)"/g)].map(([, name]) => name)
  t.same(order, [
    'Carriage Return',
    'One',
    'Control',
    'Latin Small Letter O With Diaeresis',
    'Euro Sign',
    'Emoji: Grinning Face',
    'Hebrew Letter Dalet With Dagesh',
  ])
  t.end()
})

t.test('the example of RFC 8785, 3.2.2 to 3.2.4, byte for byte', (t) => {
  const value = {
    numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"\/',
    literals: [null, true, false],
  }
  const hex =
    '7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a5b3333333333333333332e' +
    '333333333333332c31652b33302c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac245c75303030665c' +
    '6e4127425c225c5c5c5c5c222f227d'
  t.equal(Buffer.from(canonicalJson(value)).toString('hex'), hex)
  t.end()
})

/** RFC 8785, appendix B: the bits of a double, and its text. */
const APPENDIX_B: readonly [string, string][] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
]

const doubleOf = (bits: string): number => Buffer.from(bits, 'hex').readDoubleBE()

t.test('the numbers of RFC 8785, appendix B', (t) => {
  for (const [bits, text] of APPENDIX_B) t.equal(canonicalJson(doubleOf(bits)), text, bits)
  for (const bits of ['7fffffffffffffff', '7ff0000000000000', 'fff0000000000000']) {
    refuses(t, doubleOf(bits), 'data', /is not a JSON number/)
  }
  t.end()
})

t.test('what is no JSON is refused, with the path to it', (t) => {
  const cases: [unknown, RegExp][] = [
    [NaN, /NaN is not a JSON number/],
    [Infinity, /Infinity/],
    [10n, /BigInt.*string/],
    [() => 1, /a function is not JSON/],
    [Symbol('s'), /a symbol is not JSON/],
    [undefined, /it is undefined/],
    [new Date(0), /a Date is not plain JSON/],
    [new Map(), /a Map/],
    [new Set(), /a Set/],
    [/x/, /a RegExp/],
    [new Error('x'), /a Error/],
    [Promise.resolve(), /a Promise/],
    [new Uint8Array(3), /a Uint8Array/],
    [Buffer.from('abc'), /a Buffer/],
    [new ArrayBuffer(1), /a ArrayBuffer/],
    [Object(1), /a Number/],
    [Object('s'), /a String/],
    [new Point(), /a Point is not plain JSON/],
    [
      new (class {
        readonly x = 1
      })(),
      /an object with a prototype of its own/,
    ],
    [Object.create({ inherited: 1 }), /is not plain JSON/],
    ['\ud800', /lone surrogate/],
    ['a\udc00b', /lone surrogate/],
    [nested(33), /nested deeper than 32 levels/],
  ]
  for (const [value, why] of cases) {
    const deeper = value === undefined ? [value] : { a: [0, { b: value }] }
    const tail = Array.isArray(value) ? '[0]'.repeat(29) : ''
    refuses(t, deeper, value === undefined ? 'data[0]' : `data.a[1].b${tail}`, why)
    if (value !== undefined && !Array.isArray(value)) refuses(t, value, 'data', why)
  }
  t.end()
})

t.test('holes are refused, at the end of a sparse array as well, and without a walk over it', (t) => {
  refuses(t, [1, , 3], 'data[1]', /hole/)
  refuses(t, { list: new Array(3) }, 'data.list[0]', /hole/)
  const vast: unknown[] = [1]
  vast[4_294_967_290] = 2
  refuses(t, vast, 'data[1]', /hole/)
  t.end()
})

t.test('names that harm other programs are refused', (t) => {
  refuses(
    t,
    { a: JSON.parse('{"__proto__":1}') as unknown },
    'data.a.__proto__',
    /"__proto__" is not allowed/,
  )
  refuses(t, [{ toJSON: 1 }], 'data[0].toJSON', /"toJSON" is not allowed/)
  refuses(t, { toJSON: () => 'x' }, 'data.toJSON', /not allowed/)
  refuses(t, { toJSON: undefined }, 'data.toJSON', /not allowed/)
  refuses(t, { 'a\ud800': 1 }, 'data["a\\ud800"]', /its name has a lone surrogate/)
  t.equal(
    canonicalJson({ ['_'.repeat(2) + 'proto']: '__proto__', x: 'toJSON' }),
    '{"__proto":"__proto__","x":"toJSON"}',
  )
  t.end()
})

t.test(
  'names in a path that are no identifiers are quoted, so that nobody writes into a log with them',
  (t) => {
    refuses(t, { 'a.b': { 'x y': NaN } }, 'data["a.b"]["x y"]', /NaN/)
    refuses(t, { '\u001b[2J\n': NaN }, 'data["\\u001b[2J\\n"]', /NaN/)
    refuses(t, { '': NaN }, 'data[""]', /NaN/)
    refuses(t, { $a_1: [NaN] }, 'data.$a_1[0]', /NaN/)
    const long = 'n'.repeat(100_000)
    t.throws(() => canonicalJson({ [long]: NaN }), { message: /^.{0,300}$/ })
    t.end()
  },
)

t.test('a value that contains itself is refused; one that appears twice is not', (t) => {
  const cycle: Record<string, unknown> = { a: [] }
  ;(cycle['a'] as unknown[]).push({ back: cycle })
  refuses(t, cycle, 'data.a[0].back', /contains itself/)
  const list: unknown[] = []
  list.push(list)
  refuses(t, list, 'data[0]', /contains itself/)
  const shared = { x: 1 }
  t.equal(canonicalJson([shared, shared]), '[{"x":1},{"x":1}]')
  t.end()
})

t.test('32 levels are accepted and 33 refused', (t) => {
  t.equal(canonicalJson(nested(32)), `${'['.repeat(32)}0${']'.repeat(32)}`)
  refuses(t, nested(33), `data${'[0]'.repeat(32)}`, /deeper than 32/)
  let object: unknown = {}
  for (let i = 0; i < 31; i++) object = { a: object }
  t.ok(canonicalJson(object))
  refuses(t, { a: object }, `data${'.a'.repeat(32)}`, /deeper than 32/)
  refuses(t, nested(1_000_000), `data${'[0]'.repeat(32)}`, /deeper than 32/)
  t.end()
})

t.test('parts that are shared do not unfold beyond 50,000 values', (t) => {
  let bomb: unknown = 0
  for (let i = 0; i < 30; i++) bomb = [bomb, bomb]
  t.throws(() => canonicalJson(bomb), { code: 'invalid-payload', message: /more than 50000 values/ })
  t.equal(canonicalJson(new Array(49_999).fill(0)).length, 2 * 49_999 + 1)
  refuses(t, new Array(50_000).fill(0), 'data[49999]', /more than 50000 values/)
  t.end()
})

t.test('objects and arrays of another realm are plain', (t) => {
  const foreign: unknown = runInNewContext('({ list: [1, { a: null }], empty: Object.create(null) })')
  t.equal(canonicalJson(foreign), '{"empty":{},"list":[1,{"a":null}]}')
  for (const code of [
    'new Date(0)',
    'new Map()',
    'new (class Point {})()',
    'new Uint8Array(1)',
    '() => 1',
    '10n',
  ]) {
    t.throws(() => canonicalJson({ a: runInNewContext(code) as unknown }), { code: 'invalid-payload' }, code)
  }
  t.end()
})

t.test('getters and proxies are read once', (t) => {
  const reads: string[] = []
  const object = {
    get once() {
      reads.push('get')
      return reads.length
    },
  }
  t.equal(canonicalJson(object), '{"once":1}')
  t.same(reads, ['get'])
  const seen: PropertyKey[] = []
  const get = (_target: object, key: PropertyKey): unknown => {
    seen.push(key)
    return key === 'a' ? `read ${seen.length}` : undefined
  }
  t.equal(canonicalJson(new Proxy({ a: 0, b: 0 }, { get })), '{"a":"read 1"}')
  t.same(seen, ['a', 'b'])
  const indices: PropertyKey[] = []
  const list = new Proxy([1, 2], {
    get(target, key) {
      if (key !== 'length') indices.push(key)
      return Reflect.get(target, key) as unknown
    },
  })
  t.equal(canonicalJson(list), '[1,2]')
  t.same(indices, ['0', '1'])
  t.end()
})

t.test('a proxy that grows while it is read, and one that throws, end in an error', (t) => {
  const endless = new Proxy([], { get: (_target, key) => (key === 'length' ? Infinity : 0), has: () => true })
  t.throws(() => canonicalJson(endless), { code: 'invalid-payload', message: /more than 50000/ })
  const thrower = Object.defineProperty({}, 'a', {
    enumerable: true,
    get() {
      throw new Error('mine')
    },
  })
  t.throws(() => canonicalJson(thrower), { message: 'mine' })
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  t.throws(() => canonicalJson(proxy), TypeError)
  t.end()
})

t.test('a copy shares nothing with what it was made of', (t) => {
  const inner = { list: [1] }
  const copy = plainCopy({ inner }) as { inner: { list: number[] } }
  inner.list.push(2)
  t.same(copy, { inner: { list: [1] } })
  t.throws(() => plainCopy(NaN, 'body'), { message: /^body cannot/ })
  t.end()
})

/** A random JSON value with everything that is awkward about JSON. */
function randomJson(random: Random, depth = 0): unknown {
  const text = (): string => {
    const parts = [
      'a',
      'é',
      'e\u0301',
      '\u0000',
      '\u001f',
      '\u007f',
      '"',
      '\\',
      '/',
      '\u2028',
      '\ufeff',
      '\ufffd',
      '😀',
      'ﬃ',
      '\n',
      '~',
    ]
    return Array.from({ length: random.below(6) }, () => parts[random.below(parts.length)]!).join('')
  }
  const number = (): number => {
    const value = doubleOf(Buffer.from(random.bytes(8)).toString('hex'))
    return Number.isFinite(value) ? value : random.below(2 ** 31) - 2 ** 30
  }
  const length = random.below(5)
  switch (random.below(depth > 5 ? 5 : 8)) {
    case 0:
      return null
    case 1:
      return random.below(2) === 0
    case 2:
      return random.below(1_000) / (1 + random.below(100))
    case 3:
      return number()
    case 4:
      return text()
    case 5:
      return Array.from({ length }, () => randomJson(random, depth + 1))
    default:
      return Object.fromEntries(Array.from({ length }, () => [text(), randomJson(random, depth + 1)]))
  }
}

t.test('random values are written as a second implementation writes them, and read back the same', (t) => {
  const random = new Random(8785)
  let differences = 0
  for (let i = 0; i < 3_000; i++) {
    const value = randomJson(random)
    const text = canonicalJson(value)
    const parsed = parseJson(utf8ToBytes(text))
    if (text !== canonical(value) || !parsed.ok || canonicalJson(parsed.value) !== text) differences++
  }
  t.equal(differences, 0)
  t.end()
})

t.test('remote bytes that are no JSON text are told apart', (t) => {
  const codeOf = (bytes: Uint8Array | string, depth?: number): string => {
    const result = parseJson(typeof bytes === 'string' ? utf8ToBytes(bytes) : bytes, depth)
    return result.ok ? 'ok' : result.code
  }
  for (const text of ['null', ' {"a" : 1}\n', '"\\ud800"', '[1e400]', '{"a":1,"a":2}'])
    t.equal(codeOf(text), 'ok', text)
  for (const text of [
    '',
    ' ',
    '{',
    '{}x',
    '{}{}',
    "{'a':1}",
    '[1,]',
    '{"a":1,}',
    '01',
    '.5',
    '1.',
    '+1',
    'NaN',
    'undefined',
    '"\n"',
    '"\\x41"',
    '\ufeff{}',
    '[1 2]',
    ']',
    '//\n1',
    'nul',
    '\u00a01',
  ]) {
    t.equal(codeOf(text), 'bad-json', JSON.stringify(text))
  }
  for (const hex of [
    'ff',
    '22c322',
    '22c08022',
    '22eda08022',
    '22eda0bdedb88022',
    '22f490808022',
    '22e28222',
    '80',
  ]) {
    t.equal(codeOf(Buffer.from(hex, 'hex')), 'bad-utf8', hex)
  }
  t.equal(codeOf('[[1]]', 2), 'ok')
  t.equal(codeOf('[[1]]', 1), 'too-deep')
  t.equal(codeOf('{"a":{"b":[]}}', 2), 'too-deep')
  t.equal(codeOf('["[[[[", "\\"[[", {"{{{":"\\\\"}]', 2), 'ok', 'brackets inside strings do not count')
  t.equal(codeOf('[[],[],[[]]]', 3), 'ok', 'what is closed does not count')
  t.end()
})

t.test('depth is judged before anything is parsed: a million levels end at once', (t) => {
  const deep = new Uint8Array(1_000_000).fill(0x5b)
  t.same(parseJson(deep), { ok: false, code: 'too-deep' })
  const objects = utf8ToBytes('{"a":'.repeat(100_000))
  t.same(parseJson(objects), { ok: false, code: 'too-deep' })
  // Brackets that close what was never opened make no room for others: the parser stops at the first of them.
  const unbalanced = utf8ToBytes(`${']'.repeat(100_000)}${'['.repeat(100_000)}`)
  t.same(parseJson(unbalanced), { ok: false, code: 'bad-json' })
  t.end()
})

t.test('a forbidden key is found wherever it is; a value of that text is none', (t) => {
  for (const text of ['{"__proto__":1}', '[[{"a":{"toJSON":null}}]]', '{"a":[0,{"__proto__":{}}]}']) {
    t.ok(hasForbiddenKey(JSON.parse(text) as never), text)
  }
  for (const text of [
    'null',
    '"__proto__"',
    '["toJSON"]',
    '{"a":"toJSON","b__proto__":1}',
    '{"constructor":1}',
  ]) {
    t.notOk(hasForbiddenKey(JSON.parse(text) as never), text)
  }
  t.end()
})

t.test('frozen is frozen through and through', (t) => {
  const value = deepFreeze({ a: [{ b: [1] }], c: 0 })
  t.throws(() => value.a[0]!.b.push(2), TypeError)
  t.throws(() => ((value.a[0] as { b: unknown }).b = 1), TypeError)
  t.throws(() => (value.c = 1), TypeError)
  t.equal(deepFreeze('x'), 'x')
  t.end()
})
