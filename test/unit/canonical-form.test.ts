import { utf8ToBytes } from '@noble/hashes/utils.js'
import t from 'tap'
import { canonicalJson, hasForbiddenKey, parseJson } from '../../lib/message/canonical.ts'
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
