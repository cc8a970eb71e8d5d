/** Node.js only: the one file of the history that touches a disk, and loads a package to do so. */
import { historyUnavailable, historyUnreadable, historyUnwritable } from '../errors.ts'
import { codeOf } from '../whole-file.ts'
import { readMeta, readTime, storeKey, TIME_BYTES, writeMeta, writeTime } from './record.ts'
import type { Batch, Change, Entry, HistoryStore, Owner, StoredHistory } from './store.ts'

/** What is used of a LevelDB database. */
export interface LevelDatabase {
  open(): Promise<void>
  close(): Promise<void>
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  batch(operations: LevelOperation[]): Promise<void>
  iterator(range: { gte: Uint8Array; lt: Uint8Array }): AsyncIterable<[Uint8Array, Uint8Array]>
}

/** One step of a batch. */
export type LevelOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

/** What makes databases. */
export interface LevelModule {
  readonly ClassicLevel: new (
    folder: string,
    options: { keyEncoding: 'view'; valueEncoding: 'view' },
  ) => LevelDatabase
}

const OWNER = Uint8Array.of('o'.charCodeAt(0))
const FLOOR = Uint8Array.of('f'.charCodeAt(0))
/** What is known of an entry, and apart from it its bytes: opening reads the former alone. */
const META = 'm'.charCodeAt(0)
const PARCEL = 'p'.charCodeAt(0)
/** Files of a database that nothing was written to yet: a process may die at any time. */
const EMPTY_DATABASE = /^(LOCK|LOG|LOG\.old|MANIFEST-\d+|\d+\.dbtmp)$/
const ENCODINGS = { keyEncoding: 'view', valueEncoding: 'view' } as const

/**
 * A history on disk, in LevelDB (the package classic-level). A batch is there as a whole or not at all, however the
 * process ends. What the operating system has not written yet when the power fails is lost.
 */
export class LevelStore implements HistoryStore {
  readonly #folder: string
  readonly #load: () => Promise<LevelModule>
  #module: LevelModule | undefined
  #database: LevelDatabase | undefined

  /** @param load Where LevelDB comes from. @default the package classic-level, when `open` is called */
  constructor(folder: string, load: () => Promise<LevelModule> = loadClassicLevel) {
    this.#folder = folder
    this.#load = load
  }

  /** See {@link HistoryStore.open}. */
  async open(owner: Owner): Promise<StoredHistory> {
    try {
      this.#module = await this.#load()
    } catch (cause) {
      throw historyUnavailable(cause)
    }
    await this.#prepareFolder()
    try {
      const database = await this.#openDatabase()
      await this.#claim(database, owner)
      return await readAll(database)
    } catch (cause) {
      await this.close().catch(() => {})
      throw codeOf(cause) === 'history-unreadable' ? cause : this.#openError(cause)
    }
  }

  async write({ changes, floor }: Batch): Promise<void> {
    const operations = changes.flatMap(operationsOf)
    if (floor !== undefined) operations.push({ type: 'put', key: FLOOR, value: writeTime(floor) })
    // After a failure LevelDB refuses every further write, until it is opened anew.
    const database = this.#database ?? (await this.#openDatabase())
    try {
      await database.batch(operations)
    } catch (cause) {
      await this.close().catch(() => {})
      throw historyUnwritable(this.#folder, cause)
    }
  }

  async read(entry: Entry): Promise<Uint8Array | undefined> {
    return this.#database?.get(storeKey(PARCEL, entry))
  }

  async close(): Promise<void> {
    const database = this.#database
    this.#database = undefined
    await database?.close()
  }

  async #openDatabase(): Promise<LevelDatabase> {
    const database = new this.#module!.ClassicLevel(this.#folder, ENCODINGS)
    await database.open()
    this.#database = database
    return database
  }

  /** Makes the folder, for this user's eyes alone, and looks what is in it. */
  async #prepareFolder(): Promise<void> {
    const fs = process.getBuiltinModule('node:fs/promises')
    let names: string[]
    try {
      await fs.mkdir(this.#folder, { recursive: true, mode: 0o700 })
      names = await fs.readdir(this.#folder)
    } catch (cause) {
      const isFile = codeOf(cause) === 'EEXIST' || codeOf(cause) === 'ENOTDIR'
      throw isFile
        ? historyUnreadable(this.#folder, 'it is not a folder', cause)
        : historyUnwritable(this.#folder, cause)
    }
    // LevelDB would take it for a new one, and clear away files that it does not expect there.
    if (!names.includes('CURRENT') && !names.every((name) => EMPTY_DATABASE.test(name))) {
      throw historyUnreadable(this.#folder, 'other files are there, or the file CURRENT is missing')
    }
  }

  /** The database is made this node's, or was it before. */
  async #claim(database: LevelDatabase, { id, net }: Owner): Promise<void> {
    const mine = JSON.stringify({ id, net, v: 1 })
    const found = await database.get(OWNER)
    if (found === undefined) {
      for await (const _ of database.iterator({ gte: new Uint8Array(0), lt: Uint8Array.of(0xff) })) {
        throw historyUnreadable(this.#folder, 'it is a database of something else')
      }
      await database.batch([{ type: 'put', key: OWNER, value: new TextEncoder().encode(mine) }])
    } else if (new TextDecoder().decode(found) !== mine) {
      throw historyUnreadable(this.#folder, 'it belongs to another node or network, or to a later version')
    }
  }

  #openError(cause: unknown): Error {
    const inner = (cause as { cause?: unknown } | undefined)?.cause ?? cause
    const isLocked = codeOf(inner) === 'LEVEL_LOCKED'
    return historyUnreadable(
      this.#folder,
      isLocked ? 'it is in use, by another process or another node of this one' : String(inner),
      cause,
    )
  }
}

/** Only here: who keeps no history on disk does not need the package. */
function loadClassicLevel(): Promise<LevelModule> {
  return import('classic-level')
}

function operationsOf({ entry, isDropped, parcel }: Change): LevelOperation[] {
  const operations: LevelOperation[] = []
  const meta = storeKey(META, entry)
  if (isDropped === true) operations.push({ type: 'del', key: meta })
  else operations.push({ type: 'put', key: meta, value: writeMeta(entry) })
  const key = storeKey(PARCEL, entry)
  if (isDropped === true || parcel === null) operations.push({ type: 'del', key })
  else if (parcel !== undefined) operations.push({ type: 'put', key, value: parcel })
  return operations
}

async function readAll(database: LevelDatabase): Promise<StoredHistory> {
  const entries: Entry[] = []
  const range = { gte: Uint8Array.of(META), lt: Uint8Array.of(META + 1) }
  for await (const [key, value] of database.iterator(range)) {
    const entry = readMeta(key, value)
    if (entry === undefined) throw new Error('an entry of it is damaged')
    entries.push(entry)
  }
  const floor = await database.get(FLOOR)
  if (floor !== undefined && floor.length !== TIME_BYTES) throw new Error('its oldest time is damaged')
  return { entries, floor: floor === undefined ? 0 : readTime(floor, 0) }
}
