import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../failure.ts'

/** Text files that every copy of the package has, the best one first. */
const FILES = ['README.md', 'LICENSE', 'package.json']
/** Lines that are used of a file. */
const MAX_LINES = 2_000
/** Characters of a line that are used. */
const MAX_LENGTH = 400

/** Real text to talk about: the lines of the package's own README that are not empty. */
export function readLines(folder: string): readonly string[] {
  for (const file of FILES) {
    const lines = linesOf(join(folder, file))
    if (lines.length > 0) return lines
  }
  throw new Failure(`there is no text to send: ${folder} has none of ${FILES.join(', ')}`)
}

function linesOf(file: string): string[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return []
  }
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  // A cut must not fall into the middle of a character: what is left could not be sent.
  return lines.slice(0, MAX_LINES).map((line) => line.slice(0, MAX_LENGTH).toWellFormed())
}

/** What a member says in its message of a number, counted from 1: the lines over and over, each member elsewhere. */
export function lineFor(lines: readonly string[], member: number, number: number): string {
  return lines[(member * 37 + number) % lines.length]!
}
