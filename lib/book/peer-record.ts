import { invalidArgument } from '../errors.ts'
import type { Engine } from '../identity/engine.ts'
import { PROTOCOL_VERSION } from '../limits/limits.ts'
import {
  MAX_RECORD_ADDRESSES,
  MAX_RECORD_BYTES,
  RECORD_FUTURE,
  RECORD_LIFETIME,
} from '../limits/network-limits.ts'
import type { Json } from '../message/canonical.ts'
import { isName, isStrictKey } from '../message/document.ts'
import { hasKeys, isCount, isObject } from '../message/json-shape.ts'
import { isStatedBy, makeStatement, type Sign, type Statement } from '../message/statement.ts'
import { type Address, canonicalIp, formatAddress, parseAddress, reachOf } from '../wire/address.ts'
import { isHex32, type NodeId } from '../wire/ids.ts'

const LABEL = 'secure-node/1 peer-record\0'

/** What a node says about itself. */
export interface RecordFields {
  readonly id: NodeId
  /** The network that it belongs to. */
  readonly net: string
  /** When it said so, in ms since the epoch: of two records of one node, the newer one counts. */
  readonly time: number
  /** Where it accepts connections, at most 4; none when it has left. */
  readonly addresses: readonly Address[]
}

/** A record that has the right shape, and whose signature nobody has looked at yet. */
export interface RecordDraft extends RecordFields {
  /** The signed document as it travels. */
  readonly document: string
  readonly statement: Statement
}

/** Why a statement is no record of this network. Every correct node comes to the same verdict. */
export type RecordFault = 'too-large' | 'bad-shape' | 'bad-key' | 'wrong-net'
/** Why a record does not count now. Clocks differ, so nobody is blamed for it. */
export type RecordTimeFault = 'stale' | 'early'

/** A record up to its signature, or why it is none. */
export type RecordResult =
  { readonly ok: true; readonly draft: RecordDraft } | { readonly ok: false; readonly code: RecordFault }

/** Lets this module alone make records: a value that passes for one has been verified, or signed, here. */
const maker = Symbol('made by peer-record.ts')

/** Where a node can be reached, signed by itself. Frozen, and a class of its own: no copy passes for one. */
export class PeerRecord implements RecordFields {
  readonly id: NodeId
  readonly net: string
  readonly time: number
  readonly addresses: readonly Address[]
  /** The signed document as it travels: whoever gets it can verify it again. */
  readonly document: string

  constructor(key: typeof maker, { id, net, time, addresses, document }: RecordDraft) {
    if (key !== maker) throw invalidArgument('a PeerRecord', 'made by verifyRecord()', key)
    this.id = id
    this.net = net
    this.time = time
    this.addresses = addresses
    this.document = document
    Object.freeze(this)
  }
}

/**
 * Makes a record of one's own. Hosts may be spelled in any way; addresses that are the same count once.
 *
 * @param sign signs with the key of `id`
 * @throws SecureNodeError `invalid-argument` for what every reader would refuse
 */
export async function makeRecord(fields: RecordFields, sign: Sign): Promise<PeerRecord> {
  const { id, net, time } = fields
  const texts = new Set(
    fields.addresses.map(({ host, port }) => formatAddress(canonicalIp(host) ?? host, port)),
  )
  const body = { addresses: [...texts], id, net, time, v: PROTOCOL_VERSION }
  const parts = readBody(body)
  if (parts === undefined || !isStrictKey(id)) {
    const rule = `a node ID, a network, a time and at most ${MAX_RECORD_ADDRESSES} IP addresses that can be reached`
    throw invalidArgument('the peer record', rule, JSON.stringify(body))
  }
  return new PeerRecord(maker, draftOf(parts, await makeStatement(LABEL, body, sign)))
}

/** Reads a statement as a record: size, shape, key, network. The signature is not looked at. Never throws. */
export function readRecord(statement: Statement, net: string): RecordResult {
  if (statement.text.length > MAX_RECORD_BYTES) return { ok: false, code: 'too-large' }
  const parts = readBody(statement.body)
  if (parts === undefined) return { ok: false, code: 'bad-shape' }
  if (!isStrictKey(parts.id)) return { ok: false, code: 'bad-key' }
  if (parts.net !== net) return { ok: false, code: 'wrong-net' }
  return { ok: true, draft: draftOf(parts, statement) }
}

/** The last step: the signature. Resolves with nothing where it is not that of the node which is named. */
export async function verifyRecord(draft: RecordDraft, engine?: Engine): Promise<PeerRecord | undefined> {
  const isGood = await isStatedBy(LABEL, draft.statement, draft.id, engine)
  return isGood ? new PeerRecord(maker, draft) : undefined
}

/** Whether a record comes at the wrong time: older than 7 days, or more than 10 minutes ahead of our clock. */
export function judgeRecordTime(
  { time }: Pick<RecordFields, 'time'>,
  now: number,
): RecordTimeFault | undefined {
  if (time < now - RECORD_LIFETIME) return 'stale'
  // The newest record counts, so one from the future would silence all that follow.
  return time > now + RECORD_FUTURE ? 'early' : undefined
}

/** Frozen through and through: between reading and verifying, nothing of it can be changed. */
function draftOf({ id, net, time, addresses }: RecordFields, statement: Statement): RecordDraft {
  return Object.freeze({ id, net, time, addresses, document: statement.text, statement })
}

const KEYS = ['addresses', 'id', 'net', 'time', 'v']

/** Exactly the keys of version 1, each of its type. */
function readBody(body: Json): RecordFields | undefined {
  if (!isObject(body) || !hasKeys(body, KEYS, [])) return undefined
  const { id, net, time, v } = body
  if (v !== PROTOCOL_VERSION || !isHex32(id) || !isName(net) || !isCount(time)) return undefined
  const addresses = readAddresses(body['addresses'])
  return addresses && { id: id as NodeId, net, time, addresses }
}

function readAddresses(value: Json | undefined): readonly Address[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_RECORD_ADDRESSES) return undefined
  const texts = value as readonly Json[]
  if (new Set(texts).size < texts.length) return undefined
  const addresses = texts.map(readAddress)
  return addresses.every((address) => address !== undefined) ? Object.freeze(addresses) : undefined
}

/**
 * One text for one address. A name would let its owner direct dials anywhere at any time, a second spelling would
 * get round the pauses between dials, and addresses that no node can be reached at (link-local ones, with the
 * metadata services of clouds among them) have no business in a record.
 */
function readAddress(value: Json): Address | undefined {
  const { host, port } = (typeof value === 'string' ? parseAddress(value) : undefined) ?? {}
  if (host === undefined || port === undefined || reachOf(host) === undefined) return undefined
  const ip = canonicalIp(host)
  return ip !== undefined && formatAddress(ip, port) === value ? Object.freeze({ host, port }) : undefined
}
