// What the types of a node with the option `types` promise: what may be sent, and what its handlers are given. The
// compiler checks it all; nothing of it runs.
import { type } from 'arktype'
import t from 'tap'
import * as v from 'valibot'
import { z } from 'zod'
import {
  type Json,
  type NodeCallback,
  type NodeConnection,
  SecureNode,
  type SecureNodeEvents,
  type SecureNodeOptions,
  type SignedMessage,
} from '../../lib/index.ts'
import type { Answer } from '../../lib/requests/answer.ts'
import type { SentTo } from '../../lib/secure-node.ts'
import type { SentMessage } from '../../lib/sending.ts'
import type {
  AnyDataOf,
  MessageOf,
  NoTypes,
  OtherType,
  PayloadOf,
  TypedMessage,
  TypeMap,
  TypeName,
} from '../../lib/typing/type-map.ts'
import { exactly, same, use } from '../fixtures/type-checks.ts'

const types = {
  chat: z.object({ text: z.string() }),
  add: { request: z.object({ n: z.number() }), answer: z.number() },
  // What is signed is a text, what the application gets is a date.
  since: z.string().transform((text) => new Date(text)),
  when: { request: z.null(), answer: z.string().transform((text) => new Date(text)) },
  tags: v.array(v.string()),
  move: type({ x: 'number', 'y?': 'number' }),
  mood: z.enum(['good', 'bad']),
}
type Types = typeof types
type TypedNode = SecureNode<Types>

export function constructors(): TypedNode[] {
  const callback: NodeCallback<TypedNode, SecureNodeEvents<Types>> = (event, node) => [event, node.id]
  exactly<SecureNode>()(new SecureNode('127.0.0.1', 0))
  same<keyof NoTypes, never>()
  const inferred = new SecureNode('127.0.0.1', 0, undefined, { types })
  exactly<TypedNode>()(inferred)
  const options: SecureNodeOptions<Types> = { types, maxConnections: 5 }
  return [
    inferred,
    new SecureNode('127.0.0.1', 0, 'key.pem', options, callback),
    new SecureNode('127.0.0.1', 0, 'key.pem', { types }, (event, node) => [event, node.id]),
  ]
}

export function wrongOptions(): unknown[] {
  return [
    new SecureNode('127.0.0.1', 0, undefined, (event, node) => [event, node.id]),
    // @ts-expect-error: a class is no schema
    new SecureNode('127.0.0.1', 0, undefined, { types: { chat: String } }),
    // @ts-expect-error: there is no answer
    new SecureNode('127.0.0.1', 0, undefined, { types: { add: { request: types.chat } } }),
    // @ts-expect-error: still no such option
    new SecureNode('127.0.0.1', 0, undefined, { types, window: 1 }),
  ]
}

/** What is sent is what a schema accepts. */
export async function sends(node: TypedNode, connection: NodeConnection): Promise<void> {
  exactly<SentMessage>()(await node.sendToNodes({ text: 'hi' }, { type: 'chat' }))
  exactly<SentTo>()(await node.sendTo('id', { text: 'hi' }, { type: 'chat' }))
  await node.sendToNode(connection, { text: 'hi' }, { type: 'chat' })
  await node.sendToNodes('good', { type: 'mood', exclude: [connection] })
  await node.sendToNodes({ x: 1 }, { type: 'move' })
  await node.sendToNodes(['a'], { type: 'tags' })
  await node.sendToNodes('2026-01-01', { type: 'since' })
  // A plain message may have the type of a request: what it holds is the same.
  await node.sendToNodes({ n: 1 }, { type: 'add' })
  // @ts-expect-error: a text is a text
  await node.sendToNodes({ text: 5 }, { type: 'chat' })
  // @ts-expect-error: and must be there
  await node.sendTo('id', {}, { type: 'chat' })
  // @ts-expect-error: no more than is known
  await node.sendToNode(connection, { text: 'hi', colour: 'red' }, { type: 'chat' })
  // @ts-expect-error: it is not one of them
  await node.sendToNodes('mixed', { type: 'mood' })
  // @ts-expect-error: what travels is what the schema accepts, not what it makes of it
  await node.sendToNodes(new Date(), { type: 'since' })
  // @ts-expect-error: there is no such option
  await node.sendToNodes({ text: 'hi' }, { type: 'chat', compression: 'brotli' })
  // Types that nobody knows, and the default one.
  await node.sendToNodes({ any: [1] }, { type: 'other' })
  await node.sendToNodes({ any: [1] })
  await node.sendToNodes(5, { to: [node.id] })
  const dynamic: string = 'a name of the network'.slice(2, 6)
  await node.sendToNodes({ any: [1] }, { type: dynamic })
  await node.sendToNodes({ any: [1] }, { type: undefined })
}

