import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { Random } from '../../lib/testing/random.ts'
import { encodeFrame, type Frame, FrameDecoder, framePayload, Kind } from '../../lib/wire/frame.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytes = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))

/** Feeds pieces to a new decoder: the frames as text, and the fault if there was one. */
function decode(pieces: Uint8Array[], maxBytes = 1_024) {
  const decoder = new FrameDecoder(maxBytes)
  const frames: string[] = []
  let fault: string | undefined
  for (const piece of pieces) {
    fault ??= decoder.push(piece, ({ kind, payload }) => frames.push(`${kind}:${hex(payload)}`))
  }
  return { frames, fault, decoder }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes that this process holds on to. */
function heldBytes(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const STREAM = bytes('00000001 03' + '00000004 10 616263' + '00000001 05' + '00000009 06 0102030405060708')
const FRAMES = ['3:', '16:616263', '5:', '6:0102030405060708']

t.test('a frame is 4 bytes of length, big-endian, 1 byte of kind, and the payload', async (t) => {
  t.equal(hex(encodeFrame(Kind.welcome, new Uint8Array(0))), '0000000103')
  t.equal(hex(encodeFrame(Kind.text, bytes('616263'))), '0000000410616263')
  t.equal(hex(encodeFrame(Kind.bytes, new Uint8Array(0x01_0203)).subarray(0, 5)), '0001020412')
  t.equal(hex(framePayload(encodeFrame(Kind.text, bytes('616263')))), '616263')
})

t.test('a payload may come in two parts', async (t) => {
  t.equal(hex(encodeFrame(Kind.bytes, bytes('01'), bytes('0203'))), '0000000412010203')
})

t.test('the payload of an encoded frame is a copy', async (t) => {
  const payload = bytes('0102')
  const frame = encodeFrame(Kind.bytes, payload)
  payload[0] = 9
  t.equal(hex(frame), '00000003120102')
})

t.test('frames that come together are taken apart', async (t) => {
  t.match(decode([STREAM]), { frames: FRAMES, fault: undefined })
})

t.test('frames that come byte by byte are put together', async (t) => {
  t.match(decode(Array.from(STREAM, (byte) => Uint8Array.of(byte))), { frames: FRAMES, fault: undefined })
})

t.test('frames that are split at any two positions are put together', async (t) => {
  for (let first = 0; first <= STREAM.length; first++) {
    for (let second = first; second <= STREAM.length; second++) {
      const pieces = [STREAM.slice(0, first), STREAM.slice(first, second), STREAM.slice(second)]
      const { frames, decoder } = decode(pieces)
      t.strictSame(frames, FRAMES, `${first}, ${second}`)
      t.equal(decoder.isPartial, false)
    }
  }
})

t.test('frames of all sizes in pieces of all sizes are put together', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Random(seed)
    const sent = Array.from({ length: 30 }, () =>
      encodeFrame(random.below(256), random.bytes(random.below(12_000))),
    )
    const stream = Buffer.concat(sent)
    const decoder = new FrameDecoder(20_000)
    const came: Uint8Array[] = []
    for (let at = 0; at < stream.length;) {
      const end = at + 1 + random.below(random.below(3) === 0 ? 9_000 : 60)
      decoder.push(stream.subarray(at, end), ({ kind, payload }) => came.push(encodeFrame(kind, payload)))
      at = end
    }
    t.ok(Buffer.concat(came).equals(stream), `seed ${seed}`)
    t.equal(decoder.isPartial, false)
  }
})

t.test(
  'a frame that came in pieces stands in bytes of its own, and one that came whole does not',
  async (t) => {
    const frame = encodeFrame(Kind.bytes, bytes('0102030405'))
    const found: (Uint8Array | undefined)[] = []
    const decoder = new FrameDecoder(1_024)
    // The first piece and the third hold the length alone, the second an end and a beginning.
    const stream = Buffer.concat([frame, frame, frame])
    for (const piece of [stream.subarray(0, 4), stream.subarray(4, 17), stream.subarray(17)]) {
      decoder.push(piece, ({ payload, own }) => {
        t.equal(hex(payload), '0102030405')
        found.push(own)
      })
    }
    t.strictSame(found, [frame, frame, undefined])
    for (const own of [found[0]!, found[1]!]) t.equal(own.buffer.byteLength, frame.length)
  },
)

t.test('frames come with what the decoder was given for them', async (t) => {
  const decoder = new FrameDecoder(1_024)
  const came: string[] = []
  const onFrame = ({ kind }: Frame, owner: string): unknown => came.push(`${owner} ${kind}`)
  decoder.push(STREAM.subarray(0, 7), onFrame, 'one')
  decoder.push(STREAM.subarray(7), onFrame, 'other')
  t.strictSame(came, ['one 3', 'other 16', 'other 5', 'other 6'])
})

