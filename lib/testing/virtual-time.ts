import { ManualClock } from './manual-clock.ts'

/** Somebody who waits for time to pass. */
interface Waiter {
  /** Asked at every instant. */
  readonly isDone: () => boolean
  /** When to give up, in ms since the epoch. */
  readonly deadline: number
  readonly resolve: (isDone: boolean) => void
  readonly reject: (error: unknown) => void
}

/**
 * Time that passes only while somebody waits for it, and then as fast as the work in it can be done. It goes from
 * one instant at which anything happens to the next. All that is due at an instant is done before time goes on:
 * timers in the order of their setting, then tasks, promises, and one turn of the event loop for what goes by it.
 */
export class VirtualTime {
  readonly clock: ManualClock
  readonly #waiters = new Set<Waiter>()
  #tasks: (() => void)[] = []
  #isRunning = false

  /** @param start where it begins, in whole ms since the epoch @default that of {@link ManualClock} */
  constructor(start?: number) {
    this.clock = new ManualClock(start)
  }

  /** Runs a task at this instant, after those that were asked for before. */
  soon(task: () => void): void {
    this.#tasks.push(task)
  }

  /**
   * Lets time pass until a condition holds: it is asked at every instant, at the first one too. Any number of callers
   * may wait at once; for all of them it is the same time.
   *
   * @param deadline the time at which nobody waits any longer, in ms since the epoch; it is reached exactly
   * @returns whether the condition held at last
   */
  wait(isDone: () => boolean, deadline: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiters.add({ isDone, deadline, resolve, reject })
      if (!this.#isRunning) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    try {
      await this.#finishInstant()
      while (this.#waiters.size > 0) {
        // What those do who are let go belongs to this instant still.
        if (!this.#letGo()) this.clock.advance(this.#nextInstant() - this.clock.now())
        await this.#finishInstant()
      }
    } catch (error) {
      // What a timer throws is nobody's in particular: everybody should know.
      for (const { reject } of this.#waiters) reject(error)
      this.#waiters.clear()
    } finally {
      this.#isRunning = false
    }
  }

  /** Does all that is due now, and what comes of it. */
  async #finishInstant(): Promise<void> {
    do {
      while (this.#tasks.length > 0) {
        this.#runTasks()
        await promises()
      }
      await turn()
    } while (this.#tasks.length > 0)
  }

  #runTasks(): void {
    const tasks = this.#tasks
    this.#tasks = []
    let done = 0
    try {
      for (const task of tasks) {
        done++
        task()
      }
    } finally {
      // A task that throws must not cost the others their turn.
      if (done < tasks.length) this.#tasks = [...tasks.slice(done), ...this.#tasks]
    }
  }

  /** Lets those go who need not wait any longer. Returns whether there were any. */
  #letGo(): boolean {
    const now = this.clock.now()
    const before = this.#waiters.size
    for (const waiter of this.#waiters) {
      const isDone = this.#ask(waiter)
      if (isDone === false && now < waiter.deadline) continue
      this.#waiters.delete(waiter)
      if (isDone !== undefined) waiter.resolve(isDone)
    }
    return this.#waiters.size < before
  }

  /** A condition that throws is its caller's affair alone. */
  #ask({ isDone, reject }: Waiter): boolean | undefined {
    try {
      return isDone()
    } catch (error) {
      reject(error)
      return undefined
    }
  }

  #nextInstant(): number {
    let next = this.clock.nextTimer ?? Infinity
    for (const { deadline } of this.#waiters) next = Math.min(next, deadline)
    return next
  }
}

/** Resolves when no promise has anything left to do: Node runs its ticks after all of them. */
function promises(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}

/** One turn of the event loop, behind the immediates that promises have asked for. */
function turn(): Promise<void> {
  return new Promise((resolve) => process.nextTick(() => setImmediate(resolve)))
}
