import { type Clock, systemClock } from '../ground/clock.ts'
import { invalidArgument, invalidOption } from '../errors.ts'
import * as limits from '../limits/limits.ts'
import { FLOOD_LINKS } from '../limits/tree-limits.ts'
import type { Engine } from '../identity/engine.ts'
import { isLogger, type Logger } from '../ground/logger.ts'
import { NAME } from '../message/document.ts'
import { DEFAULT_NET } from '../message/draft.ts'
import { checkNames } from '../ground/names.ts'
import { MACHINE_RULES } from './machine-rules.ts'
import {
  addresses,
  count,
  duration,
  flag,
  frameBytes,
  isHistory,
  isRecord,
  object,
  type Rule,
} from './option-rules.ts'
import type { StatusOptions } from '../status/status-port.ts'
import type { HistoryOptions } from './history-options.ts'
import type { NoTypes, TypeMap } from '../typing/type-map.ts'
import type { Transport, TransportMaker } from '../transport/transport.ts'
import type { WebSocketListenOptions } from '../transport/websocket-door.ts'
import { type Address, toAddress } from '../wire/address.ts'
import { isNodeId, isPlainId } from '../wire/hello.ts'
import type { NodeId } from '../wire/ids.ts'

/** Options of a {@link Node}. Every limit is on unless it is set otherwise. */
export interface NodeOptions {
  /** Name of the network; nodes of different networks do not connect. @default 'default' */
  readonly net?: string | undefined
  /** The node's ID, 1 to 64 letters, digits, `.`, `_`, `:` or `-`; unique in the network. @default random */
  readonly id?: string | undefined
  /** Print to stderr what happens. @default false */
  readonly debug?: boolean | undefined
  /** Where what happens is logged, as structured records, whatever `debug` says: pino, or its shape. @default none */
  readonly logger?: Logger | undefined
  /** Connections, both directions together. @default 1_024 */
  readonly maxConnections?: number | undefined
  /** Inbound connections whose handshake is under way. @default 32 */
  readonly maxPending?: number | undefined
  /** New inbound connections of one address in 10 s. @default 64 */
  readonly maxNewPerAddress?: number | undefined
  /** From a raw connection to a link that is up, in ms. @default 10_000 */
  readonly handshakeTimeout?: number | undefined
  /** A frame that began must be complete within this time, in ms. @default 30_000 */
  readonly frameTimeout?: number | undefined
  /** How long a goodbye may take to be flushed, in ms. @default 2_000 */
  readonly stopTimeout?: number | undefined
  /** Bytes of one frame; for `Node`, of one message. @default 1 MiB */
  readonly maxFrameBytes?: number | undefined
  /** Bytes that may wait for one peer before its connection is closed. @default 4 MiB */
  readonly maxQueueBytes?: number | undefined
  /** Between pings of a link, in ms. @default 20_000 */
  readonly pingInterval?: number | undefined
  /** Silence after which a link is dead, in ms. @default 45_000 */
  readonly pingTimeout?: number | undefined
  /** First pause before reconnecting, in ms; doubled after each failure. @default 500 */
  readonly reconnectMin?: number | undefined
  /** Longest pause before reconnecting, in ms. @default 30_000 */
  readonly reconnectMax?: number | undefined
  /** How bytes travel. @default TCP; for `SecureNode`, TLS 1.3 over TCP */
  readonly transport?: Transport | undefined
  /** Where time comes from. @default the machine's clock */
  readonly clock?: Clock | undefined
  /** Where chance comes from: numbers from 0 to below 1. For simulations. @default Math.random */
  readonly random?: (() => number) | undefined
}

