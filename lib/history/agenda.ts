import type { Clock, Timer } from '../ground/clock.ts'

/** Why a comparison is planned: there is news, or it is time for one. */
export type Occasion = 'news' | 'routine'

interface Plan {
  readonly timer: Timer
  readonly due: number
  readonly occasion: Occasion
}

/** When to compare over which link: one plan for each. */
export class Agenda<L> {
  readonly #clock: Clock
  readonly #begin: (link: L, occasion: Occasion) => void
  readonly #plans = new Map<L, Plan>()

  constructor(clock: Clock, begin: (link: L, occasion: Occasion) => void) {
    this.#clock = clock
    this.#begin = begin
  }

  /** Plans a comparison. An earlier one stays, and so do news; routine takes the place of routine. */
  plan(link: L, delay: number, occasion: Occasion): void {
    const due = this.#clock.now() + delay
    const plan = this.#plans.get(link)
    const isRoutine = occasion === 'routine' && plan?.occasion === 'routine'
    if (plan !== undefined && plan.due <= due && !isRoutine) return
    plan?.timer.cancel()
    const timer = this.#clock.setTimer(() => {
      this.#plans.delete(link)
      this.#begin(link, occasion)
    }, delay)
    this.#plans.set(link, { timer, due, occasion })
  }

  cancel(link: L): void {
    this.#plans.get(link)?.timer.cancel()
    this.#plans.delete(link)
  }

  close(): void {
    for (const link of [...this.#plans.keys()]) this.cancel(link)
  }
}
