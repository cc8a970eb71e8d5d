import t from 'tap'
import { cleanText, decodeClose, encodeClose, readCloseReason } from '../../lib/wire/close-code.ts'
import { framePayload, Kind } from '../../lib/wire/frame.ts'

const CLOSED = { code: 'closed', text: '', by: 'peer' }

t.test('a close frame that is in order is read as it is', async (t) => {
  t.strictSame(readCloseReason({ code: 'slow-peer', text: 'too slow' }), {
    code: 'slow-peer',
    text: 'too slow',
    by: 'peer',
  })
  t.strictSame(readCloseReason({ code: 'goodbye' }), { code: 'goodbye', text: '', by: 'peer' })
})

t.test('a code of a later version is kept, its text being harmless', async (t) => {
  t.equal(readCloseReason({ code: 'some-news' }).code, 'some-news')
})

t.test('who ended it and all other names are not taken from the peer', async (t) => {
  const value = JSON.parse('{"code":"goodbye","by":"us","__proto__":{"text":"x"},"more":1}') as unknown
  t.strictSame(readCloseReason(value), { code: 'goodbye', text: '', by: 'peer' })
})

t.test('whatever JSON stands in a close frame, something harmless comes of it', async (t) => {
  const values: unknown[] = [
    undefined,
    null,
    true,
    false,
    0,
    -1,
    1e308,
    '',
    'goodbye',
    [],
    ['goodbye'],
    {},
    [[]],
  ]
  for (const value of values) t.strictSame(readCloseReason(value), CLOSED, JSON.stringify(value))
  for (const value of [...values, { code: 'goodbye' }]) {
    if (value === 'goodbye') continue
    t.strictSame(readCloseReason({ code: value }), CLOSED, `code ${JSON.stringify(value)}`)
    t.strictSame(readCloseReason({ text: value }), CLOSED, `text ${JSON.stringify(value)}`)
  }
})

t.test('a code is a short name in lower case, or no code at all', async (t) => {
  const odd = [
    'Goodbye',
    'good bye',
    '-goodbye',
    'good_bye',
    'goodbye\n',
    '\u001b[31m',
    'g'.repeat(33),
    'ｇood',
  ]
  for (const code of odd) t.strictSame(readCloseReason({ code }), CLOSED, JSON.stringify(code))
  t.equal(readCloseReason({ code: 'g'.repeat(32) }).code, 'g'.repeat(32))
})

/** Characters that move a cursor, start a line, turn the direction of writing, or cannot be seen. */
const FORGERS: Record<string, string[]> = {
  'C0 control characters': Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)),
  'delete and C1 control characters': Array.from({ length: 33 }, (_, code) =>
    String.fromCharCode(0x7f + code),
  ),
  'line and paragraph separators': ['\u2028', '\u2029', '\u0085'],
  'direction of writing': Array.from(
    '\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069',
  ),
  'zero width': Array.from('\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad\u180e'),
  'interlinear annotation': Array.from('\ufff9\ufffa\ufffb'),
  'invisible tags': ['\u{e0001}', '\u{e0041}', '\u{e007f}'],
  'lone surrogates': ['\ud800', '\udbff', '\udc00', '\udfff'],
}

for (const [name, characters] of Object.entries(FORGERS)) {
  t.test(`${name} are shown as a replacement character`, async (t) => {
    for (const character of characters) {
      const { text } = readCloseReason({ code: 'goodbye', text: `a${character}b` })
      t.equal(text, 'a\ufffdb', character.codePointAt(0)!.toString(16))
    }
  })
}

t.test('a text cannot forge a line of a log, nor colour a terminal', async (t) => {
  const text = cleanText('bye\r\n2026-01-01 [info] all is well\u001b[2K\u001b]0;title\u0007\u009b1A')
  t.equal(text, 'bye\ufffd\ufffd2026-01-01 [info] all is well\ufffd[2K\ufffd]0;title\ufffd\ufffd1A')
})

t.test('letters of all scripts and whole emoji stay', async (t) => {
  for (const text of ['Grüße, ὀμφαλός, 你好, مرحبا', '😀 🇳🇱', 'tab-less  spaces'])
    t.equal(cleanText(text), text)
})

t.test('a text is cut, also in the middle of a pair of surrogates', async (t) => {
  t.equal(cleanText('x'.repeat(129)), 'x'.repeat(128))
  t.equal(cleanText(`${'x'.repeat(127)}😀`), `${'x'.repeat(127)}\ufffd`)
  t.equal(cleanText('\0'.repeat(1_000_000)).length, 128)
})

t.test('what is no text is an empty one', async (t) => {
  for (const value of [undefined, null, 1, {}, [], ['x'], { toString: () => 'x' }])
    t.equal(cleanText(value), '')
})

t.test('a code may have digits', async (t) => {
  t.match(readCloseReason({ code: 'bad-utf8', text: '' }), { code: 'bad-utf8', by: 'peer' })
})

t.test('a close frame says what was written into it', async (t) => {
  const frame = encodeClose('slow-peer', 'zu "langsam" 😀')
  t.equal(frame[4], Kind.close)
  t.equal(Buffer.from(framePayload(frame)).toString(), '{"code":"slow-peer","text":"zu \\"langsam\\" 😀"}')
  t.strictSame(decodeClose(framePayload(frame)), { code: 'slow-peer', text: 'zu "langsam" 😀', by: 'peer' })
})

t.test('a close frame of any bytes is the end, and nothing worse', async (t) => {
  const texts = ['', '{', 'null', '{}{}', '['.repeat(4_000), `${'['.repeat(33)}${']'.repeat(33)}`]
  const odd = [...texts.map((text) => Buffer.from(text)), Buffer.from([0xff]), Buffer.alloc(1_000)]
  for (const payload of odd) t.strictSame(decodeClose(payload), CLOSED)
})