/** Options of a {@link SecureNode}. */
export interface SecureNodeOptions<T extends TypeMap = NoTypes> extends Omit<NodeOptions, 'id'> {
  /** Password of the key file. @default the environment variable SECURE_NODE_PASSWORD */
  readonly password?: string | undefined
  /** `false` sends in the clear, for lessons with a packet sniffer; messages stay signed. @default true */
  readonly encryption?: boolean | undefined
  /** Oldest message that is accepted, in ms. @default 300_000 */
  readonly windowPast?: number | undefined
  /** How far ahead of our clock a message's time may be, in ms. @default 60_000 */
  readonly windowFuture?: number | undefined
  /** Message IDs remembered; when full, new messages are refused. @default 262_144 */
  readonly maxMessageIds?: number | undefined
  /** Signatures under verification at once. @default 64 */
  readonly maxVerifications?: number | undefined
  /** Messages a second that are read from one link; beyond it the link is read more slowly. @default 100_000 */
  readonly messageRate?: number | undefined
  /** Messages that `explain()` remembers. @default 4_096 */
  readonly maxTraces?: number | undefined
  /** With at most so many peers, messages go to all of them; with more, along a tree. @default 4 */
  readonly floodLinks?: number | undefined
  /** How long a peer whose link brought a forbidden message is kept out, in ms. @default 600_000 */
  readonly banTime?: number | undefined
  /** Addresses to find the network at, tried from `start()` on until one answers. @default none */
  readonly bootstrap?: readonly (string | Address)[] | undefined
  /** Links that the node looks for once it has joined; at least half of them opened by itself; from 3. @default 8 */
  readonly targetConnections?: number | undefined
  /** Outbound links to public addresses of one group (/16 of IPv4, /32 of IPv6). @default 2 */
  readonly maxOutboundPerGroup?: number | undefined
  /**
   * Addresses to tell others, where those that the node finds out itself are not right: IP addresses, as a router
   * forwards them. `false` tells none: a node that is only visiting. @default found out
   */
  readonly advertise?: readonly (string | Address)[] | false | undefined
  /** File that keeps the peer book over restarts. @default none */
  readonly peerBookFile?: string | URL | undefined
  /** Find nodes of the same network on the local one, by multicast. @default false */
  readonly lan?: boolean | undefined
  /**
   * Keep messages for nodes that were away, and ask for what this node has missed itself. `maxAge` in ms and
   * `maxBytes` bound what is kept; with `folder` it is kept there, over restarts, by the package `classic-level`.
   *
   * @default none
   */
  readonly history?: HistoryOptions | undefined
  /** Further ways to reach nodes and to be reached: what `secure-node/hyperswarm` makes. @default none */
  readonly transports?: readonly TransportMaker[] | undefined
  /** What each type of message may contain: a Standard Schema each, or two for requests. @default anything */
  readonly types?: T | undefined
  /** Accepts WebSockets too, so that pages can join: see README, "In a browser". @default none */
  readonly websocket?: WebSocketListenOptions | undefined
  /** Tells over HTTP what the node does, to who has the token: see docs/STATUS.md. @default none */
  readonly status?: StatusOptions | undefined
  /** What verifies signatures. For simulations. @default the fastest of this platform */
  readonly engine?: Engine | undefined
}

const NODE_RULES = {
  net: [`a name like ${NAME.source}`, (value) => typeof value === 'string' && NAME.test(value), DEFAULT_NET],
  debug: flag(false),
  logger: ['an object with the methods debug, info, warn and error', isLogger, undefined],
  maxConnections: count(limits.MAX_CONNECTIONS),
  maxPending: count(limits.MAX_PENDING),
  maxNewPerAddress: count(limits.MAX_NEW_PER_ADDRESS),
  handshakeTimeout: duration(limits.HANDSHAKE_TIMEOUT),
  frameTimeout: duration(limits.FRAME_TIMEOUT),
  stopTimeout: duration(limits.STOP_TIMEOUT),
  maxFrameBytes: frameBytes(limits.MAX_HELLO_BYTES),
  maxQueueBytes: count(limits.MAX_QUEUE_BYTES),
  pingInterval: duration(limits.PING_INTERVAL),
  pingTimeout: duration(limits.PING_TIMEOUT),
  reconnectMin: duration(limits.RECONNECT_MIN),
  reconnectMax: duration(limits.RECONNECT_MAX),
  transport: object('a transport', 'dial', undefined),
  clock: object('a clock', 'setTimer', systemClock),
  random: ['a function', (value) => typeof value === 'function', Math.random],
} satisfies Record<string, Rule>

const PLAIN_NODE_RULES = {
  ...NODE_RULES,
  id: ['1 to 64 letters, digits, ".", "_", ":" or "-"', isPlainId, undefined],
} satisfies Record<keyof NodeOptions, Rule>

const SECURE_NODE_RULES = {
  ...NODE_RULES,
  ...MACHINE_RULES,
  // A frame must hold any message and its attachment: with less, the largest would end the links that bring them.
  maxFrameBytes: frameBytes(limits.MAX_FRAME_BYTES),
  encryption: flag(true),
  windowPast: duration(limits.WINDOW_PAST),
  windowFuture: duration(limits.WINDOW_FUTURE),
  maxMessageIds: count(limits.MAX_MESSAGE_IDS),
  maxVerifications: count(limits.MAX_VERIFICATIONS),
  messageRate: count(limits.MESSAGE_RATE),
  maxTraces: count(limits.MAX_TRACES),
  floodLinks: count(FLOOD_LINKS),
  banTime: duration(limits.BAN_TIME),
  bootstrap: addresses,
  history: ['an object with "maxAge", "maxBytes" or "folder"', isHistory, undefined],
  types: ['an object with a schema for each type', isRecord, undefined],
  engine: object('a signature engine', 'verify', undefined),
} satisfies Record<keyof SecureNodeOptions, Rule>

/** Options that have no default: they stay undefined where they are not given. */
type Optional =
  | 'id'
  | 'logger'
  | 'transport'
  | 'password'
  | 'peerBookFile'
  | 'history'
  | 'types'
  | 'websocket'
  | 'status'
  | 'engine'
/** Options after the defaults were filled in. */
export type Settings<O> = { readonly [K in keyof O]-?: K extends Optional ? O[K] : Exclude<O[K], undefined> }
/** The options of a `Node`, checked. */
export type NodeSettings = Settings<NodeOptions>
/** The options of a `SecureNode`, checked. */
export type SecureNodeSettings = Settings<SecureNodeOptions<TypeMap>>

