import { usableAddresses } from '../book/known-peer.ts'
import { type PeerRecord, type RecordDraft, readRecord, verifyRecord } from '../book/peer-record.ts'
import type { Engine } from '../identity/engine.ts'
import { MAX_RECORD_BYTES, MAX_VERIFIED_RECORDS } from '../limits/network-limits.ts'
import { readStatement } from '../message/statement.ts'
import { RecentMap } from '../ground/recent-map.ts'
import { type Address, groupOf, type Reach, reachOf } from '../wire/address.ts'
import { type Place, placeOf } from './place.ts'

/** A verified record, and what was computed from it once. */
export interface VerifiedRecord {
  readonly record: PeerRecord
  readonly place: Place
  /** The group of its first public address; undefined where it has none. */
  readonly group: string | undefined
  /** Those of its addresses that a source may tell, by how far the source's address reaches. */
  readonly usable: Readonly<Record<Reach, readonly Address[]>>
}

/** A record that somebody has told, with those of its addresses that he may tell. */
export interface ToldRecord {
  readonly verified: VerifiedRecord
  readonly addresses: readonly Address[]
}

/** What {@link VerifiedRecords} needs. */
export interface VerifiedRecordsInit {
  /** The network whose records these are. */
  readonly net: string
  readonly engine?: Engine | undefined
  /** Records held at most. @default 2_048 */
  readonly limit?: number
}

const encoder = new TextEncoder()
const ID_KEY = '"id":"'
const ID_LENGTH = 64

/**
 * Reads records that others tell, and remembers those whose signature was found good. In a search everybody names
 * the same nodes: a text that is known to the letter is neither parsed nor verified again.
 */
export class VerifiedRecords {
  readonly #net: string
  readonly #engine: Engine | undefined
  readonly #byId: RecentMap<string, VerifiedRecord>

  constructor({ net, engine, limit = MAX_VERIFIED_RECORDS }: VerifiedRecordsInit) {
    this.#net = net
    this.#engine = engine
    this.#byId = new RecentMap(limit)
  }

  /** Remembers a record that was verified, here or elsewhere. Returns the newest one of that node. */
  remember(record: PeerRecord): VerifiedRecord {
    const known = this.#byId.get(record.id)
    if (known !== undefined && known.record.time >= record.time) return known
    const verified = verifiedRecord(record, known?.place ?? placeOf(record.id))
    this.#byId.set(record.id, verified)
    return verified
  }

  /**
   * Reads the records of a list. Those that lead nowhere from here are left out, without a look at their signatures.
   *
   * @param teller How far the address of the node that has told them reaches: it decides which addresses count.
   * @param isWanted Whether a record could be of use. It is asked before the signature is.
   * @returns undefined if one of them is none of this network, or forged, or a node is there twice: no correct node
   *   passes that on
   */
  async read(
    documents: readonly string[],
    teller: Reach | undefined,
    isWanted: (record: PeerRecord | RecordDraft) => boolean,
  ): Promise<readonly ToldRecord[] | undefined> {
    const found = documents.map((text) => this.#recall(text) ?? this.#draft(text))
    if (!found.every((one) => one !== undefined)) return undefined
    if (new Set(found.map((one) => recordOf(one).id)).size < found.length) return undefined
    const wanted = found
      .map((one) => this.#newest(one))
      .filter((one) => isWanted(recordOf(one)) && leadsAnywhere(one, teller))
    // Mostly there is nothing to verify, and so nothing to wait for.
    const verified = wanted.every(isVerified)
      ? wanted
      : await Promise.all(wanted.map((one) => this.#verify(one)))
    if (!verified.every((one) => one !== undefined)) return undefined
    return verified.map((one) => ({ verified: one, addresses: one.usable[teller ?? 'public'] }))
  }

  /** The ID in the text is a hint and no more: only the whole text decides. */
  #recall(text: string): VerifiedRecord | undefined {
    const start = text.indexOf(ID_KEY) + ID_KEY.length
    const known = this.#byId.get(text.slice(start, start + ID_LENGTH))
    return known?.record.document === text ? known : undefined
  }

  #draft(text: string): RecordDraft | undefined {
    const read = readStatement(encoder.encode(text), MAX_RECORD_BYTES)
    const result = read.ok ? readRecord(read.statements[0]!, this.#net) : read
    return result.ok ? result.draft : undefined
  }

  /** Whoever tells an old record tells the node; what is known of it by now counts, its farewell too. */
  #newest(one: VerifiedRecord | RecordDraft): VerifiedRecord | RecordDraft {
    const { id, time } = recordOf(one)
    const known = this.#byId.get(id)
    return known !== undefined && known.record.time > time ? known : one
  }

  async #verify(draft: VerifiedRecord | RecordDraft): Promise<VerifiedRecord | undefined> {
    if (isVerified(draft)) return draft
    const record = await verifyRecord(draft, this.#engine)
    return record && this.remember(record)
  }
}

function isVerified(one: VerifiedRecord | RecordDraft): one is VerifiedRecord {
  return 'record' in one
}

function recordOf(one: VerifiedRecord | RecordDraft): PeerRecord | RecordDraft {
  return isVerified(one) ? one.record : one
}

function leadsAnywhere(one: VerifiedRecord | RecordDraft, teller: Reach | undefined): boolean {
  const addresses = isVerified(one) ? one.usable[teller ?? 'public'] : usableAddresses(one, teller)
  return addresses.length > 0
}

function verifiedRecord(record: PeerRecord, place: Place): VerifiedRecord {
  const host = record.addresses.find((address) => reachOf(address.host) === 'public')?.host
  const usable = (reach: Reach): readonly Address[] => {
    const addresses = usableAddresses(record, reach)
    // Mostly they are all usable: thousands of contacts then share one list.
    return addresses.length === record.addresses.length ? record.addresses : addresses
  }
  return {
    record,
    place,
    group: host === undefined ? undefined : groupOf(host),
    usable: { public: usable('public'), private: usable('private'), loopback: usable('loopback') },
  }
}
