export { Node, type NodeStats, type SendOptions, type Sent } from './node.ts'
export {
  SecureNode,
  type SecureNodeEvents,
  type SecureNodeStats,
  type SecureSendOptions,
  type SentMessage,
} from './secure-node.ts'
export { type ConnectionInit, NodeConnection } from './node-connection.ts'
export type { ConnectionStats } from './wire/frame-channel.ts'
export type { ConnectOptions } from './connector.ts'
export type { NodeCallback, NodeEvents } from './events.ts'
export type { NodeOptions, SecureNodeOptions } from './options.ts'
export type { Refusal } from './relay/relay.ts'
export type { Explanation } from './relay/traces.ts'
export type { CloseCode, CloseReason } from './wire/close-code.ts'
export type { Address } from './wire/hello.ts'
export type { Compression, PlainData } from './wire/payload.ts'
export type { Latency } from './services/ping.ts'
export type { Clock, Timer } from './clock.ts'
export type {
  Channel,
  ChannelHandlers,
  DialOptions,
  Listener,
  ListenHandlers,
  ListenOptions,
  Transport,
} from './transport/transport.ts'
export { MemoryNetwork } from './transport/memory.ts'
export { TcpTransport } from './transport/tcp.ts'
export { TlsTransport } from './transport/tls.ts'
export * from './message/index.ts'
