import { MAX_STREAM_MESSAGE, STREAM_OVERHEAD } from '../limits/dht-limits.ts'
import type { RawStream, SecretStream } from './hyperdht.ts'

/** Bytes of the length before each message of an encrypted stream: little-endian. */
const LENGTH_BYTES = 3

/** Reads along with an encrypted stream, for the lengths of its messages. */
export class LengthWatch {
  readonly #limit: number
  #length = 0
  #lengthBytes = 0
  /** Bytes of the message that are still to come. */
  #missing = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Whether these bytes announce no message that is too long. */
  allows(bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length;) {
      if (this.#lengthBytes < LENGTH_BYTES) {
        this.#length += bytes[at++]! * 256 ** this.#lengthBytes++
        if (this.#lengthBytes < LENGTH_BYTES) continue
        if (this.#length > this.#limit) return false
        this.#missing = this.#length
      }
      const taken = Math.min(this.#missing, bytes.length - at)
      this.#missing -= taken
      at += taken
      if (this.#missing === 0) this.#length = this.#lengthBytes = 0
    }
    return true
  }
}

/**
 * Puts a limit on the messages of an encrypted stream that was not opened yet. Left alone, it allocates whatever a
 * stranger's three bytes of length say, up to 16 MiB. So the listener that it puts on the raw stream is called only
 * for bytes that were read before: the test "a length of 16 MiB" shows that nothing is allocated for them.
 */
export function guardRaw(raw: RawStream): void {
  const watch = new LengthWatch(MAX_STREAM_MESSAGE + STREAM_OVERHEAD)
  // It would read past the guard.
  if (raw.listenerCount('data') > 0) {
    raw.destroy(new Error('the stream was open before it could be guarded'))
    return
  }
  const on = raw.on.bind(raw) as (event: string, listener: (bytes: Uint8Array) => void) => unknown
  let isOver = false
  raw.on = (event: string, listener: (bytes: never) => void): unknown => {
    if (event !== 'data') return on(event, listener as () => void)
    return on(event, (bytes) => {
      if (isOver) return
      isOver = !watch.allows(bytes)
      if (isOver) raw.destroy(new Error(`a message of more than ${MAX_STREAM_MESSAGE} bytes`))
      else listener(bytes as never)
    })
  }
}

/** The same for a stream that is being dialled, whose raw one comes later. */
export function guardDialled(stream: SecretStream): void {
  const start = stream.start.bind(stream)
  stream.start = (raw, options) => {
    guardRaw(raw)
    start(raw, options)
  }
}
