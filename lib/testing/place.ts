import type { Clock } from '../ground/clock.ts'
import type { ConnectOptions } from '../connections/connector-port.ts'
import type { Engine } from '../identity/engine.ts'
import { Identity } from '../identity/identity.ts'
import type { NodeConnection } from '../node-connection.ts'
import type { NodeOptions, SecureNodeOptions } from '../options/options.ts'
import { SignedNode } from '../signed-node.ts'
import type { MemoryTransport } from '../transport/memory-transport.ts'
import { NodeClock } from './node-clock.ts'
import { Random } from './random.ts'

/** What a simulation asks of a node; every `Node` and `SecureNode` has it. */
export interface SimulatedNode {
  readonly id: string
  readonly isRunning: boolean
  readonly allNodes: ReadonlySet<NodeConnection>
  start(): Promise<void>
  stop(): Promise<void>
  connectWithNode(host: string, port: number, options?: ConnectOptions): Promise<NodeConnection>
}

/** A class of nodes whose constructor takes what those of `SecureNode` or of `Node` take. */
export type NodeClass<N> =
  | (new (host: string, port: number, identity: Identity, options: SecureNodeOptions) => N)
  | (new (host: string, port: number, options: NodeOptions) => N)

/** Options of one node in a simulation: its own ones, and where it is. */
export interface SimulatedNodeOptions extends Omit<SecureNodeOptions, 'clock' | 'transport'> {
  /** The address that others see it at. Several nodes may share one. @default a public one of its own */
  readonly host?: string | undefined
  /** @default 8_000 */
  readonly port?: number | undefined
  /** What the node is told to listen at: a wildcard, say. @default its address */
  readonly bind?: string | undefined
  /** Nobody can dial it, and its own address is a private one. @default false */
  readonly behindNat?: boolean | undefined
  /** How far its clock is ahead of the network's, in whole ms. @default 0 */
  readonly clockOffset?: number | undefined
  /** Who it is. @default made from the seed */
  readonly identity?: Identity | undefined
  /** The ID of a plain `Node`. @default `node-` and its number */
  readonly id?: string | undefined
}

/** What a place asks of its network. */
export interface PlacePort {
  readonly seed: number
  readonly clock: Clock
  readonly engine: Engine
  transport(host: string, isHidden: boolean): MemoryTransport
}

const DEFAULT_PORT = 8_000
/** What most nodes behind a router think that their address is. */
const PRIVATE_HOST = '192.168.0.2'

/** One place in a simulation, and the node that is there. After a restart it is another object, at the same place. */
export class Place<N extends SimulatedNode> {
  readonly number: number
  readonly host: string
  readonly port: number
  isCrashed = false
  node: N
  readonly #port: PlacePort
  readonly #options: SimulatedNodeOptions
  readonly #class: NodeClass<N>
  readonly #random: Random
  readonly #identity: Identity
  #clock!: NodeClock
  #transport!: MemoryTransport

  constructor(
    number: number,
    host: string,
    options: SimulatedNodeOptions,
    nodeClass: NodeClass<N>,
    port: PlacePort,
  ) {
    this.number = number
    this.host = host
    this.port = options.port ?? DEFAULT_PORT
    this.#port = port
    this.#options = options
    this.#class = nodeClass
    this.#random = new Random(seedOf(port.seed, number))
    const seed = this.#random.bytes(32)
    this.#identity = options.identity ?? Identity.fromSeed(seed, port.engine)
    this.node = this.#make()
  }

  /** Puts a new node there, with the same identity, address and options, and chance of its own. */
  renew(): N {
    this.isCrashed = false
    this.node = this.#make()
    return this.node
  }

  /** The node's process ends, or its machine loses its power. The object is of no use any more. */
  crash(how: 'process' | 'power'): void {
    this.isCrashed = true
    this.#clock.stop()
    this.#transport.kill(how)
  }

  #make(): N {
    const { host: _host, port: _port, bind, behindNat = false, clockOffset = 0, ...rest } = this.#options
    const { identity: _identity, id, ...secureOptions } = rest
    this.#clock = new NodeClock(this.#port.clock, clockOffset)
    this.#transport = this.#port.transport(this.host, behindNat)
    const random = this.#random.fork()
    const seams = { clock: this.#clock, transport: this.#transport, random: () => random.next() }
    const host = bind ?? (behindNat ? PRIVATE_HOST : this.host)
    const Class = this.#class as new (...args: unknown[]) => N
    if (isSigned(Class)) {
      const options = { engine: this.#port.engine, ...secureOptions, ...seams }
      return new Class(host, this.port, this.#identity, options)
    }
    return new Class(host, this.port, { id: id ?? `node-${this.number}`, ...secureOptions, ...seams })
  }
}

function isSigned(Class: new (...args: unknown[]) => unknown): boolean {
  return Class.prototype instanceof SignedNode
}

/** Another one for each place: multiplied by an odd number, no two seeds of one network are the same. */
function seedOf(seed: number, number: number): number {
  return (Math.imul(seed, 0x9e3779b1) + Math.imul(number + 1, 0x85ebca6b)) | 0
}
