import type { MemberReport } from './member-api.ts'
import { type Edge, hopsFrom } from './topology.ts'

/** How long messages took over a number of links, in ms. */
export interface LatencyRow {
  readonly hops: number
  readonly count: number
  readonly p50: number | undefined
  readonly p99: number | undefined
}

/**
 * Latencies by distance, the shortest first: from just before a message was signed to the moment when it was
 * handed to the application, verified at every node between.
 *
 * @param isCounted which messages, by their number
 */
export function latencyByHops(
  reports: readonly MemberReport[],
  edges: readonly Edge[],
  isCounted: (number: number) => boolean,
): LatencyRow[] {
  const samples = new Map<number, number[]>()
  for (const { member, deliveries } of reports) {
    const hops = hopsFrom(member, edges)
    for (const [author, number, latency] of deliveries) {
      const distance = hops.get(author)
      if (distance === undefined || !isCounted(number)) continue
      const others = samples.get(distance)
      if (others === undefined) samples.set(distance, [latency])
      else others.push(latency)
    }
  }
  return [...samples]
    .sort(([a], [b]) => a - b)
    .map(([hops, all]) => ({ hops, count: all.length, p50: percentile(all, 50), p99: percentile(all, 99) }))
}

/** The value that `percent` per cent of the values do not exceed (nearest rank); undefined for none. */
export function percentile(values: readonly number[], percent: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]
}
