import { utf8 } from '../wire/bytes.ts'
/** The peer book on disk, so that a node finds its network again without anybody's help. Node.js only. */
import type { FileHandle } from 'node:fs/promises'
import { invalidOption, peerBookUnreadable, peerBookUnwritable } from '../errors.ts'
import { errorText, quote } from '../ground/texts.ts'
import type { Engine } from '../identity/engine.ts'
import { MAX_BOOK_BYTES, MAX_BOOK_ENTRIES, MAX_RECORD_BYTES } from '../limits/network-limits.ts'
import { type Json, parseJson } from '../message/canonical.ts'
import { isCount, isObject } from '../message/json-shape.ts'
import { readStatement } from '../message/statement.ts'
import { codeOf, pathOf, writeBeside } from '../ground/whole-file.ts'
import type { SavedPeer, Source } from './known-peer.ts'
import { judgeRecordTime, readRecord, verifyRecord } from './peer-record.ts'

const fs = process.getBuiltinModule('node:fs')
const path = process.getBuiltinModule('node:path')

const VERSION = 1
/** Records between two turns of the event loop: a few milliseconds of work. */
const BATCH = 64

/** What takes in the peers of a file. */
export interface Restorable {
  /** Whether the peer could be used. */
  restore(peer: SavedPeer, now: number): boolean
}

/** How a file is read. */
export interface LoadOptions {
  /** The time by which records are too old, in ms since the epoch. */
  readonly now: number
  /** What verifies their signatures. @default the fastest of this platform */
  readonly engine?: Engine | undefined
}

/**
 * The file of a peer book: `{"v":1,"net":…,"peers":[{"lastConnected":…,"record":…,"source":…,"tried":…},…]}`, each
 * record the text of its signed document. It is replaced as a whole, so a crash leaves the old one or the new one;
 * a link in its place is replaced, not followed.
 */
export class BookFile {
  readonly #name: string
  readonly #target: string
  readonly #net: string
  /** Whether what has the name is a peer book of ours, or nothing: anything else must never be overwritten. */
  #isOurs = false
  #text = ''
  #running: Promise<void> = Promise.resolve()
  #waiting: Promise<void> | undefined

  /** @throws SecureNodeError `invalid-option` for what can be no path */
  constructor(file: string | URL, net: string) {
    const name = pathOf(file)
    if (name === undefined) {
      throw invalidOption('peerBookFile', 'a path or a "file:" URL', file instanceof URL ? file.href : file)
    }
    this.#name = name
    // Resolved now: the process may change its folder.
    this.#target = path.resolve(name)
    this.#net = net
  }

