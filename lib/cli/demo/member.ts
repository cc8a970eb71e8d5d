import { setTimeout as delay } from 'node:timers/promises'
import {
  type CloseReason,
  type ConnectionInit,
  Identity,
  type Json,
  messageId,
  NodeConnection,
  type Refusal,
  SecureNode,
  type SignedMessage,
  signMessage,
  type StatusSource,
} from '../../index.ts'
import { encodeFrame, Kind } from '../../wire/frame.ts'
import { alterDocument, forgeDocument } from './attack.ts'
import { lineFor } from './lines.ts'
import type {
  AttackOrder,
  Attempt,
  Delivery,
  Ending,
  Introduction,
  MemberApi,
  MemberRefusal,
  MemberReport,
  Progress,
  Saying,
  Setup,
  TalkOrder,
} from './member-api.ts'

const HOST = '127.0.0.1'
const NET = 'demo'
const TYPE = 'demo'
/** How long an attacker is kept out where the demo goes on, in ms: as long as people go on looking. */
const ENDLESS_BAN = 6_000
/** Messages that can be asked about beyond those of the demo. */
const SPARE_TRACES = 100

/** One process of the demo: a node that talks, keeps account of what it hears, and attacks when it is told to. */
export class Member implements MemberApi {
  readonly #identity = Identity.generate()
  readonly #deliveries: Delivery[] = []
  readonly #strange: string[] = []
  readonly #refusals: MemberRefusal[] = []
  readonly #endings: Ending[] = []
  /** The newest message of each author, as it came. */
  readonly #heard = new Map<number, SignedMessage>()
  #setup: Setup | undefined
  #node: DemoNode | undefined
  #lastAt = 0

