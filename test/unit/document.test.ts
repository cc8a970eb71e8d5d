import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import t, { type Test } from 'tap'
import {
  bodySlice,
  documentLength,
  NAME,
  readBody,
  readDocument,
  writeDocument,
} from '../../lib/message/document.ts'
import { MAX_ADDRESSEES, MAX_MESSAGE_BYTES } from '../../lib/limits/limits.ts'
import { SMALL_ORDER_SPELLINGS } from '../fixtures/forge.ts'
import { bodyTexts, documentIn, proofIn, signTexts } from '../fixtures/hand-batched.ts'
import {
  ALICE,
  authorOf,
  BOB,
  bodyTextOf,
  bodyWith,
  canonical,
  CAROL,
  nested,
  NOW,
} from '../fixtures/hand-signed.ts'

const SIG = 'ab'.repeat(64)

/** A document with any body text and a signature that nobody checks here. */
const documentOf = (body: string, sig = SIG): string => `{"body":${body},"sig":"${sig}"}`
const withChanges = (changes: Record<string, unknown>): string => documentOf(canonical(bodyWith(changes)))

function codeOf(document: string | Uint8Array): string {
  const result = readDocument(typeof document === 'string' ? utf8ToBytes(document) : document)
  return result.ok ? 'ok' : result.code
}

/** Asserts the code of several documents. */
function judges(t: Test, code: string, documents: Record<string, string | Uint8Array>): void {
  for (const [name, document] of Object.entries(documents)) t.equal(codeOf(document), code, name)
}

t.test('a document is read into its body and its signature', (t) => {
  const body = bodyWith({ data: { a: [1, 'é'] }, to: [BOB.id], re: 'cd'.repeat(32), exp: NOW + 1 })
  const text = documentOf(canonical(body))
  t.same(readDocument(utf8ToBytes(text)), { ok: true, body, signature: SIG })
  t.equal(writeDocument(canonical(body), SIG), text)
  t.end()
})

t.test('the body is a slice of the document', (t) => {
  const text = withChanges({ data: 'ﬁ😀' })
  const bytes = utf8ToBytes(text)
  t.equal(Buffer.from(bodySlice(bytes)!).toString(), canonical(bodyWith({ data: 'ﬁ😀' })))
  t.equal(bodyTextOf(text), canonical(bodyWith({ data: 'ﬁ😀' })), 'the fixture takes the same slice')
  t.equal(bodySlice(bytes)!.buffer, bytes.buffer, 'and no copy of it')
  for (const other of [
    '',
    '{"body":',
    `{"body":,"sig":"${SIG}"}`,
    text.slice(1),
    text.slice(0, -1),
    text.replace('"sig"', '"sIg"'),
    `${text} `,
    text.replace('"body"', '"Body"'),
  ]) {
    t.equal(bodySlice(utf8ToBytes(other)), undefined, other.slice(0, 30))
  }
  t.equal(Buffer.from(bodySlice(utf8ToBytes(documentOf('x')))!).toString(), 'x', 'one byte is enough')
  t.end()
})

t.test('a document of exactly 256 KiB is read, and one byte more is not looked at', (t) => {
  const rest = withChanges({ data: '' }).length
  const sized = (bytes: number): string => withChanges({ data: 'a'.repeat(bytes - rest) })
  t.equal(sized(MAX_MESSAGE_BYTES).length, MAX_MESSAGE_BYTES)
  t.equal(codeOf(sized(MAX_MESSAGE_BYTES)), 'ok')
  judges(t, 'too-large', {
    'one byte more': sized(MAX_MESSAGE_BYTES + 1),
    'no JSON either': new Uint8Array(MAX_MESSAGE_BYTES + 1).fill(0xff),
    'far too large': new Uint8Array(10 * MAX_MESSAGE_BYTES).fill(0x5b),
  })
  t.end()
})

