import { Banner } from './banner.ts'
import type { Chronicle } from './chronicle.ts'
import { Client } from './client.ts'
import { byId, saveFile } from './dom.ts'
import type { Happening } from './happening.ts'
import { MAX_TRACE_BYTES } from './page-limits.ts'
import { clockTime } from './words.ts'
import { readTrace, writeTrace } from './trace.ts'

/** What the page does with what comes in. */
export interface SourceOwner {
  /** All that was known belongs to something else. */
  onReset(): void
  /** Messages may be sent, or may not. */
  onPermission(canSend: boolean): void
  /** A file was opened: it is played from its beginning. */
  onTrace(): void
}

/** The network is asked who is there when the page opens, and this often, in ms: every node answers. */
const ASK_EVERY = 60_000

/** Where happenings come from: the node, or a file. Says how that goes. */
export class Source {
  readonly #chronicle: Chronicle
  readonly #owner: SourceOwner
  readonly #client: Client
  readonly #banner = new Banner()
  readonly #pill = byId('connection', HTMLElement)
  #self: string | undefined
  #retryAt: number | undefined
  /** Whether it has connected, and nothing has come yet. */
  #isFresh = false
  /** The name of the file that is shown instead of the network. */
  #file: string | undefined
  #asked: ReturnType<typeof setTimeout> | undefined

  constructor(token: string, chronicle: Chronicle, owner: SourceOwner) {
    this.#chronicle = chronicle
    this.#owner = owner
    this.#client = new Client(token, {
      onHappenings: (happenings) => this.#onHappenings(happenings),
      onConnected: (status) => this.#onConnected(status),
      onLost: (retryAt) => this.#onLost(retryAt),
      onRefused: () => this.#onRefused(),
    })
    const input = byId('trace-file', HTMLInputElement)
    byId('open-trace', HTMLButtonElement).addEventListener('click', () => input.click())
    input.addEventListener('change', () => {
      const [file] = input.files ?? []
      if (file !== undefined) void this.#open(file)
      input.value = ''
    })
  }

  /** The node that the page is connected to: the first that is watched. */
  get self(): string | undefined {
    return this.#self
  }

  start(): void {
    this.#client.start()
  }

  send(node: string, type: string, data: unknown): Promise<{ ok: boolean; text: string }> {
    return this.#client.send(node, type, data)
  }

  saveTrace(): void {
    const text = writeTrace(this.#chronicle.origin, this.#chronicle.happenings())
    saveFile(`secure-node-trace-${stamp()}.json`, 'application/json', text)
  }

  /** Counts down, while the connection is lost. */
  refresh(): void {
    if (this.#retryAt === undefined || this.#file !== undefined) return
    const seconds = Math.max(0, Math.ceil((this.#retryAt - performance.now()) / 1_000))
    const { end } = this.#chronicle
    const since = end === 0 ? '' : ` You see how it was at ${clockTime(end)}.`
    // Not with every second: the line is read aloud when it changes.
    this.#banner.show('alert', `The connection is lost.${since}`, `Try now (${seconds} s)`, () =>
      this.#again(),
    )
  }

  #onHappenings(happenings: readonly Happening[]): void {
    if (this.#file !== undefined) return
    this.#chronicle.add(happenings)
    // Not before: what the network answers has its place in time by what the nodes have told.
    if (this.#isFresh) void this.#ask()
  }

  #onConnected({ nodes, canSend }: { nodes: readonly string[]; canSend: boolean }): void {
    this.#retryAt = undefined
    if (this.#file !== undefined) return
    this.#self = nodes[0]
    this.#banner.hide()
    this.#say('live', 'Live')
    this.#owner.onPermission(canSend)
    // Who has gone while nobody listened will not say so any more.
    const at = this.#chronicle.end
    const gone = [...this.#chronicle.latest.nodes.values()].filter(
      ({ id, isWatched }) => isWatched && !nodes.includes(id),
    )
    this.#chronicle.add(gone.map(({ id }) => ({ kind: 'gone', at, node: id })))
    this.#isFresh = true
  }

  /** Nodes that nobody watches are known from what the network answers. */
  async #ask(): Promise<void> {
    this.#isFresh = false
    clearTimeout(this.#asked)
    this.#asked = setTimeout(() => void this.#ask(), ASK_EVERY)
    if (document.hidden || this.#retryAt !== undefined || this.#file !== undefined) return
    const graph = await this.#client.map()
    if (graph === undefined || this.#self === undefined) return
    // By the clock of what came before: that of the nodes may differ from this one.
    const at = this.#chronicle.end
    this.#onHappenings([{ kind: 'graph', at, node: this.#self, graph }])
  }

  #onLost(retryAt: number): void {
    this.#retryAt = retryAt
    if (this.#file !== undefined) return
    this.#say('lost', 'Connection lost')
    this.#owner.onPermission(false)
    this.refresh()
  }

  #onRefused(): void {
    this.#say('lost', 'No access')
    this.#banner.show(
      'alert',
      'This page needs a token. Open the whole address that "secure-node watch" has printed, with what follows the #.',
    )
  }

  #again(anew = false): void {
    this.#retryAt = undefined
    this.#say('connecting', 'Connecting…')
    this.#banner.hide()
    if (anew) this.#client.restart()
    else this.#client.start()
  }

  async #open(file: File): Promise<void> {
    try {
      if (file.size > MAX_TRACE_BYTES) throw new RangeError('this file is too large for a trace')
      const { happenings, skipped } = readTrace(await file.text())
      this.#file = file.name
      this.#self = undefined
      this.#client.stop()
      this.#chronicle.clear()
      this.#owner.onReset()
      this.#owner.onPermission(false)
      this.#chronicle.add(happenings)
      this.#say('file', 'Recorded')
      const left = skipped === 0 ? '' : ` ${skipped} entries were no events and were left out.`
      this.#banner.show('info', `You see the trace ${file.name}.${left}`, 'Back to the network', () =>
        this.#close(),
      )
      this.#owner.onTrace()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#banner.show('alert', `${file.name} cannot be shown: ${reason}.`, 'Close', () =>
        this.#banner.hide(),
      )
    }
  }

  #close(): void {
    this.#file = undefined
    this.#chronicle.clear()
    this.#owner.onReset()
    this.#again(true)
  }

  #say(state: string, text: string): void {
    this.#pill.dataset['state'] = state
    this.#pill.textContent = text
  }
}

/** The time as a part of a file's name. */
export function stamp(): string {
  return new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-')
}
