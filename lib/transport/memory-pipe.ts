import type { Clock, Timer } from '../ground/clock.ts'

/** What a pipe asks of its network. */
export interface PipePort {
  readonly clock: Clock
  /** Runs a task after everything that is at hand, in the order of asking. */
  soon(task: () => void): void
  /** How long the next packet takes, in ms, retransmissions included; 0 needs no timer. */
  delay(): number
}

/** What travels: bytes, or what is to happen at the other end. */
type Load = Uint8Array | (() => void)

interface Packet {
  /** When it is due, in ms since the epoch. Never earlier than the one before: TCP keeps order. */
  at: number
  readonly load: Load
  next: Packet | undefined
}

/** One direction of a connection in memory: delays packets, keeps their order, and holds them while it is cut. */
export class Pipe {
  readonly #port: PipePort
  /** Packets on their way, as a linked list: arrays are slow at losing their first element. */
  #first: Packet | undefined
  #last: Packet | undefined
  #isHeld = false
  /** Whether a task or a timer is set for the first packet, and the time that it waits for. */
  #isArmed = false
  #awaited = 0
  #timer: Timer | undefined
  /** Takes the bytes at the other end. */
  #receiver: (bytes: Uint8Array) => void = () => {}
  /** Made once: a simulation sends millions of packets. */
  readonly #onDue = (): void => this.#deliver(this.#awaited)

  constructor(port: PipePort) {
    this.#port = port
  }

  /** Who takes the bytes at the other end. */
  set receiver(receiver: (bytes: Uint8Array) => void) {
    this.#receiver = receiver
  }

  /** Hands bytes to the receiver, or calls a function: later, and after everything that was sent before. */
  send(load: Load): void {
    const due = this.#port.clock.now() + this.#port.delay()
    const packet: Packet = { at: Math.max(due, this.#last?.at ?? due), load, next: undefined }
    if (this.#last === undefined) this.#first = packet
    else this.#last.next = packet
    this.#last = packet
    this.#arm()
  }

  /** Forgets what is on its way: there is nobody left at either end. */
  stop(): void {
    this.#first = undefined
    this.#last = undefined
    this.#timer?.cancel()
  }

  /** Nothing arrives until {@link release}; what is on its way waits, as TCP retransmits what was lost. */
  hold(): void {
    this.#isHeld = true
  }

  /** Lets packets through again. Those that are overdue travel anew. */
  release(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    const earliest = this.#port.clock.now() + this.#port.delay()
    for (let packet = this.#first; packet !== undefined; packet = packet.next) {
      packet.at = Math.max(packet.at, earliest)
    }
    this.#arm()
  }

  /** One timer or task for the first packet, however many there are. */
  #arm(): void {
    if (this.#isArmed || this.#isHeld || this.#first === undefined) return
    this.#isArmed = true
    const { at } = this.#first
    const wait = at - this.#port.clock.now()
    this.#awaited = at
    if (wait <= 0) this.#port.soon(this.#onDue)
    else this.#timer = this.#port.clock.setTimer(this.#onDue, wait)
  }

  /** @param at the time waited for: it has come, also if a clock of whole milliseconds is a fraction behind */
  #deliver(at: number): void {
    this.#isArmed = false
    const due = Math.max(this.#port.clock.now(), at)
    // What the receivers send now belongs to the next round: others want their turn.
    const last = this.#last
    try {
      while (this.#first !== undefined && this.#first.at <= due && !this.#isHeld) {
        const packet = this.#first
        this.#first = packet.next
        if (this.#first === undefined) this.#last = undefined
        if (typeof packet.load === 'function') packet.load()
        else this.#receiver(packet.load)
        if (packet === last) break
      }
    } finally {
      // Also when an owner has thrown: the packets behind are not his.
      this.#arm()
    }
  }
}
