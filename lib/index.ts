export { Node, type NodeStats, type SendOptions, type Sent } from './node.ts'
export { type PeerBookSendOptions, SecureNode } from './secure-node.ts'
export type { SecureNodeEvents, SecureNodeStats, SecureSendOptions, SentMessage } from './signed-node.ts'
export { type ConnectionInit, NodeConnection } from './node-connection.ts'
export type { ConnectionStats } from './wire/frame-channel.ts'
export type { ConnectOptions } from './connector.ts'
export type { NodeCallback, NodeEvents } from './events.ts'
export type { NodeOptions, SecureNodeOptions } from './options.ts'
export type { Refusal } from './relay/relay.ts'
export type { Explanation } from './relay/traces.ts'
export type { CloseCode, CloseReason } from './wire/close-code.ts'
export type { Address } from './wire/address.ts'
export type { Compression, PlainData } from './wire/payload.ts'
export type { Joined, JoinFailure, JoinOptions } from './overlay/joining.ts'
export type { KnownPeer, ReadonlyPeerBook } from './book/known-peer.ts'
export { drawDot, drawMermaid, drawText } from './discovery/network-drawing.ts'
export type { NetworkLink, NetworkMap, NetworkNode } from './discovery/network-map.ts'
export type { DiscoverOptions, NetworkSearch } from './discovery/network-search.ts'
export type { PeerRecord } from './book/peer-record.ts'
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
