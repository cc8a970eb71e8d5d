import { readMeta, readTime, storeKey, TIME_BYTES, writeMeta, writeTime } from './record.ts'
import type { Batch, Change, Entry, HistoryStore, Owner, StoredHistory } from './store.ts'

/** One step of a batch. */
export type Operation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

/** A database that keeps bytes by keys that are bytes, in their order. */
export interface KeyedDatabase {
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  /** All of it or nothing, however the process ends. */
  batch(operations: Operation[]): Promise<void>
  iterator(range: { gte: Uint8Array; lt: Uint8Array }): AsyncIterable<[Uint8Array, Uint8Array]>
  close(): Promise<void>
}

const OWNER = Uint8Array.of('o'.charCodeAt(0))
const FLOOR = Uint8Array.of('f'.charCodeAt(0))
/** What is known of an entry, and apart from it its bytes: opening reads the former alone. */
const META = 'm'.charCodeAt(0)
const PARCEL = 'p'.charCodeAt(0)

/** A history in a database. */
export abstract class KeyedStore implements HistoryStore {
  #database: KeyedDatabase | undefined

  /** What comes before the database is opened. Its errors are thrown as they are. */
  protected abstract prepare(): Promise<void>
  protected abstract openDatabase(): Promise<KeyedDatabase>
  /** The error that says why it cannot be used. */
  protected abstract unreadable(why: string, cause?: unknown): Error
  protected abstract unwritable(cause: unknown): Error
  /** What an error of the database means. */
  protected abstract explain(cause: unknown): string

  /** See {@link HistoryStore.open}. */
  async open(owner: Owner): Promise<StoredHistory> {
    await this.prepare()
    let why: string | undefined
    try {
      const database = await this.#reopen()
      why = await claim(database, owner)
      if (why === undefined) return await readAll(database)
    } catch (cause) {
      await this.close().catch(() => {})
      throw this.unreadable(this.explain(cause), cause)
    }
    await this.close().catch(() => {})
    throw this.unreadable(why)
  }

  async write({ changes, floor }: Batch): Promise<void> {
    const operations = changes.flatMap(operationsOf)
    if (floor !== undefined) operations.push({ type: 'put', key: FLOOR, value: writeTime(floor) })
    // After a failure a database may refuse every further write, until it is opened anew.
    const database = this.#database ?? (await this.#reopen())
    try {
      await database.batch(operations)
    } catch (cause) {
      await this.close().catch(() => {})
      throw this.unwritable(cause)
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

  async #reopen(): Promise<KeyedDatabase> {
    return (this.#database = await this.openDatabase())
  }
}

/** Makes a new database this node's. Returns why it cannot be, unless it was before. */
async function claim(database: KeyedDatabase, { id, net }: Owner): Promise<string | undefined> {
  const mine = JSON.stringify({ id, net, v: 1 })
  const found = await database.get(OWNER)
  if (found !== undefined) {
    if (new TextDecoder().decode(found) === mine) return undefined
    return 'it belongs to another node or network, or to a later version'
  }
  for await (const _ of database.iterator({ gte: new Uint8Array(0), lt: Uint8Array.of(0xff) })) {
    return 'it is a database of something else'
  }
  await database.batch([{ type: 'put', key: OWNER, value: new TextEncoder().encode(mine) }])
  return undefined
}

function operationsOf({ entry, isDropped, parcel }: Change): Operation[] {
  const operations: Operation[] = []
  const meta = storeKey(META, entry)
  if (isDropped === true) operations.push({ type: 'del', key: meta })
  else operations.push({ type: 'put', key: meta, value: writeMeta(entry) })
  const key = storeKey(PARCEL, entry)
  if (isDropped === true || parcel === null) operations.push({ type: 'del', key })
  else if (parcel !== undefined) operations.push({ type: 'put', key, value: parcel })
  return operations
}

async function readAll(database: KeyedDatabase): Promise<StoredHistory> {
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