  async introduce(): Promise<Introduction> {
    const time = Date.now()
    const data = { number: 1, text: 'from an earlier session', at: time }
    const earlier = await signMessage({ data, net: NET, type: TYPE, time }, this.#identity)
    return { id: this.#identity.id, earlier, earlierTime: time }
  }

  async start(setup: Setup): Promise<number> {
    this.#setup = setup
    // A replayed message is looked up by its ID: it must not be forgotten meanwhile.
    const maxTraces = setup.messages * setup.ids.length + SPARE_TRACES
    const banTime = setup.isEndless ? ENDLESS_BAN : undefined
    const node = new DemoNode(HOST, 0, this.#identity, { net: NET, maxTraces, banTime })
    node.on('nodeMessage', (_connection, data, message) => this.#onMessage(data, message))
    node.on('rejected', (connection, refusal) => this.#onRefusal(connection, refusal))
    node.on('inboundNodeDisconnected', (connection, reason) => this.#onEnd(connection, reason))
    node.on('outboundNodeDisconnected', (connection, reason) => this.#onEnd(connection, reason))
    this.#node = node
    await node.start()
    return node.port
  }

  async connect(port: number, expect: string): Promise<void> {
    await this.#running.connectWithNode(HOST, port, { expect })
  }

  /** Those that it is connected with. */
  get links(): readonly number[] {
    return this.#membersAt([...this.#running.allNodes])
  }

  /** Tells what its node does; it is called by the member's number. */
  get reporter(): StatusSource {
    const { reporter } = this.#running
    reporter.name = `node ${this.#known.member}`
    return reporter
  }

  async stop(): Promise<void> {
    await this.#node?.stop()
  }

  async talk({ first, last, offset, pause }: TalkOrder): Promise<number> {
    if (offset > 0) await delay(offset)
    const began = preciseNow()
    // One after the other, as an application would; sending waits where the peers cannot follow.
    for (let number = first; number <= last; number++) {
      await this.#running.sendToNodes(this.#saying(number), { type: TYPE })
      if (pause > 0) await delay(pause)
    }
    return began
  }

  async progress(): Promise<Progress> {
    return { delivered: this.#deliveries.length, lastAt: this.#lastAt }
  }

  async heardOf(author: number): Promise<string> {
    const message = this.#heard.get(author)
    if (message === undefined) throw new Error(`no message of node ${author} was heard`)
    return message.document
  }

  async attack(order: AttackOrder): Promise<Attempt> {
    const document = await this.#weapon(order)
    const id = messageId(document)
    const author = this.#idOf(order.author)
    // The author is no victim: every node knows what it has said itself.
    const victims = [...this.#running.allNodes].filter((connection) => connection.id !== author)
    const frame = encodeFrame(Kind.message, new TextEncoder().encode(document))
    // Past everything that would stop an honest node, over the attacker's own authenticated link.
    for (const connection of victims) connection.sendFrame(frame)
    // The answer says that the frame before it was read; whoever hangs up instead has read it as well.
    await Promise.allSettled(victims.map((connection) => connection.ping()))
    return { id, victims: this.#membersAt(victims) }
  }

  async #weapon({ kind, author, document }: AttackOrder): Promise<string> {
    if (kind === 'replay') return document
    if (kind === 'alter') return alterDocument(document)
    const data = { ...this.#saying(1), text: 'I never said this.' }
    const forgery = { author: this.#idOf(author), net: NET, type: TYPE, data, time: Date.now() }
    return forgeDocument(forgery, this.#identity)
  }

  async copiesOf(id: string): Promise<number> {
    return this.#running.explain(id)?.duplicates ?? 0
  }

  async hasRefused(id: string): Promise<boolean> {
    return this.#refusals.some((refusal) => refusal.id === id)
  }

  async knock(port: number): Promise<string> {
    try {
      await this.#running.connectWithNode(HOST, port)
      return 'connected'
    } catch {
      return this.#running.newest?.closeReason?.code ?? 'unreachable'
    }
  }

  async report(): Promise<MemberReport> {
    const { member } = this.#known
    const { sent, duplicates, refused } = this.#running.stats()
    return {
      member,
      id: this.#identity.id,
      sent,
      duplicates,
      refused,
      deliveries: this.#deliveries,
      strange: this.#strange,
      refusals: this.#refusals,
      links: this.#membersAt([...this.#running.allNodes]),
      endings: this.#endings,
    }
  }

  #onMessage(data: Json, message: SignedMessage): void {
    const now = preciseNow()
    const { number, text, at } = data as Saying
    const author = this.#memberOf(message.from)
    this.#lastAt = now
    if (!this.#known.isEndless) this.#deliveries.push([author, number, now - at])
    // Who said it is proven, what was said is compared: a line of somebody else is as wrong as none.
    if (author > 0 && text === lineFor(this.#known.lines, author, number)) this.#heard.set(author, message)
    else if (!this.#known.isEndless) this.#strange.push(text)
  }

  #onRefusal(connection: NodeConnection, { code, id }: Refusal): void {
    if (this.#known.isEndless) return
    this.#refusals.push({ code, id, via: this.#memberOf(connection.id) })
  }

  #onEnd(connection: NodeConnection, { code, by }: CloseReason): void {
    if (this.#known.isEndless) return
    this.#endings.push({ member: this.#memberOf(connection.id), code, by })
  }

  #saying(number: number): Saying {
    const { lines, member } = this.#known
    return { number, text: lineFor(lines, member, number), at: preciseNow() }
  }

  get #running(): DemoNode {
    if (this.#node === undefined) throw new Error('the node was not started')
    return this.#node
  }

  get #known(): Setup {
    if (this.#setup === undefined) throw new Error('the node was not started')
    return this.#setup
  }

  #idOf(member: number): string {
    return this.#known.ids[member - 1]!
  }

  /** The number of a member; 0 for anybody else. */
  #memberOf(id: string): number {
    return this.#known.ids.indexOf(id) + 1
  }

  #membersAt(connections: readonly NodeConnection[]): number[] {
    return connections.map(({ id }) => this.#memberOf(id)).sort((a, b) => a - b)
  }
}

/** A node that keeps its newest connection: how it ended tells why somebody was not let in. */
class DemoNode extends SecureNode {
  newest: NodeConnection | undefined

  override createNewConnection(init: ConnectionInit): NodeConnection {
    return (this.newest = new NodeConnection(init))
  }
}

/** Ms since the epoch, with fractions: Date.now() knows whole ones, and a hop takes less. */
function preciseNow(): number {
  return performance.timeOrigin + performance.now()
}
