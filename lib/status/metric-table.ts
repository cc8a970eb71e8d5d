import type { RelayStats } from '../relay/relay-port.ts'
import type { NodeStatus } from './status-event.ts'

/** One value of a metric. */
export interface Sample {
  readonly value: number
  /** Besides the node's. */
  readonly labels?: Readonly<Record<string, string>>
}

/** What `stats()` of a node tells. */
export interface SecureNodeFigures extends RelayStats {
  readonly inbound: number
  readonly outbound: number
  readonly pending: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly sent: number
  readonly received: number
  readonly requests: {
    readonly pending: number
    readonly incoming: number
    readonly dropped: Readonly<Record<string, number>>
  }
}

/** A metric: what it says, whether it only grows, and where its values come from. */
export interface Metric {
  readonly help: string
  readonly type: 'counter' | 'gauge'
  read(status: NodeStatus<SecureNodeFigures>): readonly Sample[]
}

type Read = (stats: SecureNodeFigures, status: NodeStatus<SecureNodeFigures>) => number

function metric(type: Metric['type'], help: string, read: Read): Metric {
  return { type, help, read: (status) => [{ value: read(status.stats, status) }] }
}

/** One value for each of some names, such as codes. */
function split(
  type: Metric['type'],
  help: string,
  label: string,
  read: (stats: SecureNodeFigures) => Readonly<Partial<Record<string, number>>>,
): Metric {
  return {
    type,
    help,
    read: ({ stats }) =>
      Object.entries(read(stats)).map(([name, value = 0]) => ({ value, labels: { [label]: name } })),
  }
}

const counter = (help: string, read: Read): Metric => metric('counter', help, read)
const gauge = (help: string, read: Read): Metric => metric('gauge', help, read)

/** All metrics, by name. Names and units follow the habits of Prometheus: seconds, bytes, and `_total` for counters. */
export const METRICS: Readonly<Record<string, Metric>> = {
  secure_node_info: {
    help: 'The node: its network and the version of the protocol. Always 1.',
    type: 'gauge',
    read: ({ net, version }) => [{ value: 1, labels: { net, version: String(version) } }],
  },
  secure_node_uptime_seconds: gauge('Since the node was started.', (_, { uptime }) => uptime / 1_000),
  secure_node_connections: split(
    'gauge',
    'Connections that are up, by who opened them.',
    'direction',
    ({ inbound, outbound }) => ({ inbound, outbound }),
  ),
  secure_node_connections_pending: gauge(
    'Inbound connections whose handshake is under way.',
    ({ pending }) => pending,
  ),
  secure_node_received_bytes_total: counter('Bytes that came over all links.', ({ bytesIn }) => bytesIn),
  secure_node_sent_bytes_total: counter('Bytes that were sent over all links.', ({ bytesOut }) => bytesOut),
  secure_node_messages_sent_total: counter('Messages of the node itself.', ({ sent }) => sent),
  secure_node_messages_delivered_total: counter(
    'Messages that were shown to the application.',
    ({ received }) => received,
  ),
  secure_node_messages_relayed_total: counter(
    'Messages that were passed on, each counted once.',
    ({ relayed }) => relayed,
  ),
  secure_node_messages_duplicate_total: counter(
    'Further copies of messages that the node had.',
    ({ duplicates }) => duplicates,
  ),
  secure_node_messages_refused_total: split(
    'counter',
    'Messages that were refused, by verdict.',
    'code',
    ({ refused }) => refused,
  ),
  secure_node_message_ids: gauge('Message IDs that are remembered.', ({ messageIds }) => messageIds),
  secure_node_message_ids_limit: gauge(
    'Message IDs that may be remembered.',
    (_, { cacheLimit }) => cacheLimit,
  ),
  secure_node_peer_book_nodes: gauge('Nodes that the peer book knows.', (_, { peerBook }) => peerBook),
  secure_node_network_nodes: gauge(
    'Nodes in the network, as many as the last discovery found.',
    (_, { networkSize }) => networkSize,
  ),
  secure_node_tree_links: split(
    'gauge',
    'Links of the relay tree.',
    'state',
    ({ tree: { eager, lazy } }) => ({
      eager,
      lazy,
    }),
  ),
  secure_node_tree_grafts_total: counter(
    'Lazy links that were made eager for a missing message.',
    ({ tree }) => tree.grafts,
  ),
  secure_node_tree_prunes_total: counter('Peers that were told to be lazy.', ({ tree }) => tree.prunes),
  secure_node_tree_announced_total: counter('Message IDs that were announced.', ({ tree }) => tree.announced),
  secure_node_tree_requested_total: counter('Message IDs that were asked for.', ({ tree }) => tree.requested),
  secure_node_tree_supplied_total: counter(
    'Message IDs that peers asked for and were to be sent.',
    ({ tree }) => tree.supplied,
  ),
  secure_node_tree_missing: gauge(
    'Messages that were announced and have not come yet.',
    ({ tree }) => tree.missing,
  ),
  secure_node_tree_abandoned_total: counter(
    'Messages that did not come from any of their announcers.',
    ({ tree }) => tree.abandoned,
  ),
  secure_node_tree_ignored_total: counter(
    'Announced and wanted IDs beyond what one link may have.',
    ({ tree }) => tree.ignored,
  ),
  secure_node_requests: split(
    'gauge',
    'Requests under way, by whose they are.',
    'side',
    ({ requests: { pending, incoming } }) => ({ own: pending, others: incoming }),
  ),
  secure_node_requests_dropped_total: split(
    'counter',
    'Messages of requests that were dropped, by reason.',
    'reason',
    ({ requests }) => requests.dropped,
  ),
}
