import { setTimeout as delay } from 'node:timers/promises'
import { messageId } from '../../index.ts'
import { type AttackAnswer, type AttackRecord, costsLink, type Evidence, type Plan } from './check.ts'
import type { Crew } from './crew.ts'
import type { AttackKind, Introduction } from './member-api.ts'
import { EDGES, MEMBERS, neighbours } from './topology.ts'

/** What the play tells while it goes on. */
export interface Audience {
  /** A new act. */
  act(title: string): void
  /** How far the act is. */
  progress(done: number, all: number): void
}

/** What is played. */
export interface PlayOptions {
  /** Messages of each node. */
  readonly messages: number
  readonly lines: readonly string[]
}

/** How fast it went when everybody sent as fast as they could. */
export interface Speed {
  /** Messages of all nodes together, each counted once. */
  readonly messages: number
  /** From before the first was signed until the last was delivered. */
  readonly seconds: number
}

/** How the play ended. */
export interface Outcome extends Evidence {
  readonly speed: Speed
  /** Messages up to this number were sent one by one, those after it as fast as possible. */
  readonly quiet: number
  /** Messages up to this number were the first ones, and are not measured. */
  readonly warmUp: number
}

/** One attack, as it is planned. */
interface AttackScript {
  readonly name: string
  readonly attacker: number
  /** Whose message is misused, or in whose name one is forged. */
  readonly author: number
  readonly kind: AttackKind
  /** Where the misused message is from: heard in this session, or signed in an earlier one. */
  readonly source?: 'heard' | 'earlier'
  readonly expected: AttackAnswer
}

/** Messages of each node that are sent one by one: alone on their way, they show what a hop takes. */
const QUIET = 30
/** The first of them meet code that was never run before, and say nothing about later ones. */
const WARM_UP = 10
/** Between any two messages of that time, in ms. */
const QUIET_STEP = 5
/** How long nothing may happen before it is taken as the end, in ms. The check then says what is missing. */
const PATIENCE = 5_000
/** Between two looks at the others, in ms: each takes a little of the time that is measured. */
const POLL = 20

/**
 * By four different nodes. Those that cost no link come first; of the others each cuts off only its attacker,
 * as these are the two ends of the line.
 */
const ATTACKS: readonly AttackScript[] = [
  {
    name: 'an old message sent again',
    attacker: 3,
    author: 1,
    kind: 'replay',
    source: 'heard',
    expected: 'duplicate',
  },
  {
    name: 'a message of an earlier session',
    attacker: 2,
    author: 5,
    kind: 'replay',
    source: 'earlier',
    expected: 'before-start',
  },
  {
    name: 'a message of another node, altered',
    attacker: 1,
    author: 4,
    kind: 'alter',
    source: 'heard',
    expected: 'bad-signature',
  },
  {
    name: 'a message in the name of another node',
    attacker: 5,
    author: 3,
    kind: 'forge',
    expected: 'forged-author',
  },
]

/** The demo from the first act to the last. Judges nothing: that is up to the check. */
export class Play {
  readonly #crew: Crew
  readonly #audience: Audience
  readonly #options: PlayOptions
  readonly #ports: number[] = []
  #introductions: readonly Introduction[] = []

  constructor(crew: Crew, audience: Audience, options: PlayOptions) {
    this.#crew = crew
    this.#audience = audience
    this.#options = options
  }

