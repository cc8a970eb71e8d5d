import t from 'tap'
import { isHex32, isHex64 } from '../../lib/wire/ids.ts'

const GOOD = '0123456789abcdef'

const BAD: [name: string, value: unknown][] = [
  ['one digit less', GOOD.repeat(8).slice(1)],
  ['one digit more', `${GOOD.repeat(8)}0`],
  ['nothing', ''],
  ['undefined', undefined],
  ['null', null],
  ['a number', 64],
  ['an array of it', [GOOD.repeat(4)]],
  ['an object whose text it is', { toString: () => GOOD.repeat(4) }],
  ['a String object', new String(GOOD.repeat(4))],
]

t.test('32 and 64 bytes in lower-case hexadecimal', async (t) => {
  t.equal(isHex32(GOOD.repeat(4)), true)
  t.equal(isHex64(GOOD.repeat(8)), true)
  t.equal(isHex32(GOOD.repeat(8)), false)
  t.equal(isHex64(GOOD.repeat(4)), false)
})

t.test('whatever else it is, it is refused', async (t) => {
  for (const [name, value] of BAD) {
    t.equal(isHex32(value), false, name)
    t.equal(isHex64(value), false, name)
  }
})

t.test('one spelling exists: no capitals, white space, signs or other digits, at any place', async (t) => {
  for (const odd of ['A', 'F', 'g', ' ', '\n', '-', '0x', '\0', '\u0660', '\uff10', 'é']) {
    for (const [length, isHex] of [
      [64, isHex32],
      [128, isHex64],
    ] as const) {
      const plain = GOOD.repeat(length / 16)
      for (const at of [0, length / 2, length - odd.length]) {
        t.equal(
          isHex(plain.slice(0, at) + odd + plain.slice(at + odd.length)),
          false,
          `${JSON.stringify(odd)} at ${at}`,
        )
      }
      t.equal(isHex(`${plain}${odd}`), false)
      t.equal(isHex(`${odd}${plain}`), false)
      t.equal(isHex(`${plain}\n`), false, 'a line break at the end does not slip through "$"')
    }
  }
})
