import type { Clock, Timer } from '../ground/clock.ts'
import { aborted, fileNotShared, SecureNodeError } from '../errors.ts'
import {
  FILE_OFFER_BEAT,
  FILE_TIMEOUT,
  MAX_FILE_OFFERS,
  MAX_FILE_OFFERS_PER_NODE,
} from '../limits/direct-limits.ts'
import type { Json } from '../message/canonical.ts'
import { hasKeys, isCount, isObject } from '../message/json-shape.ts'
import type { Downloaded } from './download.ts'
import { type FilePort, type FileRequest, OFFER, type Refusal, sayWhy } from './file-port.ts'
import { isFileId, isFileSize } from './manifest.ts'
import { type OnProgress, ProgressReport } from './progress.ts'
import { safeFileName } from './safe-file-name.ts'
import type { SharedFile, Shelf, ShareOptions } from './shelf.ts'
import { partsOf, whenAborted } from './source-answers.ts'
import { UploadSlots } from './upload-slots.ts'

/** A file that another node wants this one to have. */
export interface FileOffer {
  /** Who offers it. */
  readonly from: string
  readonly id: string
  /** What the other node calls it, made safe by {@link safeFileName}: it may be put behind a folder of yours. */
  readonly name: string
  /** Bytes. A file of another size is not taken. */
  readonly size: number
}

/** Says where a file is to be put; undefined or false for nowhere. */
export type Taker = (
  offer: FileOffer,
) => string | URL | undefined | false | Promise<string | URL | undefined | false>

/** What else the taker of files wants to know. */
export interface ReceiveOptions {
  /** A file has been taken as a whole. */
  readonly onReceived?: (offer: FileOffer, downloaded: Downloaded) => void
  /** A file that was to be taken did not come. */
  readonly onFailed?: (offer: FileOffer, error: unknown) => void
  readonly onProgress?: (offer: FileOffer, progress: Parameters<OnProgress>[0]) => void
}

/** How a file is offered. */
export interface OfferOptions extends ShareOptions {
  /** How long the other node may say nothing, in ms. @default 30_000 */
  readonly timeout?: number
}

const NO_TAKER: Refusal = { code: 'no-handler', text: 'no files are taken here' }
const MALFORMED: Refusal = { code: 'invalid-content', text: 'this is no offer of a file' }
const OVERLOAD: Refusal = { code: 'overload', text: 'too many files are being taken' }
const DECLINED: Refusal = { code: 'declined', text: 'this file is not wanted' }

/** Takes one file from one node. */
export type Take = (
  offer: FileOffer,
  to: string | URL,
  signal: AbortSignal,
  onProgress: OnProgress,
) => Promise<Downloaded>

