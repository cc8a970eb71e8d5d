/** How text looks on a terminal: colours where there is one that shows them, columns that line up. */

/** The part of an output stream that decides about its looks. */
export interface Screen {
  readonly isTTY?: boolean | undefined
}

/** What a piece of text is, for its colour. */
export type Tone = 'good' | 'bad' | 'name' | 'faint' | 'strong'

/** Colours a text, or leaves it alone. */
export type Paint = (tone: Tone, text: string) => string

const CODES: Readonly<Record<Tone, number>> = { strong: 1, faint: 2, bad: 31, good: 32, name: 36 }

/** No colours. */
export const plain: Paint = (_tone, text) => text

/** How to colour on a stream: not at all in pipes and files, nor where NO_COLOR asks for none (no-color.org). */
export function painter(screen: Screen, environment: NodeJS.ProcessEnv = process.env): Paint {
  const { NO_COLOR = '', TERM } = environment
  const isPlain = screen.isTTY !== true || NO_COLOR !== '' || TERM === 'dumb'
  return isPlain ? plain : (tone, text) => `\u001b[${CODES[tone]}m${text}\u001b[0m`
}

/** Lines with their columns aligned, two blanks apart; numbers stand at the right. The texts must be harmless. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): readonly string[] {
  const texts = [head, ...rows.map((row) => row.map(String))]
  const widths = head.map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)))
  const isNumeric = head.map((_, column) => rows.some((row) => typeof row[column] === 'number'))
  return texts.map((row) =>
    row
      .map((text, column) =>
        isNumeric[column] ? text.padStart(widths[column]!) : text.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  )
}

/** Lines of names and what they mean; members without a value are left out. */
export function fields(values: Readonly<Record<string, string | number | undefined>>): readonly string[] {
  const given = Object.entries(values).filter(([, value]) => value !== undefined)
  const width = Math.max(...given.map(([name]) => name.length))
  return given.map(([name, value]) => `${name.padEnd(width)}  ${String(value)}`)
}

/** The beginning of an ID: enough for people to tell nodes and messages apart, not to prove anything. */
export function shortId(id: string): string {
  return id.slice(0, 8)
}

/** `1 peer`, `2 peers`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** Prints lines to stdout. */
export function print(...lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''))
}