t.test('a frame that began and is not complete is partial', async (t) => {
  const decoder = new FrameDecoder(1_024)
  t.equal(decoder.isPartial, false)
  decoder.push(bytes('00'), () => {})
  t.equal(decoder.isPartial, true)
  decoder.push(bytes('000002 03'), () => {})
  t.equal(decoder.isPartial, true)
  decoder.push(bytes('ff'), () => {})
  t.equal(decoder.isPartial, false)
  decoder.push(bytes('00000001 03 00'), () => {})
  t.equal(decoder.isPartial, true)
})

t.test('an empty chunk changes nothing', async (t) => {
  t.strictSame(decode([bytes(''), STREAM.slice(0, 7), bytes(''), STREAM.slice(7), bytes('')]).frames, FRAMES)
})

t.test('a frame without a kind is a fault, and what came before it is handed over', async (t) => {
  t.match(decode([bytes('00000000')]), { frames: [], fault: 'frame-empty' })
  t.match(decode([bytes('00000001 03 00000000 00000001 03')]), { frames: ['3:'], fault: 'frame-empty' })
  t.match(decode(['00', '00', '00', '00'].map(bytes)), { frames: [], fault: 'frame-empty' })
})

t.test('a frame is as large as the limit, and no larger', async (t) => {
  const most = encodeFrame(Kind.bytes, new Uint8Array(1_023))
  t.match(decode([most]), { frames: [`18:${'00'.repeat(1_023)}`], fault: undefined })
  t.match(decode([bytes('00000401')]), { frames: [], fault: 'frame-too-large' })
  t.match(decode([bytes('000004'), bytes('01')]), { frames: [], fault: 'frame-too-large' })
})

t.test('the length is judged before anything of the frame has come', async (t) => {
  for (const length of ['7fffffff', '80000000', '80000001', 'ffffffff', '01000000']) {
    t.match(decode([bytes(length)]), { frames: [], fault: 'frame-too-large' }, length)
    t.match(
      decode([...bytes(length)].map((byte) => Uint8Array.of(byte))),
      { fault: 'frame-too-large' },
      length,
    )
  }
})

t.test('a limit that a frame raises holds for the next one in the same chunk', async (t) => {
  const decoder = new FrameDecoder(4)
  const chunk = Buffer.concat([
    encodeFrame(Kind.welcome, bytes('')),
    encodeFrame(Kind.text, new Uint8Array(90)),
  ])
  const kinds: number[] = []
  const onFrame = ({ kind }: Frame): void => {
    kinds.push(kind)
    if (kind === Kind.welcome) decoder.maxBytes = 91
  }
  t.equal(decoder.push(chunk, onFrame), undefined)
  t.strictSame(kinds, [Kind.welcome, Kind.text])
  t.equal(decoder.push(bytes('0000005c'), onFrame), 'frame-too-large')
})

t.test('a limit that is raised between two chunks holds for a frame whose length has not come', async (t) => {
  const decoder = new FrameDecoder(4)
  t.equal(
    decoder.push(bytes('000000'), () => {}),
    undefined,
  )
  decoder.maxBytes = 10
  let size = 0
  t.equal(
    decoder.push(bytes('0a 01 020304050607080910'), ({ payload }) => (size = payload.length)),
    undefined,
  )
  t.equal(size, 9)
})

t.test('a short tail does not hold the chunk it came in', async (t) => {
  const decoder = new FrameDecoder(1_024)
  const chunk = bytes('00000001 03 0000')
  decoder.push(chunk, () => {})
  // Whoever reuses the buffer must not reach what is kept.
  chunk.fill(0xff)
  let frame: Frame | undefined
  decoder.push(bytes('0002 05 07'), (came) => (frame = came))
  t.match(frame, { kind: 5 })
  t.equal(hex(frame!.payload), '07')
})

t.test('a frame of a mebibyte that comes byte by byte takes little time and memory', async (t) => {
  const size = 2 ** 20
  const frame = encodeFrame(Kind.bytes, new Random(1).bytes(size - 1))
  const decoder = new FrameDecoder(size)
  let came: Frame | undefined
  const onFrame = (whole: Frame): void => {
    came = whole
  }
  const before = heldBytes()
  for (let at = 0; at < frame.length - 1; at++) decoder.push(frame.slice(at, at + 1), onFrame)
  const held = heldBytes() - before
  t.equal(came, undefined)
  t.equal(decoder.push(frame.slice(-1), onFrame), undefined)
  t.ok(Buffer.from(came!.payload).equals(framePayload(frame)))
  // Every byte in an array of its own is a hundred times that.
  t.ok(held < 4 * size, `${held} bytes held`)
})
