import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { Random } from '../../lib/testing/random.ts'
import { FrameDecoder, framePayload, Kind } from '../../lib/wire/frame.ts'
import { type Compression, decodePayload, encodePayload } from '../../lib/wire/payload.ts'

const LIMIT = 65_536
const METHODS: (Compression | undefined)[] = [undefined, 'deflate', 'brotli']
const utf8 = (text: string) => new TextEncoder().encode(text)

/** The kind of an encoded frame. */
const kindOf = (frame: Uint8Array) => frame[4]

/** What arrives of what is sent. */
function send(data: unknown, compression?: Compression) {
  const frame = encodePayload(data, compression, LIMIT)
  return receive(kindOf(frame)!, framePayload(frame))
}

function receive(kind: number, payload: Uint8Array, limit = LIMIT) {
  return decodePayload({ kind, payload }, limit)
}

const BAD = { ok: false, code: 'bad-payload' }
const wrapped = (method: number, kind: number, packed: Uint8Array) =>
  Buffer.concat([Uint8Array.of(method, kind), packed])

for (const compression of METHODS) {
  t.test(`data arrives as it was sent, compression ${compression ?? 'off'}`, async (t) => {
    const long = 'all work and no play '.repeat(200)
    const values: unknown[] = [
      ...['', 'text', long, 'é😀\0\u2028\ufeff', '\ufeffmark', '{"a":1}', 'null'],
      ...[null, true, false, 0, -1.5, 1e21, 2 ** 53],
      ...[
        [],
        {},
        [[]],
        [1, 'a', null, { b: [] }],
        { long, list: Array.from({ length: 500 }, () => long.length) },
      ],
      { '': 0, constructor: 1, length: 2, 'a.b': 3, é: 4 },
    ]
    for (const [index, value] of values.entries()) {
      t.strictSame(send(value, compression), { ok: true, data: value }, `value ${index}`)
    }
  })

  t.test(`bytes arrive as plain bytes, compression ${compression ?? 'off'}`, async (t) => {
    for (const bytes of [new Uint8Array(0), Uint8Array.of(0, 255, 10), new Uint8Array(9_000).fill(7)]) {
      for (const sent of [bytes, Buffer.from(bytes)]) {
        const result = send(sent, compression)
        t.ok(result.ok && result.data instanceof Uint8Array)
        const data = (result as { data: Uint8Array }).data
        t.equal(Object.getPrototypeOf(data), Uint8Array.prototype, 'no Buffer, whose slice is no copy')
        t.ok(Buffer.from(data).equals(bytes))
      }
    }
  })
}

t.test('bytes are a copy: what the sender and the network do with theirs does not matter', async (t) => {
  const sent = Uint8Array.of(1, 2, 3)
  const frame = encodePayload(sent, undefined, LIMIT)
  sent.fill(9)
  const chunk = Buffer.concat([frame, new Uint8Array(100)])
  let data: unknown
  new FrameDecoder(LIMIT).push(chunk.subarray(0, frame.length), (came) => {
    const result = decodePayload(came, LIMIT)
    data = result.ok && result.data
  })
  chunk.fill(0)
  t.strictSame(data, Uint8Array.of(1, 2, 3))
  t.equal((data as Uint8Array).buffer.byteLength, 3)
})

t.test('members that are undefined are left out, and names are sorted', async (t) => {
  const frame = encodePayload({ b: 1, a: undefined, A: [] }, undefined, LIMIT)
  t.equal(Buffer.from(framePayload(frame)).toString(), '{"A":[],"b":1}')
})

