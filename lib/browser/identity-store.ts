import { invalidArgument, keyCorrupt, keyUnreadable, type SecureNodeError } from '../errors.ts'
import { Identity } from '../identity/identity.ts'
import { SEED_BYTES } from '../identity/seed.ts'
import { type Database, ended, openDatabase, settled } from './database.ts'

/** What is kept of an identity. */
interface Kept {
  readonly v: 1
  /** AES-GCM, not extractable: the browser uses it for this origin, and shows it to nobody, this page included. */
  readonly key?: CryptoKey
  readonly iv?: Uint8Array<ArrayBuffer>
  /** The seed, encrypted with the key. Where the page has no WebCrypto (it is no https page), the seed itself. */
  readonly seed: Uint8Array<ArrayBuffer>
}

type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

const STORE = 'identities'
const CIPHER = 'AES-GCM'
const KEY_BITS = 256
const IV_BYTES = 12

/**
 * The identity of a name, kept by this browser for pages of this origin (IndexedDB); made when there is none. Tabs that
 * ask at the same time get the same one. Use it in one of them at a time.
 *
 * The seed is kept encrypted with an AES-GCM key that no script can read, and is in memory while the page is open: with
 * an Ed25519 key that cannot be read, messages that others seal for this node could not be opened.
 *
 * @param name 1 to 64 characters
 * @throws SecureNodeError `key-unreadable` where the browser keeps nothing, `key-corrupt`, `invalid-argument`
 */
export async function openIdentity(name: string): Promise<Identity> {
  const given: unknown = name
  if (typeof given !== 'string' || given.length < 1 || given.length > 64) {
    throw invalidArgument('the name', 'a text of 1 to 64 characters', given)
  }
  const seed = await seedOf(name)
  try {
    return Identity.fromSeed(seed)
  } finally {
    seed.fill(0)
  }
}

async function seedOf(name: string): Promise<Uint8Array> {
  let kept: Kept
  try {
    const database = await openDatabase('secure-node', STORE)
    try {
      kept = (await find(database, name)) ?? (await keep(database, name, await makeKept(name)))
    } finally {
      database.close()
    }
  } catch (cause) {
    throw keyUnreadable(name, cause)
  }
  return open(kept, name)
}

async function find(database: Database, name: string): Promise<Kept | undefined> {
  return (await settled(database.transaction(STORE, 'readonly').objectStore(STORE).get(name))) as
    Kept | undefined
}

/** In one transaction: of two tabs that find nothing, the second one takes what the first has kept. */
async function keep(database: Database, name: string, made: Kept): Promise<Kept> {
  const transaction = database.transaction(STORE, 'readwrite')
  const store = transaction.objectStore(STORE)
  const request = store.get(name)
  let kept = made
  // In this call, not in a promise's: the transaction ends with the turn in which nothing more is asked of it.
  request.onsuccess = () => {
    if (request.result === undefined) store.put(made, name)
    else kept = request.result as Kept
  }
  // Not before it is on the disk: an identity that was shown to others must not be lost.
  await ended(transaction)
  return kept
}

async function makeKept(name: string): Promise<Kept> {
  const seed = crypto.getRandomValues(new Uint8Array(SEED_BYTES))
  const subtle = findSubtle()
  if (subtle === undefined) return { v: 1, seed }
  const key = await subtle.generateKey({ name: CIPHER, length: KEY_BITS }, false, ['encrypt', 'decrypt'])
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
  const sealed = await subtle.encrypt(cipherOf(iv, name), key, seed)
  seed.fill(0)
  return { v: 1, key, iv, seed: new Uint8Array(sealed) }
}

async function open({ key, iv, seed }: Kept, name: string): Promise<Uint8Array> {
  if (key === undefined || iv === undefined) return seed
  try {
    return new Uint8Array(await crypto.subtle.decrypt(cipherOf(iv, name), key, seed))
  } catch (cause) {
    throw corrupt(name, cause)
  }
}

/** Bound to its name: an entry that was put under another one is not that identity. */
function cipherOf(iv: Uint8Array<ArrayBuffer>, name: string) {
  return { name: CIPHER, iv, additionalData: new TextEncoder().encode(name) }
}

function corrupt(name: string, cause: unknown): SecureNodeError {
  return keyCorrupt(name, 'the browser cannot decrypt it', cause)
}

/** Pages that are not served over https, nor by this machine, have none. */
function findSubtle(): typeof crypto.subtle | undefined {
  return (crypto as { subtle?: typeof crypto.subtle }).subtle
}
