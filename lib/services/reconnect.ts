import type { Clock, Timer } from '../ground/clock.ts'

/** What reconnecting needs of its node. */
export interface ReconnectPort {
  readonly clock: Clock
  /** One attempt. Resolves when the link is up, rejects with the reason when it cannot be made. */
  dial(): Promise<void>
  /** Reports a failed attempt; `false` gives up. */
  shouldReconnect(trials: number, error: unknown): boolean
  /** It gave up. Called at most once, last of all. */
  onGiveUp(trials: number, error: unknown): void
}

/** The pauses between attempts. */
export interface BackOff {
  /** Where jitter comes from: numbers from 0 to below 1. */
  readonly random: () => number
  /** First pause, in ms; each failure doubles it. */
  readonly min: number
  /** Longest pause, in ms. */
  readonly max: number
}

/**
 * Keeps one link: dials again after a failure or a loss, with pauses that double up to a bound. Each pause is
 * shortened by up to a half at random, so that the many who lost the same node do not come back together.
 */
export class Reconnect {
  readonly #port: ReconnectPort
  readonly #backOff: BackOff
  #trials = 0
  #timer: Timer | undefined
  #isOver = false

  constructor(port: ReconnectPort, backOff: BackOff) {
    this.#port = port
    this.#backOff = backOff
  }

  /** Tries now. */
  start(): void {
    if (!this.#isOver) void this.#try()
  }

  /** The link was lost: tries again after the first pause. */
  lost(): void {
    if (!this.#isOver && this.#timer === undefined) this.#pause()
  }

  /** Ends it for good. */
  stop(): void {
    this.#isOver = true
    this.#timer?.cancel()
  }

  async #try(): Promise<void> {
    try {
      await this.#port.dial()
      this.#trials = 0
    } catch (error) {
      this.#onFailure(error)
    }
  }

  #onFailure(error: unknown): void {
    if (this.#isOver) return
    this.#trials++
    if (this.#port.shouldReconnect(this.#trials, error)) {
      this.#pause()
      return
    }
    this.stop()
    this.#port.onGiveUp(this.#trials, error)
  }

  #pause(): void {
    const { min, max, random } = this.#backOff
    const longest = Math.min(max, min * 2 ** Math.min(this.#trials, 30))
    this.#timer = this.#port.clock.setTimer(
      () => {
        this.#timer = undefined
        this.start()
      },
      longest * (0.5 + random() / 2),
    )
  }
}
