/** What one process has told, from its start to its end. Times are in ms since the epoch. */
export class Life {
  id
  /** Nodes that it knew when it started: from its file. */
  known = 0
  startedAt
  endedAt = Infinity
  /** `[at, links, what]`, in order. */
  links = []
  /** When each message came, by `sender number`. */
  heard = new Map()
  /** Messages that came more than once. */
  repeated = []
  /** `{ number, at, id, peers }` */
  sent = []

  /** It listens. */
  begin({ id, known }) {
    this.id = id
    this.known = known
    this.startedAt = Date.now()
  }

  end() {
    this.endedAt = Date.now()
  }

  /** What has happened since its last report. */
  note({ links = [], heard = [], sent = [] }) {
    this.links.push(...links)
    for (const [from, number, at] of heard) {
      const key = `${from} ${number}`
      if (this.heard.has(key)) this.repeated.push(key)
      else this.heard.set(key, at)
    }
    this.sent.push(...sent.map(([number, at, id, peers]) => ({ number, at, id, peers })))
  }

  /** Links that it has now. */
  get linkCount() {
    return this.links.at(-1)?.[1] ?? 0
  }

  /** How long it took to find somebody, in ms; undefined if it never did. */
  get joinTime() {
    const first = this.links[0]
    return first && first[0] - this.startedAt
  }

  /** Whether it was up, with a link at least, at all times between these two. */
  wasConnected(from, to) {
    if (this.endedAt <= to) return false
    const before = this.links.findLast(([at]) => at <= from)
    if (before === undefined || before[1] === 0) return false
    return this.links.every(([at, count]) => at <= from || at > to || count > 0)
  }
}