  /**
   * Reads the file into a book, and resolves with how many peers could be used. Those whose record is damaged,
   * forged or older than 7 days are left out; a file that does not exist has none.
   *
   * @throws SecureNodeError `peer-book-unreadable`, also for a file that is something else than a peer book, or
   *   that of another network
   */
  async load(book: Restorable, { now, engine }: LoadOptions): Promise<number> {
    const peers = await this.#read()
    let count = 0
    for (let at = 0; at < peers.length; at += BATCH) {
      const batch = peers.slice(at, at + BATCH).map((peer) => readPeer(peer, this.#net, now, engine))
      for (const peer of await Promise.all(batch)) if (peer !== undefined && book.restore(peer, now)) count++
      // An engine that answers at once would keep the event loop from everything else.
      await new Promise((resolve) => setImmediate(resolve))
    }
    return count
  }

  /**
   * Writes a book as it is now. While one save is under way the next one waits, and those that come meanwhile become
   * one with it, the newest book.
   *
   * @throws SecureNodeError `peer-book-unwritable`, and `peer-book-unreadable` if the file was not loaded before and
   *   is something else than a peer book of this network: it stays as it is
   */
  save(peers: Iterable<SavedPeer>): Promise<void> {
    this.#text = writeBook(peers, this.#net)
    return (this.#waiting ??= this.#saveAfter(this.#running))
  }

  async #saveAfter(running: Promise<void>): Promise<void> {
    // Who asked for that one hears of its failure.
    await running.catch(() => {})
    this.#waiting = undefined
    this.#running = this.#save(this.#text)
    return this.#running
  }

  async #save(text: string): Promise<void> {
    if (!this.#isOurs) await this.#read()
    try {
      await writeBeside(this.#target, text, (temporary) => fs.promises.rename(temporary, this.#target))
    } catch (cause) {
      const isFolderMissing = codeOf(cause) === 'ENOENT'
      const why = `the folder ${quote(path.dirname(this.#target))} does not exist; make it first`
      throw peerBookUnwritable(this.#name, isFolderMissing ? new Error(why, { cause }) : cause)
    }
  }

  /** The peers as they stand in the file. */
  async #read(): Promise<readonly Json[]> {
    try {
      const bytes = await readBytes(this.#target)
      const peers = bytes === undefined ? [] : readBook(bytes, this.#net)
      this.#isOurs = true
      return peers
    } catch (cause) {
      throw peerBookUnreadable(this.#name, errorText(cause), cause)
    }
  }
}

/** The bytes of a regular file of bounded size; undefined where there is none. */
async function readBytes(file: string): Promise<Uint8Array | undefined> {
  const handle = await openFile(file)
  if (handle === undefined) return undefined
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw new Error('it is not a regular file')
    if (stats.size > MAX_BOOK_BYTES) throw new Error(`it is larger than ${MAX_BOOK_BYTES} bytes`)
    return await handle.readFile()
  } finally {
    await handle.close()
  }
}

async function openFile(file: string): Promise<FileHandle | undefined> {
  try {
    // Without O_NONBLOCK, opening a FIFO waits for its other end, for ever.
    return await fs.promises.open(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined
    throw cause
  }
}

function readBook(bytes: Uint8Array, net: string): readonly Json[] {
  const parsed = parseJson(bytes)
  const book = parsed.ok && isObject(parsed.value) ? parsed.value : {}
  if (!Array.isArray(book['peers']) || typeof book['net'] !== 'string')
    throw new Error('it is not a peer book')
  if (book['v'] !== VERSION) throw new Error('it was written by another version of this package')
  if (book['net'] !== net) throw new Error(`it is that of the network ${quote(book['net'])}`)
  return (book['peers'] as readonly Json[]).slice(0, MAX_BOOK_ENTRIES)
}

/** One peer of a file, verified; undefined for what is not good, or not any more. */
async function readPeer(
  peer: Json,
  net: string,
  now: number,
  engine: Engine | undefined,
): Promise<SavedPeer | undefined> {
  if (!isObject(peer)) return undefined
  const { lastConnected, record: document, tried } = peer
  const source = readSource(peer['source'])
  if (source === undefined || typeof document !== 'string' || typeof tried !== 'boolean') return undefined
  if (lastConnected !== null && !isCount(lastConnected)) return undefined
  const read = readStatement(utf8(document), MAX_RECORD_BYTES)
  const result = read.ok ? readRecord(read.statements[0]!, net) : read
  if (!result.ok || judgeRecordTime(result.draft, now) !== undefined) return undefined
  const record = await verifyRecord(result.draft, engine)
  return record && { record, source, lastConnected: lastConnected ?? undefined, isTried: tried }
}

function readSource(source: Json | undefined): Source | undefined {
  if (!isObject(source)) return undefined
  const { id, host } = source
  return typeof id === 'string' && typeof host === 'string' ? { id, host } : undefined
}

/** One peer in a line, those that were met last at the end: so they are the newest again when they are read. */
function writeBook(peers: Iterable<SavedPeer>, net: string): string {
  const order = [...peers].sort((one, other) => (one.lastConnected ?? 0) - (other.lastConnected ?? 0))
  const lines = order.map(({ record, source, lastConnected, isTried }) => {
    const at = lastConnected === undefined ? null : Math.floor(lastConnected)
    return JSON.stringify({ lastConnected: at, record: record.document, source, tried: isTried })
  })
  return `{"net":${JSON.stringify(net)},"peers":[\n${lines.join(',\n')}\n],"v":${VERSION}}\n`
}
