/** Why a message of a request was dropped. Nothing happens to the link: none of it is the fault of a relay. */
export type RequestFault =
  /** There is no such request, or not any more: it came late, or its ID was guessed. */
  | 'unknown-request'
  /** From a node that was not asked, or in another type. */
  | 'foreign'
  /** It came once already. */
  | 'doubled'
  /** Its content is not what this version knows. */
  | 'malformed'
  /** Its time is over. */
  | 'expired'
  /** The bounces that it names do not lead to its author. */
  | 'bad-bounce'
  /** In the clear, though the ask was sealed. */
  | 'unsealed'
  /** There is no room for it. */
  | 'overload'

/** Counts what was dropped. */
export class RequestFaults {
  readonly #counts = new Map<RequestFault, number>()

  /** So many were dropped, by reason. */
  get counts(): Readonly<Partial<Record<RequestFault, number>>> {
    return Object.fromEntries(this.#counts)
  }

  count(fault: RequestFault): void {
    this.#counts.set(fault, (this.#counts.get(fault) ?? 0) + 1)
  }
}
