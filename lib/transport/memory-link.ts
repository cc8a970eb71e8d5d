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

/** Whom an end of a link belongs to. */
export interface LinkOwner {
  /** Everything that has an end here, dials included. */
  readonly links: Set<MemoryLink>
  /** Without power: whatever is sent here vanishes, and nobody is told. */
  readonly isSilent: boolean
  /** Behind something that lets no request in. */
  readonly isHidden: boolean
}

/** Who listens at an address. */
export interface LinkTarget {
  readonly owner: LinkOwner
  readonly handlers: ListenHandlers
}

/** What a link asks of its network. */
export interface LinkPort {
  /** What the two directions ask of it: each draws random numbers of its own. */
  readonly there: PipePort
  readonly back: PipePort
  /** Whether what is written at one time leaves together in any case, corked or not. */
  readonly joinsWrites: boolean
  onSend(bytes: Uint8Array): void
  /** Who listens at the address dialled, at this moment. */
  targetOf(ends: LinkEnds): LinkTarget | undefined
  /** Nothing is left of the link; called once. */
  onGone(link: MemoryLink): void
}

/** A dial, and the connection that comes of it: two channels and the two pipes between them. */
export class MemoryLink {
  readonly ends: LinkEnds
  /** Who dialled. */
  readonly from: LinkOwner
  /** Who was dialled; unknown until the dial has arrived. */
  to: LinkOwner | undefined
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

  constructor(ends: LinkEnds, from: LinkOwner, port: LinkPort) {
    this.ends = ends
    this.from = from
    this.#port = port
    this.#there = new Pipe(port.there)
    this.#back = new Pipe(port.back)
    const channelPort = {
      soon: (task: () => void) => port.there.soon(task),
      joinsWrites: port.joinsWrites,
      onSend: (bytes: Uint8Array) => port.onSend(bytes),
      onGone: () => this.#onGone(),
    }
    const { fromHost, fromPort, toHost, toPort } = ends
    this.#near = new MemoryChannel({ host: toHost, port: toPort }, this.#there, channelPort)
    this.#far = new MemoryChannel({ host: fromHost, port: fromPort }, this.#back, channelPort)
    MemoryChannel.join(this.#near, this.#far)
  }

  /** Whether there is a connection, which both ends have. */
  get isConnected(): boolean {
    return this.#isAccepted && this.#reject === undefined && this.#openEnds === 2
  }

  /** Resolves one round trip later; or never, while the hosts are cut off from each other. */
  connect(): Promise<Channel> {
    return new Promise((resolve, reject) => {
      this.#reject = reject
      const accept = () => {
        // Nobody is there any more to be given it.
        if (this.#reject === undefined) return
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

  /**
   * The owner of one end is no more, and is told nothing. The other end hears of it as the platform tells: or, when
   * that has lost its power, not before it sends something to a machine that is on again.
   */
  bereave(owner: LinkOwner): void {
    // A dial of the dead stays without an answer.
    if (owner === this.from) this.#reject = undefined
    for (const [end, isTheirs] of [
      [this.#near, owner === this.from],
      [this.#far, owner === this.to],
    ] as const) {
      if (isTheirs && owner.isSilent) end.vanish()
      else if (isTheirs) end.kill()
    }
    if (!this.#isAccepted) this.#far.vanish()
  }

  /** Whether one of its ends, or the address that was dialled, takes nothing now. */
  isDeaf(target: LinkOwner | undefined): boolean {
    if (this.from.isSilent) return true
    if (this.to !== undefined) return this.to.isSilent
    return target !== undefined && (target.isSilent || target.isHidden)
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
    const target = this.#port.targetOf(this.ends)
    if (target === undefined) this.#back.send(() => this.#refuse())
    else if (target.handlers.shouldAccept(this.ends.fromHost)) {
      this.#isAccepted = true
      this.to = target.owner
      this.to.links.add(this)
      this.#back.send(accept)
      target.handlers.onChannel(this.#far)
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
    this.from.links.delete(this)
    this.to?.links.delete(this)
    this.#port.onGone(this)
  }
}
