import { deflateSync } from 'node:zlib'
import t from 'tap'
import { decodeMessage, encodeMessage } from '../../lib/transport/p2pnetwork-message.ts'
import { encodeFrame, Kind } from '../../lib/wire/frame.ts'
import { encodePayload } from '../../lib/wire/payload.ts'
import { PACKED } from '../fixtures/packed.ts'

const MAX = 65_536
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
/** The message on the line, one character for each byte. */
const sent = (data: unknown): string => Buffer.from(encodeMessage(encodePayload(data, undefined, MAX), MAX)!).toString('latin1') // prettier-ignore

/** A compressed message without its end. */
function packed(content: Uint8Array, name: string): Uint8Array {
  const base64 = Buffer.concat([content, bytes(name)]).toString('base64')
  return bytes(`${base64}\u0002`)
}

function frameOf(message: Uint8Array, max = MAX): unknown {
  const decoded = decodeMessage(message, max)
  return decoded.ok
    ? [decoded.frame[4], Buffer.from(decoded.frame.subarray(5)).toString('latin1')]
    : decoded.fault
}

t.test('what can be sent as it is ends with 04', async (t) => {
  t.equal(sent('hello'), 'hello\u0004')
  t.equal(sent({ b: 1, a: '\u0004' }), '{"a":"\\u0004","b":1}\u0004')
  t.equal(sent(Uint8Array.of(0xff, 2, 0)), '\u00ff\u0002\u0000\u0004')
})

t.test('anything else is sent as base64, and comes back', async (t) => {
  const contents = [
    Uint8Array.of(4),
    Uint8Array.of(0xff, 2),
    Uint8Array.of(0xff, 4, 4, 2),
    'a\u0004b',
    '\u0002',
    '',
  ]
  for (const content of contents) {
    const line = sent(content)
    t.match(line, /^[A-Za-z0-9+/]+=*\u0002\u0004$/)
    const payload = typeof content === 'string' ? bytes(content) : content
    t.same((frameOf(bytes(line.slice(0, -1))) as unknown[])[1], Buffer.from(payload).toString('latin1'))
  }
})

t.test('both compressions of a node become zlib', async (t) => {
  const text = 'x'.repeat(1_000)
  for (const compression of ['deflate', 'brotli'] as const) {
    const line = encodeMessage(encodePayload(text, compression, MAX), MAX)!
    t.ok(line.length < 100)
    t.same(frameOf(line.subarray(0, -1)), [Kind.text, text])
  }
})

t.test('one frame is translated once, for all links', async (t) => {
  const frame = encodePayload(Uint8Array.of(4), undefined, MAX)
  t.equal(encodeMessage(frame, MAX), encodeMessage(frame, MAX))
})

t.test('frames that are no messages have no translation', async (t) => {
  for (const kind of [Kind.hello, Kind.close, Kind.stay, Kind.message])
    t.equal(encodeMessage(encodeFrame(kind, bytes('{}')), MAX), undefined)
  t.equal(encodeMessage(encodeFrame(Kind.compressed, Uint8Array.of(9, 9)), MAX), undefined)
})

t.test('UTF-8 that parses is JSON, other UTF-8 is text, and the rest is bytes', async (t) => {
  t.same(frameOf(bytes('{"a":1}')), [Kind.json, '{"a":1}'])
  t.same(frameOf(bytes('42')), [Kind.json, '42'])
  t.same(frameOf(bytes('hello')), [Kind.text, 'hello'])
  t.same(frameOf(bytes('NaN')), [Kind.text, 'NaN'])
  t.same(frameOf(Uint8Array.of(0xff)), [Kind.bytes, '\u00ff'])
  const deep = '['.repeat(33) + ']'.repeat(33)
  t.same(frameOf(bytes(deep)), [Kind.text, deep], 'too deep for us, but harmless')
  t.same(frameOf(bytes('{"__proto__":1}')), [Kind.text, '{"__proto__":1}'])
})

t.test('all three compressions are read', async (t) => {
  for (const { content, bzip2, xz } of PACKED) {
    for (const [name, compressed] of [
      ['zlib', deflateSync(content)],
      ['bzip2', bzip2],
      ['lzma', xz],
    ] as const)
      // prettier-ignore
      t.equal((frameOf(packed(compressed, name)) as unknown[])[1], content.toString('latin1'), name)
  }
})

t.test('what only looks compressed is taken as it is', async (t) => {
  for (const text of ['\u0002', 'hello\u0002', 'AAAA\u0002', 'AAA\u0002', 'AA B\u0002'])
    t.same(frameOf(bytes(text)), [Kind.text, text])
  const unknown = packed(bytes('whatever'), 'zstd')
  t.same(frameOf(unknown), [Kind.text, Buffer.from(unknown).toString('latin1')], 'a method that there is not')
})

t.test('what is compressed and broken, or too large, is a fault', async (t) => {
  for (const name of ['zlib', 'bzip2', 'lzma']) {
    t.equal(frameOf(packed(bytes('nonsense'), name)), 'corrupt')
    t.equal(frameOf(packed(new Uint8Array(0), name)), 'corrupt')
  }
  t.equal(frameOf(packed(deflateSync(Buffer.alloc(10_000_000)), 'zlib')), 'too-large', 'a bomb')
  const [, , { content, bzip2, xz }] = PACKED as [unknown, unknown, (typeof PACKED)[number]]
  for (const [name, compressed] of [
    ['zlib', deflateSync(content)],
    ['bzip2', bzip2],
    ['lzma', xz],
  ] as const) {
    // prettier-ignore
    t.equal(frameOf(packed(compressed, name), content.length), 'too-large', 'a frame has its kind too')
    t.not(frameOf(packed(compressed, name), content.length + 1), 'too-large')
  }
  t.equal(frameOf(bytes('12345'), 5), 'too-large')
  t.same(frameOf(bytes('1234'), 5), [Kind.json, '1234'])
})
