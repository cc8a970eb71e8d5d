export { VirtualNetwork } from './virtual-network.ts'
export type {
  CrashOptions,
  PatienceOptions,
  VirtualNetworkOptions,
  VirtualNetworkStats,
} from './virtual-options.ts'
export type { NodeClass, SimulatedNode, SimulatedNodeOptions } from './place.ts'
export type { Spread } from './distances.ts'
export { CountingEngine, type Signatures } from './counting-engine.ts'
export { ManualClock } from './manual-clock.ts'
export { Random } from './random.ts'
export { MemoryNetwork, type MemoryNetworkOptions } from '../transport/memory.ts'
export type { Route } from '../transport/memory-weather.ts'
export type { MemoryTransport } from '../transport/memory-transport.ts'