/** Those that a single connection goes by. */
export type ConnectionSettings = Pick<
  NodeSettings,
  | 'handshakeTimeout'
  | 'frameTimeout'
  | 'stopTimeout'
  | 'maxFrameBytes'
  | 'maxQueueBytes'
  | 'pingInterval'
  | 'pingTimeout'
  | 'random'
>

/** Checks the options of a `Node` and fills in the defaults. @throws SecureNodeError `invalid-option` */
export function nodeSettings(options: NodeOptions): NodeSettings {
  return applyRules(options, PLAIN_NODE_RULES) as unknown as NodeSettings
}

/** Checks the options of a `SecureNode` and fills in the defaults. @throws SecureNodeError `invalid-option` */
export function secureNodeSettings(options: SecureNodeOptions<TypeMap>): SecureNodeSettings {
  const settings = applyRules(options, SECURE_NODE_RULES) as unknown as SecureNodeSettings
  // Refused here, not by a handshake later: it would be a node that never reaches anybody.
  if (settings.transport?.isPlainOnly === true)
    throw invalidOption(
      'transport',
      `one for signed messages; use "${settings.transport.name}" with Node`,
      options.transport,
    )
  return settings
}

/** Those of a `SecureNode`'s settings that are its base's too. */
export function nodeOptionsOf(settings: SecureNodeSettings): NodeOptions {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => Object.hasOwn(NODE_RULES, name)))
}

/** Checks a node ID. @throws SecureNodeError `invalid-argument` */
export function checkNodeId(id: string): asserts id is NodeId {
  if (!isNodeId(id)) throw invalidArgument('nodeId', 'a node ID: 64 lower-case hexadecimal digits', id)
}

/** Checks a host and a port. @throws SecureNodeError `invalid-argument` */
export function checkAddress(host: string, port: number, lowest: 0 | 1): void {
  if (typeof host !== 'string' || host === '')
    throw invalidArgument('host', 'an address or a host name', host)
  const isPort = Number.isInteger(port) && port >= lowest && port < 65_536
  if (!isPort) throw invalidArgument('port', `an integer from ${lowest} to 65535`, port)
}

/** An address in one form. @throws SecureNodeError `invalid-argument` */
export function checkedAddress(address: unknown): Address {
  const checked = toAddress(address)
  if (checked !== undefined) return checked
  throw invalidArgument('an address', '"host:port", "[IPv6]:port" or { host, port }', address)
}

const CONNECT_RULES: Record<string, Rule> = {
  reconnect: flag(false),
  expect: ['a node ID', isPlainId, undefined],
  temporary: flag(false),
  signal: object('an AbortSignal', 'addEventListener', undefined),
  timeout: duration(limits.HANDSHAKE_TIMEOUT),
}

/** Checks the options of `connectWithNode`. @throws SecureNodeError `invalid-argument`, `invalid-option` */
export function checkConnectOptions(options: object): void {
  checkNames(options, Object.keys(CONNECT_RULES))
  for (const [name, [text, isValid]] of Object.entries(CONNECT_RULES)) {
    const value: unknown = (options as Record<string, unknown>)[name]
    if (value !== undefined && !isValid(value)) throw invalidArgument(name, text, value)
  }
}

/** Nothing is coerced: `ws` turns a limit of 2^32 into none by `| 0`. Unknown names are typing errors. */
function applyRules(options: object, rules: Record<string, Rule>): Record<string, unknown> {
  const names = Object.keys(rules)
  checkNames(options, names)
  const settings: Record<string, unknown> = {}
  for (const [name, [text, isValid, fallback]] of Object.entries(rules)) {
    const value: unknown = (options as Record<string, unknown>)[name]
    if (value !== undefined && !isValid(value)) throw invalidOption(name, text, value)
    settings[name] = value ?? fallback
  }
  checkPairs(settings)
  return settings
}

/** Rules between two options. */
function checkPairs(settings: Record<string, unknown>): void {
  const { reconnectMin, reconnectMax, pingInterval, pingTimeout } = settings as Record<string, number>
  const { maxFrameBytes, maxQueueBytes } = settings as Record<string, number>
  if (reconnectMax! < reconnectMin!) {
    throw invalidOption('reconnectMax', `at least "reconnectMin" (${reconnectMin!})`, reconnectMax)
  }
  if (pingTimeout! <= pingInterval!) {
    throw invalidOption('pingTimeout', `more than "pingInterval" (${pingInterval!})`, pingTimeout)
  }
  // Otherwise a message that may be sent would cost all connections, though nothing waits.
  const wholeFrame = maxFrameBytes! + 4
  if (maxQueueBytes! < wholeFrame) {
    throw invalidOption(
      'maxQueueBytes',
      `at least "maxFrameBytes" and its length (${wholeFrame})`,
      maxQueueBytes,
    )
  }
}
