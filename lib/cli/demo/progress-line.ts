import type { Audience } from './play.ts'

/** How often the line is drawn again, in ms: more often nobody can read it. */
const REDRAW = 50
const WIDTH = 24

/** Shows how the demo goes on: on a terminal one line that is drawn again and again, elsewhere a line for each act. */
export class ProgressLine implements Audience {
  readonly #output: NodeJS.WriteStream
  readonly #isTerminal: boolean
  #title = ''
  #drawnAt = 0

  constructor(output: NodeJS.WriteStream) {
    this.#output = output
    this.#isTerminal = output.isTTY
  }

  act(title: string): void {
    this.#title = title
    if (this.#isTerminal) this.#draw(`${title} …`)
    else this.#output.write(`${title}\n`)
  }

  progress(done: number, all: number): void {
    const now = performance.now()
    const isDue = done >= all || now - this.#drawnAt >= REDRAW
    if (!this.#isTerminal || !isDue) return
    this.#drawnAt = now
    const filled = Math.round((WIDTH * Math.min(done, all)) / Math.max(all, 1))
    this.#draw(`${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)} ${this.#title}`)
  }

  /** Removes the line: what comes next stands in its place. */
  clear(): void {
    if (this.#isTerminal) this.#draw('')
  }

  #draw(text: string): void {
    // A line that wraps could not be drawn again. (Columns can be 0 in a terminal that does not know its size.)
    const columns = this.#output.columns || 80
    this.#output.write(`\r${text.slice(0, columns - 1)}\u001b[K`)
  }
}

/** Shows nothing. */
export const silentAudience: Audience = { act: () => {}, progress: () => {} }
