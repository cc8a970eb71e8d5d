import { DIAL_PAUSE_MAX, DIAL_PAUSE_MIN, MAX_BACK_OFFS, MAX_FAILED_PORTS } from '../limits/network-limits.ts'
import { type Address, formatAddress, reachOf } from '../wire/address.ts'

/** Failures in a row, and the pause after them. */
interface Pause {
  failures: number
  /** Its end, in ms since the epoch. */
  until: number
}

interface AddressPause extends Pause {
  /** Whether a node was ever reached there. */
  hasWorked: boolean
  /** Who was found there last, where somebody else was looked for. */
  owner: string | undefined
}

interface HostPause extends Pause {
  /** Ports that failed, as many as it takes. */
  readonly ports: Set<number>
}

/**
 * Pauses between dials that fail: 30 s for an address, doubled by each further failure up to an hour, and each
 * shortened at random by up to a half. A host of which 3 ports have failed rests as a whole, after each failure as
 * long as if all had been those of one address; an address where a node was reached is exempt from the rest of its
 * host. On loopback, where the nodes of a whole test share a host, addresses pause for themselves.
 *
 * This bounds what liars can do who sign records with a victim's address, under however many identities and with
 * however many ports: a node dials the victim's host at most **17 times in the first hour and 5 times in any later
 * one**, counted from the last dial that succeeded there, and besides those that were under way together.
 *
 * Hosts must be in their one spelling, as records have them: another spelling would be another host.
 */
export class DialBackOff {
  readonly #random: () => number
  readonly #addresses = new Map<string, AddressPause>()
  readonly #hosts = new Map<string, HostPause>()

  /** @param random Where jitter comes from: numbers from 0 to below 1. */
  constructor(random: () => number) {
    this.#random = random
  }

  /** Addresses remembered; never more than 4,096. */
  get size(): number {
    return this.#addresses.size
  }

  /**
   * Whether an address may be dialled.
   *
   * @param id Who is looked for there. A node that was found where another was looked for is there: what liars say of
   *   its address must not keep others away from it. @default anybody
   */
  isReady(address: Address, now: number, id?: string): boolean {
    if (id !== undefined && this.#addresses.get(keyOf(address))?.owner === id) return true
    const wait = this.nextTry(address) - now
    // No pause is that long: the clock was set back.
    return wait <= 0 || wait > DIAL_PAUSE_MAX
  }

  /** When an address may be dialled again, in ms since the epoch; 0 where nothing is known against it. */
  nextTry(address: Address): number {
    const pause = this.#addresses.get(keyOf(address))
    const until = pause === undefined || pause.failures === 0 ? 0 : pause.until
    const host = this.#hosts.get(address.host)
    const isResting = host !== undefined && host.ports.size >= MAX_FAILED_PORTS && pause?.hasWorked !== true
    return isResting ? Math.max(until, host.until) : until
  }

  /**
   * A dial has failed.
   *
   * @param owner The node that was found there instead of the one that was looked for, if there was one.
   */
  failed(address: Address, now: number, owner?: string): void {
    const pause = entryOf(this.#addresses, keyOf(address), () => ({ ...NONE, hasWorked: false, owner }))
    pause.owner = owner
    this.#extend(pause, now)
    if (reachOf(address.host) === 'loopback') return
    const host = entryOf(this.#hosts, address.host, () => ({ ...NONE, ports: new Set<number>() }))
    if (host.ports.size < MAX_FAILED_PORTS) host.ports.add(address.port)
    this.#extend(host, now)
  }

  /** A node was reached. What else is known of its host counts as new again. */
  succeeded(address: Address, now: number): void {
    const pause = entryOf(this.#addresses, keyOf(address), () => ({
      ...NONE,
      hasWorked: true,
      owner: undefined,
    }))
    // The time says only how soon it is forgotten: without failures there is no pause.
    Object.assign(pause, { failures: 0, until: now, hasWorked: true })
    this.#hosts.delete(address.host)
  }

  #extend(pause: Pause, now: number): void {
    // 2^30 pauses are longer than any: without a bound the doubling ends at infinity.
    const longest = Math.min(DIAL_PAUSE_MAX, DIAL_PAUSE_MIN * 2 ** Math.min(pause.failures, 30))
    pause.failures++
    pause.until = now + longest * (0.5 + this.#random() / 2)
  }
}

const NONE: Readonly<Pause> = { failures: 0, until: 0 }

function keyOf({ host, port }: Address): string {
  return formatAddress(host, port)
}

function entryOf<P extends Pause>(pauses: Map<string, P>, key: string, create: () => P): P {
  let entry = pauses.get(key)
  if (entry !== undefined) return entry
  if (pauses.size >= MAX_BACK_OFFS) forgetOne(pauses)
  pauses.set(key, (entry = create()))
  return entry
}

/**
 * Forgets the one whose pause ended first, or will. So before a victim's pauses begin anew, a liar must have made
 * this node fail at 4,095 other addresses, all of which have to rest longer than the victim.
 */
function forgetOne(pauses: Map<string, Pause>): void {
  let first: string | undefined
  let earliest = Infinity
  for (const [key, { until }] of pauses) {
    if (until >= earliest) continue
    first = key
    earliest = until
  }
  if (first !== undefined) pauses.delete(first)
}
