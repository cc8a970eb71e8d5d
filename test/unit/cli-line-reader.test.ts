import { PassThrough } from 'node:stream'
import t from 'tap'
import { LineReader } from '../../lib/cli/line-reader.ts'
import { Screen } from '../fixtures/screen.ts'

interface Typist {
  readonly input: PassThrough
  readonly screen: Screen
  readonly reader: LineReader
  readonly lines: string[]
  /** Types, and waits until it was taken. */
  readonly type: (text: string) => Promise<void>
  readonly ended: Promise<void>
}

/** Somebody at a terminal that is 20 columns wide. */
function sitDown(onInterrupt = () => {}): Typist {
  const input = new PassThrough()
  const screen = new Screen(20)
  const output = screen as unknown as NodeJS.WritableStream
  const reader = new LineReader({ input, output, isInteractive: true, onInterrupt })
  const lines: string[] = []
  const ended = (async () => {
    for await (const line of reader.lines()) lines.push(line)
  })()
  const type = async (text: string): Promise<void> => {
    // Key by key: what comes at once is taken for pasted text.
    for (const key of text) {
      input.write(key)
      // Lines are handed on in later turns of the event loop than keys.
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
    }
  }
  return { input, screen, reader, lines, type, ended }
}

t.test('what is printed stands above what is being typed', async (t) => {
  const { screen, reader, lines, type, ended } = sitDown()
  await type('hel')
  t.equal(screen.text, '> hel')
  reader.print(['one', 'two'])
  t.equal(screen.text, 'one\ntwo\n> hel')
  reader.print([])
  await type('lo\r')
  t.strictSame(lines, ['hello'])
  t.equal(screen.text, 'one\ntwo\n> hello\n>')
  reader.close()
  t.equal(screen.text, 'one\ntwo\n> hello', 'the last prompt is taken away')
  await ended
})

t.test('so it does when what is typed fills several rows', async (t) => {
  const { screen, reader, lines, type } = sitDown()
  await type('abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG')
  const typed = '> abcdefghijklmnopqr\nstuvwxyz0123456789AB\nCDEFG'
  t.equal(screen.text, typed)
  reader.print(['one'])
  t.equal(screen.text, `one\n${typed}`)
  reader.print(['two'])
  t.equal(screen.text, `one\ntwo\n${typed}`)
  // Ctrl-A: the cursor goes back to the first row.
  await type('\u0001')
  reader.print(['three'])
  t.equal(screen.text, `one\ntwo\nthree\n${typed}`)
  await type('!\u0005?')
  t.equal(screen.text, 'one\ntwo\nthree\n> !abcdefghijklmnopq\nrstuvwxyz0123456789A\nBCDEFG?')
  reader.print(['four'])
  await type('\r')
  t.strictSame(lines, ['!abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG?'])
  reader.close()
  t.equal(screen.text, 'one\ntwo\nthree\nfour\n> !abcdefghijklmnopq\nrstuvwxyz0123456789A\nBCDEFG?')
})

t.test('Ctrl-C is told, and Ctrl-D ends the lines', async (t) => {
  let interrupts = 0
  const { type, ended, lines } = sitDown(() => interrupts++)
  await type('\u0003')
  t.equal(interrupts, 1)
  await type('a\r\u0004')
  await ended
  t.strictSame(lines, ['a'])
})

t.test('a pipe has no prompt, and ends with its input', async (t) => {
  const input = new PassThrough()
  const screen = new Screen(20)
  const output = screen as unknown as NodeJS.WritableStream
  const reader = new LineReader({ input, output, isInteractive: false, onInterrupt: () => {} })
  input.end('one\r\ntwo\n\nthree')
  reader.print(['before'])
  const lines: string[] = []
  for await (const line of reader.lines()) {
    lines.push(line)
    reader.print([`got ${line}`])
  }
  t.strictSame(lines, ['one', 'two', '', 'three'])
  t.equal(screen.text, 'before\ngot one\ngot two\ngot\ngot three')
})

t.test('a reader that was closed has no lines', async (t) => {
  const { reader, input } = sitDown()
  reader.close()
  reader.close()
  reader.print(['still printed'])
  input.write('late\n')
  const never = new LineReader({ input, output: process.stdout, isInteractive: false, onInterrupt: () => {} })
  never.close()
  for await (const line of never.lines()) t.fail(line)
})
