import { invalidOption } from '../errors.ts'
import { checkNames } from '../ground/names.ts'
import type { Signatures } from './counting-engine.ts'
import type { Spread } from './distances.ts'
import type { NodeClass, SimulatedNodeOptions } from './place.ts'

/** Options of a `VirtualNetwork`. */
export interface VirtualNetworkOptions<N> {
  /** Where all chance comes from: the same seed gives the same run. A whole number. @default 1 */
  readonly seed?: number | undefined
  /**
   * How long packets travel, in whole ms from 1: always as long, or between two bounds, for each two hosts another
   * time that stays the same.
   * @default { min: 5, max: 50 }
   */
  readonly latency?: Spread | undefined
  /** How much longer single packets take, as a share of the latency. @default 0.1 */
  readonly jitter?: number | undefined
  /** Share of the packets that have to be sent again, from 0 to below 1, as in `MemoryNetwork`. @default 0 */
  readonly loss?: number | undefined
  /** Fake signatures, or Ed25519; both are counted. @default 'counted' */
  readonly signatures?: Signatures | undefined
  /** Where time begins, in whole ms since the epoch. @default the first moment of 2026 (UTC) */
  readonly start?: number | undefined
  /** Options of all nodes; those of a single one go before. @default none */
  readonly node?: SimulatedNodeOptions | undefined
  /** What nodes are made of where nothing else is said. @default SecureNode */
  readonly nodeClass?: NodeClass<N> | undefined
  /** Events that `events()` remembers; `Infinity` for all. @default 1_000 */
  readonly keepEvents?: number | undefined
}

/** What happened in a `VirtualNetwork` since it was made, in all of its nodes together. */
export interface VirtualNetworkStats {
  readonly bytes: number
  /** What was written at one time, over one connection. */
  readonly chunks: number
  /** Frames, by the name of their kind as in docs/PROTOCOL.md: `message`, `ping`. */
  readonly frames: Readonly<Record<string, number>>
  readonly signed: number
  readonly verified: number
}

/** How long to wait, in ms of the network's time. */
export interface PatienceOptions {
  readonly timeout?: number | undefined
}

/** How a node goes: its process is killed, or its machine loses its power. */
export interface CrashOptions {
  /** Nobody is told: its connections go silent. @default false: its platform ends them */
  readonly power?: boolean | undefined
}

const NAMES = ['seed', 'latency', 'jitter', 'loss', 'signatures', 'start', 'node', 'nodeClass', 'keepEvents'] // prettier-ignore

/**
 * Checks what no part of the network checks itself, and fills in the defaults.
 *
 * @throws SecureNodeError `invalid-option`, `unknown-option`
 */
export function checkVirtualOptions<N>(options: VirtualNetworkOptions<N>) {
  checkNames(options, NAMES)
  const { seed = 1, signatures = 'counted', start = FIRST_MOMENT, keepEvents = 1_000 } = options
  const { latency = { min: 5, max: 50 }, jitter = 0.1, loss = 0 } = options
  if (!Number.isSafeInteger(seed)) throw invalidOption('seed', 'a whole number', seed)
  if (!Number.isSafeInteger(start) || start < 0)
    throw invalidOption('start', 'whole milliseconds since the epoch', start)
  if (!SIGNATURES.includes(signatures)) throw invalidOption('signatures', '"counted" or "real"', signatures)
  if (!(keepEvents >= 1)) throw invalidOption('keepEvents', 'a number from 1', keepEvents)
  return { seed, signatures, start, keepEvents, latency, jitter, loss }
}

const SIGNATURES: readonly Signatures[] = ['counted', 'real']
/** The same in every run, as all times after it. */
const FIRST_MOMENT = Date.UTC(2026, 0, 1)
