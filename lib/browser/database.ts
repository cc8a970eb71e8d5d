// The part of IndexedDB that is used here; the types of Node.js do not have it.

/** A question to a database, which is answered later. */
export interface Request {
  readonly result: unknown
  readonly error: Error | null
  onsuccess: (() => void) | null
  onerror: (() => void) | null
}

/** What is asked of one store of a database. */
export interface ObjectStore {
  get(key: Key): Request
  put(value: unknown, key: Key): Request
  delete(key: Key): Request
  getAll(range: unknown): Request
  getAllKeys(range: unknown): Request
}

type Key = string | Uint8Array

/** Questions that are answered all together or not at all. */
export interface Transaction {
  readonly error: Error | null
  oncomplete: (() => void) | null
  onabort: (() => void) | null
  objectStore(name: string): ObjectStore
}

/** A database of this origin. */
export interface Database {
  transaction(store: string, mode: 'readonly' | 'readwrite'): Transaction
  createObjectStore(name: string): unknown
  close(): void
}

interface OpenRequest extends Request {
  onupgradeneeded: (() => void) | null
}

/** Opens a database with one store, made when there is none. Rejects with the browser's error. */
export async function openDatabase(name: string, store: string): Promise<Database> {
  const { indexedDB } = globalThis as { indexedDB?: { open(name: string, version: number): OpenRequest } }
  if (indexedDB === undefined) throw new Error('there is no IndexedDB')
  const request = indexedDB.open(name, 1)
  request.onupgradeneeded = () => (request.result as Database).createObjectStore(store)
  return (await settled(request)) as Database
}

/** The answer of a request. Rejects with the browser's error. */
export function settled(request: Request): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('the browser does not say why'))
  })
}

/** Resolves when a transaction is done; what it has written is kept then. Rejects with the browser's error. */
export function ended(transaction: Transaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new Error('the browser keeps nothing here'))
  })
}
