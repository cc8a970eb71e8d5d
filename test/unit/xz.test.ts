import t from 'tap'
import { unpackXz } from '../../lib/unpack/xz.ts'
import { Random } from '../../lib/testing/random.ts'
import { PACKED, unfit } from '../fixtures/packed.ts'

t.test('what Python has compressed is expanded', async (t) => {
  for (const { content, xz } of PACKED) {
    t.same(Buffer.from(unpackXz(xz, content.length)), content)
    if (content.length > 0) {
      t.equal(
        unfit(() => unpackXz(xz, content.length - 1)),
        'too-large',
        'and not beyond its bound',
      )
    }
  }
})

t.test('what is cut, changed or invented is refused, and throws nothing else', async (t) => {
  const random = new Random(3)
  for (const { xz } of PACKED) {
    for (let length = 0; length < xz.length; length++)
      t.equal(
        unfit(() => unpackXz(xz.subarray(0, length), 10_000)),
        'corrupt',
        `cut at ${length}`,
      )
    for (let at = 0; at < xz.length; at++) {
      const bad = Uint8Array.from(xz)
      bad[at]! ^= 1 << random.below(8)
      t.match(
        unfit(() => unpackXz(bad, 10_000)),
        /^(corrupt|too-large)$/,
        `changed at ${at}`,
      )
    }
    t.equal(
      unfit(() => unpackXz(Buffer.concat([xz, Buffer.alloc(4)]), 10_000)),
      'corrupt',
      'something behind it',
    )
  }
})
