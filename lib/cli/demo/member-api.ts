/** What the conductor of the demo can ask of a member, over the channel between their processes: plain JSON. */

/** The payload of a message of the demo. */
export interface Saying {
  readonly [name: string]: string | number
  /** Counted from 1, per author. */
  readonly number: number
  readonly text: string
  /** When it was made: ms since the epoch, with fractions. All processes share the machine's clock. */
  readonly at: number
}

/** A member that has its key, and no node yet. */
export interface Introduction {
  readonly id: string
  /** A genuine document that it signed in an earlier session: before any node of this one was started. */
  readonly earlier: string
  readonly earlierTime: number
}

/** What a member must know before it starts. */
export interface Setup {
  readonly member: number
  /** IDs of all members, in the order of their numbers. */
  readonly ids: readonly string[]
  readonly lines: readonly string[]
  /** Messages that each member is going to send. */
  readonly messages: number
  /** It goes on until it is ended: no account is kept, and who was kept out may soon come back. */
  readonly isEndless?: true
}

/** A message that reached the application: its author (0: none of us), its number, and how long it took, in ms. */
export type Delivery = readonly [author: number, number: number, latency: number]

/** A message that a member did not accept. */
export interface MemberRefusal {
  readonly code: string
  readonly id: string | undefined
  /** Who brought it. */
  readonly via: number
}

/** What a member is to send, and how fast. */
export interface TalkOrder {
  /** Numbers of the messages. */
  readonly first: number
  readonly last: number
  /** Before the first one, and between two of them, in ms. */
  readonly offset: number
  readonly pause: number
}

/** How far a member is with listening. */
export interface Progress {
  readonly delivered: number
  /** When the newest arrived, in ms since the epoch. */
  readonly lastAt: number
}

/** A document is sent as it is, or altered; or one is made in the name of somebody else. */
export type AttackKind = 'replay' | 'alter' | 'forge'

/** How a member is to attack its neighbours. */
export interface AttackOrder {
  readonly kind: AttackKind
  /** Whose message is misused, or in whose name one is forged. */
  readonly author: number
  /** The document that is misused. */
  readonly document: string
}

/** An attack that was carried out. */
export interface Attempt {
  /** ID of the message that was sent. */
  readonly id: string
  readonly victims: readonly number[]
}

/** A link that has ended. */
export interface Ending {
  readonly member: number
  readonly code: string
  readonly by: string
}

/** What a member has seen at the end. */
export interface MemberReport {
  readonly member: number
  readonly id: string
  readonly sent: number
  readonly duplicates: number
  readonly refused: Readonly<Record<string, number>>
  /** In the order of their arrival. */
  readonly deliveries: readonly Delivery[]
  /** Delivered messages that nobody was to send, or with another text: there must be none. */
  readonly strange: readonly string[]
  readonly refusals: readonly MemberRefusal[]
  /** Members that it is connected with. */
  readonly links: readonly number[]
  /** Links that have ended. */
  readonly endings: readonly Ending[]
}

/** The questions; each is answered by a promise, and fails where the member's own call has failed. */
export interface MemberApi {
  /** Makes the member's key, and signs a message before there is a node. */
  introduce(): Promise<Introduction>
  /** Starts the node; resolves with its port. */
  start(setup: Setup): Promise<number>
  /** Connects with the node of this ID, and with no other that may listen there. */
  connect(port: number, id: string): Promise<void>
  /** Sends messages; resolves with the time of the first, in ms since the epoch. */
  talk(order: TalkOrder): Promise<number>
  progress(): Promise<Progress>
  /** The newest message of an author: the document. */
  heardOf(author: number): Promise<string>
  /** Sends a bad message to all neighbours but the author; resolves when they have read it. */
  attack(order: AttackOrder): Promise<Attempt>
  /** How many further copies of a message have arrived. */
  copiesOf(id: string): Promise<number>
  /** Whether it has refused a message. */
  hasRefused(id: string): Promise<boolean>
  /** Tries to connect; resolves with the code of the refusal, or `connected`. */
  knock(port: number): Promise<string>
  report(): Promise<MemberReport>
}

/** Names of the questions. */
export type MemberMethod = keyof MemberApi

/** A question of the conductor. */
export interface Call {
  readonly call: number
  readonly method: MemberMethod
  readonly args: readonly unknown[]
}

/** The answer to it. */
export interface Answer {
  readonly call: number
  readonly value?: unknown
  readonly error?: string
}