t.test('the payload may nest 32 levels and no more', (t) => {
  t.equal(codeOf(withChanges({ data: nested(32) })), 'ok')
  judges(t, 'too-deep', {
    '33 levels': withChanges({ data: nested(33) }),
    '33 levels of objects': documentOf(`{"data":${'{"a":'.repeat(33)}0${'}'.repeat(33)}}`),
    '100,000 levels': `{"body":${'['.repeat(100_000)}`,
    '100,000 levels, closed': documentOf('['.repeat(100_000) + ']'.repeat(100_000)),
  })
  t.equal(codeOf(withChanges({ data: '['.repeat(1_000) })), 'ok', 'brackets in a string are text')
  t.end()
})

t.test('bytes that are no UTF-8 are told from those that are no JSON', (t) => {
  const before = utf8ToBytes(documentOf('{}').slice(0, 10))
  const after = utf8ToBytes(documentOf('{}').slice(10))
  const around = (hex: string): Uint8Array => concatBytes(before, Buffer.from(hex, 'hex'), after)
  judges(t, 'bad-utf8', {
    'a stray byte': around('ff'),
    'an overlong form': around('c080'),
    'a surrogate': around('eda080'),
    'a pair of surrogates, as CESU-8 has it': around('eda0bdedb880'),
    'above U+10FFFF': around('f4908080'),
    'cut off': around('e282'),
    'UTF-16': Buffer.from(`\ufeff${withChanges({})}`, 'utf16le'),
  })
  const text = withChanges({})
  judges(t, 'bad-json', {
    nothing: '',
    'half of it': text.slice(0, 100),
    'all but the last byte': text.slice(0, -1),
    'a byte order mark': `\ufeff${text}`,
    'something behind it': `${text}0`,
    'two of them': text + text,
    'a comma too many': text.replace('"v":1}', '"v":1,}'),
    'a line break in a string': text.replace('hello,', 'hello\n'),
    NaN: text.replace('"hello, network"', 'NaN'),
    'a leading zero': text.replace('"v":1', '"v":01'),
    'single quotes': text.replaceAll('"', "'"),
    'a NUL at the end': `${text}\u0000`,
  })
  t.end()
})

t.test('every other spelling of a document is refused', (t) => {
  const text = withChanges({ data: { a: 'A\u001f', b: 1, e: '😀' } })
  t.equal(codeOf(text), 'ok')
  const spelled = (from: string, to: string): string => {
    t.ok(text.includes(from), `${from} is there`)
    return text.replace(from, to)
  }
  const withNumber = (number: string): string => text.replace('"b":1', `"b":${number}`)
  judges(t, 'not-canonical', {
    'a space in front': ` ${text}`,
    'a space behind': `${text} `,
    'a line break behind': `${text}\n`,
    'a space inside': spelled('"v":1', '"v": 1'),
    'other order, outside': `{"sig":"${SIG}","body":${bodyTextOf(text)}}`,
    'other order, inside': spelled('"a":"A\\u001f","b":1', '"b":1,"a":"A\\u001f"'),
    'a key twice with the same value': spelled('"b":1', '"b":1,"b":1'),
    'a key twice with another value': spelled('"v":1', '"v":2,"v":1'),
    'the body twice': text.replace('{"body":', '{"body":0,"body":'),
    'an escape that is not needed': spelled('"A', '"\\u0041'),
    'an escaped slash': spelled('"A', '"\\/'),
    'an escape in upper case': spelled('\\u001f', '\\u001F'),
    'an escaped pair of surrogates': spelled('😀', '\\ud83d\\ude00'),
    'an escaped half of a pair': spelled('😀', '\\ud83d'),
    'an escaped half in a key': spelled('"e":', '"\\udead":'),
    'an escaped key': spelled('"type"', '"\\u0074ype"'),
    'an escaped __proto__': spelled('"a":', '"\\u005f_proto__":'),
    '1.0': withNumber('1.0'),
    '1e3': withNumber('1e3'),
    '1E30': withNumber('1E30'),
    '1e30 without its sign': withNumber('1e30'),
    '10e-1': withNumber('10e-1'),
    '-0': withNumber('-0'),
    '0.10': withNumber('0.10'),
    '2^53 + 1': withNumber('9007199254740993'),
    'more digits than a double has': withNumber('0.1000000000000000055511151231257827'),
    '1e400, which is infinite': withNumber('1e400'),
    '1e-400, which is 0': withNumber('1e-400'),
    '200,000 digits': withNumber('1'.repeat(200_000)),
    '200,000 digits behind the point': withNumber(`0.${'1'.repeat(200_000)}`),
  })
  const whole = {
    '2^53': '9007199254740992',
    '1e+30': '1e+30',
    '5e-324': '5e-324',
    '1e21': '1e+21',
    '0.1': '0.1',
  }
  for (const [name, number] of Object.entries(whole)) t.equal(codeOf(withNumber(number)), 'ok', name)
  t.end()
})

