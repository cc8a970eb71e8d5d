// What is said about several measurements of one thing.

export function percentile(values, share) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

/** The median with the smallest and the largest value. */
export function spread(values) {
  return { median: percentile(values, 0.5), low: Math.min(...values), high: Math.max(...values) }
}

/** The spread of each figure over the rounds: the same tree, with a spread in the place of each number. */
export function spreads(rounds) {
  return Object.fromEntries(
    Object.keys(rounds[0]).map((key) => {
      const values = rounds.map((round) => round[key])
      return [key, typeof values[0] === 'number' ? spread(values) : spreads(values)]
    }),
  )
}
