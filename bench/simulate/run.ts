// One size of the simulation, as a process: takes its options as JSON, tells its parent how far it is, and the result.
import { Life, type LifeOptions } from './life.ts'

/** Messages of one measurement: the larger a network, the fewer are needed, for each has as many deliveries. */
const MESSAGES = [
  { upTo: 2_000, messages: 80, others: 20 },
  { upTo: 20_000, messages: 40, others: 6 },
  { upTo: Infinity, messages: 12, others: 3 },
]

const options = JSON.parse(process.argv[2]!) as Pick<LifeOptions, 'nodes' | 'seed' | 'relays' | 'crashes'>
const { messages, others } = MESSAGES.find(({ upTo }) => options.nodes <= upTo)!
const collect = (globalThis as { gc?: () => void }).gc
const life = new Life({
  ...options,
  messages,
  others,
  heap: () => {
    collect?.()
    return process.memoryUsage().heapUsed
  },
  progress: (phase, nodes, seconds) => void process.send!({ phase, nodes, seconds }),
})
const started = process.cpuUsage()
await life.live()
const { user, system } = process.cpuUsage(started)
const result = {
  nodes: options.nodes,
  holdings: life.holdings,
  rows: life.rows,
  events: life.net.wheel.count,
  virtualSeconds: life.net.now / 1_000,
  cpuSeconds: (user + system) / 1e6,
  maxMemory: process.resourceUsage().maxRSS * 1_024,
}
process.send!({ result }, () => process.disconnect())
