/** Where nodes are drawn from. */
export interface Pool {
  readonly size: number
  /** One by lot. */
  draw(random: () => number): string | undefined
  /** All of them, from a random one on. */
  round(random: () => number): Iterable<string>
}

/** Nodes drawn at random before all are looked at in turn: enough where most of them will do. */
const DRAWS = 16

/** Nodes in random order, without a copy of the pool: the first ones drawn singly, then all. Some come twice. */
export function* lots(pool: Pool, random: () => number): Generator<string, undefined> {
  for (let left = Math.min(DRAWS, pool.size); left > 0; left--) yield pool.draw(random)!
  yield* pool.round(random)
  return undefined
}

/** The two in turn, until both have come to their end. */
export function* alternately<T>(one: Iterator<T>, other: Iterator<T>): Generator<T, undefined> {
  const iterators = [one, other]
  for (let iterator = iterators.shift(); iterator !== undefined; iterator = iterators.shift()) {
    const result = iterator.next()
    if (result.done === true) continue
    iterators.push(iterator)
    yield result.value
  }
  return undefined
}
