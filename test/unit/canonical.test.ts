import { runInNewContext } from 'node:vm'
import t, { type Test } from 'tap'
import { canonicalJson, deepFreeze, plainCopy } from '../../lib/message/canonical.ts'
import { nested } from '../fixtures/hand-signed.ts'

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

t.test('frozen is frozen through and through', (t) => {
  const value = deepFreeze({ a: [{ b: [1] }], c: 0 })
  t.throws(() => value.a[0]!.b.push(2), TypeError)
  t.throws(() => ((value.a[0] as { b: unknown }).b = 1), TypeError)
  t.throws(() => (value.c = 1), TypeError)
  t.equal(deepFreeze('x'), 'x')
  t.end()
})
