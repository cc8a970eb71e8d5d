import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import t, { type Test } from 'tap'
import { engine, type Engine } from '../../lib/identity/ed25519.ts'
import { Identity } from '../../lib/identity/identity.ts'
import type { Json } from '../../lib/message/canonical.ts'
import { signMessage } from '../../lib/message/draft.ts'
import { openMessage } from '../../lib/message/message.ts'
import {
  isStatedBy,
  makeStatement,
  readStatement,
  readStatements,
  type Statement,
} from '../../lib/message/statement.ts'
import { Random } from '../../lib/testing/random.ts'
import type { NodeId } from '../../lib/wire/ids.ts'
import { SMALL_ORDER_SPELLINGS } from '../fixtures/forge.ts'
import { ALICE, BOB, canonical, documentOf, nested, signBody } from '../fixtures/hand-signed.ts'

const alice = Identity.fromSeed(ALICE.seed)
const LABEL = 'secure-node/1 test\0'
const SIG = 'ab'.repeat(64)
const sign = (bytes: Uint8Array): Promise<Uint8Array> => alice.sign(bytes)
const make = (body: Json, label = LABEL): Promise<Statement> => makeStatement(label, body, sign)
const textOf = (body: string, signature = SIG): string => `{"body":${body},"sig":"${signature}"}`

const bytesOf = (text: string | Uint8Array): Uint8Array =>
  typeof text === 'string' ? utf8ToBytes(text) : text
function codeOf(text: string | Uint8Array, maxBytes = 100_000): string {
  const result = readStatement(bytesOf(text), maxBytes)
  return result.ok ? 'ok' : result.code
}
function listCodeOf(text: string | Uint8Array, limit = 16, maxBytes = 100_000): string {
  const result = readStatements(bytesOf(text), maxBytes, limit)
  return result.ok ? `ok ${result.statements.length}` : result.code
}

/** Reads what must be one statement. */
function read(text: string): Statement {
  const result = readStatement(utf8ToBytes(text), 100_000)
  if (!result.ok) throw new Error(result.code)
  return result.statements[0]!
}

/** Asserts the code of several texts, each as a statement and as one of a list. */
function judges(t: Test, code: string, texts: Record<string, string>): void {
  for (const [name, text] of Object.entries(texts)) {
    t.equal(codeOf(text), code, name)
    t.equal(listCodeOf(`[${text}]`), code, `${name}, in a list`)
    t.equal(listCodeOf(`[${textOf('0')},${text}]`), code, `${name}, behind a good one`)
  }
}

t.test('a statement is a canonical document, and is read as it was made', async (t) => {
  const body = { b: [1, 'é😀'], a: { z: null, y: true } }
  const statement = await make(body)
  const text = canonical(body)
  t.equal(statement.text, textOf(text, statement.signature))
  t.equal(bytesToHex(statement.digest), bytesToHex(sha256(utf8ToBytes(text))))
  t.strictSame(read(statement.text), statement)
  t.equal(await isStatedBy(LABEL, read(statement.text), alice.id), true)
  const two = [statement, await make('another')]
  const list = readStatements(utf8ToBytes(`[${two.map(({ text }) => text).join(',')}]`), 1_000, 2)
  t.strictSame(list, { ok: true, statements: two })
})

t.test('what is signed is the label and the hash of the body', async (t) => {
  const signed: Uint8Array[] = []
  await makeStatement(LABEL, [1], async (bytes) => {
    signed.push(bytes)
    return new Uint8Array(64)
  })
  t.equal(bytesToHex(signed[0]!), bytesToHex(concatBytes(utf8ToBytes(LABEL), sha256(utf8ToBytes('[1]')))))
  const byHand = documentOf('[1]', ALICE.sign(signed[0]!))
  t.equal(byHand, (await make([1])).text, 'and nothing else')
  t.equal(await isStatedBy(LABEL, read(byHand), alice.id), true)
})

t.test('a body is any JSON; its shape is the business of who asked for it', async (t) => {
  for (const body of [null, true, 0, '', [], {}, [[]], { body: 1, sig: '' }, { to: [1] }] as Json[]) {
    const statement = await make(body)
    t.strictSame(read(statement.text), statement)
  }
})

t.test('a statement of one kind is none of another', async (t) => {
  const labels = [
    LABEL,
    'secure-node/1 test2\0',
    'secure-node/1 tes\0',
    'secure-node/1 test',
    '',
    `${LABEL}\0`,
  ]
  for (const label of labels) {
    const statement = await make({ a: 1 }, label)
    for (const other of labels) t.equal(await isStatedBy(other, statement, alice.id), label === other)
  }
})

t.test('a message is no statement, and no statement is a message', async (t) => {
  const message = await signMessage({ data: 'x' }, alice)
  const asStatement = read(message)
  for (const label of [LABEL, '', 'secure-node/1 message-sig\0', 'secure-node/1 message-id\0']) {
    t.equal(await isStatedBy(label, asStatement, alice.id), false, label)
  }
  const { body } = JSON.parse(signBody()) as { body: Json }
  t.match(await openMessage(signBody(), { window: false }), { ok: true })
  for (const label of [LABEL, '', 'secure-node/1 message-sig\0']) {
    const verdict = await openMessage((await make(body, label)).text, { window: false })
    t.match(verdict, { ok: false, code: 'bad-signature' }, label)
  }
})

