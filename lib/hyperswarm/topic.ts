import { joinBytes, utf8 } from '../wire/bytes.ts'
import { sha256 } from '@noble/hashes/sha2.js'
import type { Clock, Timer } from '../ground/clock.ts'
import { MAX_TOPIC_PEERS, TOPIC_MAX_INTERVAL, TOPIC_MIN_INTERVAL } from '../limits/dht-limits.ts'
import { isStrictPublicKey } from '../identity/ed25519.ts'
import { toHex } from '../wire/hex.ts'
import type { NodeId } from '../wire/ids.ts'

const LABEL = utf8('secure-node/1 topic\0')

/** Where in the DHT the nodes of a network meet: 32 bytes, the hash of its name or of what was chosen instead. */
export function topicOf(name: string): Uint8Array {
  return sha256(joinBytes([LABEL, utf8(name)]))
}

/** What looking at a topic needs. */
export interface TopicPort {
  readonly self: NodeId
  readonly clock: Clock
  readonly random: () => number
  /** Says that this node is there, and asks who else is: keys, as they come. */
  look(): AsyncIterable<readonly Uint8Array[]>
  onFound(id: NodeId): void
}

/** Says at a topic that this node is there, and looks who else is: often at first, then every ten minutes. */
export class TopicWatch {
  readonly #port: TopicPort
  #interval = TOPIC_MIN_INTERVAL
  #timer: Timer | undefined
  #isStopped = false

  constructor(port: TopicPort) {
    this.#port = port
  }

  start(): void {
    void this.#look()
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  async #look(): Promise<void> {
    try {
      await this.#findAll()
    } catch {
      // Whatever keeps the DHT from answering may be over the next time.
    }
    if (this.#isStopped) return
    // Jitter: nodes that were started together must not all come at once for ever.
    const pause = this.#interval * (0.75 + this.#port.random() / 2)
    this.#interval = Math.min(2 * this.#interval, TOPIC_MAX_INTERVAL)
    this.#timer = this.#port.clock.setTimer(() => void this.#look(), pause)
  }

  async #findAll(): Promise<void> {
    const found = new Set<string>([this.#port.self])
    for await (const keys of this.#port.look()) {
      for (const key of keys) {
        if (this.#isStopped || found.size > MAX_TOPIC_PEERS) return
        const id = toHex(key)
        // Anybody can announce a key that everybody can sign for.
        if (found.has(id) || !isStrictPublicKey(key)) continue
        found.add(id)
        this.#port.onFound(id as NodeId)
      }
    }
  }
}