  /** Plays all acts. Rejects only when a member cannot do what it is asked. */
  async perform(): Promise<Outcome> {
    const { messages } = this.#options
    await this.#start()
    await this.#connect()
    const quiet = Math.min(QUIET, Math.floor(messages / 4))
    const warmUp = Math.min(WARM_UP, Math.floor(quiet / 2))
    await this.#talk('one by one', 1, quiet, QUIET_STEP)
    const speed = await this.#talk('as fast as possible', quiet + 1, messages, 0)
    const attacks = await this.#attack()
    const survivors = MEMBERS.filter((member) =>
      attacks.every((attack) => !costsLink(attack) || attack.attacker !== member),
    )
    await this.#lastWords(survivors)
    const plan: Plan = { members: MEMBERS, edges: EDGES, messages, survivors }
    return { plan, reports: await this.#crew.askAll('report'), attacks, speed, quiet, warmUp }
  }

  async #start(): Promise<void> {
    this.#audience.act('starting five nodes, each a process with a key of its own')
    this.#introductions = await this.#crew.askAll('introduce')
    // What was signed in the same millisecond as a node starts would belong to this session.
    const newest = Math.max(...this.#introductions.map(({ earlierTime }) => earlierTime))
    while (Date.now() <= newest) await delay(1)
    const { lines, messages } = this.#options
    const ids = this.#introductions.map(({ id }) => id)
    const setup = { ids, lines, messages }
    this.#ports.push(
      ...(await Promise.all(MEMBERS.map((member) => this.#crew.ask(member, 'start', { ...setup, member })))),
    )
  }

  async #connect(): Promise<void> {
    this.#audience.act('connecting them: 1-2-3-4-5 and 2-4')
    await Promise.all(EDGES.map(([a, b]) => this.#crew.ask(a, 'connect', this.#portOf(b), this.#idOf(b))))
  }

  /** Everybody sends the messages of these numbers, in turn, one every `step` ms; everybody else gets them. */
  async #talk(manner: string, first: number, last: number, step: number): Promise<Speed> {
    const messages = (last - first + 1) * MEMBERS.length
    if (messages <= 0) return { messages: 0, seconds: 0 }
    this.#audience.act(`sending ${messages.toLocaleString('en')} messages, ${manner}`)
    const pause = step * MEMBERS.length
    const talking = Promise.all(
      MEMBERS.map((member, turn) =>
        this.#crew.ask(member, 'talk', { first, last, pause, offset: turn * step }),
      ),
    )
    // Looked at below: a failure must not go unheard meanwhile.
    talking.catch(() => {})
    const each = last * (MEMBERS.length - 1)
    const ended = await this.#delivered(MEMBERS, each)
    return { messages, seconds: (ended - Math.min(...(await talking))) / 1_000 }
  }

  /** Waits until each of these members has been given so many messages, or nothing comes any more. */
  async #delivered(members: readonly number[], each: number): Promise<number> {
    let sum = -1
    for (let since = performance.now(); ; await delay(POLL)) {
      const all = await Promise.all(members.map((member) => this.#crew.ask(member, 'progress')))
      const delivered = all.reduce((total, progress) => total + progress.delivered, 0)
      this.#audience.progress(delivered, each * members.length)
      const lastAt = Math.max(...all.map((progress) => progress.lastAt))
      if (all.every((progress) => progress.delivered >= each)) return lastAt
      if (delivered > sum) since = performance.now()
      else if (performance.now() - since > PATIENCE) return lastAt
      sum = delivered
    }
  }

  async #attack(): Promise<AttackRecord[]> {
    const records: AttackRecord[] = []
    for (const script of ATTACKS) {
      const { name, attacker } = script
      this.#audience.act(`node ${attacker} attacks its neighbours: ${name}`)
      records.push(await this.#carryOut(script))
    }
    return records
  }

  async #carryOut({ name, attacker, author, kind, source, expected }: AttackScript): Promise<AttackRecord> {
    const document =
      source === 'heard'
        ? await this.#crew.ask(attacker, 'heardOf', author)
        : this.#introductions[author - 1]!.earlier
    const before = await this.#copiesOf(document, attacker)
    const attempt = await this.#crew.ask(attacker, 'attack', { kind, author, document })
    const record: AttackRecord = { ...attempt, name, attacker, expected }
    if (expected === 'duplicate') {
      const after = await this.#copiesOf(document, attacker)
      return { ...record, copies: attempt.victims.map((victim) => after.get(victim)! - before.get(victim)!) }
    }
    await Promise.all(attempt.victims.map((victim) => this.#refused(victim, attempt.id)))
    if (!costsLink(record)) return record
    return { ...record, knock: await this.#crew.ask(attacker, 'knock', this.#portOf(attempt.victims[0]!)) }
  }

  /** How many further copies of a document each neighbour of a member has got. */
  async #copiesOf(document: string, member: number): Promise<ReadonlyMap<number, number>> {
    const id = messageId(document)
    const counts = neighbours(member).map(
      async (other) => [other, await this.#crew.ask(other, 'copiesOf', id)] as const,
    )
    return new Map(await Promise.all(counts))
  }

  /** Waits until a victim has judged a message, or long enough. */
  async #refused(victim: number, id: string): Promise<void> {
    const since = performance.now()
    while (!(await this.#crew.ask(victim, 'hasRefused', id)) && performance.now() - since < PATIENCE)
      await delay(POLL)
  }

  /**
   * Those who are left say one thing more. It arrives only over links that the attacks have not cost; and as links
   * keep their order, whatever they let pass of the attacks has been delivered before it.
   */
  async #lastWords(survivors: readonly number[]): Promise<void> {
    this.#audience.act(`nodes ${survivors.join(', ')} go on talking`)
    const { messages } = this.#options
    const number = messages + 1
    const order = { first: number, last: number, offset: 0, pause: 0 }
    await Promise.all(survivors.map((member) => this.#crew.ask(member, 'talk', order)))
    await this.#delivered(survivors, messages * (MEMBERS.length - 1) + survivors.length - 1)
  }

  #portOf(member: number): number {
    return this.#ports[member - 1]!
  }

  #idOf(member: number): string {
    return this.#introductions[member - 1]!.id
  }
}
