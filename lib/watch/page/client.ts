import { BackOff } from './back-off.ts'
import { decodeGraph, decodeHappening } from './decode.ts'
import type { Happening, Mapped } from './happening.ts'
import { StreamParser } from './sse.ts'
import { count, shortId } from './words.ts'

/** Whom the client tells. */
export interface ClientOwner {
  onHappenings(happenings: readonly Happening[]): void
  /** What can be done here: known each time it has connected. */
  onConnected(status: { readonly nodes: readonly string[]; readonly canSend: boolean }): void
  /** It is lost. @param retryAt When it tries again, on the clock of `performance.now()`. */
  onLost(retryAt: number): void
  /** It will not get better by itself: the token is missing or wrong. */
  onRefused(): void
}

/** Another node may be watched later, or an old one gone: asked for at each connection. */
interface StatusAnswer {
  readonly send?: unknown
  readonly nodes?: unknown
}

/** A client of the status interface, over and over: what breaks off is begun again. */
export class Client {
  readonly #token: string
  readonly #owner: ClientOwner
  readonly #backOff = new BackOff()
  #lastId: string | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #attempt: AbortController | undefined

  constructor(token: string, owner: ClientOwner) {
    this.#token = token
    this.#owner = owner
  }

  /** Connects, now. */
  start(): void {
    clearTimeout(this.#retry)
    this.#attempt?.abort()
    this.#attempt = new AbortController()
    void this.#run(this.#attempt.signal)
  }

  /** Forgets how far it has read: the next connection begins with snapshots. */
  restart(): void {
    this.#lastId = undefined
    this.start()
  }

  stop(): void {
    clearTimeout(this.#retry)
    this.#attempt?.abort()
  }

  /** Asks the whole network who is there; undefined where it cannot be asked now. */
  async map(): Promise<Mapped['graph'] | undefined> {
    try {
      const response = await this.#fetch('graph')
      return response.ok ? decodeGraph(await response.json()) : undefined
    } catch {
      return undefined
    }
  }

  /** Lets a node sign and send a message. What became of it, for people. */
  async send(node: string, type: string, data: unknown): Promise<{ ok: boolean; text: string }> {
    try {
      const body = JSON.stringify({ node, type, data })
      const headers = { 'content-type': 'application/json' }
      const response = await this.#fetch('send', { method: 'POST', body, headers })
      const answer = (await response.json()) as { id?: unknown; peers?: unknown; text?: unknown }
      if (!response.ok)
        return {
          ok: false,
          text: typeof answer.text === 'string' ? answer.text : `refused with ${response.status}`,
        }
      const peers = count(Number(answer.peers), 'peer')
      return { ok: true, text: `Sent to ${peers} as ${shortId(String(answer.id))}.` }
    } catch {
      return { ok: false, text: 'The node cannot be reached.' }
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    try {
      const status = await this.#fetch('status', { signal })
      if (status.status === 401) return this.#owner.onRefused()
      if (!status.ok) throw new TypeError(`status ${status.status}`)
      this.#owner.onConnected(capabilities((await status.json()) as StatusAnswer))
      await this.#read(signal)
    } catch {
      // Whatever it was: the banner says that the connection is lost, and when it is tried again.
    }
    if (signal.aborted) return
    const wait = this.#backOff.next()
    this.#owner.onLost(performance.now() + wait)
    this.#retry = setTimeout(() => this.start(), wait)
  }

  async #read(signal: AbortSignal): Promise<void> {
    const resume: Record<string, string> = this.#lastId === undefined ? {} : { 'last-event-id': this.#lastId }
    const response = await this.#fetch('events', {
      signal,
      headers: { accept: 'text/event-stream', ...resume },
    })
    if (!response.ok || response.body === null) throw new TypeError(`events ${response.status}`)
    const parser = new StreamParser()
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      const events = parser.feed(value)
      this.#lastId = events.at(-1)?.id ?? this.#lastId
      const happenings = events.flatMap(({ data }) => parse(data) ?? [])
      if (happenings.length === 0) continue
      this.#backOff.reset()
      this.#owner.onHappenings(happenings)
    }
  }

  #fetch(
    path: string,
    init: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const headers = { ...init.headers, authorization: `Bearer ${this.#token}` }
    return fetch(path, { ...init, headers, cache: 'no-store', credentials: 'omit' })
  }
}

function capabilities({ send, nodes }: StatusAnswer): { nodes: string[]; canSend: boolean } {
  const list = Array.isArray(nodes) ? (nodes as readonly { readonly node?: unknown }[]) : []
  const ids = list.map((status) => status.node).filter((id) => typeof id === 'string')
  return { nodes: ids, canSend: send === true }
}

function parse(text: string): Happening | undefined {
  try {
    return decodeHappening(JSON.parse(text))
  } catch {
    return undefined
  }
}
