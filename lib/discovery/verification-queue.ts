import { MAX_VERIFICATIONS } from '../limits/limits.ts'
import { MAX_WAITING_BYTES } from '../limits/network-limits.ts'

/** Something that came over a link and is to be verified. */
export interface VerificationJob {
  /** The link that brought it. */
  readonly link: object
  /** What it takes while it waits. */
  readonly bytes: number
  /** Verifies it and draws the conclusion. Does not fail. */
  run(): Promise<void>
}

/**
 * Verifies so many things at once, and lets others wait, in the order of their arrival. What waits is bounded in
 * bytes, and one link has no more than half of that: whoever brings too much shuts out himself first.
 */
export class VerificationQueue {
  #waiting: VerificationJob[] = []
  /** Those of them that have been taken out. */
  #taken = 0
  readonly #bytesOf = new Map<object, number>()
  #bytes = 0
  #running = 0

  /** What is under verification. */
  get running(): number {
    return this.#running
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes
  }

  /** Takes a job, or says that there is no room for it. */
  offer(job: VerificationJob): boolean {
    if (this.#running < MAX_VERIFICATIONS) {
      this.#run(job)
      return true
    }
    const own = (this.#bytesOf.get(job.link) ?? 0) + job.bytes
    if (own > MAX_WAITING_BYTES / 2 || this.#bytes + job.bytes > MAX_WAITING_BYTES) return false
    this.#count(job, job.bytes)
    this.#waiting.push(job)
    return true
  }

  #run(job: VerificationJob): void {
    this.#running++
    void job.run().finally(() => {
      this.#running--
      const next = this.#next()
      if (next !== undefined) this.#run(next)
    })
  }

  #next(): VerificationJob | undefined {
    const job = this.#waiting[this.#taken]
    if (job === undefined) return undefined
    this.#count(job, -job.bytes)
    // A list that is moved up with every job taken would cost the square of its length.
    if (++this.#taken > this.#waiting.length / 2) {
      this.#waiting = this.#waiting.slice(this.#taken)
      this.#taken = 0
    }
    return job
  }

  #count({ link }: VerificationJob, bytes: number): void {
    this.#bytes += bytes
    const own = (this.#bytesOf.get(link) ?? 0) + bytes
    if (own > 0) this.#bytesOf.set(link, own)
    else this.#bytesOf.delete(link)
  }
}
