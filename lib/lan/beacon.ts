import type { Engine } from '../identity/engine.ts'
import { PROTOCOL_VERSION } from '../limits/limits.ts'
import { BEACON_WINDOW, MAX_BEACON_BYTES } from '../limits/network-limits.ts'
import type { Json } from '../message/canonical.ts'
import { isName, isStrictKey } from '../message/document.ts'
import { hasKeys, isCount, isObject } from '../message/json-shape.ts'
import {
  isStatedBy,
  makeStatement,
  readStatement,
  type Sign,
  type Statement,
  type StatementFault,
} from '../message/statement.ts'
import { isPort } from '../wire/address.ts'
import { isHex32, type NodeId } from '../wire/ids.ts'

/**
 * What a node calls into its local network: that it is there, and at which port. Not at which address: that is
 * where the datagram came from.
 *
 * So whoever is on the same network can send the beacon of somebody else again, and be taken for the place where
 * that node is; but not for that node. The dial expects the ID, which only its owner can prove, so it fails, and the
 * dialler backs off. What the replay does is to name a port of this neighbour's own choice among those that he has
 * heard, for a minute.
 */
export interface Beacon {
  /** Whether others are to answer with theirs. */
  readonly ask: boolean
  readonly id: NodeId
  readonly net: string
  /** The TCP port that the node listens at. */
  readonly port: number
  /** When it was signed, in ms since the epoch. */
  readonly time: number
}

/** A beacon that nobody has verified yet. */
export interface BeaconDraft extends Beacon {
  readonly statement: Statement
}

/** Why a datagram is no beacon for us. Nothing follows from it: whoever sent it is unknown. */
export type BeaconFault = StatementFault | 'bad-key' | 'wrong-net' | 'stale' | 'early'

/** A beacon, or why there is none. */
export type BeaconResult =
  { readonly ok: true; readonly draft: BeaconDraft } | { readonly ok: false; readonly code: BeaconFault }

/** What a signature says that it is for. */
const LABEL = 'secure-node/1 beacon\0'

// All beacons of a network have the same size, so that no answer is larger than its question and nobody can use the
// nodes to multiply what he sends at a victim: `ask` is a digit, a port has five digits, and a time thirteen, as it
// has from 2001 to 2286.
const PORT_DIGITS = 5
const PORT = /^\d{5}$/
const MIN_TIME = 1e12
const MAX_TIME = 1e13 - 1

/** Makes the datagram of a beacon. */
export async function makeBeacon({ ask, id, net, port, time }: Beacon, sign: Sign): Promise<Uint8Array> {
  const body = {
    ask: ask ? 1 : 0,
    id,
    net,
    port: String(port).padStart(PORT_DIGITS, '0'),
    time,
    v: PROTOCOL_VERSION,
  }
  return new TextEncoder().encode((await makeStatement(LABEL, body, sign)).text)
}

/** Reads a datagram as a beacon of our network and time; never throws. Its signature is still to be verified. */
export function readBeacon(bytes: Uint8Array, net: string, now: number): BeaconResult {
  const result = readStatement(bytes, MAX_BEACON_BYTES)
  if (!result.ok) return result
  const statement = result.statements[0]!
  const beacon = beaconOf(statement.body)
  if (beacon === undefined) return { ok: false, code: 'bad-shape' }
  const code = faultOf(beacon, net, now)
  return code === undefined ? { ok: true, draft: { ...beacon, statement } } : { ok: false, code }
}

/** Whether a beacon was signed by the node that it names. Never fails. */
export function isGenuineBeacon({ statement, id }: BeaconDraft, engine?: Engine): Promise<boolean> {
  return isStatedBy(LABEL, statement, id, engine)
}

/** Exactly the keys of version 1, each of its type. */
function beaconOf(body: Json): Beacon | undefined {
  if (!isObject(body) || !hasKeys(body, ['ask', 'id', 'net', 'port', 'time', 'v'], [])) return undefined
  const { ask, id, net, port, time, v } = body
  const isGood =
    v === PROTOCOL_VERSION &&
    (ask === 0 || ask === 1) &&
    isHex32(id) &&
    isName(net) &&
    typeof port === 'string' &&
    PORT.test(port) &&
    isPort(Number(port)) &&
    isCount(time) &&
    time >= MIN_TIME &&
    time <= MAX_TIME
  return isGood ? { ask: ask === 1, id: id as NodeId, net, port: Number(port), time } : undefined
}

function faultOf({ id, net: theirs, time }: Beacon, net: string, now: number): BeaconFault | undefined {
  if (theirs !== net) return 'wrong-net'
  if (!isStrictKey(id)) return 'bad-key'
  if (time < now - BEACON_WINDOW) return 'stale'
  return time > now + BEACON_WINDOW ? 'early' : undefined
}
