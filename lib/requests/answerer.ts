import { MAX_REFUSALS } from '../limits/direct-limits.ts'
import type { Json } from '../message/canonical.ts'
import type { SignedMessage } from '../message/message.ts'
import type { MessageId } from '../wire/ids.ts'
import { BouncedAsks, receivedAsk } from './bounced-asks.ts'
import { isCancel, readAsk, readMore } from './envelope.ts'
import { Exchange } from './exchange.ts'
import type { ExchangePort, ReceivedAsk } from './exchange-port.ts'
import type { Handler, Handlers } from './handlers.ts'
import { Incoming } from './incoming.ts'
import type { RequestFault, RequestFaults } from './request-faults.ts'
import type { RequestPort } from './request-port.ts'
import { Slots } from './slots.ts'

/** Gives the requests of others to their handlers, and what these come to back to the askers. */
export class Answerer {
  readonly #port: RequestPort
  readonly #handlers: Handlers
  readonly #faults: RequestFaults
  readonly #exchangePort: ExchangePort
  readonly #bounced: BouncedAsks
  readonly #slots: Slots
  readonly #exchanges = new Map<MessageId, Exchange>()
  #refusals = 0
  /** Aborted when this node stops. */
  #life = new AbortController()

  constructor(port: RequestPort, handlers: Handlers, faults: RequestFaults) {
    this.#port = port
    this.#handlers = handlers
    this.#faults = faults
    this.#slots = new Slots(port.clock)
    this.#bounced = new BouncedAsks(port.self, port.engine)
    this.#exchangePort = {
      self: port.self,
      clock: port.clock,
      post: (call) => port.post(call, { route: 'back' }),
      ...(port.check && { check: (type, side, data) => port.check!(type, side, data) }),
      onError: (error, type) => port.onHandlerError(error, type),
      onOver: ({ message }) => this.#onOver(message.id),
    }
  }

  /** Requests that are under way. */
  get size(): number {
    return this.#slots.taken
  }

  /** A message asks this node for something, or says something to a request that is under way. */
  receive(message: SignedMessage): void {
    if (message.op === 'bounce') void this.#receiveBounce(message)
    else if (message.op === 'ask') this.#admit(receivedAsk(message, this.#port.clock.now()))
    else this.#receiveWord(message)
  }

  /** Calls the handler of a plain message, if there is one, and says whether there was. */
  deliverPlain(message: SignedMessage, data: Json): boolean {
    const handler = this.#handlers.get(message.type)
    if (handler === undefined) return false
    void this.#callPlain(handler, new Incoming(message, data, this.#life.signal))
    return true
  }

  /** Nobody is answered any more; the handlers are told. */
  stop(): void {
    for (const exchange of [...this.#exchanges.values()]) exchange.abort('the node stops')
    this.#slots.clear()
    this.#life.abort()
    this.#life = new AbortController()
  }

  async #callPlain(handler: Handler, incoming: Incoming): Promise<void> {
    try {
      await handler(incoming)
    } catch (error) {
      this.#port.onHandlerError(error, incoming.type)
    }
  }

  async #receiveBounce(bounce: SignedMessage): Promise<void> {
    const life = this.#life.signal
    const ask = await this.#bounced.open(bounce, () => this.#port.clock.now())
    if (!life.aborted) this.#admit(ask)
  }

  /** `more` and `cancel`, from the asker alone. */
  #receiveWord(message: SignedMessage): void {
    const { re, from, type, op, data } = message
    const exchange = re === undefined ? undefined : this.#exchanges.get(re)
    if (exchange === undefined) return this.#faults.count('unknown-request')
    const { message: ask } = exchange.ask
    if (from !== ask.from || type !== ask.type) return this.#faults.count('foreign')
    if (op === 'cancel' && isCancel(data)) return exchange.abort('the asker has left')
    const upTo = op === 'more' ? readMore(data) : undefined
    if (upTo === undefined) this.#faults.count('malformed')
    else exchange.more(upTo)
  }

  #admit(ask: ReceivedAsk | RequestFault): void {
    if (typeof ask === 'string') return this.#faults.count(ask)
    const { id, type, from } = ask.message
    if (this.#exchanges.has(id)) return this.#faults.count('doubled')
    const handler = this.#handlers.get(type)
    if (handler === undefined) return this.#refuse(ask, 'no-handler', 'nothing answers this type of request')
    if (!this.#slots.take(id, from)) return this.#refuse(ask, 'overload', 'too many requests are under way')
    const exchange = new Exchange(ask, this.#exchangePort)
    this.#exchanges.set(id, exchange)
    void this.#run(handler, exchange).finally(() => this.#slots.free(id))
  }

  async #run(handler: Handler, exchange: Exchange): Promise<void> {
    const { message } = exchange.ask
    const { data: asked } = readAsk(message.data)!
    let data = asked
    try {
      if (this.#port.check !== undefined) data = await this.#port.check(message.type, 'request', asked)
    } catch {
      if (!exchange.isOver) void exchange.fail('invalid-content', 'the data is not what this type allows')
      return
    }
    try {
      // It may have been left while its content was checked.
      if (!exchange.isOver) await exchange.conclude(await handler(new Incoming(message, data, exchange)))
    } catch (error) {
      exchange.failed(error)
    }
  }

  #onOver(id: MessageId): void {
    this.#exchanges.delete(id)
    this.#slots.expire(id)
  }

  /** Answers with a reason, without a handler. A flood of asks does not make a flood of answers. */
  #refuse({ message, by }: ReceivedAsk, code: string, text: string): void {
    if (this.#refusals >= MAX_REFUSALS) return this.#faults.count('overload')
    this.#refusals++
    const { type, from, id, sealed: seal = false } = message
    const data = { code, text, ...(by.length > 0 && { by }) }
    this.#port
      .post({ op: 'fail', type, to: [from], re: id, data, seal }, { route: 'back' })
      .catch(() => {})
      .finally(() => this.#refusals--)
  }
}
