import { MAX_FOREIGN_ID_BYTES } from '../limits/python-limits.ts'
import { isPort } from '../wire/address.ts'
import { joinBytes } from '../wire/bytes.ts'
import { decodeForeignId } from './p2pnetwork-id.ts'

/** Who a p2pnetwork node says that it is. */
export interface Introduction {
  readonly id: string
  /** Where it accepts connections, if it says so. */
  readonly port: number | undefined
  /** What came behind it: the first messages. */
  readonly rest: Uint8Array
}

/** The introduction; or that more is needed, time or bytes; or that it is none. */
export type GreetingResult = Introduction | 'more' | 'bad'

/** Ends a message. It is in no ID. */
const END = 0x04
const COLON = 0x3a
const NOTHING = new Uint8Array(0)
/** The IDs that are made where an application chooses none: p2pnetwork's, and ours. */
const MADE = [128, 64]
/** Bytes of an ID with its port. */
const MAX_BYTES = MAX_FOREIGN_ID_BYTES + ':65535'.length

/**
 * Reads the first thing that a p2pnetwork node says: `id:port`, or `id` alone. Nothing marks its end, and the original
 * takes what its first read brings. Here it may come in pieces, and with messages behind it: IDs that nobody chose are
 * known by their length, any other ends where the sender paused.
 */
export class Greeting {
  readonly #pattern: RegExp | undefined
  readonly #hasPort: boolean
  #held: Uint8Array = NOTHING

  /**
   * @param hasPort Whether a port belongs to it: that of whoever has connected.
   * @param pattern What IDs look like in this network, where the application knows.
   */
  constructor(hasPort: boolean, pattern?: RegExp) {
    this.#hasPort = hasPort
    // Sticky: it must match where the ID begins.
    this.#pattern = pattern === undefined ? undefined : new RegExp(pattern.source, stickyFlags(pattern))
  }

  /** Takes the bytes of one read. */
  push(bytes: Uint8Array): GreetingResult {
    const before = this.#held
    const held = joinBytes([before, bytes])
    this.#held = held
    const length = this.#idLength(held)
    if (length === 'more') return 'more'
    if (length > 0) return this.#portAfter(held, length)
    const known = this.#hasPort ? /^[^:]+:\d{5}/.exec(latin1(headOf(held))) : null
    // No port has more digits, so this is all of it.
    if (known !== null) return introduce(held.subarray(0, known[0].length), held.subarray(known[0].length))
    if (!bytes.includes(END)) return held.length > MAX_BYTES ? 'bad' : 'more'
    // A message: what came before this read was the ID. If nothing did, only a port can tell where it ended.
    if (before.length > 0) return introduce(before, bytes)
    const port = this.#hasPort ? /^[^:]+:\d{1,5}/.exec(latin1(headOf(held))) : null
    return port === null ? 'bad' : introduce(held.subarray(0, port[0].length), held.subarray(port[0].length))
  }

  /** The sender has paused: what came is all of it. */
  settle(): GreetingResult {
    return introduce(this.#held, NOTHING)
  }

  /** How many bytes the ID has, where its form tells; 0 where it does not. */
  #idLength(held: Uint8Array): number | 'more' {
    const head = held.subarray(0, MAX_BYTES)
    if (this.#pattern !== undefined) {
      this.#pattern.lastIndex = 0
      const match = this.#pattern.exec(latin1(head))
      // The next piece may make it longer.
      if (match === null) return 0
      return match[0].length === held.length ? 'more' : match[0].length
    }
    const digits = /^[0-9a-f]*/.exec(latin1(head))![0].length
    const [longest, shorter] = MADE as [number, number]
    if (digits >= longest) return longest
    // The rest of the longer one may be on its way.
    if (digits === held.length) return digits === 0 ? 0 : 'more'
    const isOther = digits < shorter || (digits > shorter && held[digits] === COLON)
    return isOther ? 0 : shorter
  }

  /** The ID is known; whether a port follows may not be. */
  #portAfter(held: Uint8Array, length: number): GreetingResult {
    if (held.length === length) return 'more'
    const [text] = /^:?\d{0,5}/.exec(latin1(held.subarray(length, length + ':65535'.length)))!
    if (!text.startsWith(':')) return introduce(held.subarray(0, length), held.subarray(length))
    const end = length + text.length
    // More digits of the port may follow.
    if (end === held.length && text.length < ':65535'.length) return 'more'
    // A colon without a port is the beginning of a message.
    if (text === ':') return introduce(held.subarray(0, length), held.subarray(length))
    return introduce(held.subarray(0, end), held.subarray(end))
  }
}

function introduce(bytes: Uint8Array, rest: Uint8Array): Introduction | 'bad' {
  const text = decodeForeignId(bytes.subarray(0, MAX_BYTES + 1)) ?? ''
  const [, name = text, digits] = /^(.*):(\d{1,5})$/su.exec(text) ?? []
  if (name === '' || bytes.length > MAX_BYTES) return 'bad'
  const port = Number(digits)
  return { id: name, port: isPort(port) ? port : undefined, rest }
}

/** Where an ID may be: before the end of the first message. */
function headOf(bytes: Uint8Array): Uint8Array {
  const end = bytes.subarray(0, MAX_BYTES).indexOf(END)
  return bytes.subarray(0, end < 0 ? MAX_BYTES : end)
}

/** One character for each byte, so that offsets are the same. */
function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}

function stickyFlags({ flags, sticky }: RegExp): string {
  return sticky ? flags : `${flags}y`
}
