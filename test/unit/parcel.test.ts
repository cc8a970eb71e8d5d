import t from 'tap'
import { decodeParcel, encodeParcel } from '../../lib/message/parcel.ts'
import { bytesOf } from '../fixtures/documents.ts'

t.test('a document and its attachment come out as they went in', async (t) => {
  const document = bytesOf('{"body":1}')
  for (const attachment of [new Uint8Array(0), Uint8Array.of(1, 2, 3), new Uint8Array(700_000).fill(7)]) {
    const payload = encodeParcel({ document, attachment })
    t.equal(payload.length, 4 + document.length + attachment.length)
    t.strictSame(decodeParcel(payload), { document, attachment })
  }
})

t.test('the length of the document stands in front, big-endian', async (t) => {
  const payload = encodeParcel({ document: bytesOf('ab'), attachment: Uint8Array.of(9) })
  t.strictSame([...payload], [0, 0, 0, 2, 0x61, 0x62, 9])
})

t.test('what is shorter than it says is none', async (t) => {
  for (const payload of [[], [0], [0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 3, 1, 2], [0xff, 0xff, 0xff, 0xff, 1]]) {
    t.equal(decodeParcel(Uint8Array.from(payload)), undefined, String(payload))
  }
  t.strictSame(decodeParcel(Uint8Array.of(0, 0, 0, 0)), {
    document: new Uint8Array(0),
    attachment: new Uint8Array(0),
  })
})

t.test('a view into a larger buffer is read at its own place', async (t) => {
  const payload = encodeParcel({ document: bytesOf('doc'), attachment: bytesOf('bytes') })
  const buffer = new Uint8Array(payload.length + 10)
  buffer.set(payload, 5)
  const parcel = decodeParcel(buffer.subarray(5, 5 + payload.length))!
  t.strictSame([...parcel.document], [...bytesOf('doc')])
  t.strictSame([...parcel.attachment], [...bytesOf('bytes')])
})
