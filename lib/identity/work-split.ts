/** What a {@link WorkSplit} needs of its owner. */
export interface WorkPort<Job> {
  /** Does a job on this thread, now. */
  doHere(job: Job): void
  /** Gives a job to other threads. When it is done, {@link WorkSplit.landed} is to be called. */
  handOver(job: Job): void
  /** Calls back when all that came in this turn of the event loop has been read. */
  atTurnEnd(callBack: () => void): void
}

/**
 * Decides which jobs are done on this thread, and which by others. To hand over a lone job of 0.1 ms takes half as
 * long as the job: threads sleep and are woken, and so is the one that waits. With many under way they are all awake,
 * and it costs a tenth.
 *
 * So a few jobs a turn are done here, the first one at once. More than a few are a backlog: all of them go to the
 * other threads, and so does everything else until these have nothing left. This thread is then free to read on,
 * and all cores take part.
 */
export class WorkSplit<Job> {
  readonly #port: WorkPort<Job>
  readonly #few: number
  /** Jobs of this turn that are done at its end, unless too many come. */
  #waiting: Job[] = []
  #isTurnOpen = false
  #away = 0

  /** @param few Jobs that are done on this thread in one turn, at least 1. */
  constructor(port: WorkPort<Job>, few: number) {
    this.#port = port
    this.#few = few
  }

  /** Jobs handed over that have not landed. */
  get away(): number {
    return this.#away
  }

  /** Whether a job is the first in this turn, with none under way: it is to be done at once, and not to be added. */
  begins(): boolean {
    if (this.#isTurnOpen || this.#away > 0) return false
    this.#isTurnOpen = true
    // Not a microtask: of an encrypted link each record is read in a task of its own, and a backlog would look like
    // a row of lone jobs.
    this.#port.atTurnEnd(this.#endTurn)
    return true
  }

  /** Takes a job for which {@link begins} said no. It is not done before this returns. */
  add(job: Job): void {
    if (this.#away === 0 && this.#isTurnOpen && this.#waiting.length < this.#few - 1) {
      this.#waiting.push(job)
      return
    }
    const waiting = this.#waiting
    this.#waiting = []
    for (const earlier of waiting) this.handOver(earlier)
    this.handOver(job)
  }

  /** Gives a job to other threads, however few there are. */
  handOver(job: Job): void {
    this.#away++
    this.#port.handOver(job)
  }

  /** A job that was handed over is done. */
  landed(): void {
    this.#away--
  }

  readonly #endTurn = (): void => {
    this.#isTurnOpen = false
    const waiting = this.#waiting
    this.#waiting = []
    for (const job of waiting) this.#port.doHere(job)
  }
}
