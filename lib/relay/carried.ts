import type { MessageId } from '../wire/ids.ts'

/** The number of no link: a message of the node's own has this bringer. */
export const OWN = 0
/** The bringer of a message that came over a link which has no part in the tree. */
export const NOBODY = -1

/**
 * A message that was passed on: who brought it first, and who else has it. Links are named by numbers, so that what
 * is remembered of a message does not hold on to links that have ended.
 */
export class Carried {
  readonly id: MessageId
  /** The number of the link that brought it first, or {@link OWN}, or {@link NOBODY}. */
  readonly bringer: number
  #holders: number[] | undefined = undefined

  constructor(id: MessageId, bringer: number) {
    this.id = id
    this.bringer = bringer
  }

  /** The peer of this link has it. Few do who are not sent it: a list is faster than a set. */
  addHolder(number: number): void {
    if (this.isHeldBy(number)) return
    if (this.#holders === undefined) this.#holders = [number]
    // More of them only save announcements, and every one that is looked up would cost time.
    else if (this.#holders.length < MAX_HOLDERS) this.#holders.push(number)
  }

  isHeldBy(number: number): boolean {
    return number === this.bringer || (this.#holders !== undefined && this.#holders.includes(number))
  }
}

const MAX_HOLDERS = 64
