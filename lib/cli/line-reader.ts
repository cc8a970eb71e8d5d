import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from 'node:readline'

const PROMPT = '> '

/** Where lines come from, and where what is said goes. */
export interface LineReaderOptions {
  readonly input: NodeJS.ReadableStream
  readonly output: NodeJS.WritableStream
  /** Whether somebody types at a terminal: then there is a prompt, and what is said does not disturb it. */
  readonly isInteractive: boolean
  /** Ctrl-C was pressed. */
  readonly onInterrupt: () => void
}

/** Reads lines, and prints above the line that is being typed. */
export class LineReader {
  readonly #options: LineReaderOptions
  #interface: Interface | undefined
  #isClosed = false

  constructor(options: LineReaderOptions) {
    this.#options = options
  }

  /** The lines as they come; ends with the input, or with {@link close}. Call it once. */
  async *lines(): AsyncGenerator<string, void, undefined> {
    const { input, output, isInteractive, onInterrupt } = this.#options
    if (this.#isClosed) return
    // Not before somebody iterates: lines that come earlier would be lost.
    const lines = createInterface({
      input,
      prompt: PROMPT,
      crlfDelay: Infinity,
      ...(isInteractive ? { output } : {}),
    })
    this.#interface = lines
    // Without a listener, Ctrl-C in raw mode would only pause the input.
    lines.on('SIGINT', onInterrupt)
    this.#showPrompt()
    for await (const line of lines) {
      yield line
      this.#showPrompt()
    }
    this.#interface = undefined
  }

  #showPrompt(): void {
    if (this.#options.isInteractive) this.#interface?.prompt()
  }

  /** Prints lines; a prompt and what was typed after it come back below them. */
  print(lines: readonly string[]): void {
    if (lines.length === 0) return
    const { output, isInteractive } = this.#options
    const text = lines.map((line) => `${line}\n`).join('')
    const prompt = isInteractive ? this.#interface : undefined
    if (prompt === undefined) {
      output.write(text)
      return
    }
    this.#erase(prompt)
    output.write(text)
    // Readline remembers how far down the cursor was, and would draw the prompt that much further up.
    Object.assign(prompt, { prevRows: 0 })
    prompt.prompt(true)
  }

  /** Removes the prompt and what was typed after it: that may fill several rows. */
  #erase(prompt: Interface): void {
    const { output } = this.#options
    moveCursor(output, 0, -prompt.getCursorPos().rows)
    cursorTo(output, 0)
    clearScreenDown(output)
  }

  /** Ends the lines. */
  close(): void {
    this.#isClosed = true
    const prompt = this.#interface
    this.#interface = undefined
    if (prompt === undefined) return
    if (this.#options.isInteractive) this.#erase(prompt)
    prompt.close()
  }
}