/** Names of every object are no types of the map. */
export async function prototypeNames(node: TypedNode): Promise<void> {
  await node.sendToNodes('anything', { type: 'constructor' })
  node.handle('toString', ({ data }) => exactly<Json>()(data))
  same<PayloadOf<Types, '__proto__'>, unknown>()
}

/** Without a type, it is a `message`: a schema of that name counts. */
export async function defaultType(node: SecureNode<{ message: Types['chat'] }>): Promise<void> {
  await node.sendToNodes({ text: 'hi' })
  await node.sendTo('id', { text: 'hi' })
  // @ts-expect-error: it has a schema
  await node.sendToNodes('hi')
  await node.sendToNodes('hi', { type: 'text' })
}

export async function requests(node: TypedNode): Promise<void> {
  const sum = await node.request('id', 'add', { n: 41 })
  exactly<Answer<number>>()(sum)
  exactly<Date>()((await node.request('id', 'when', null)).data)
  // A type that has one schema has none for answers.
  exactly<Json>()((await node.request('id', 'chat', { text: 'hi' })).data)
  exactly<Json>()((await node.request('id', 'other', [1, 2], { timeout: 5 })).data)
  for await (const { data } of node.requestStream('id', 'add', { n: 41 })) exactly<number>()(data)
  // @ts-expect-error: it is a number
  await node.request('id', 'add', { n: '41' })
  // @ts-expect-error: also in a stream
  node.requestStream('id', 'add', 41)
  // @ts-expect-error: a schema for messages is one for requests too
  await node.request('id', 'chat', 'hi')
}

export function handlers(node: TypedNode): void {
  node.handle('add', (incoming) => incoming.data.n + 1)
  node.handle('add', async (incoming) => incoming.data.n + 1)
  node.handle('add', async (incoming) => {
    await incoming.bounce('id')
  })
  node.handle('add', (incoming) => {
    void incoming.respond(5)
  })
  node.handle('add', async function* ({ data }) {
    for (let number = 0; number < data.n; number++) yield number
  })
  node.handle('chat', ({ data }) => exactly<{ text: string }>()(data))
  node.handle('chat', ({ data }) => ({ any: data.text }))
  node.handle('since', ({ data }) => exactly<Date>()(data))
  node.handle('when', () => '2026-01-01')
  node.handle('tags', ({ data }) => exactly<string[]>()(data))
  node.handle('move', ({ data }) => exactly<{ x: number; y?: number }>()(data))
  node.handle('other', ({ data }) => exactly<Json>()(data))
  // @ts-expect-error: the answer is a number
  node.handle('add', () => 'one more')
  // @ts-expect-error: also where it is promised
  node.handle('add', async () => 'one more')
  node.handle('add', (incoming) => {
    // @ts-expect-error: and where it is told
    void incoming.respond('one more')
  })
  node.handle('add', async function* () {
    yield 1
  })
  // @ts-expect-error: and where it is one of many
  node.handle('add', async function* () {
    yield 'one more'
  })
  // @ts-expect-error: it has no number
  node.handle('add', ({ data }) => data.m)
}