t.test('the key must be that of the signer, and one that only one can sign for', async (t) => {
  const statement = await make({ id: alice.id })
  t.equal(await isStatedBy(LABEL, statement, BOB.id as NodeId), false)
  for (const { bytes } of SMALL_ORDER_SPELLINGS) {
    const id = bytesToHex(bytes) as NodeId
    // R = A and S = 0: good for a cofactorless verifier that does not look at the key.
    for (const signature of [`${id}${'00'.repeat(32)}`, `01${'00'.repeat(63)}`, '00'.repeat(64)]) {
      t.equal(await isStatedBy(LABEL, { ...statement, signature }, id), false, id)
    }
  }
  for (const id of ['', 'alice', alice.id.slice(2), `${alice.id}00`, 'zz'.repeat(32)])
    t.equal(await isStatedBy(LABEL, statement, id as NodeId), false, id)
})

t.test('every changed bit of a body or a signature shows', async (t) => {
  const statement = await make({ a: 'x' })
  for (let bit = 0; bit < 64; bit++) {
    const flip = (bytes: Uint8Array): Uint8Array =>
      bytes.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
    t.equal(await isStatedBy(LABEL, { ...statement, digest: flip(statement.digest) }, alice.id), false)
    const signature = bytesToHex(flip(Buffer.from(statement.signature, 'hex')))
    t.equal(await isStatedBy(LABEL, { ...statement, signature }, alice.id), false)
  }
  t.equal(await isStatedBy(LABEL, read(textOf('{"a":"y"}', statement.signature)), alice.id), false)
})

t.test('the engine that is given does the work, and may fail', async (t) => {
  const statement = await make(1)
  let count = 0
  const counting: Engine = {
    name: 'node',
    verify: () => ++count > 1,
    signer: (seed) => engine('node').signer(seed),
  }
  t.equal(await isStatedBy(LABEL, statement, alice.id, counting), false)
  t.equal(await isStatedBy(LABEL, statement, alice.id, counting), true)
  const broken: Engine = { ...counting, verify: () => { throw new Error('out of order') } } // prettier-ignore
  t.equal(await isStatedBy(LABEL, statement, alice.id, broken), false)
  t.equal(count, 2)
})

t.test('a statement of exactly the size allowed is read, and one byte more is not looked at', async (t) => {
  const text = textOf(`"${'a'.repeat(100)}"`)
  t.equal(codeOf(text, text.length), 'ok')
  t.equal(codeOf(text, text.length - 1), 'too-large')
  t.equal(listCodeOf(`[${text}]`, 1, text.length + 2), 'ok 1')
  t.equal(listCodeOf(`[${text}]`, 1, text.length + 1), 'too-large')
  t.equal(codeOf(textOf('"ü"'), textOf('"ü"').length), 'too-large', 'bytes count, not characters')
  t.equal(codeOf(new Uint8Array(1_001).fill(0xff), 1_000), 'too-large')
})

t.test('a list has so many statements and no more', async (t) => {
  const list = (count: number): string => `[${new Array<string>(count).fill(textOf('0')).join(',')}]`
  t.equal(listCodeOf('[]', 0), 'ok 0')
  t.equal(listCodeOf(list(3), 3), 'ok 3')
  t.equal(listCodeOf(list(4), 3), 'bad-shape')
  t.equal(listCodeOf(list(1), 0), 'bad-shape')
  t.equal(listCodeOf(list(500), 16), 'bad-shape')
  for (const odd of [
    '{}',
    'null',
    '0',
    '""',
    '[null]',
    '[0]',
    '[[]]',
    '{"length":0}',
    textOf('0'),
    `[${list(1)}]`,
  ])
    t.equal(listCodeOf(odd), 'bad-shape', odd)
  t.equal(codeOf(list(1)), 'bad-shape', 'a list of one is not that one')
})

t.test('bytes that are no JSON are told apart', async (t) => {
  const text = textOf('"x"')
  judges(t, 'bad-json', {
    'half of it': text.slice(0, 60),
    'all but the last byte': text.slice(0, -1),
    'two of them': text + text,
    'a comma too many': text.replace(',"sig"', ',,"sig"'),
    NaN: textOf('NaN'),
  })
  for (const odd of ['', `\ufeff${text}`, `${text}\0`, "{'body':1}"]) t.equal(codeOf(odd), 'bad-json')
  for (const hex of ['ff', 'c080', 'eda080', 'f4908080', 'e282']) {
    const bytes = concatBytes(
      utf8ToBytes('{"body":"'),
      Buffer.from(hex, 'hex'),
      utf8ToBytes(`","sig":"${SIG}"}`),
    )
    t.equal(codeOf(bytes), 'bad-utf8', hex)
    t.equal(listCodeOf(concatBytes(utf8ToBytes('['), bytes, utf8ToBytes(']'))), 'bad-utf8')
  }
})

