import { utf8ToBytes } from '@noble/hashes/utils.js'
import canonicalize from 'canonicalize'
import t from 'tap'
import {
  canonicalJson,
  hasForbiddenKey,
  isCanonical,
  type Json,
  parseJson,
  plainCopy,
  writeCanonical,
} from '../../lib/message/canonical.ts'
import { Random } from '../../lib/testing/random.ts'
import { canonical } from '../fixtures/hand-signed.ts'

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
    t.throws(() => canonicalJson(doubleOf(bits)), {
      code: 'invalid-payload',
      message: /is not a JSON number/,
    })
  }
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

/** What the reference writes; undefined where it refuses. */
function reference(value: Json): string | undefined {
  try {
    return canonicalize(value)
  } catch {
    return undefined
  }
}

function written(value: Json): string | undefined {
  try {
    return writeCanonical(value)
  } catch {
    return undefined
  }
}

/** A random JSON text, most of them not canonical: every spelling that JSON allows, and keys in any order. */
function randomText(random: Random, depth = 0): string {
  const pick = <T>(items: readonly T[]): T => items[random.below(items.length)]!
  const space = (): string => (random.below(12) === 0 ? pick([' ', '\n', '\t ']) : '')
  const letters = ['a', 'b', '1', '10', '9', 'é', '😀', '\u2028', '\ufb33', '__proto__', 'toJSON', 'ud', '/']
  const escapes = [
    '\\n',
    '\\u000f',
    '\\u000F',
    '\\u0061',
    '\\/',
    '\\\\',
    '\\"',
    '\\\\ud800',
    '\\ud800',
    '\\ud83d\\ude00',
  ]
  const string = (): string =>
    `"${Array.from({ length: random.below(4) }, () => pick(random.below(4) === 0 ? escapes : letters)).join('')}"`
  const numbers = [
    '0',
    '-0',
    '1',
    '1.0',
    '10',
    '1e1',
    '1E5',
    '1e21',
    '1e+21',
    '100000000000000000000',
    '1e400',
    '-1e400',
  ]
  const more = [
    '9007199254740993',
    '9007199254740992',
    '0.1',
    '0.10',
    '5e-324',
    '1e-7',
    '0.0000001',
    '123456789012345678',
  ]
  const list = (item: () => string): string =>
    Array.from({ length: random.below(5) }, () => space() + item() + space()).join(',')
  const member = (): string => `${string()}${space()}:${space()}${randomText(random, depth + 1)}`
  switch (random.below(depth > 4 ? 5 : 8)) {
    case 0:
      return pick(['null', 'true', 'false'])
    case 1:
    case 2:
      return pick([...numbers, ...more])
    case 3:
    case 4:
      return string()
    case 5:
      return `[${list(() => randomText(random, depth + 1))}]`
    default:
      return `{${list(member)}}`
  }
}

t.test('the short way writes what the reference writes, and refuses what it refuses', (t) => {
  const random = new Random(3_339)
  const counts = { differences: 0, canonical: 0, refused: 0, texts: 0 }
  for (let i = 0; i < 20_000; i++) {
    const parsed = parseJson(utf8ToBytes(randomText(random)))
    if (!parsed.ok) continue
    const { value, text } = parsed
    const expected = reference(value)
    counts.texts++
    if (expected === undefined) counts.refused++
    if (expected === text) counts.canonical++
    if (written(value) !== expected || isCanonical(value, text) !== (expected === text)) counts.differences++
    // What is canonical must be found to be so, and in no other order or spelling.
    if (expected === undefined) continue
    const again = parseJson(utf8ToBytes(expected))
    if (!again.ok || !isCanonical(again.value, expected) || isCanonical(again.value, `${expected} `))
      counts.differences++
  }
  t.equal(counts.differences, 0)
  t.ok(counts.texts > 15_000 && counts.canonical > 2_000 && counts.refused > 500, JSON.stringify(counts))
  t.end()
})

t.test('what is copied to be sent is written like what the reference makes of the original', (t) => {
  const random = new Random(5_870)
  let differences = 0
  for (let i = 0; i < 5_000; i++) {
    const value = randomJson(random) as Json
    if (writeCanonical(plainCopy(value)) !== reference(value)) differences++
  }
  t.equal(differences, 0)
  t.end()
})