/** The type of a message tells what it holds. */
export function messages(node: TypedNode): void {
  node.on('nodeMessage', (connection, data, message) => {
    exactly<NodeConnection>()(connection)
    exactly<MessageOf<Types>>()(message)
    // Every one of them is a message like any other.
    const anyMessage: SignedMessage = message
    const name: string = message.type
    use(data, anyMessage, name)
    if (message.type === 'chat') exactly<{ text: string }>()(message.data)
    else if (message.type === 'add') exactly<{ n: number }>()(message.data)
    else if (message.type === 'move') exactly<{ x: number; y?: number }>()(message.data)
    else if (message.type === 'since') {
      // What was signed, not what became of it.
      exactly<string>()(message.data)
      if (data instanceof Date) exactly<Date>()(data)
    } else if (message.type === 'mood') exactly<'good' | 'bad'>()(message.data)
    else if (message.type !== 'tags' && message.type !== 'when') {
      exactly<OtherType>()(message.type)
      exactly<Json>()(message.data)
    }
    // @ts-expect-error: a misspelled name is found
    if (message.type === 'chatt') use(message)
    // @ts-expect-error: without a look at the type, nobody knows
    use(message.data.text)
    // @ts-expect-error: what was signed stays as it is
    message.type = 'chat'
  })
  node.on('nodeMessage', (_connection, _data, message) => {
    switch (message.type) {
      case 'chat':
        return exactly<TypedMessage<'chat', { text: string }>>()(message)
      case 'tags':
        return exactly<string[]>()(message.data)
      default:
        return use(message.data)
    }
  })
}

/** A class of one's own may say what it is given with the types of its map, or more loosely. */
export class Chat extends SecureNode<Types> {
  constructor() {
    super('127.0.0.1', 0, undefined, { types })
  }
  override nodeMessage(_connection: NodeConnection, _data: unknown, message: MessageOf<Types>): void {
    if (message.type === 'chat') exactly<string>()(message.data.text)
    void this.sendToNodes({ text: 'hi' }, { type: 'chat' })
  }
}
export class Loose extends SecureNode<Types> {
  override nodeMessage(_connection: NodeConnection, data: Json, message: SignedMessage): void {
    use(data, message.type)
  }
}
export class Spread extends SecureNode<Types> {
  override nodeMessage(...[, , message]: SecureNodeEvents<Types>['nodeMessage']): void {
    if (message.type === 'chat') exactly<string>()(message.data.text)
  }
}
export class Wrong extends SecureNode<Types> {
  // @ts-expect-error: messages are JSON, or what schemas make of it
  override nodeMessage(_connection: NodeConnection, _data: Json, _message: number): void {}
}
/** A class that leaves the types to those who extend it. */
export class Generic<T extends TypeMap = NoTypes> extends SecureNode<T> {
  async greet<K extends TypeName<T>>(type: K, data: PayloadOf<T, K>): Promise<void> {
    await this.sendToNodes(data, { type })
  }
}

/** Without a map all is as before. */
export async function untyped(node: SecureNode): Promise<void> {
  await node.sendToNodes({ any: 'data' }, { type: 'chat' })
  await node.sendToNodes('text')
  exactly<Json>()((await node.request('id', 'add', 41)).data)
  node.handle('add', ({ data }) => {
    exactly<Json>()(data)
    return 42
  })
  node.on('nodeMessage', (_connection, data, message) => {
    exactly<Json>()(data)
    exactly<SignedMessage>()(message)
    if (message.type === 'chat') exactly<Json>()(message.data)
  })
}

/** Whoever takes any node takes those with types, and a map that names nothing tells nothing. */
export function anyNode(typed: TypedNode, chat: Chat, map: TypeMap): SecureNode[] {
  same<MessageOf<TypeMap>, SignedMessage>()
  same<AnyDataOf<TypeMap>, Json>()
  const unknownTypes: SecureNode<TypeMap> = new SecureNode('127.0.0.1', 0, undefined, { types: map })
  return [typed, chat, unknownTypes, new Generic('127.0.0.1', 0, undefined, { types })]
}

/** What no schema should let pass, and what it says too little about, is still JSON. */
export function oddSchemas(): void {
  type Odd = {
    any: z.ZodAny
    optional: z.ZodObject<{ a: z.ZodOptional<z.ZodString> }>
    never: z.ZodNever
  }
  type Of<K extends keyof Odd> = Extract<MessageOf<Odd>, { readonly type: K }>['data']
  same<Of<'any'>, Json>()
  same<Of<'optional'>['a'], string | undefined>()
  const anyMessage = (message: MessageOf<Odd>): SignedMessage => message
  use(anyMessage)
}

t.pass('the compiler has checked this file')
