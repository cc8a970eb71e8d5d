import t from 'tap'
import { pad, unpad } from '../../lib/seal/padding.ts'
import { padded } from '../fixtures/hand-sealed.ts'

const bytes = (...list: number[]): Uint8Array => Uint8Array.from(list)

t.test('0x80 and zeros fill the next step, at least by one byte', async (t) => {
  t.strictSame(pad(bytes(), 4), bytes(0x80, 0, 0, 0))
  t.strictSame(pad(bytes(1), 4), bytes(1, 0x80, 0, 0))
  t.strictSame(pad(bytes(1, 2, 3), 4), bytes(1, 2, 3, 0x80))
  t.strictSame(pad(bytes(1, 2, 3, 4), 4), bytes(1, 2, 3, 4, 0x80, 0, 0, 0))
})

t.test('what was padded comes back, whatever its end looks like', async (t) => {
  for (const end of [[], [0], [0, 0], [0x80], [0x80, 0], [0x80, 0, 0x80], [0xff]]) {
    for (let length = 0; length < 20; length++) {
      const content = bytes(...new Uint8Array(length).fill(7), ...end)
      t.strictSame(pad(content, 8), padded(content, 8))
      t.strictSame(unpad(pad(content, 8), 8), content)
    }
  }
})

t.test('there is one padding for each content: all else is refused', async (t) => {
  const wrong = {
    nothing: bytes(),
    'no whole step': bytes(1, 0x80, 0),
    'no mark': bytes(1, 2, 3, 4),
    'zeros alone': bytes(0, 0, 0, 0),
    'another mark': bytes(1, 0x81, 0, 0),
    'a step too much': bytes(1, 0x80, 0, 0, 0, 0, 0, 0),
    'a step of zeros behind a full one': bytes(1, 2, 3, 0x80, 0, 0, 0, 0),
  }
  for (const [name, padding] of Object.entries(wrong)) t.equal(unpad(padding, 4), undefined, name)
})