t.test('a body nests so deep and no deeper', async (t) => {
  const deep = (levels: number): string => textOf(JSON.stringify(nested(levels)))
  t.equal(codeOf(deep(5)), 'ok')
  t.equal(codeOf(deep(6)), 'too-deep')
  t.equal(listCodeOf(`[${deep(4)}]`), 'ok 1')
  t.equal(listCodeOf(`[${deep(5)}]`), 'too-deep')
  t.equal(codeOf(textOf(`${'{"a":'.repeat(6)}0${'}'.repeat(6)}`)), 'too-deep')
  for (const odd of ['[', '{"a":', '[{"body":']) t.equal(codeOf(odd.repeat(10_000), 1e6), 'too-deep')
  t.equal(codeOf(textOf(JSON.stringify('['.repeat(1_000)))), 'ok', 'brackets in a string are text')
})

t.test('every other spelling is refused', async (t) => {
  const text = textOf('{"a":"A\\u001f","b":1,"e":"😀"}')
  t.equal(codeOf(text), 'ok')
  const spelled = (from: string, to: string): string => {
    t.ok(text.includes(from), from)
    return text.replace(from, to)
  }
  judges(t, 'not-canonical', {
    'a space in front': ` ${text}`,
    'a line break behind': `${text}\n`,
    'a space inside': spelled('"b":1', '"b": 1'),
    'other order, outside': `{"sig":"${SIG}","body":1}`,
    'other order, inside': spelled('"a":"A\\u001f","b":1', '"b":1,"a":"A\\u001f"'),
    'a key twice': spelled('"b":1', '"b":1,"b":1'),
    'the body twice': text.replace('{"body":', '{"body":0,"body":'),
    'an escape that is not needed': spelled('"A', '"\\u0041'),
    'an escape in upper case': spelled('\\u001f', '\\u001F'),
    'an escaped pair of surrogates': spelled('😀', '\\ud83d\\ude00'),
    'half of a pair': spelled('😀', '\\ud83d'),
    'half of a pair in a key': spelled('"e":', '"\\udead":'),
    'an escaped key': spelled('"body"', '"\\u0062ody"'),
    'an escaped signature': text.replace('"ab', '"\\u0061b'),
    '1.0': spelled(':1,', ':1.0,'),
    '1e0': spelled(':1,', ':1e0,'),
    '-0': spelled(':1,', ':-0,'),
    '1e400': spelled(':1,', ':1e400,'),
    '2^53 + 1': spelled(':1,', ':9007199254740993,'),
  })
  const one = textOf('1')
  for (const odd of [` [${one}]`, `[${one}] `, `[ ${one}]`, `[${one}, ${one}]`, '[ ]'])
    t.equal(listCodeOf(odd), 'not-canonical', odd)
})

t.test('only an object with a body and a signature is one', async (t) => {
  judges(t, 'bad-shape', {
    null: 'null',
    'a number': '1',
    'a text': '"body"',
    'an array': `[1,"${SIG}"]`,
    'an empty object': '{}',
    'no signature': '{"body":1}',
    'no body': `{"sig":"${SIG}"}`,
    'a key too many': `{"body":1,"hops":1,"sig":"${SIG}"}`,
    'a key too many behind': `{"body":1,"sig":"${SIG}","t":1}`,
    'a signature in upper case': textOf('1', SIG.toUpperCase()),
    'a short signature': textOf('1', SIG.slice(2)),
    'a long signature': textOf('1', `${SIG}00`),
    'a signature that is a number': '{"body":1,"sig":1}',
    'a signature in a list': `{"body":1,"sig":["${SIG}"]}`,
    'a signature of null': '{"body":1,"sig":null}',
    'a prototype beside the body': `{"__proto__":1,"body":1,"sig":"${SIG}"}`,
    'a body and a signature that are inherited': `{"__proto__":${textOf('1')}}`,
    'a prototype in the body': textOf('{"__proto__":{"a":1}}'),
    'a prototype deep in the body': textOf('[{"a":[{"__proto__":1}]}]'),
    'toJSON in the body': textOf('{"toJSON":1}'),
  })
})

t.test('whatever the bytes are, there is a verdict', async (t) => {
  const random = new Random(11)
  const good = utf8ToBytes(`[${textOf('{"a":[1,"x"],"b":null}')},${textOf('0')}]`)
  const codes = new Set<string>()
  for (let trial = 0; trial < 5_000; trial++) {
    const bytes = good.slice(0, random.below(4) === 0 ? random.below(good.length) : good.length)
    for (let change = random.below(3); change >= 0; change--)
      bytes[random.below(bytes.length)] = random.below(256)
    codes.add(listCodeOf(bytes))
    codes.add(codeOf(bytes))
  }
  const known = ['ok 2', 'too-deep', 'bad-utf8', 'bad-json', 'not-canonical', 'bad-shape']
  t.strictSame(
    [...codes].filter((code) => !known.includes(code)),
    [],
  )
  t.ok(codes.size >= 4)
})
