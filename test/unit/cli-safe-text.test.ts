import t from 'tap'
import { jsonLine, MAX_SHOWN, safeText } from '../../lib/cli/safe-text.ts'

const HOSTILE: [name: string, text: string, shown: string][] = [
  ['line feed', 'a\nb', 'a\\nb'],
  ['carriage return', 'a\rb', 'a\\rb'],
  ['tab', 'a\tb', 'a\\tb'],
  ['escape', '\u001b[31m', '\\e[31m'],
  ['bell', '\u0007', '\\u{7}'],
  ['backspace', '\u0008', '\\u{8}'],
  ['NUL', '\u0000', '\\u{0}'],
  ['delete', '\u007f', '\\u{7f}'],
  ['CSI of 8 bits', '\u009b2J', '\\u{9b}2J'],
  ['next line', '\u0085', '\\u{85}'],
  ['line separator', '\u2028', '\\u{2028}'],
  ['paragraph separator', '\u2029', '\\u{2029}'],
  ['right to left override', '\u202e', '\\u{202e}'],
  ['isolate', '\u2066', '\\u{2066}'],
  ['Arabic letter mark', '\u061c', '\\u{61c}'],
  ['zero width space', '\u200b', '\\u{200b}'],
  ['byte order mark', '\ufeff', '\\u{feff}'],
  ['soft hyphen', '\u00ad', '\\u{ad}'],
  ['tag character', '\u{e0041}', '\\u{e0041}'],
  ['lone surrogate', '\ud800', '\\u{d800}'],
]

for (const [name, text, shown] of HOSTILE) {
  t.test(`${name} is shown, and does nothing`, (t) => {
    t.equal(safeText(text), shown)
    const line = jsonLine({ [text]: [text] })
    t.match(line, /^[ -~]+$/)
    t.strictSame(JSON.parse(line), { [text]: [text] }, 'JSON keeps it')
    t.end()
  })
}

t.test('what people write stays as it is', (t) => {
  for (const text of ['Grüße, 世界', 'naïve 🙂', 'שלום', 'हिन्दी', 'x\u0301', '"\\n" \\ {}']) {
    t.equal(safeText(text), text)
    t.strictSame(JSON.parse(jsonLine(text)), text)
  }
  t.end()
})

t.test('marks do not pile up over other lines', (t) => {
  t.equal(safeText(`z${'\u0301'.repeat(100)}!`), `z${'\u0301'.repeat(4)}!`)
  t.end()
})

t.test('a long text is cut, and says so', (t) => {
  t.equal(safeText('x'.repeat(MAX_SHOWN)).length, MAX_SHOWN)
  t.equal(safeText('x'.repeat(MAX_SHOWN + 5)), `${'x'.repeat(MAX_SHOWN)}… (5 more)`)
  t.equal(safeText('abc', 2), 'ab… (1 more)')
  t.equal(safeText('a🙂', 2), 'a\\u{d83d}… (1 more)', 'also in the middle of a character')
  t.end()
})