/** Gives files to a node that did not ask for them, and takes such files. */
export class Offers {
  readonly #port: FilePort
  readonly #clock: Clock
  readonly #shelf: Shelf
  readonly #take: Take
  // Nobody waits: it would be a list of strangers' wishes.
  readonly #slots = new UploadSlots({
    all: MAX_FILE_OFFERS,
    perAsker: MAX_FILE_OFFERS_PER_NODE,
    waiting: 0,
  })
  #taker: Taker | undefined
  #options: ReceiveOptions = {}

  constructor(port: FilePort, clock: Clock, shelf: Shelf, take: Take) {
    this.#port = port
    this.#clock = clock
    this.#shelf = shelf
    this.#take = take
  }

  /** Sets who decides about offers. */
  receive(taker: Taker | undefined, options: ReceiveOptions): void {
    this.#taker = taker
    this.#options = options
  }

  /** Offers a file, serves it, and resolves when the other node has it. */
  async offer(nodeId: string, source: string | URL | Uint8Array, options: OfferOptions): Promise<SharedFile> {
    const { signal, timeout = FILE_TIMEOUT, ...sharing } = options
    const file = await this.#find(nodeId, source, { ...sharing, ...(signal && { signal }) })
    const { id, name, size } = file
    const report = new ProgressReport(this.#clock, options.onProgress)
    const asking = {
      port: this.#port,
      clock: this.#clock,
      signal: signal ?? new AbortController().signal,
      timeout,
    }
    try {
      for await (const { data } of partsOf(nodeId, OFFER, { id, name, size }, asking)) {
        const bytes = isObject(data) && isCount(data['bytes']) ? Math.min(data['bytes'], size) : 0
        report.tell({ bytes, size, sources: 1 })
      }
      report.tell({ bytes: size, size, sources: 1 }, true)
      return file
    } catch (cause) {
      throw signal?.aborted === true ? aborted('the offer of a file', signal.reason) : cause
    } finally {
      this.#shelf.release(id, nodeId)
    }
  }

  /** A file that is shared, or a new one; that one can be had by this node alone, and while the offer lasts. */
  async #find(nodeId: string, source: string | URL | Uint8Array, options: ShareOptions): Promise<SharedFile> {
    if (!isFileId(source)) return this.#shelf.add(source, options, nodeId)
    const file = this.#shelf.shared.get(source)
    if (file === undefined) throw fileNotShared(source)
    this.#shelf.hold(source, nodeId)
    return file
  }

  /** Another node offers a file. Fails only where the application does. */
  async answer(incoming: FileRequest): Promise<void> {
    if (!incoming.isRequest) return
    const { from, signal } = incoming
    const slot = await this.#slots.enter(from, signal)
    if (slot === 'gone') return
    if (slot === 'refused') return sayWhy(incoming, OVERLOAD)
    const beat = new Beat(this.#clock, incoming)
    try {
      const refusal = await this.#consider(incoming, beat)
      beat.stop()
      if (refusal !== undefined) return await sayWhy(incoming, refusal)
      await incoming.end()
    } finally {
      beat.stop()
      slot()
    }
  }

  /** Takes the file, or says why not. */
  async #consider(incoming: FileRequest, beat: Beat): Promise<Refusal | undefined> {
    const taker = this.#taker
    if (taker === undefined) return NO_TAKER
    const offer = readOffer(incoming)
    if (offer === undefined) return MALFORMED
    const decision = taker(offer)
    // A person may have been asked, who looks for hours; the other node may not wait for so long.
    const gone = whenAborted(incoming.signal).catch(() => undefined)
    const to = await Promise.race([decision, gone])
    if (incoming.signal.aborted || to === undefined || to === false) return DECLINED
    return this.#download(incoming, offer, to, beat)
  }

  async #download(
    incoming: FileRequest,
    offer: FileOffer,
    to: string | URL,
    beat: Beat,
  ): Promise<Refusal | undefined> {
    const { onReceived, onFailed, onProgress } = this.#options
    let downloaded: Downloaded
    try {
      downloaded = await this.#take(offer, to, incoming.signal, (progress) => {
        beat.bytes = progress.bytes
        onProgress?.(offer, progress)
      })
    } catch (error) {
      onFailed?.(offer, error)
      // Not the text of the error: what folders there are here is nobody's business.
      const code = error instanceof SecureNodeError ? error.code : 'request-failed'
      return { code, text: 'the file could not be taken' }
    }
    onReceived?.(offer, downloaded)
    return undefined
  }
}

/** Tells again and again how far it is, so that the other node knows that somebody is there. */
class Beat {
  bytes = 0
  readonly #clock: Clock
  readonly #incoming: FileRequest
  #timer: Timer | undefined

  constructor(clock: Clock, incoming: FileRequest) {
    this.#clock = clock
    this.#incoming = incoming
    this.#set()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #set(): void {
    this.#timer = this.#clock.setTimer(() => void this.#tell(), FILE_OFFER_BEAT)
  }

  /** The next one is due only when this one has gone out. */
  async #tell(): Promise<void> {
    try {
      await this.#incoming.send({ bytes: this.bytes })
      if (this.#timer !== undefined) this.#set()
    } catch {
      // Then nobody waits for the next one either.
    }
  }
}

/** An offer: `{ id, name, size }`. */
function readOffer({ data, from }: FileRequest): FileOffer | undefined {
  if (!isObject(data) || !hasKeys(data, ['id', 'name', 'size'], [])) return undefined
  const { id, name, size } = data as Readonly<Record<string, Json>>
  if (!isFileId(id) || typeof name !== 'string' || !isFileSize(size)) return undefined
  return Object.freeze({ from, id, name: safeFileName(name), size })
}