t.test('only an object with a body and a signature is a document', (t) => {
  const body = canonical(bodyWith())
  judges(t, 'bad-shape', {
    null: 'null',
    'a number': '1',
    'a string': '"body"',
    'an array': `[${body},"${SIG}"]`,
    'an empty object': '{}',
    'no signature': `{"body":${body}}`,
    'no body': `{"sig":"${SIG}"}`,
    'a key too many': `{"body":${body},"hops":1,"sig":"${SIG}"}`,
    'a key too many behind': `{"body":${body},"sig":"${SIG}","t":1}`,
    'a signature in upper case': documentOf(body, SIG.toUpperCase()),
    'a short signature': documentOf(body, SIG.slice(2)),
    'a long signature': documentOf(body, `${SIG}00`),
    'half a byte less': documentOf(body, SIG.slice(1)),
    'a signature in base64': documentOf(body, Buffer.from(SIG, 'hex').toString('base64')),
    'a signature that is a number': `{"body":${body},"sig":1}`,
    'a signature that is null': `{"body":${body},"sig":null}`,
    'a signature in an array': `{"body":${body},"sig":["${SIG}"]}`,
  })
  for (const other of ['null', '1', '"x"', '[]', '{}', 'true'])
    t.equal(codeOf(documentOf(other)), 'bad-shape', other)
  t.end()
})

t.test('every key of the body is needed, apart from the three that are optional', (t) => {
  const full = bodyWith({ to: [BOB.id], re: 'cd'.repeat(32), exp: NOW + 1 })
  t.equal(codeOf(documentOf(canonical(full))), 'ok')
  for (const key of Object.keys(full)) {
    const rest = Object.fromEntries(Object.entries(full).filter(([name]) => name !== key))
    t.equal(codeOf(documentOf(canonical(rest))), ['to', 're', 'exp'].includes(key) ? 'ok' : 'bad-shape', key)
  }
  for (const key of ['', 'a', 'hops', 'proof', 'FROM', 'from ', 'constructor', 'toString']) {
    t.equal(codeOf(withChanges({ [key]: 1 })), 'bad-shape', `an unknown key, ${JSON.stringify(key)}`)
  }
  t.end()
})

