import t from 'tap'
import { unpackBzip2 } from '../../lib/unpack/bzip2.ts'
import { Random } from '../../lib/testing/random.ts'
import { PACKED, unfit } from '../fixtures/packed.ts'

t.test('what Python has compressed is expanded', async (t) => {
  for (const { content, bzip2 } of PACKED) {
    t.same(Buffer.from(unpackBzip2(bzip2, content.length)), content)
    if (content.length > 0) {
      t.equal(
        unfit(() => unpackBzip2(bzip2, content.length - 1)),
        'too-large',
        'and not beyond its bound',
      )
    }
  }
})

t.test('streams in a row are one content', async (t) => {
  const [, , { content, bzip2 }] = PACKED as [unknown, unknown, (typeof PACKED)[number]]
  const twice = Buffer.concat([bzip2, bzip2])
  t.same(Buffer.from(unpackBzip2(twice, 10_000)), Buffer.concat([content, content]))
})

t.test('what is cut, changed or invented is refused, and throws nothing else', async (t) => {
  const random = new Random(3)
  for (const { bzip2 } of PACKED) {
    for (let length = 0; length < bzip2.length; length++)
      t.equal(
        unfit(() => unpackBzip2(bzip2.subarray(0, length), 10_000)),
        'corrupt',
        `cut at ${length}`,
      )
    for (let trial = 0; trial < 300; trial++) {
      const bad = Uint8Array.from(bzip2)
      bad[random.below(bad.length)]! ^= 1 << random.below(8)
      t.match(
        unfit(() => unpackBzip2(bad, 10_000)),
        /^(corrupt|too-large|same)$/,
      )
    }
  }
  for (let trial = 0; trial < 300; trial++) {
    const head = Buffer.from('BZh9\x31\x41\x59\x26\x53\x59', 'latin1')
    const bad = Buffer.concat([head, random.bytes(random.below(200))])
    t.match(
      unfit(() => unpackBzip2(bad, 10_000)),
      /^(corrupt|too-large)$/,
    )
  }
})
