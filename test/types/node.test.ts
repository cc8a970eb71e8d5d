// What the types of Node promise to those who extend it, listen to it and call it. The compiler checks it all;
// nothing of it runs.
import t from 'tap'
import {
  type Address,
  type CloseReason,
  type Compression,
  type ConnectionInit,
  type ConnectOptions,
  Node,
  type NodeCallback,
  NodeConnection,
  type NodeEvents,
  type NodeOptions,
  type NodeStats,
  type PlainData,
  type SecureNodeError,
  type Sent,
} from '../../lib/index.ts'
import { exactly, same, use } from '../fixtures/type-checks.ts'

/** Listeners know what they are given. */
export function listeners(node: Node): void {
  for (const event of [
    'outboundNodeConnected',
    'inboundNodeConnected',
    'nodeDisconnectWithOutboundNode',
  ] as const) {
    node.on(event, (connection, ...rest) => {
      exactly<NodeConnection>()(connection)
      exactly<[]>()(rest)
    })
  }
  for (const event of ['outboundNodeDisconnected', 'inboundNodeDisconnected'] as const) {
    node.on(event, (connection, reason) => {
      exactly<NodeConnection>()(connection)
      exactly<CloseReason>()(reason)
    })
  }
  node.on('nodeMessage', (connection, data, ...rest) => {
    exactly<NodeConnection>()(connection)
    exactly<PlainData>()(data)
    exactly<[]>()(rest)
  })
  node.once('nodeRequestToStop', (...rest) => exactly<[]>()(rest))
  node.on('outboundNodeConnectionError', (error, address) => {
    exactly<SecureNodeError>()(error)
    exactly<Address>()(address)
  })
  node.on('inboundNodeConnectionError', (error) => exactly<Error>()(error))
  node.on('nodeReconnectionError', (host, port, trials, error) => {
    exactly<string>()(host)
    exactly<number>()(port)
    exactly<number>()(trials)
    exactly<unknown>()(error)
  })
  node.on('handlerError', (error, event) => use(exactly<unknown>()(error), exactly<string>()(event)))
  // @ts-expect-error: there is no such event
  node.on('nodeMesage', () => {})
  // @ts-expect-error: nothing of a node is an 'error' event
  node.on('error', () => {})
  // @ts-expect-error: a message is no number
  node.on('nodeMessage', (_connection: NodeConnection, _data: number) => {})
}

/** Methods of the names of events can be overridden, and know what they are given. */
export class Overrides extends Node {
  override outboundNodeConnected(connection: NodeConnection): void {
    connection.setInfo('a', 1)
  }
  override inboundNodeConnected(_connection: NodeConnection): unknown {
    return undefined
  }
  override outboundNodeDisconnected(_connection: NodeConnection, { code, text, by }: CloseReason): void {
    exactly<'us' | 'peer' | 'network'>()(by)
    use([code, text])
  }
  override inboundNodeDisconnected(): void {}
  override async nodeMessage(_connection: NodeConnection, data: PlainData): Promise<void> {
    if (typeof data === 'string') exactly<string>()(data)
  }
  override nodeDisconnectWithOutboundNode(_connection: NodeConnection): void {}
  override nodeRequestToStop(): void {}
  override outboundNodeConnectionError(error: SecureNodeError, { host, port }: Address): void {
    exactly<string>()(host)
    exactly<number>()(port)
    use(error.code)
  }
  override inboundNodeConnectionError(error: Error, _address: Address): void {
    use(error.message)
  }
  override nodeReconnectionError(_host: string, _port: number, trials: number, _error: unknown): boolean {
    return trials < 5
  }
  override handlerError(_error: unknown, event: string): void {
    use(event)
  }
  override debugPrint(_text: string): void {}
}

/** Overrides that promise too little are refused. */
export class BadOverrides extends Node {
  // @ts-expect-error: it is given a connection, not a text
  override inboundNodeConnected(_connection: string): void {}
  // @ts-expect-error: there is nothing of this name to override
  override nodeMesage(): void {}
  // @ts-expect-error: an ID is for reading
  rename = (): unknown => (this.id = 'other')
}

