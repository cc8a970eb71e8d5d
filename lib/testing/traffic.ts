import { Kind } from '../wire/frame.ts'

/** Bytes of a frame's length. */
const PREFIX = 4
const NAMES: readonly string[] = (() => {
  const names: string[] = []
  for (const [name, kind] of Object.entries(Kind)) names[kind] = name
  return names
})()

/** Frames that travel all the time, whatever the nodes do: they keep links and what is known of others fresh. */
const UPKEEP: readonly number[] = [Kind.ping, Kind.pong, Kind.record, Kind.getPeers, Kind.peers, Kind.enough]
const isUpkeep = Uint8Array.from({ length: 256 }, (_, kind) => (UPKEEP.includes(kind) ? 1 : 0))

/** Counts the frames of a network by their kind. */
export class Traffic {
  readonly #counts = new Float64Array(256)
  #work = 0

  /** Frames sent that were more than upkeep. */
  get work(): number {
    return this.#work
  }

  /** A chunk was sent: whole frames, as nodes on a network in memory send them. */
  onSend(bytes: Uint8Array): void {
    for (let at = 0; at + PREFIX < bytes.length;) {
      const kind = bytes[at + PREFIX]!
      this.#counts[kind]!++
      if (isUpkeep[kind] === 0) this.#work++
      at += PREFIX + readLength(bytes, at)
    }
  }

  /** Frames sent, by the name of their kind; those that were not are left out. */
  get frames(): Readonly<Record<string, number>> {
    const frames: Record<string, number> = {}
    this.#counts.forEach((count, kind) => {
      if (count > 0) frames[NAMES[kind] ?? String(kind)] = count
    })
    return frames
  }
}

function readLength(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}
