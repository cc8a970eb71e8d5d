// Whether every message reached everybody who was there for it, and how late.

/** How long before a message was sent a node must have been connected to count, in ms. */
export const BEFORE = 2_000
/** And how long after, in ms; by then it must have the message. */
export const AFTER = 5_000

/** Judges what the members of a crew have told. */
export function judge(crew, churnedAt) {
  const lives = crew.flatMap((member) => member.lives.map((life) => ({ member, life })))
  const latencies = []
  const lost = []
  let [messages, lonely] = [0, 0]
  for (const { member: sender, life: author } of lives) {
    for (const message of author.sent) {
      const [from, to] = [message.at - BEFORE, message.at + AFTER]
      messages++
      // Nobody else is to blame for what was said to nobody.
      if (!author.wasConnected(from, to)) lonely++
      else {
        for (const { member, life } of lives) {
          if (member === sender || !life.wasConnected(from, to)) continue
          const at = life.heard.get(`${author.id} ${message.number}`)
          if (at === undefined || at > to) lost.push({ message, author, life })
          else latencies.push(at - message.at)
        }
      }
    }
  }
  return {
    messages,
    lonely,
    due: latencies.length + lost.length,
    lost,
    repeated: lives.reduce((sum, { life }) => sum + life.repeated.length, 0),
    late: spread(latencies),
    join: spread(restarts(crew).flatMap(({ joinTime }) => joinTime ?? [])),
    alone: restarts(crew).filter(({ joinTime, endedAt }) => joinTime === undefined && endedAt === Infinity)
      .length,
    withBook: restarts(crew).filter(({ known }) => known > 0).length,
    ...linkEvents(lives, churnedAt),
  }
}

function restarts(crew) {
  return crew.flatMap(({ lives }) => lives.slice(1))
}

/** Links made since the shaking began, and why links have ended, as their ends tell it. */
function linkEvents(lives, churnedAt) {
  const events = lives.flatMap(({ life }) => life.links.filter(([at]) => at >= churnedAt))
  const counts = {}
  for (const [, , what] of events) counts[what] = (counts[what] ?? 0) + 1
  const { made = 0, taken, ...ends } = counts
  return { made, ends }
}

/** Some values, the smallest of which are no larger than so many of a hundred. */
function spread(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (percent) => round(sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)])
  return { p50: at(50), p99: at(99), max: at(100) }
}

function round(ms) {
  return ms === undefined ? null : Math.round(ms * 10) / 10
}