t.test('what JSON would change or lose is refused, with the path to it', async (t) => {
  let deep: unknown = 0
  for (let depth = 0; depth < 33; depth++) deep = [deep]
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  const forged = JSON.parse('{"a":{"__proto__":1}}') as unknown
  const odd: [value: unknown, path: RegExp][] = [
    [undefined, /^data cannot be sent: it is undefined/],
    [() => 1, /^data cannot be sent: a function/],
    [Symbol('s'), /^data cannot be sent: a symbol/],
    [1n, /BigInt/],
    [NaN, /NaN is not a JSON number/],
    [{ a: [0, Infinity] }, /^data\.a\[1\] cannot be sent/],
    [new Date(0), /a Date is not plain JSON/],
    [new Map(), /a Map is not plain JSON/],
    [new ArrayBuffer(2), /a ArrayBuffer is not plain JSON/],
    [{ a: Uint8Array.of(1) }, /^data\.a cannot be sent/],
    [new Float64Array(1), /^data cannot be sent/],
    [[1, , 2], /^data\[1\] cannot be sent: the array has a hole/], // prettier-ignore
    ['\ud800', /^data cannot be sent: it is a string with a lone surrogate/],
    [{ a: 'x\udc00' }, /^data\.a cannot be sent/],
    [{ '\ud800': 1 }, /its name has a lone surrogate/],
    [forged, /^data\.a\.__proto__ cannot be sent/],
    [{ toJSON: () => 1 }, /^data\.toJSON cannot be sent/],
    [deep, /deeper than 32 levels/],
    [cycle, /^data\.self cannot be sent: it contains itself/],
    [Array.from({ length: 50_000 }, () => 0), /more than 50000 values/],
  ]
  for (const [value, message] of odd) {
    t.throws(() => encodePayload(value, undefined, LIMIT), { code: 'invalid-payload', message })
  }
})

t.test('32 levels are as deep as a payload goes, in both directions', async (t) => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
  t.match(send(JSON.parse(nested(32))), { ok: true })
  t.match(receive(Kind.json, utf8(nested(32))), { ok: true })
  t.strictSame(receive(Kind.json, utf8(nested(33))), BAD)
  t.strictSame(receive(Kind.json, utf8('['.repeat(60_000))), BAD)
})

t.test('a payload is smaller than a frame, also when compression would make it so', async (t) => {
  for (const compression of METHODS) {
    t.ok(encodePayload('x'.repeat(LIMIT - 1), compression, LIMIT))
    t.throws(() => encodePayload('x'.repeat(LIMIT), compression, LIMIT), {
      code: 'message-too-large',
      message: `the message has ${LIMIT + 1} bytes, the limit is ${LIMIT}; send it in parts`,
    })
    t.throws(() => encodePayload('é'.repeat(LIMIT / 2), compression, LIMIT), { code: 'message-too-large' })
  }
})

t.test('what does not get smaller travels as it is', async (t) => {
  for (const compression of ['deflate', 'brotli'] as const) {
    t.equal(kindOf(encodePayload('ab', compression, LIMIT)), Kind.text)
    t.equal(kindOf(encodePayload(new Random(1).bytes(2_000), compression, LIMIT)), Kind.bytes)
    const frame = encodePayload('a'.repeat(2_000), compression, LIMIT)
    t.equal(kindOf(frame), Kind.compressed)
    t.ok(frame.length < 60)
  }
})

t.test('a compression that does not exist is refused', async (t) => {
  for (const method of ['gzip', '', 'Deflate', 'toString', '__proto__', null, 1, true]) {
    t.throws(() => encodePayload('a', method as Compression, LIMIT), {
      code: 'invalid-argument',
      message: /^compression must be "deflate" or "brotli", got /,
    })
  }
})

