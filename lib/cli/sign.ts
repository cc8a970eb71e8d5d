import type { Command } from 'commander'
import { signMessage } from '../index.ts'
import { MAX_MESSAGE_BYTES } from '../limits/limits.ts'
import { FAILED, Failure } from './failure.ts'
import { decodeText, parseJsonText, readInput, trimLineEnd } from './input.ts'
import { openKey } from './key.ts'
import { print } from './terminal.ts'

const EXAMPLES = `
The document is printed on one line. Anybody can verify it, at any time, without a network and without this
program: it is canonical JSON (RFC 8785) with an Ed25519 signature. Numbers are those of JavaScript: whole ones
beyond 9007199254740991 lose digits, so write them as text.

With --text, the document's data is {"text": …}, as in "send" and "run", without one final line end.

Examples:
  $ secure-node sign --key identity.pem order.json > order.signed.json
  $ echo '{"pay": 10}' | secure-node sign --key identity.pem
  $ echo 'I was here.' | secure-node sign --key identity.pem --text`

interface SignOptions {
  readonly key: string
  readonly text?: true
  readonly net: string
  readonly type: string
}

/** `sign [file]`: makes a signed document. The key is required: nobody could know a new one's name. */
export function addSign(program: Command): void {
  program
    .command('sign')
    .summary('sign a file of JSON or text')
    .description('Makes a signed document of JSON or text.')
    .argument('[file]', 'what to sign; stdin without it, or for "-"')
    .requiredOption('--key <file>', 'key file of the author')
    .option('--text', 'the input is text, not JSON')
    .option('--net <name>', 'network that the document belongs to', 'default')
    .option('--type <name>', 'kind of message', 'message')
    .addHelpText('after', EXAMPLES)
    .action((file: string | undefined, options: SignOptions) => sign(file, options))
}

async function sign(file: string | undefined, { key, text, net, type }: SignOptions): Promise<void> {
  const identity = await openKey(key)
  // Twice the limit: JSON shrinks when its white space goes. What is still too long, signing refuses.
  const input = await readInput(file, 2 * MAX_MESSAGE_BYTES)
  if (input.length > 2 * MAX_MESSAGE_BYTES) {
    throw new Failure(`the input is too large: a document has at most ${MAX_MESSAGE_BYTES} bytes`)
  }
  const data = text ? { text: decodeText(trimLineEnd(input)) } : parseInput(decodeText(input))
  print(await signMessage({ data, net, type }, identity))
}

function parseInput(text: string): unknown {
  return parseJsonText(text, 'the input (give --text to sign text)', FAILED)
}
