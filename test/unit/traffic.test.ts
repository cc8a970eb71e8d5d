import t from 'tap'
import { Traffic } from '../../lib/testing/traffic.ts'
import { joinBytes } from '../../lib/wire/bytes.ts'
import { encodeFrame, Kind } from '../../lib/wire/frame.ts'

const frame = (kind: number, length = 3) => encodeFrame(kind, new Uint8Array(length))

t.test('counts the frames of a chunk by their kind', async (t) => {
  const traffic = new Traffic()
  traffic.onSend(joinBytes([frame(Kind.message, 300), frame(Kind.ping), frame(Kind.message), frame(0x7f, 0)]))
  traffic.onSend(frame(Kind.ping))
  t.same(traffic.frames, { message: 2, ping: 2, 127: 1 })
})

t.test('upkeep is no work, whatever else is', async (t) => {
  const traffic = new Traffic()
  for (const kind of [Kind.ping, Kind.pong, Kind.record, Kind.getPeers, Kind.peers, Kind.enough]) {
    traffic.onSend(frame(kind))
  }
  t.equal(traffic.work, 0)
  for (const kind of [Kind.hello, Kind.message, Kind.question, Kind.answer, Kind.json, 0x7f]) {
    traffic.onSend(frame(kind))
  }
  t.equal(traffic.work, 6)
})

t.test('bytes that are no frames do no harm', async (t) => {
  const traffic = new Traffic()
  traffic.onSend(new Uint8Array(0))
  traffic.onSend(new Uint8Array(100))
  traffic.onSend(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x20))
  t.ok(traffic.work > 0)
})
