import { setTimeout as delay } from 'node:timers/promises'
import { painter } from '../terminal.ts'
import { show, type Watched, type WatchTerms } from '../watch/audience.ts'
import { Member } from './member.ts'
import type { AttackKind, Introduction } from './member-api.ts'
import { EDGES, MEMBERS, neighbours } from './topology.ts'

/** Between two messages, in ms: each can be seen on its way. */
const STEP = 900
/** Every so many messages, one of the members attacks its neighbours. */
const ATTACK_EVERY = 7
/** Traces that a member keeps. */
const TRACES = 1_000

interface Attack {
  readonly attacker: number
  readonly author: number
  readonly kind: AttackKind
  /** Whether the document is one that was just heard, or one of an earlier session. */
  readonly isHeard: boolean
}

/** As in the demo that ends: the first ones cost no link, the others each that of the attacker. */
const ATTACKS: readonly Attack[] = [
  { attacker: 2, author: 5, kind: 'replay', isHeard: false },
  { attacker: 1, author: 4, kind: 'alter', isHeard: true },
  { attacker: 3, author: 1, kind: 'replay', isHeard: true },
  { attacker: 5, author: 3, kind: 'forge', isHeard: false },
]

/** The demo to be watched: five nodes in this process that talk and attack each other until somebody ends it. */
export class EndlessDemo {
  readonly #members = MEMBERS.map(() => new Member())
  readonly #lines: readonly string[]
  #introductions: readonly Introduction[] = []
  #ports: readonly number[] = []

  constructor(lines: readonly string[]) {
    this.#lines = lines
  }

  /** Plays until the signal, however it ends. */
  async play(terms: WatchTerms, folder: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#start()
      const sources = this.#members.map(({ reporter }) => reporter) as unknown as Watched
      const end = await show(sources, terms, folder, painter(process.stdout))
      try {
        await this.#talk(signal)
      } finally {
        await end()
      }
    } finally {
      await Promise.all(this.#members.map((member) => member.stop()))
    }
  }

  async #start(): Promise<void> {
    this.#introductions = await Promise.all(this.#members.map((member) => member.introduce()))
    const newest = Math.max(...this.#introductions.map(({ earlierTime }) => earlierTime))
    // What was signed in the same millisecond as a node starts would belong to this session.
    while (Date.now() <= newest) await delay(1)
    const ids = this.#introductions.map(({ id }) => id)
    const setup = { ids, lines: this.#lines, messages: TRACES, isEndless: true } as const
    this.#ports = await Promise.all(
      this.#members.map((member, index) => member.start({ ...setup, member: index + 1 })),
    )
    await this.#connect()
  }

  /** Connects those that are not; who was kept out tries until it may come back. */
  async #connect(): Promise<void> {
    const missing = EDGES.filter(([a, b]) => !this.#member(a).links.includes(b))
    const attempts = missing.map(([a, b]) =>
      this.#member(a).connect(this.#ports[b - 1]!, this.#introductions[b - 1]!.id),
    )
    await Promise.allSettled(attempts)
  }

  async #talk(signal: AbortSignal): Promise<void> {
    for (let turn = 0; !signal.aborted; turn++) {
      const member = this.#member(MEMBERS[turn % MEMBERS.length]!)
      const number = Math.floor(turn / MEMBERS.length) + 1
      await member.talk({ first: number, last: number, offset: 0, pause: 0 })
      if (turn % ATTACK_EVERY === ATTACK_EVERY - 1) await this.#attack(Math.floor(turn / ATTACK_EVERY))
      await this.#connect()
      await delay(STEP, undefined, { signal }).catch(() => {})
    }
  }

  async #attack(turn: number): Promise<void> {
    const { attacker, author, kind, isHeard } = ATTACKS[turn % ATTACKS.length]!
    const member = this.#member(attacker)
    // Kept out by all, it has nobody to attack.
    if (!neighbours(attacker).some((other) => member.links.includes(other))) return
    const { earlier } = this.#introductions[author - 1]!
    // Nothing of that author may have come yet.
    const document = isHeard ? await member.heardOf(author).catch(() => earlier) : earlier
    await member.attack({ kind, author, document })
  }

  #member(number: number): Member {
    return this.#members[number - 1]!
  }
}