t.test('texts that are nearly canonical are refused', (t) => {
  const isGood = (text: string): boolean => isCanonical(JSON.parse(text) as Json, text)
  for (const text of [
    '{"a":1,"b":2}',
    '{"":0,"10":1,"9":2,"a":3}',
    '"\\\\ud800"',
    '"\ud83d\ude00"',
    '[[],{},""]',
    '{"a":{"b":1},"b":{"a":1}}',
  ])
    t.ok(isGood(text), text)
  const cases = [
    ...[
      '{"b":1,"a":2}',
      '{"a":1,"a":1}',
      '{"a":1,"a":2}',
      '{"9":1,"10":2}',
      '{"10":1,"":2}',
      '{"a":1,"1":2}',
    ],
    ...['[{"a":[{"c":1,"b":2}]}]', '{"__proto__":1,"__aroto__":2}', '{"b":1,"__proto__":{"a":1}}'],
    ...[
      '{"a":1 }',
      ' 1',
      '1\n',
      '[1, 2]',
      '"\\u0061"',
      '"\\/"',
      '"\\u000A"',
      '"\\u001F"',
      '"\\u00e9"',
      '"\\ud83d\\ude00"',
    ],
    ...[
      '"\\ud800"',
      '"\\udc00\\ud800"',
      '{"\\ud800":1}',
      '["\\uD800"]',
      '{"a":"\\udfff","b":1}',
      '"\ud800"',
      '"\udc00"',
    ],
    ...[
      '-0',
      '[-0]',
      '1.0',
      '1e2',
      '1E+2',
      '1e21',
      '0.10',
      '9007199254740993',
      '1e400',
      '[-1e400]',
      '{"a":1e999}',
    ],
  ]
  for (const text of cases) t.notOk(isGood(text), JSON.stringify(text))
  // By UTF-16 units, 😀 comes before \ufb33; by code points it would come after.
  t.ok(isGood('{"\ud83d\ude00":1,"\ufb33":2}'))
  t.notOk(isGood('{"\ufb33":2,"\ud83d\ude00":1}'))
  t.end()
})

t.test('a text that belongs to another value is not the canonical one of this', (t) => {
  t.notOk(isCanonical(Infinity, 'null'))
  t.notOk(isCanonical([NaN], '[null]'))
  t.notOk(isCanonical({ a: 1 }, '{"a":2}'))
  t.notOk(isCanonical({ a: -Infinity }, '{"a":null}'))
  t.end()
})

t.test('members that a library has added to all objects change nothing', (t) => {
  const prototype = Object.prototype as unknown as Record<string, unknown>
  const loop: Record<string, unknown> = {}
  loop['loop'] = loop
  t.teardown(() => {
    for (const key of ['Added', 'zz']) Reflect.deleteProperty(prototype, key)
  })
  const expected = '{"a":{"b":[{}]},"c":1}'
  for (const key of ['Added', 'zz']) {
    for (const value of [() => 1, 1, NaN, loop]) {
      prototype[key] = value
      const text = writeCanonical({ a: { b: [{}] }, c: 1 })
      const isGood = isCanonical(JSON.parse(expected) as Json, expected)
      const isBad = isCanonical(JSON.parse('{"c":1,"a":2}') as Json, '{"c":1,"a":2}')
      Reflect.deleteProperty(prototype, key)
      t.same([text, isGood, isBad], [expected, true, false], key)
    }
  }
  t.end()
})

t.test('of bytes that are too deep and no UTF-8 either, the depth is named', (t) => {
  const bytes = (text: string): Uint8Array => Uint8Array.of(...utf8ToBytes(text), 0xff)
  t.same(parseJson(bytes('[[[')), { ok: false, code: 'bad-utf8' })
  t.same(parseJson(bytes('[[['), 2), { ok: false, code: 'too-deep' })
  t.end()
})

t.test('many brackets side by side, or in strings, are not deep', (t) => {
  for (const text of ['[{},{},[],[],{"[":"{[[{"}]', `["${'[{'.repeat(100)}"]`, '[[],"\\"[[["]']) {
    t.equal(parseJson(utf8ToBytes(text), 2).ok, true, text)
  }
  t.same(parseJson(utf8ToBytes('[[],"]]]",[[]]]'), 2), { ok: false, code: 'too-deep' })
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
