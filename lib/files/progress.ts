import type { Clock } from '../ground/clock.ts'
import { FILE_PROGRESS_INTERVAL } from '../limits/direct-limits.ts'

/** How far a file is. */
export interface FileProgress {
  /** Bytes that are there and verified. */
  readonly bytes: number
  /** Bytes of the file. */
  readonly size: number
  /** Nodes that it comes from at the moment; 0 where it comes from a disk. */
  readonly sources: number
}

/** Hears how far a file is: first and last in any case, between them at most ten times a second. */
export type OnProgress = (progress: FileProgress) => void

/** Reports progress at a bounded rate, however fast it comes. */
export class ProgressReport {
  readonly #clock: Clock
  readonly #onProgress: OnProgress | undefined
  #last = -Infinity

  constructor(clock: Clock, onProgress: OnProgress | undefined) {
    this.#clock = clock
    this.#onProgress = onProgress
  }

  /** @param isLast Whether it is reported in any case. */
  tell(progress: FileProgress, isLast = false): void {
    if (this.#onProgress === undefined) return
    const now = this.#clock.now()
    // A clock that was set back must not silence it.
    const isSoon = now >= this.#last && now - this.#last < FILE_PROGRESS_INTERVAL
    if (isSoon && !isLast) return
    this.#last = now
    this.#onProgress(progress)
  }
}
