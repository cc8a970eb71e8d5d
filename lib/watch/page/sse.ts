/** One event of a stream of server-sent events. */
export interface StreamEvent {
  readonly event: string
  readonly data: string
  readonly id: string | undefined
}

/** Longest event, in characters: a snapshot of a large network. More is no event of ours. */
const MAX_EVENT = 16 * 1024 * 1024

/**
 * Takes the text of a stream in any pieces and gives its events. Our own, because the browser's `EventSource` sends
 * no header, and a token in an address ends up in histories. (WHATWG HTML, 9.2.6.)
 */
export class StreamParser {
  #rest = ''
  #event = ''
  #id: string | undefined
  #data: string[] = []
  #length = 0

  /** The events that this piece completes. @throws RangeError if one is too long. */
  feed(text: string): StreamEvent[] {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop()!
    this.#bound(this.#rest.length)
    return lines.flatMap((line) => this.#line(line) ?? [])
  }

  #line(line: string): StreamEvent | undefined {
    if (line === '') return this.#dispatch()
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.#event = value
    else if (field === 'id') this.#id = value
    else if (field === 'data') {
      this.#length += value.length
      this.#bound(this.#length)
      this.#data.push(value)
    }
    // All else, comments among it, is to be ignored.
    return undefined
  }

  #dispatch(): StreamEvent | undefined {
    const event = this.#event === '' ? 'message' : this.#event
    const data = this.#data
    this.#event = ''
    this.#data = []
    this.#length = 0
    return data.length === 0 ? undefined : { event, data: data.join('\n'), id: this.#id }
  }

  #bound(length: number): void {
    if (length > MAX_EVENT) throw new RangeError('the stream sends an event without an end')
  }
}
