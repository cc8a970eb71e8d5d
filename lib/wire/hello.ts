import { joinBytes, utf8 } from './bytes.ts'
import { sha256 } from '@noble/hashes/sha2.js'
import { isStrictPublicKey } from '../identity/ed25519.ts'
import { PROTOCOL_VERSION } from '../limits/limits.ts'
import { parseJson } from '../message/canonical.ts'
import { NAME } from '../message/document.ts'
import type { CloseCode } from './close-code.ts'
import { type Address, isPort } from './address.ts'
import { fromHex, toHex } from './hex.ts'
import { isHex32, type NodeId } from './ids.ts'

/** Which end opened the connection. */
export type Role = 'initiator' | 'responder'

/** Whether the messages of a link are signed documents (`SecureNode`) or plain data (`Node`). */
export type Mode = 'signed' | 'plain'

/** The first thing that each end of a link says, without waiting for the other. */
export interface Hello {
  readonly v: number
  readonly mode: Mode
  /** The network's name; both ends must be of the same. */
  readonly net: string
  /** The node: its public key in `signed` mode, a claim in `plain` mode. */
  readonly id: string
  /** The sender's clock, in ms since the epoch. */
  readonly time: number
  /** 32 random bytes in hexadecimal: makes every proof a new one. */
  readonly nonce: string
  /** Where the sender accepts connections. A wildcard host means: at the address you see me at. */
  readonly listen: readonly Address[]
  /** Where the sender sees the node that it talks to: how nodes learn what their addresses are. */
  readonly seen?: Address | undefined
  /** What the sender can do beyond this version's minimum. Unknown ones are ignored. */
  readonly caps: readonly string[]
}

/** The capability that says: this node keeps messages for those who were away. */
export const HISTORY = 'history'
/** The capability that says: this link is for its two ends alone; nothing is to be relayed over it. */
export const TEMPORARY = 'temporary'

const PROOF_LABEL = 'secure-node/1 hello-proof\0'
/** Addresses and capabilities of a hello that are looked at. */
const MAX_ITEMS = 16
/** Host names and addresses, with IPv6 zones; empty for "wherever you see me". */
const HOST = /^[A-Za-z0-9.:%_-]{0,255}$/
const PLAIN_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/

/** Whether a text may be the ID of an unsigned node. */
export function isPlainId(value: unknown): value is string {
  return typeof value === 'string' && PLAIN_ID.test(value)
}

/** The payload of a hello frame, with a fresh nonce. */
export function encodeHello(hello: Omit<Hello, 'v' | 'nonce'>): Uint8Array {
  const nonce = toHex(globalThis.crypto.getRandomValues(new Uint8Array(32)))
  return utf8(JSON.stringify({ ...hello, v: PROTOCOL_VERSION, nonce }))
}

/** A hello, or why it is none. */
export type HelloResult =
  { readonly ok: true; readonly hello: Hello } | { readonly ok: false; readonly code: CloseCode }

/** Reads a remote hello; never throws. Unknown keys are ignored, so that later versions may add some. */
export function decodeHello(payload: Uint8Array): HelloResult {
  const parsed = parseJson(payload)
  if (!parsed.ok || typeof parsed.value !== 'object' || parsed.value === null) return bad('bad-hello')
  const { v, mode, net, id, time, nonce, listen, seen, caps } = parsed.value as Record<string, unknown>
  if (v !== PROTOCOL_VERSION) return bad(Number.isSafeInteger(v) ? 'wrong-version' : 'bad-hello')
  if (mode !== 'signed' && mode !== 'plain') return bad('bad-hello')
  if (typeof net !== 'string' || !NAME.test(net) || !Number.isSafeInteger(time) || !isHex32(nonce)) {
    return bad('bad-hello')
  }
  if (!isPlainId(id) || (mode === 'signed' && !isNodeId(id))) return bad('bad-hello')
  const hello: Hello = {
    v,
    mode,
    net,
    id,
    time: time as number,
    nonce,
    listen: readListen(listen),
    seen: readAddress(seen),
    caps: readCaps(caps),
  }
  return { ok: true, hello }
}

const bad = (code: CloseCode): HelloResult => ({ ok: false, code })

/** Whether a text is a node ID that only its owner can sign for: small-order keys are everybody's. */
export function isNodeId(value: unknown): value is NodeId {
  return isHex32(value) && isStrictPublicKey(fromHex(value))
}

function readListen(value: unknown): Address[] {
  if (!Array.isArray(value)) return []
  return value.slice(0, MAX_ITEMS).flatMap((item: unknown) => readAddress(item) ?? [])
}

function readAddress(value: unknown): Address | undefined {
  const { host, port } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  return typeof host === 'string' && HOST.test(host) && isPort(port) ? { host, port } : undefined
}

function readCaps(value: unknown): string[] {
  if (!Array.isArray(value)) return []
  return value
    .slice(0, MAX_ITEMS)
    .filter((item): item is string => typeof item === 'string' && NAME.test(item))
}

/**
 * What an end signs to prove its ID: both hellos, so both nonces, both IDs and the network; and its own role,
 * so that a proof sent back to its maker proves nothing.
 */
export function proofBytes(role: Role, initiatorHello: Uint8Array, responderHello: Uint8Array): Uint8Array {
  return joinBytes([utf8(`${PROOF_LABEL}${role}\0`), sha256(initiatorHello), sha256(responderHello)])
}
