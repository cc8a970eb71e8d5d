export { Node, type NodeStats, type SendOptions, type Sent } from './node.ts'
export {
  SecureNode,
  type SecureNodeStats,
  type SecureRequestOptions,
  type SendToAddressOptions,
  type SendToOptions,
  type SentTo,
} from './secure-node.ts'
export type { PeerBookSendOptions } from './overlay-node.ts'
export type { ReachOptions, Way } from './reach.ts'
export type { Answer } from './requests/answer.ts'
export type { Handler } from './requests/handlers.ts'
export type { RespondOptions } from './requests/exchange-port.ts'
export type { RequestFault } from './requests/request-faults.ts'
export type { RequestsStats } from './requests/requests.ts'
export type {
  AnswerDataOf,
  AnswerOf,
  AnyDataOf,
  DataOf,
  MessageOf,
  NoTypes,
  OtherType,
  PayloadOf,
  TypedMessage,
  TypeEntry,
  TypeMap,
  TypeName,
} from './typing/type-map.ts'
export type { Schema } from './typing/standard-schema.ts'
export type { Incoming } from './requests/incoming.ts'
export { RequestError } from './requests/request-error.ts'
export type { LookupOptions, LookupResult } from './lookup/finder-port.ts'
export type { TreeStats } from './relay/tree-port.ts'
export type { SecureNodeEvents } from './secure-events.ts'
export type { SecureSendOptions, SentMessage } from './sending.ts'
export { type ConnectionInit, NodeConnection } from './node-connection.ts'
export type { ConnectedPeer } from './connections/connected-peer.ts'
export type { ConnectionStats } from './wire/frame-channel.ts'
export type { ConnectOptions } from './connections/connector-port.ts'
export type { NodeCallback, NodeEvents } from './events.ts'
export type { HistoryOptions } from './options/history-options.ts'
export type { NodeOptions, SecureNodeOptions } from './options/options.ts'
export type { Refusal } from './relay/relay-port.ts'
export type { Explanation } from './relay/traces.ts'
export type { CloseCode, CloseReason } from './wire/close-code.ts'
export type { Address } from './wire/address.ts'
export type { Compression, PlainData } from './wire/payload.ts'
export type { Joined, JoinFailure, JoinOptions } from './overlay/joining.ts'
export type { KnownPeer, ReadonlyPeerBook } from './book/known-peer.ts'
export {
  type Download,
  type DownloadOptions,
  FileExchange,
  type FileExchangeOptions,
} from './files/file-exchange.ts'
export type { Downloaded } from './files/download.ts'
export type { FileOffer, OfferOptions, ReceiveOptions, Taker } from './files/offers.ts'
export type { FileProgress, OnProgress } from './files/progress.ts'
export type { SharedFile, ShareOptions } from './files/shelf.ts'
export type { FileAnswer, FilePort, FileRequest } from './files/file-port.ts'
export { safeFileName } from './files/safe-file-name.ts'
export {
  type BoxOptions,
  type BoxProgress,
  openFileWithPassword,
  type OpenFileOptions,
  openWithPassword,
  sealFileWithPassword,
  type SealFileOptions,
  sealWithPassword,
} from './seal/password-box.ts'
export { drawDot, drawMermaid, drawText } from './discovery/network-drawing.ts'
export type { NetworkLink, NetworkMap, NetworkNode } from './discovery/network-map.ts'
export type { DiscoverOptions, NetworkSearch } from './discovery/network-search.ts'
export type { PeerRecord } from './book/peer-record.ts'
export type { Latency } from './services/ping.ts'
export type { Logger, LogLevel, LogMethod } from './ground/logger.ts'
export type { Figures, Happening, LinkStatus, NodeStatus, StatusEvent } from './status/status-event.ts'
export type { StatusAddress, StatusOptions, StatusSource } from './status/status-port.ts'
export type { StatusReporter } from './status/status-reporter.ts'
export type { Clock, Timer } from './ground/clock.ts'
export type {
  Channel,
  ChannelHandlers,
  DialOptions,
  Listener,
  ListenHandlers,
  ListenOptions,
  IdListenHandlers,
  IdTransport,
  Transport,
  TransportMaker,
  TransportSelf,
} from './transport/transport.ts'
export { MemoryNetwork } from './transport/memory.ts'
export { TcpTransport } from './transport/tcp.ts'
export { TlsTransport } from './transport/tls.ts'
export { WebSocketTransport } from './transport/websocket.ts'
export type { WebSocketOptions } from './transport/websocket-options.ts'
export type { WebSocketListenOptions } from './transport/websocket-door.ts'
export * from './message/index.ts'
export type { Source } from './book/known-peer.ts'
export type { NodeLink } from './discovery/network-map.ts'
export type { FailAnswer } from './errors.ts'
