import { type KeyedDatabase, KeyedStore, type Operation } from '../history/keyed-store.ts'
import { errorText } from '../ground/texts.ts'
import { type Database, ended, openDatabase, type ObjectStore, settled } from './database.ts'

/** Ranges of keys, and who may use what; the types of Node.js do not have them. */
interface Browser {
  readonly IDBKeyRange: {
    bound(from: Uint8Array, to: Uint8Array, isFromOpen: boolean, isToOpen: boolean): unknown
  }
  readonly navigator: {
    /** Not where the page is neither served over https nor by this machine. */
    readonly locks?: {
      request(name: string, options: object, callback: (lock: unknown) => unknown): Promise<unknown>
    }
  }
}

const STORE = 'history'
/** How long another page may take to end, in ms: a page that is loaded again follows itself. */
const LOCK_PATIENCE = 3_000
const { IDBKeyRange, navigator } = globalThis as unknown as Browser

/** A history that this browser keeps for pages of this origin (IndexedDB). One page has it at a time. */
export class DatabaseStore extends KeyedStore {
  readonly #name: string
  readonly #unreadable: (why: string, cause: unknown) => Error
  #unlock: (() => void) | undefined

  /** @param unreadable Makes the error of `open`: this file has no class in common with the page. */
  constructor(name: string, unreadable: (why: string, cause: unknown) => Error) {
    super()
    this.#name = `secure-node history ${name}`
    this.#unreadable = unreadable
  }

  /** Sees to it that no other page has it. */
  protected async prepare(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const taken = navigator.locks?.request(
        this.#name,
        { signal: AbortSignal.timeout(LOCK_PATIENCE) },
        () =>
          new Promise<void>((unlock) => {
            this.#unlock = unlock
            resolve()
          }),
      )
      if (taken === undefined) resolve()
      else taken.catch((cause: unknown) => reject(this.unreadable('another page has it', cause)))
    })
  }

  protected async openDatabase(): Promise<KeyedDatabase> {
    return new KeyedObjects(await openDatabase(this.#name, STORE))
  }

  protected unreadable(why: string, cause?: unknown): Error {
    return this.#unreadable(why, cause)
  }

  protected unwritable(cause: unknown): Error {
    return new Error(`the browser does not keep the history: ${errorText(cause)}`, { cause })
  }

  protected explain(cause: unknown): string {
    return errorText(cause)
  }

  override async close(): Promise<void> {
    await super.close()
    this.#unlock?.()
  }
}

/** IndexedDB as a database of bytes. */
class KeyedObjects implements KeyedDatabase {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return (await settled(this.#read().get(key))) as Uint8Array | undefined
  }

  async batch(operations: Operation[]): Promise<void> {
    const transaction = this.#database.transaction(STORE, 'readwrite')
    const store = transaction.objectStore(STORE)
    for (const operation of operations) {
      if (operation.type === 'put') store.put(operation.value.slice(), operation.key)
      else store.delete(operation.key)
    }
    await ended(transaction)
  }

  async *iterator({ gte, lt }: { gte: Uint8Array; lt: Uint8Array }): AsyncIterable<[Uint8Array, Uint8Array]> {
    const range = IDBKeyRange.bound(gte, lt, false, true)
    const store = this.#read()
    // Asked in one turn: the transaction ends with the turn in which nothing more is asked of it.
    const [keys, values] = await Promise.all([settled(store.getAllKeys(range)), settled(store.getAll(range))])
    for (const [at, key] of (keys as ArrayBuffer[]).entries()) {
      yield [new Uint8Array(key), (values as Uint8Array[])[at]!]
    }
  }

  async close(): Promise<void> {
    this.#database.close()
  }

  #read(): ObjectStore {
    return this.#database.transaction(STORE, 'readonly').objectStore(STORE)
  }
}