/** For each key, values that are wrong for it; `data` takes anything. */
const WRONG: Record<string, readonly unknown[]> = {
  from: [
    ALICE.id.toUpperCase(),
    ALICE.id.slice(2),
    `${ALICE.id}00`,
    ALICE.id.slice(1),
    `g${ALICE.id.slice(1)}`,
    `${ALICE.id}\n`,
    '',
    [ALICE.id],
  ],
  net: ['', 'a'.repeat(65), '-a', '.a', 'a b', 'é', 'a\n', 'a\u0000', ['default']],
  type: ['', 'a'.repeat(65), '_a', ':a', 'a b', 'a*', 'a\n', ['message']],
  seq: [-1, 0.5, 2 ** 53, 1e21, '1', -1e-7],
  time: [-1, NOW + 0.5, 2 ** 53, String(NOW), [NOW]],
  exp: [NOW, NOW - 1, 0, -1, NOW + 0.5, 2 ** 53, String(NOW + 1)],
  re: ['', 'cd'.repeat(31), 'CD'.repeat(32), `${'cd'.repeat(32)}\n`, ['cd'.repeat(32)]],
  to: [
    [],
    ALICE.id,
    { 0: ALICE.id },
    [ALICE.id, ALICE.id],
    [ALICE.id, null],
    [ALICE.id.toUpperCase()],
    [ALICE.id, ''],
    [[ALICE.id]],
  ],
  v: [0, 2, '1', [1], 1.5, -1],
}
const WRONG_FOR_ALL: readonly unknown[] = [null, true, false, {}]

t.test('every key of the body has its type and its range', (t) => {
  for (const [key, values] of Object.entries(WRONG)) {
    for (const value of [...values, ...WRONG_FOR_ALL]) {
      t.equal(codeOf(withChanges({ [key]: value })), 'bad-shape', `${key}: ${JSON.stringify(value)}`)
    }
  }
  t.end()
})

t.test('the ends of every range are inside', (t) => {
  const right: Record<string, readonly unknown[]> = {
    net: ['a', '0', 'Z', 'a._:/-9', 'a'.repeat(64)],
    type: ['a', 'chat/1:text.v2_-', '9'.repeat(64)],
    seq: [0, 1, Number.MAX_SAFE_INTEGER],
    time: [0, Number.MAX_SAFE_INTEGER],
    exp: [NOW + 1, Number.MAX_SAFE_INTEGER],
    re: ['00'.repeat(32), 'ff'.repeat(32)],
    data: [null, false, 0, '', [], {}, { body: 1, sig: 2 }],
  }
  for (const [key, values] of Object.entries(right)) {
    for (const value of values)
      t.equal(codeOf(withChanges({ [key]: value })), 'ok', `${key}: ${JSON.stringify(value)}`)
  }
  t.end()
})

t.test('there are 1 to 64 addressees, each once', (t) => {
  const ids = Array.from({ length: MAX_ADDRESSEES + 1 }, (_, i) => authorOf('', 100 + i).id)
  t.equal(codeOf(withChanges({ to: ids.slice(0, 1) })), 'ok')
  t.equal(codeOf(withChanges({ to: ids.slice(0, MAX_ADDRESSEES) })), 'ok')
  t.equal(codeOf(withChanges({ to: ids })), 'bad-shape')
  t.equal(codeOf(withChanges({ to: [...ids.slice(0, 63), ids[0]] })), 'bad-shape', 'one of them twice')
  t.equal(codeOf(withChanges({ to: [CAROL.id, ALICE.id] })), 'ok', 'in any order, the author among them')
  t.end()
})

t.test('keys that everybody can sign for are refused, as author and as addressee', (t) => {
  for (const { bytes } of SMALL_ORDER_SPELLINGS) {
    const id = Buffer.from(bytes).toString('hex')
    t.equal(codeOf(withChanges({ from: id })), 'bad-key', `from ${id}`)
    t.equal(codeOf(withChanges({ to: [BOB.id, id] })), 'bad-key', `to ${id}`)
  }
  const notBelowP = `f0${'ff'.repeat(30)}7f`
  t.equal(codeOf(withChanges({ from: notBelowP })), 'bad-key')
  t.equal(codeOf(withChanges({ to: [notBelowP] })), 'bad-key')
  t.equal(codeOf(withChanges({ re: '00'.repeat(32) })), 'ok', 'a message ID is no key')
  t.end()
})

