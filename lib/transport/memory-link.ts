import { connectionReset, MemoryChannel } from './memory-channel.ts'
import { Pipe, type PipePort } from './memory-pipe.ts'
import type { Channel, ListenHandlers } from './transport.ts'

/** Both addresses of a connection in memory. */
export interface LinkEnds {
  readonly fromHost: string
  readonly fromPort: number
  readonly toHost: string
  readonly toPort: number
}

/** What a link asks of its network. */
export interface LinkPort {
  /** What the two directions ask of it: each draws random numbers of its own. */
  readonly there: PipePort
  readonly back: PipePort
  onSend(bytes: number): void
  /** Who listens at the address dialled, at this moment. */
  listenerOf(ends: LinkEnds): ListenHandlers | undefined
  /** Nothing is left of the link; called once. */
  onGone(link: MemoryLink): void
}

/** A dial, and the connection that comes of it: two channels and the two pipes between them. */
export class MemoryLink {
  readonly ends: LinkEnds
  readonly #port: LinkPort
  readonly #there: Pipe
  readonly #back: Pipe
  /** The end that dialled, and the end that is dialled. */
  readonly #near: MemoryChannel
  readonly #far: MemoryChannel
  /** How many of the two ends are not closed. The far one counts before anybody has accepted it. */
  #openEnds = 2
  /** Whether the far end has an owner, who has to be told when the dial is given up. */
  #isAccepted = false
  /** Set while the dial is under way. */
  #reject: ((error: Error) => void) | undefined

  constructor(ends: LinkEnds, port: LinkPort) {
    this.ends = ends
    this.#port = port
    this.#there = new Pipe(port.there)
    this.#back = new Pipe(port.back)
    const soon = (task: () => void) => port.there.soon(task)
    const onSend = (bytes: number) => port.onSend(bytes)
    const onGone = () => this.#onGone()
    const { fromHost, fromPort, toHost, toPort } = ends
    this.#near = new MemoryChannel({ host: toHost, port: toPort }, this.#there, { soon, onSend, onGone })
    this.#far = new MemoryChannel({ host: fromHost, port: fromPort }, this.#back, { soon, onSend, onGone })
    MemoryChannel.join(this.#near, this.#far)
  }

  /** Resolves one round trip later; or never, while the hosts are cut off from each other. */
  connect(): Promise<Channel> {
    return new Promise((resolve, reject) => {
      this.#reject = reject
      const accept = () => {
        this.#reject = undefined
        resolve(this.#near)
      }
      this.#there.send(() => this.#onRequest(accept))
    })
  }

  /** The dial is given up. Harmless when it has succeeded. */
  abort(reason: Error): void {
    const reject = this.#reject
    if (reject === undefined) return
    this.#reject = undefined
    reject(reason)
    // If the far end has accepted already, it learns that nobody is there.
    this.#near.destroy()
    if (!this.#isAccepted) this.#far.breakOff(reason)
  }

  /** Both ends break at once. */
  reset(): void {
    this.abort(connectionReset())
    this.#near.breakOff(connectionReset())
    this.#far.breakOff(connectionReset())
  }

  /** Packets vanish, in both directions, until {@link release}. */
  hold(): void {
    this.#there.hold()
    this.#back.hold()
  }

  release(): void {
    this.#there.release()
    this.#back.release()
  }

  /** The request of the near end has arrived at the far host. */
  #onRequest(accept: () => void): void {
    // Given up while the request was on its way.
    if (this.#reject === undefined) return
    const listener = this.#port.listenerOf(this.ends)
    if (listener === undefined) this.#back.send(() => this.#refuse())
    else if (listener.shouldAccept(this.ends.fromHost)) {
      this.#isAccepted = true
      this.#back.send(accept)
      listener.onChannel(this.#far)
    } else {
      // The platform shakes hands before a program is asked: the near end sees a connection that breaks.
      this.#back.send(accept)
      this.#back.send(() => this.#near.breakOff(connectionReset()))
      this.#far.breakOff(connectionReset())
    }
  }

  /** Nobody listens there: the near end hears it one trip later. */
  #refuse(): void {
    const { toHost: address, toPort: port } = this.ends
    const text = `connect ECONNREFUSED ${address}:${port}`
    this.abort(Object.assign(new Error(text), { code: 'ECONNREFUSED', syscall: 'connect', address, port }))
  }

  /** Without this, packets that nobody waits for would keep their timers on the clock. */
  #onGone(): void {
    if (--this.#openEnds > 0) return
    this.#there.stop()
    this.#back.stop()
    this.#port.onGone(this)
  }
}