t.test('what is compressed says how, and is what it says', async (t) => {
  const zeros = deflateSync(new Uint8Array(500))
  t.match(receive(Kind.compressed, wrapped(1, Kind.bytes, zeros)), { ok: true })
  const odd: [name: string, payload: Uint8Array][] = [
    ['nothing', new Uint8Array(0)],
    ['a method alone', Uint8Array.of(1)],
    ['method 0', wrapped(0, Kind.bytes, zeros)],
    ['method 3', wrapped(3, Kind.bytes, zeros)],
    ['method 255', wrapped(255, Kind.bytes, zeros)],
    ['deflate without data', wrapped(1, Kind.bytes, new Uint8Array(0))],
    ['brotli without data', wrapped(2, Kind.bytes, new Uint8Array(0))],
    ['data that is cut off', wrapped(1, Kind.bytes, zeros.subarray(0, -1))],
    [
      'a checksum that is wrong',
      wrapped(1, Kind.bytes, Buffer.concat([zeros.subarray(0, -1), Uint8Array.of(9)])),
    ],
    ['brotli that says deflate', wrapped(1, Kind.bytes, brotliCompressSync(new Uint8Array(500)))],
    ['deflate that says brotli', wrapped(2, Kind.bytes, zeros)],
    ['gzip', wrapped(1, Kind.bytes, gzipSync(new Uint8Array(500)))],
    ['deflate without a header', wrapped(1, Kind.bytes, deflateRawSync(new Uint8Array(500)))],
    ['noise', wrapped(1, Kind.bytes, new Random(2).bytes(500))],
    ['noise', wrapped(2, Kind.bytes, new Random(2).bytes(500))],
  ]
  for (const [name, payload] of odd) t.strictSame(receive(Kind.compressed, payload), BAD, name)
})

t.test('compression within compression is refused, and so is every kind that carries no data', async (t) => {
  const inner = wrapped(1, Kind.bytes, deflateSync(new Uint8Array(5)))
  t.strictSame(receive(Kind.compressed, wrapped(1, Kind.compressed, deflateSync(inner))), BAD)
  for (let kind = 0; kind < 256; kind++) {
    if ([Kind.text, Kind.json, Kind.bytes].includes(kind as 0x10)) continue
    t.strictSame(receive(Kind.compressed, wrapped(1, kind, deflateSync(utf8('{}')))), BAD, `${kind}`)
    if (kind === Kind.compressed) continue
    t.strictSame(receive(kind, utf8('{}')), { ok: false, code: 'unexpected-frame' }, `${kind}`)
  }
})

for (const [name, method, pack] of [
  ['deflate', 1, deflateSync],
  ['brotli', 2, brotliCompressSync],
] as const) {
  t.test(`a bomb in ${name} never unfolds`, async (t) => {
    t.match(receive(Kind.compressed, wrapped(method, Kind.bytes, pack(new Uint8Array(LIMIT - 1)))), {
      ok: true,
    })
    const bomb = wrapped(method, Kind.bytes, pack(new Uint8Array(16 * 2 ** 20)))
    t.ok(bomb.length < 80_000)
    const before = process.memoryUsage().rss
    t.strictSame(receive(Kind.compressed, bomb), BAD)
    t.ok(process.memoryUsage().rss - before < 8 * 2 ** 20)
    t.strictSame(receive(Kind.compressed, wrapped(method, Kind.bytes, pack(new Uint8Array(LIMIT + 1)))), BAD)
  })
}

t.test('bytes that are no UTF-8 are no text and no JSON', async (t) => {
  for (const hex of ['ff', 'c080', 'eda080', 'f4908080', '80', 'e282', 'f8888080']) {
    const bytes = new Uint8Array(Buffer.from(hex, 'hex'))
    t.strictSame(receive(Kind.text, bytes), BAD, hex)
    t.strictSame(receive(Kind.json, Buffer.concat([utf8('"'), bytes, utf8('"')])), BAD, hex)
    t.match(receive(Kind.bytes, bytes), { ok: true })
  }
})

t.test('what is no JSON, or holds a name that pollutes, is refused', async (t) => {
  const odd = ['', ' ', '{', '{"a":}', "{'a':1}", '[1,]', 'NaN', 'undefined', '01', '\ufeff1', '{}{}', '"\n"']
  odd.push(
    '{"__proto__":1}',
    '[{"a":{"__proto__":{}}}]',
    '{"\\u005f_proto__":1}',
    '{"toJSON":1}',
    '[[{"toJSON":0}]]',
  )
  for (const text of odd) t.strictSame(receive(Kind.json, utf8(text)), BAD, text)
})
