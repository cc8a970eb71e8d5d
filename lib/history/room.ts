import { HISTORY_AUTHOR_SHARE } from '../limits/direct-limits.ts'
import type { NodeId } from '../wire/ids.ts'
import type { Entry } from './store.ts'

/**
 * Which messages lose their bytes when so many are to be freed. Whoever has written more than a share of them loses
 * his own, oldest first, down to that share or to the next one of his kind; then everybody's oldest go.
 *
 * @param entries All entries, the oldest first. Those that wait for their delivery are kept.
 * @param byAuthor Bytes of each author.
 */
export function chooseLosers(
  entries: Iterable<Entry>,
  byAuthor: ReadonlyMap<NodeId, number>,
  bytes: number,
): Entry[] {
  const cuts = cutsOf(byAuthor, bytes)
  const losers: Entry[] = []
  const others: Entry[] = []
  let left = bytes
  for (const entry of entries) {
    if (left <= 0) break
    if (entry.size === 0 || entry.isPending) continue
    const cut = cuts.get(entry.from) ?? 0
    if (cut > 0) {
      cuts.set(entry.from, cut - entry.size)
      losers.push(entry)
      left -= entry.size
    } else others.push(entry)
  }
  for (const entry of others) {
    if (left <= 0) break
    losers.push(entry)
    left -= entry.size
  }
  return losers
}

/** How many bytes each author loses for having too much. */
function cutsOf(byAuthor: ReadonlyMap<NodeId, number>, bytes: number): Map<NodeId, number> {
  let all = 0
  for (const held of byAuthor.values()) all += held
  const share = all / HISTORY_AUTHOR_SHARE
  const large = [...byAuthor].filter(([, held]) => held > share).sort(([, left], [, right]) => right - left)
  const cuts = new Map<NodeId, number>()
  let left = bytes
  // The largest come down together, to the level of the next one, until enough is freed: water, upside down.
  for (let at = 0; at < large.length && left > 0; at++) {
    const level = Math.max(share, large[at + 1]?.[1] ?? share)
    const step = Math.min(large[at]![1] - level, left / (at + 1))
    for (let index = 0; index <= at; index++) {
      const [author] = large[index]!
      cuts.set(author, (cuts.get(author) ?? 0) + step)
    }
    left -= step * (at + 1)
  }
  return cuts
}
