// What the types of SecureNode promise. The compiler checks it all; nothing of it runs.
import t from 'tap'
import {
  type Explanation,
  Identity,
  type Json,
  type MessageId,
  type NodeCallback,
  type NodeConnection,
  type NodeId,
  type Refusal,
  SecureNode,
  type SecureNodeEvents,
  type SecureNodeOptions,
  type SecureNodeStats,
  type SentMessage,
  type SignedMessage,
} from '../../lib/index.ts'
import { exactly, same, use } from '../fixtures/type-checks.ts'

export function listeners(node: SecureNode): void {
  node.on('nodeMessage', (connection, data, message) => {
    exactly<NodeConnection>()(connection)
    exactly<Json>()(data)
    exactly<SignedMessage>()(message)
    exactly<NodeId>()(message.from)
    exactly<MessageId>()(message.id)
    // @ts-expect-error: what was signed stays as it is
    message.type = 'other'
  })
  node.on('rejected', (connection, refusal) => {
    exactly<NodeConnection>()(connection)
    exactly<Refusal>()(refusal)
  })
  node.on('inboundNodeConnected', (connection) => exactly<NodeConnection>()(connection))
  // @ts-expect-error: there is no such event
  node.on('error', () => {})
}

export class Overrides extends SecureNode {
  override nodeMessage(_connection: NodeConnection, data: Json, message: SignedMessage): void {
    use([data, message.type])
  }
  override rejected(_connection: NodeConnection, { code, id }: Refusal): void {
    exactly<MessageId | undefined>()(id)
    use(code)
  }
  override nodeReconnectionError(): boolean {
    return false
  }
}

/** An override may take less than it is given. */
export class Short extends SecureNode {
  override nodeMessage(_connection: NodeConnection, data: Json): void {
    use(data)
  }
}

export class BadOverrides extends SecureNode {
  // @ts-expect-error: messages are JSON, not bytes
  override nodeMessage(_connection: NodeConnection, _data: Uint8Array): void {}
}

export function constructors(identity: Identity): SecureNode[] {
  const callback: NodeCallback<SecureNode, SecureNodeEvents> = (event, node, connectedNode) => {
    exactly<keyof SecureNodeEvents>()(event)
    exactly<SecureNode>()(node)
    exactly<NodeConnection | undefined>()(connectedNode)
    return event === 'rejected'
  }
  return [
    new SecureNode('127.0.0.1', 1),
    new SecureNode('127.0.0.1', 1, 'key.pem'),
    new SecureNode('127.0.0.1', 1, new URL('file:///key.pem')),
    new SecureNode('127.0.0.1', 1, identity, { encryption: false }),
    new SecureNode('127.0.0.1', 1, undefined, callback),
    new SecureNode('127.0.0.1', 1, undefined, {}, callback),
    new SecureNode('127.0.0.1', 1, 'key.pem', (event, node) => [event, node.explain('a')]),
    // @ts-expect-error: an identity is not made of its ID
    new SecureNode('127.0.0.1', 1, { id: identity.id }),
    // @ts-expect-error: its ID is its key
    new SecureNode('127.0.0.1', 1, undefined, { id: 'alice' }),
  ]
}

export function options(): SecureNodeOptions[] {
  return [
    { windowPast: 1, password: 'secret', maxConnections: 5 },
    // @ts-expect-error: there is no such option
    { window: 1 },
    // @ts-expect-error: an ID is a key
    { id: 'alice' },
  ]
}

export async function calls(node: SecureNode, connection: NodeConnection): Promise<void> {
  same<SecureNode['id'], NodeId>()
  same<ReturnType<SecureNode['stats']>, SecureNodeStats>()
  same<ReturnType<SecureNode['explain']>, Explanation | undefined>()
  const sent = await node.sendToNodes({ a: 1 }, { type: 'x', to: [node.id], exclude: [connection] })
  exactly<SentMessage>()(sent)
  exactly<MessageId>()(sent.id)
  await node.sendToNodes('a', { re: sent.id, exp: 5 })
  await node.sendToNode(connection, 'a', { type: 'x' })
  // @ts-expect-error: signed messages are not compressed
  await node.sendToNodes('a', { compression: 'brotli' })
  // @ts-expect-error: its addressee is the peer
  await node.sendToNode(connection, 'a', { to: [node.id] })
  // @ts-expect-error: an ID is not any text
  const id: NodeId = 'alice'
  use(id)
}

t.pass('the compiler has checked this file')
