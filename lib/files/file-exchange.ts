import { type Clock, systemClock } from '../ground/clock.ts'
import { aborted, fileUnwritable, invalidArgument, invalidOption } from '../errors.ts'
import {
  FILE_TIMEOUT,
  MAX_FILE_BYTES,
  MAX_FILE_SOURCES,
  MAX_REQUEST_TIMEOUT,
  MAX_UPLOADS,
  MAX_UPLOADS_PER_ASKER,
} from '../limits/direct-limits.ts'
import { checkNames } from '../ground/names.ts'
import { isHex32 } from '../wire/ids.ts'
import { type Downloaded, DownloadRun } from './download.ts'
import { CHUNKS, type FilePort, INFO, OFFER } from './file-port.ts'
import { isFileId, isFileSize } from './manifest.ts'
import { type FileOffer, type OfferOptions, Offers, type ReceiveOptions, type Taker } from './offers.ts'
import { PartFile } from './part-file.ts'
import { type OnProgress, ProgressReport } from './progress.ts'
import { type SharedFile, Shelf, type ShareOptions } from './shelf.ts'
import { UploadSlots } from './upload-slots.ts'
import { Uploads } from './uploads.ts'

/** Options of a {@link FileExchange}. */
export interface FileExchangeOptions {
  /** Requests of others that are answered at once; further ones wait, and many further ones are refused. @default 16 */
  readonly maxUploads?: number
  /** Requests of one other node that are answered at once. @default 4 */
  readonly maxUploadsPerNode?: number
  /** Where time comes from: a seam for tests. @default the clock of the machine */
  readonly clock?: Clock
}

/** Options of a download. */
export interface DownloadOptions {
  /** IDs of nodes that may have the file, 1 to 32. */
  readonly from: readonly string[]
  /** Path or "file:" URL of the file. Until it is complete it is called `<to>.part`. */
  readonly to: string | URL
  /** Whether a file that is there already may be replaced. @default false */
  readonly overwrite?: boolean
  /** Bytes that the file may have, at most 274,877,906,944. @default that */
  readonly maxSize?: number
  /** How long a source may bring nothing before it is left, in ms, up to 300_000. @default 30_000 */
  readonly timeout?: number
  readonly onProgress?: OnProgress
  /** Ends the download with the error `aborted`. What is there stays, and is used by the next one. */
  readonly signal?: AbortSignal
}

/** A download that is under way: a promise of its end, and a way to make it faster. */
export interface Download extends Promise<Downloaded> {
  /**
   * Asks one more node for the file. Not to be had any more behind an `await`, or as the result of an `async` function.
   *
   * @returns false if it is asked already, has lied, comes too late, or is one too many
   */
  addSource(nodeId: string): boolean
}

/**
 * Shares files with other nodes, and gets theirs: from several at once, in parts that are verified one by one, and
 * resumed where they were interrupted. A file is known by what it contains, so it does not matter who has it.
 *
 * ```ts
 * const files = new FileExchange(node)
 * const { id } = await files.share('holiday.mp4')
 * // somewhere else
 * await files.download(id, { from: [nodeId], to: 'holiday.mp4' })
 * ```
 *
 * Whoever knows the ID of a shared file can have the file. Node.js only.
 */
export class FileExchange {
  readonly #node: FilePort
  readonly #clock: Clock
  readonly #shelf: Shelf
  readonly #offers: Offers
  /** By the path of the file. */
  readonly #runs = new Map<string, DownloadRun>()
  #isClosed = false