t.test('names that harm other programs are refused wherever they are, as text they are not', (t) => {
  for (const key of ['__proto__', 'toJSON']) {
    const member = JSON.parse(`{"a":[{"${key}":1}]}`) as unknown
    t.equal(codeOf(withChanges({ data: member })), 'bad-shape', `${key} in the payload`)
    t.equal(
      codeOf(documentOf(canonical(bodyWith()).replace('{"data"', `{"${key}":1,"data"`))),
      key === '__proto__' ? 'bad-shape' : 'not-canonical',
    )
    t.equal(codeOf(withChanges({ data: [key, { [`${key}x`]: key }] })), 'ok', `${key} as text`)
  }
  t.end()
})

t.test('what was refused cannot change what is refused next', (t) => {
  const verdict = readDocument(utf8ToBytes('{}')) as { ok: boolean; code: string }
  t.throws(() => (verdict.ok = true), TypeError)
  t.same(readDocument(utf8ToBytes('[]')), { ok: false, code: 'bad-shape' })
  t.end()
})

t.test('a name has 1 to 64 characters of a small set and begins with a letter or a digit', (t) => {
  for (const name of ['a', 'A9', '0', 'a._:/-z', 'x'.repeat(64)]) t.ok(NAME.test(name), name)
  for (const name of ['', '.', '-a', 'x'.repeat(65), 'a b', 'a\n', 'ä', 'a\\', 'а'])
    t.notOk(NAME.test(name), JSON.stringify(name))
  t.end()
})

t.test('a document with a proof is read into its body, its proof and its signature', (t) => {
  const batch = signTexts(bodyTexts(5))
  for (const [index, text] of batch.bodies.entries()) {
    const document = documentIn(batch, index)
    const [signature, proof] = [Buffer.from(batch.signature).toString('hex'), proofIn(batch, index)]
    const body = JSON.parse(text) as unknown
    t.same(readDocument(utf8ToBytes(document)), { ok: true, body, signature, proof })
    t.equal(writeDocument(text, signature, proof as never), document)
    t.equal(documentLength(text.length, proof as never), document.length)
    t.equal(Buffer.from(bodySlice(utf8ToBytes(document))!).toString(), text)
  }
  t.equal(documentLength(10), writeDocument('{"a": 100}', SIG).length)
  t.end()
})

t.test('a proof counts for the size of a document', (t) => {
  const rest = documentIn(signTexts(bodyTexts(2, { data: '' })), 0).length
  const sized = (bytes: number): string =>
    documentIn(signTexts(bodyTexts(2, { data: 'a'.repeat(bytes - rest) })), 0)
  t.equal(sized(MAX_MESSAGE_BYTES).length, MAX_MESSAGE_BYTES)
  t.equal(codeOf(sized(MAX_MESSAGE_BYTES)), 'ok')
  t.equal(codeOf(sized(MAX_MESSAGE_BYTES + 1)), 'too-large')
  t.end()
})

t.test('a body alone is read by the same rules', (t) => {
  const code = (text: string | Uint8Array): string => {
    const result = readBody(typeof text === 'string' ? utf8ToBytes(text) : text)
    return result.ok ? 'ok' : result.code
  }
  const bodies = [
    canonical(bodyWith()),
    canonical(bodyWith({ data: nested(32) })),
    canonical(bodyWith({ data: nested(33) })),
    canonical(bodyWith({ hops: 1 })),
    canonical(bodyWith({ from: `01${'00'.repeat(31)}` })),
    canonical(bodyWith()).replace('"v":1', '"v":1.0'),
    canonical(bodyWith({ data: JSON.parse('{"__proto__":1}') })),
    'null',
    '{',
    '[]',
  ]
  for (const body of bodies) t.equal(code(body), codeOf(documentOf(body)), body.slice(0, 40))
  t.equal(code(Uint8Array.of(0xff)), 'bad-utf8')
  t.equal(code(new Uint8Array(MAX_MESSAGE_BYTES + 1)), 'too-large')
  for (const around of [' ', '\n', '\ufeff']) {
    t.not(code(`${around}${bodies[0]!}`), 'ok')
    t.not(code(`${bodies[0]!}${around}`), 'ok')
  }
  t.end()
})
