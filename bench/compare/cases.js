// What is measured: the same work for every contestant that can do it.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { deliver, NODE, withCrew } from './crew.js'
import { percentile } from './statistics.js'

const VERIFY = fileURLToPath(new URL('../verify.js', import.meta.url))
const run = promisify(execFile)
/** Messages a second through many nodes that have little to do. */
const CALM_RATE = 5

/** Ed25519 alone, on the Node that the contestants run on: others have other versions of OpenSSL. */
export async function engine(way) {
  const { stdout } = await run(NODE, [VERIFY, 'bare', JSON.stringify(way)])
  return JSON.parse(stdout)
}

/** Two processes: messages a second, and what both ends spend on each. */
export function pair(contestant, { mode, count, bytes }) {
  return withCrew(contestant, 2, [[0, 1]], async ([source, sink]) => {
    // Code is compiled, and windows have grown, before it counts.
    await deliver(source, [sink], { count: Math.ceil(count / 4), bytes, mode })
    const { sourceCpu, results, wire } = await deliver(source, [sink], { count, bytes, mode })
    const [{ seconds, cpu, rss }] = results
    return { rate: count / seconds, sourceCpu, sinkCpu: cpu / count, wire, sinkMiB: rss / 2 ** 20 }
  })
}

/** How long messages take that come one by one at steady rates, in ms, by rate. */
export function latency(contestant, { rates, seconds, bytes }) {
  return withCrew(contestant, 2, [[0, 1]], async ([source, sink]) => {
    const send = (rate, time) =>
      deliver(source, [sink], { count: Math.ceil(rate * time), bytes, mode: 'rate', rate })
    await send(rates.at(-1), 1)
    const measured = []
    for (const rate of rates) measured.push(times(await send(rate, seconds)))
    return measured
  })
}

/** Messages along a row of nodes: the rate at its end, and what the relay in the middle spends on each. */
export function chain(contestant, { size, modes, bytes }) {
  const edges = Array.from({ length: size - 1 }, (_, n) => [n + 1, n])
  return withCrew(contestant, size, edges, async ([source, ...sinks]) => {
    const rows = {}
    for (const [mode, count] of Object.entries(modes)) {
      await deliver(source, sinks, { count: Math.ceil(count / 4), bytes, mode })
      const { sourceCpu, results, wire } = await deliver(source, sinks, { count, bytes, mode })
      const [relay, end] = [results[Math.floor(sinks.length / 2) - 1], results.at(-1)]
      rows[mode] = {
        rate: count / end.seconds,
        sourceCpu,
        relayCpu: relay.cpu / count,
        endCpu: end.cpu / count,
        wire,
      }
    }
    return rows
  })
}

/** One to all others: over its own links (`star`), or through a network in which each has eight (`mesh`). */
export function many(contestant, { size, shape, modes, bytes }) {
  const edges = shape === 'star' ? starEdges(size) : meshEdges(size)
  return withCrew(contestant, size, edges, async ([source, ...sinks]) => {
    const rows = {}
    for (const [mode, count] of Object.entries(modes)) {
      await deliver(source, sinks, { count: Math.ceil(count / 4), bytes, mode })
      const { sourceCpu, results, wire } = await deliver(source, sinks, { count, bytes, mode })
      const slowest = Math.max(...results.map(({ seconds }) => seconds))
      const total = results.reduce((sum, { cpu }) => sum + cpu, 0)
      const rss = percentile(
        results.map((result) => result.rss),
        0.5,
      )
      rows[mode] = {
        deliveries: (count * sinks.length) / slowest,
        sourceCpu,
        cpuPerDelivery: total / (count * sinks.length),
        wire,
        sinkMiB: rss / 2 ** 20,
      }
    }
    const calm = await deliver(source, sinks, { count: 4 * CALM_RATE, bytes, mode: 'rate', rate: CALM_RATE })
    return { rows, calm: times(calm) }
  })
}

function times({ results }) {
  const latencies = results.flatMap((result) => result.latencies)
  return { p50: percentile(latencies, 0.5) / 1_000, p99: percentile(latencies, 0.99) / 1_000 }
}

function starEdges(size) {
  return Array.from({ length: size - 1 }, (_, n) => [n + 1, 0])
}

/** A ring with three chords from each node: eight links, and always the same ones. */
function meshEdges(size) {
  return Array.from({ length: size }, (_, n) => [1, 3, 7, 19].map((step) => [n, (n + step) % size])).flat()
}