  /**
   * @throws SecureNodeError `invalid-option`; and what the node throws when it has handlers of these types already
   */
  constructor(node: FilePort, options: FileExchangeOptions = {}) {
    checkNames(options, ['maxUploads', 'maxUploadsPerNode', 'clock'])
    const {
      maxUploads = MAX_UPLOADS,
      maxUploadsPerNode = MAX_UPLOADS_PER_ASKER,
      clock = systemClock,
    } = options
    checkCount('maxUploads', maxUploads)
    checkCount('maxUploadsPerNode', maxUploadsPerNode)
    this.#node = node
    this.#clock = clock
    this.#shelf = new Shelf(clock)
    const slots = new UploadSlots({ all: maxUploads, perAsker: maxUploadsPerNode })
    const uploads = new Uploads(this.#shelf, slots, clock)
    this.#offers = new Offers(node, clock, this.#shelf, (offer, to, signal, onProgress) =>
      this.#takeOffer(offer, to, signal, onProgress),
    )
    node.handle(INFO, (incoming) => uploads.info(incoming))
    node.handle(CHUNKS, (incoming) => uploads.chunks(incoming))
    node.handle(OFFER, (incoming) => this.#offers.answer(incoming))
  }

  /** What every node may have that knows its ID, by ID. A file that was changed leaves it when it is asked for. */
  get shared(): ReadonlyMap<string, SharedFile> {
    return this.#shelf.shared
  }

  /**
   * Shares a file, or bytes. It is read once, to compute its ID, and again when others ask for it, so it must stay as
   * it is; a chunk that has changed is not sent, and the file is shared no more.
   *
   * @throws SecureNodeError `file-unreadable`, `invalid-argument`, `aborted`
   */
  async share(source: string | URL | Uint8Array, options: ShareOptions = {}): Promise<SharedFile> {
    checkNames(options, ['name', 'onProgress', 'signal'])
    return this.#shelf.add(source, options)
  }

  /** Shares a file no more. What is being sent of it comes to its end. @returns whether it was shared */
  unshare(id: string): boolean {
    return this.#shelf.unshare(id)
  }

  /**
   * Gets a file from all nodes that have it, several at once. Sources that are dead, slow or lie are left, and their
   * parts asked of others. It is written to `<to>.part`; what is there of an earlier attempt is verified and used.
   *
   * Rejects with `file-not-found` (no source has it), `file-corrupt` (a source lied, and no other is left),
   * `file-unwritable` (also where the file exists already, or the disk is full: the part stays), `aborted`,
   * `invalid-argument`.
   */
  download(id: string, options: DownloadOptions): Download {
    return this.#download(id, options)
  }

  /**
   * Offers a file to a node, by its ID if it is shared, or else by its path, a "file:" URL or its bytes; then that
   * node alone can have it, and only while the offer lasts. Resolves when it has the file.
   *
   * Rejects with what `share` and requests do: `request-failed` with the `answer` `declined` where it is not wanted,
   * `no-handler` where no files are taken.
   */
  async offer(
    nodeId: string,
    source: string | URL | Uint8Array,
    options: OfferOptions = {},
  ): Promise<SharedFile> {
    checkNames(options, ['name', 'onProgress', 'signal', 'timeout'])
    checkTimeout(options.timeout)
    return this.#offers.offer(nodeId, source, options)
  }

  /**
   * Sets who decides about files that are offered: the path where to put it, or undefined or false to decline.
   * Without it all offers are declined as `no-handler`. An existing file is never replaced.
   */
  receive(taker: Taker | undefined, options: ReceiveOptions = {}): void {
    if (taker !== undefined && typeof taker !== 'function')
      throw invalidArgument('taker', 'a function', taker)
    checkNames(options, ['onReceived', 'onFailed', 'onProgress'])
    this.#offers.receive(taker, options)
  }

  /** Ends all downloads with `aborted`, shares nothing any more, and takes its handlers from the node. */
  close(): void {
    this.#isClosed = true
    for (const type of [INFO, CHUNKS, OFFER]) this.#node.unhandle?.(type)
    this.#offers.receive(undefined, {})
    this.#shelf.clear()
    for (const run of this.#runs.values()) run.fail(aborted('the exchange of files'))
  }

  /** An offered file has the size that was offered, and comes from the node that offers it. */
  async #takeOffer(
    { id, from, size }: FileOffer,
    to: string | URL,
    signal: AbortSignal,
    onProgress: OnProgress,
  ): Promise<Downloaded> {
    return this.#download(id, { from: [from], to, maxSize: size, onProgress, signal }, size)
  }

  #download(id: string, options: DownloadOptions, minSize = 0): Download {
    let run: DownloadRun | undefined
    const begin = async (): Promise<Downloaded> => {
      const file = this.#check(id, options)
      const { from, maxSize = MAX_FILE_BYTES, timeout = FILE_TIMEOUT, onProgress, signal } = options
      run = new DownloadRun(this.#node, this.#clock, {
        id,
        file,
        report: new ProgressReport(this.#clock, onProgress),
        sizes: { min: minSize, max: maxSize },
        timeout,
        signal,
      })
      this.#runs.set(file.path, run)
      try {
        return await run.run(from)
      } finally {
        this.#runs.delete(file.path)
      }
    }
    // What is wrong with the options rejects the promise: nothing is thrown past a handler of it.
    return Object.assign(begin(), {
      addSource: (nodeId: string): boolean => isHex32(nodeId) && run?.addSource(nodeId) === true,
    })
  }

  #check(id: unknown, options: DownloadOptions): PartFile {
    checkNames(options, ['from', 'to', 'overwrite', 'maxSize', 'timeout', 'onProgress', 'signal'])
    const { from, to, overwrite = false, maxSize = 0, timeout } = options
    if (!isFileId(id)) throw invalidArgument('id', 'the ID of a file', id)
    const isList =
      Array.isArray(from) && from.length > 0 && from.length <= MAX_FILE_SOURCES && from.every(isHex32)
    if (!isList) throw invalidArgument('from', `1 to ${MAX_FILE_SOURCES} IDs of nodes`, from)
    if (typeof overwrite !== 'boolean') throw invalidOption('overwrite', 'true or false', overwrite)
    if (!isFileSize(maxSize))
      throw invalidOption('maxSize', `a number of bytes up to ${MAX_FILE_BYTES}`, maxSize)
    checkTimeout(timeout)
    if (this.#isClosed) throw aborted('the exchange of files')
    const file = new PartFile(to, overwrite)
    // Two of them would write to the same part.
    if (this.#runs.has(file.path)) throw fileUnwritable(file.path, 'it is being downloaded already')
    return file
  }
}

function checkCount(name: string, value: unknown): void {
  if (!Number.isSafeInteger(value) || (value as number) < 1)
    throw invalidOption(name, 'a positive integer', value)
}

function checkTimeout(timeout: unknown): void {
  const isGood = typeof timeout === 'number' && timeout > 0 && timeout <= MAX_REQUEST_TIMEOUT
  if (timeout === undefined || isGood) return
  throw invalidOption('timeout', `a number of milliseconds up to ${MAX_REQUEST_TIMEOUT}`, timeout)
}