/** A class of one's own for connections. */
class Mine extends NodeConnection {
  score = 0
}
export class Maker extends Node {
  override createNewConnection(init: ConnectionInit): Mine {
    exactly<'inbound' | 'outbound'>()(init.direction)
    return new Mine(init)
  }
}

/** The callback, third or fourth. */
export function callbacks(): Node[] {
  const callback: NodeCallback<Node> = (event, node, connectedNode, data) => {
    exactly<keyof NodeEvents>()(event)
    exactly<Node>()(node)
    exactly<NodeConnection | undefined>()(connectedNode)
    exactly<unknown>()(data)
    if (event === 'nodeMessage') node.debugPrint(connectedNode?.id ?? '')
    // @ts-expect-error: there is no such event
    return event === 'nodeMesage'
  }
  return [
    new Node('127.0.0.1', 1, callback),
    new Node('127.0.0.1', 1, {}, callback),
    new Node('127.0.0.1', 1, { id: 'a' }, (event) => event),
    new Node('127.0.0.1', 1, (event, node, connectedNode) => [event, node.id, connectedNode?.id]),
    // @ts-expect-error: the third is either
    new Node('127.0.0.1', 1, 'callback'),
    // @ts-expect-error: a port is a number
    new Node('127.0.0.1', '1'),
  ]
}

/** A class may have events of its own. */
interface GameEvents extends NodeEvents {
  scored: [who: string, points: number]
}
export class Game extends Node<GameEvents> {
  score(): void {
    this.notify('scored', 'alice', 5)
    // @ts-expect-error: points are a number
    this.notify('scored', 'alice', 'many')
    this.on('scored', (who, points) => use(exactly<string>()(who), exactly<number>()(points)))
    this.on('nodeMessage', (_connection, data) => exactly<PlainData>()(data))
  }
}

/** Options are checked by name and type, and `undefined` stands for the default. */
export function options(): NodeOptions[] {
  return [
    {},
    { maxConnections: undefined, debug: true, net: 'a', id: 'b' },
    // @ts-expect-error: there is no such option
    { maxConnection: 5 },
    // @ts-expect-error: numbers are no texts
    { maxConnections: '5' },
    // @ts-expect-error: that is an option of SecureNode
    { password: 'secret' },
  ]
}

export async function calls(node: Node, connection: NodeConnection, signal: AbortSignal): Promise<void> {
  same<ReturnType<Node['start']>, Promise<void>>()
  same<ReturnType<Node['stop']>, Promise<void>>()
  same<ReturnType<Node['stats']>, NodeStats>()
  same<Node['allNodes'], ReadonlySet<NodeConnection>>()
  same<Node['id'], string>()
  same<Awaited<ReturnType<Node['connectWithNode']>>, NodeConnection>()
  const connectOptions: ConnectOptions = { reconnect: true, expect: 'a', signal, timeout: 5 }
  await node.connectWithNode('a', 1, connectOptions)
  // @ts-expect-error: there is no such option
  await node.connectWithNode('a', 1, { reconect: true })
  const sent = await node.sendToNodes({ any: 'data' }, { exclude: node.nodesInbound, compression: 'brotli' })
  exactly<Sent>()(sent)
  same<Compression, 'deflate' | 'brotli'>()
  await node.sendToNode(connection, new Uint8Array(1), { compression: 'deflate' })
  // @ts-expect-error: there is no such compression
  await node.sendToNodes('a', { compression: 'gzip' })
  // @ts-expect-error: one peer has nobody to exclude
  await node.sendToNode(connection, 'a', { exclude: [] })
  // @ts-expect-error: the sets are for reading
  node.allNodes.clear()
  // @ts-expect-error: so is what is counted
  connection.stats.bytesIn = 0
  // @ts-expect-error: what notifies is for subclasses
  node.notify('nodeRequestToStop')
  await using other = node
  use(other)
}

t.pass('the compiler has checked this file')
