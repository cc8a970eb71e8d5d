import { encodeBatch } from '../message/batch-frame.ts'
import type { Batch } from '../message/batch.ts'
import { BatchedDraft, type Draft } from '../message/draft.ts'
import { encodeFrame, Kind } from '../wire/frame.ts'
import { frameOf } from './incoming.ts'

/** Messages of one batch that go to the same peers. */
interface Group<L> {
  readonly batch: Batch
  readonly links: readonly L[]
  readonly drafts: BatchedDraft[]
}

/**
 * What is on its way to the peers, in order. Messages of a batch that follow each other to the same peers leave in one
 * frame, as soon as what goes on at the moment is over.
 */
export class Outgoing<L> {
  readonly #write: (links: readonly L[], frame: Uint8Array) => void
  #group: Group<L> | undefined

  constructor(write: (links: readonly L[], frame: Uint8Array) => void) {
    this.#write = write
  }

  /** Sends a message. `frame` is what carries it alone, where that is there already. */
  add(links: readonly L[], draft: Draft, frame?: Uint8Array): void {
    if (links.length === 0) return
    if (!(draft instanceof BatchedDraft) || draft.attachment !== undefined) {
      this.flush()
      this.#write(links, frame ?? frameOf(draft))
      return
    }
    const { batch } = draft.place
    const group = this.#group
    if (group?.batch === batch && isSame(group.links, links)) group.drafts.push(draft)
    else {
      this.flush()
      this.#group = { batch, links, drafts: [draft] }
      queueMicrotask(() => this.flush())
    }
  }

  /** Writes what waits. */
  flush(): void {
    const group = this.#group
    if (group === undefined) return
    this.#group = undefined
    this.#write(group.links, frameOfGroup(group))
  }
}

function frameOfGroup<L>({ batch, drafts }: Group<L>): Uint8Array {
  const [first, second] = drafts
  if (second === undefined) return frameOf(first!)
  const bodies = new Array<Uint8Array | undefined>(batch.size).fill(undefined)
  for (const { place, bodyBytes } of drafts) bodies[place.index] = bodyBytes
  return encodeFrame(Kind.batch, encodeBatch({ batch, bodies }))
}

function isSame<L>(some: readonly L[], others: readonly L[]): boolean {
  if (some.length !== others.length) return false
  for (let at = 0; at < some.length; at++) if (some[at] !== others[at]) return false
  return true
}
