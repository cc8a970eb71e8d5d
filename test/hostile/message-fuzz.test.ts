// Whatever comes in, a verdict comes out: never an error, never an answer without a code.
import { utf8ToBytes } from '@noble/hashes/utils.js'
import t, { type Test } from 'tap'
import { openMessage } from '../../lib/message/index.ts'
import { isReject } from '../../lib/message/verdict.ts'
import { Random } from '../../lib/testing/random.ts'
import { bytesOf } from '../fixtures/forged-documents.ts'
import { GOOD_MESSAGES } from '../fixtures/good-messages.ts'
import { BAD_MESSAGES } from '../fixtures/bad-messages.ts'
import { canonical, bodyWith, NOW, signText } from '../fixtures/hand-signed.ts'

const SEED = 20_260_101
/** Small enough to be mutated by the thousand. */
const CORPUS = [...GOOD_MESSAGES, ...BAD_MESSAGES]
  .map(({ form }) => bytesOf(form))
  .filter(({ length }) => length < 2_000)

async function verdictsOf(t: Test, documents: Iterable<Uint8Array | string>): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const document of documents) {
    let key: string
    try {
      const verdict = await openMessage(document, { now: NOW, net: 'default' })
      key = verdict.ok ? 'ok' : verdict.code
      if (!verdict.ok && typeof isReject(verdict.code) !== 'boolean') t.fail(`no code: ${verdict.code}`)
    } catch (error) {
      key = 'thrown'
      t.fail(`${String(error)}: ${JSON.stringify(String(document)).slice(0, 200)}`)
    }
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  t.comment(JSON.stringify(Object.fromEntries(counts)))
  return counts
}

function* times<T>(count: number, make: () => T): Generator<T> {
  for (let i = 0; i < count; i++) yield make()
}

t.test('random bytes', async (t) => {
  const random = new Random(SEED)
  const counts = await verdictsOf(
    t,
    times(3_000, () => random.bytes(random.below(400))),
  )
  t.notOk(counts.has('ok'))
})

t.test('random characters of JSON', async (t) => {
  const random = new Random(SEED + 1)
  const tokens = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"body"',
    '"sig"',
    '"',
    '\\',
    '\\u',
    '0',
    '-',
    '1e',
    'null',
    'true',
    ' ',
    '\n',
    '\ufeff',
    '\ud800',
    '"__proto__"',
  ]
  const text = (): string =>
    Array.from({ length: random.below(60) }, () => tokens[random.below(tokens.length)]!).join('')
  const counts = await verdictsOf(t, times(5_000, text))
  t.notOk(counts.has('ok'))
})

/** A few cuts, copies and changes of a document, or two documents spliced. */
function mutated(random: Random): Uint8Array {
  let bytes: Uint8Array = CORPUS[random.below(CORPUS.length)]!.slice()
  for (let i = random.below(4); i >= 0; i--) {
    const [at, length] = [random.below(bytes.length + 1), random.below(20)]
    const [head, rest, tail] = [bytes.subarray(0, at), bytes.subarray(at), bytes.subarray(at + length)]
    const other = CORPUS[random.below(CORPUS.length)]!
    const pieces = [
      [head, tail],
      [head, bytes.subarray(at, at + length), rest],
      [head, random.bytes(1 + random.below(3)), tail],
      [head, other.subarray(random.below(other.length + 1))],
    ]
    bytes = new Uint8Array(Buffer.concat(pieces[random.below(pieces.length)]!))
  }
  return bytes
}

t.test('mutated documents', async (t) => {
  const random = new Random(SEED + 2)
  const counts = await verdictsOf(
    t,
    times(6_000, () => mutated(random)),
  )
  t.ok(counts.size >= 5, 'many codes come out')
})

/** A value of any kind, for places where it does not belong. */
function anything(random: Random, depth = 0): unknown {
  const length = random.below(3)
  const options: (() => unknown)[] = [
    () => null,
    () => random.below(2) === 0,
    () => random.below(2 ** 31) * (random.below(2) === 0 ? -1 : 2 ** 20) + random.below(2) / 2,
    () => NOW,
    () => 'x'.repeat(random.below(80)),
    () => Buffer.from(random.bytes(32)).toString('hex'),
    () => ['\u0000', '\ud83d\ude00', '__proto__', 'toJSON', ''][random.below(5)],
    () => Array.from({ length }, () => anything(random, depth + 1)),
    () =>
      Object.fromEntries(Array.from({ length }, () => [`k${random.below(9)}`, anything(random, depth + 1)])),
  ]
  return options[random.below(depth > 40 ? 7 : options.length)]!()
}

t.test('rightly signed documents with anything in any place', async (t) => {
  const random = new Random(SEED + 3)
  const keys = [
    'data',
    'exp',
    'from',
    'net',
    're',
    'seq',
    'time',
    'to',
    'type',
    'v',
    'x',
    '__proto__',
    'toJSON',
  ]
  const document = (): string => {
    const changes = Array.from({ length: random.below(3) }, () => [
      keys[random.below(keys.length)]!,
      anything(random),
    ])
    return signText(canonical(bodyWith(Object.fromEntries(changes) as Record<string, unknown>)))
  }
  const counts = await verdictsOf(t, times(3_000, document))
  t.ok((counts.get('ok') ?? 0) > 500 && (counts.get('bad-shape') ?? 0) > 500)
})

t.test('documents that are deep, long or repetitive end at once', async (t) => {
  const head = '{"body":'
  const documents = ['[', '{"a":', '"', '\\', '-', '1', ',', ' ', '\ud83d\ude00', '\u0000'].flatMap(
    (piece) => {
      const text = piece.repeat(Math.floor(250_000 / utf8ToBytes(piece).length))
      return [text, head + text, `${head}"${text}`, `${head}[${text}]}`]
    },
  )
  const start = performance.now()
  const counts = await verdictsOf(t, documents)
  const each = (performance.now() - start) / documents.length
  t.notOk(counts.has('ok'))
  t.ok(each < 100, `${each.toFixed(1)} ms each`)
})
