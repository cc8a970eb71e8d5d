/** Where a network in memory does what needs no time. */
export interface Turns {
  /** Runs a task after everything that is at hand, in the order of asking. */
  soon(task: () => void): void
  /** Something is open, or nothing any more. */
  hold(isOpen: boolean): void
}

/** The turns of the event loop. */
export class EventLoopTurns implements Turns {
  #tasks: (() => void)[] = []
  #keepAlive: NodeJS.Timeout | undefined

  /** All that is at hand is done in one turn of the event loop; what comes of it, in the next. */
  soon(task: () => void): void {
    if (this.#tasks.push(task) === 1) setImmediate(() => this.#runTasks())
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
      // A handler that throws must not cost the others their deliveries.
      for (const task of tasks.slice(done)) this.soon(task)
    }
  }

  /** The timers of a `Clock` do not keep a process alive; sockets do, and so does what replaces them. */
  hold(isOpen: boolean): void {
    if (isOpen) this.#keepAlive ??= setInterval(() => {}, 2 ** 31 - 1)
    else clearInterval(this.#keepAlive)
    if (!isOpen) this.#keepAlive = undefined
  }
}
