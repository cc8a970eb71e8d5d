import { open } from 'node:fs/promises'
import { Failure, oneLine } from './failure.ts'

/** What stands for stdin in the place of a file's name. */
const STDIN = '-'
/** Fatal: a replaced character would be signed as if somebody had written it. */
const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads a file, or stdin where it is `-` or not given. More than `max` bytes are not read: `max + 1` come back.
 *
 * @throws Failure when it cannot be read
 */
export async function readInput(file: string | undefined, max: number): Promise<Buffer> {
  if (file === undefined || file === STDIN) return readChunks(process.stdin, max)
  try {
    const handle = await open(file)
    // The stream closes the handle.
    return await readChunks(handle.createReadStream({ end: max }), max)
  } catch (cause) {
    throw new Failure(`cannot read "${file}": ${reasonOf(cause)}`, undefined, { cause })
  }
}

async function readChunks(stream: AsyncIterable<unknown>, max: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer)
    length += (chunk as Buffer).length
    if (length > max) break
  }
  return Buffer.concat(chunks).subarray(0, max + 1)
}

function reasonOf(cause: unknown): string {
  const code = (cause as { code?: unknown }).code
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EISDIR') return 'it is a folder'
  return oneLine(cause)
}

/** Bytes without one final line end (LF or CR LF): what editors and `echo` add and nobody has signed. */
export function trimLineEnd(bytes: Buffer): Buffer {
  if (bytes.at(-1) !== 0x0a) return bytes
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1)
}

/**
 * The text of some bytes.
 *
 * @throws Failure for what is not UTF-8
 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new Failure('the input is not UTF-8', undefined, { cause })
  }
}

/**
 * The value of a JSON text.
 *
 * @param exitCode of the failure: a text on the command line is wrong usage, one in a file is not
 * @throws Failure for what is not JSON
 */
export function parseJsonText(text: string, what: string, exitCode: number): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Failure(`${what} is not JSON: ${oneLine(cause)}`, exitCode, { cause })
  }
}
