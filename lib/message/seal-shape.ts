import { isHex32 } from '../wire/ids.ts'
import type { Json } from './canonical.ts'

/** How the addressees of a message, and nobody else, get at its payload. */
export interface Seal {
  /** The public key (X25519) that was made for this message, in hexadecimal. */
  readonly e: string
  /** The key of the payload, wrapped once for each addressee in the order of `to`: 48 bytes in base64 each. */
  readonly k: readonly string[]
  /** What the author has committed to: a hash of the key, so that all addressees read the same. In hexadecimal. */
  readonly m: string
  /** Which scheme it is. */
  readonly v: 1
}

const KEYS = ['e', 'k', 'm', 'v']
/** 48 bytes need no padding: one spelling each. */
const WRAPPED = /^[A-Za-z0-9+/]{64}$/

/** Whether parsed JSON has the shape of a seal for so many addressees. What is in it, only they can tell. */
export function isSeal(value: Json | undefined, addressees: number): value is Json & Seal {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const names = Object.keys(value)
  if (names.length !== KEYS.length || !KEYS.every((name) => names.includes(name))) return false
  const { e, k, m, v } = value as Readonly<Record<string, Json>>
  return v === 1 && isHex32(e) && isHex32(m) && isWrapped(k, addressees)
}

function isWrapped(value: Json | undefined, addressees: number): boolean {
  if (!Array.isArray(value) || value.length !== addressees) return false
  return (value as readonly Json[]).every((key) => typeof key === 'string' && WRAPPED.test(key))
}
