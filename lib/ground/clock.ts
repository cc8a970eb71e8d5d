/** A timer that was set on a {@link Clock}. */
export interface Timer {
  /** Forgets the timer; harmless when it has fired already. */
  cancel(): void
}

/** Time, as everything in this package sees it: injected, so that a test can own it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Calls `callback` once, `ms` milliseconds from now. Timers do not keep the process alive. */
  setTimer(callback: () => void, ms: number): Timer
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(callback, ms) {
    const handle = setTimeout(callback, ms)
    // Browsers return a number. A timer alone never holds a program open: open sockets do.
    ;(handle as { unref?: () => void }).unref?.()
    return { cancel: () => clearTimeout(handle) }
  },
}
