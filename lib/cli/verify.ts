import type { Command } from 'commander'
import { openMessage, type SignedMessage, type VerdictCode } from '../index.ts'
import { MAX_MESSAGE_BYTES } from '../limits/limits.ts'
import { parseSeconds } from './address.ts'
import { FAILED, Failure } from './failure.ts'
import { fingerprintOf } from './id.ts'
import { readInput, trimLineEnd } from './input.ts'
import { jsonLine } from './safe-text.ts'
import { fields, painter, print } from './terminal.ts'

const EXAMPLES = `
The document must be what was signed, byte for byte. One line end at the end of the file is let pass, as
editors and "sign" itself add one. Its age is judged only with --max-age. Exit code 0: the signature is good;
1: it is not, or the document is none, and the reason is printed.

Examples:
  $ secure-node verify order.signed.json
  $ secure-node verify --max-age 60 --net market < order.signed.json
  $ secure-node verify --json order.signed.json`

interface VerifyOptions {
  readonly net?: string
  /** In ms. */
  readonly maxAge?: number
  readonly json?: true
}

/** Why a document is not accepted, for people. */
const REASONS: Readonly<Partial<Record<VerdictCode, string>>> = {
  'too-large': `it has more than ${MAX_MESSAGE_BYTES} bytes`,
  'too-deep': 'it is nested too deeply',
  'bad-utf8': 'it is not UTF-8',
  'bad-json': 'it is not JSON',
  'not-canonical': 'it is not canonical JSON (RFC 8785); something changed it after it was signed',
  'bad-shape': 'it is JSON, but not a signed document',
  'bad-key': 'it names a node whose key is none that only its owner can sign with',
  'wrong-net': 'it belongs to another network',
  'bad-signature': "the signature is not the author's; it was altered, or somebody else signed it",
  stale: 'it is older than --max-age allows',
  early: 'it is dated in the future',
  expired: 'it is past the end that its author set',
}

/** `verify [file]`: says whether a document is genuine, and what it says. */
export function addVerify(program: Command): void {
  program
    .command('verify')
    .summary('verify a signed document')
    .description('Says whether a signed document is genuine; who signed it, when, and what.')
    .argument('[file]', 'the document; stdin without it, or for "-"')
    .option('--net <name>', 'network that it must belong to (default: any)')
    .option('--max-age <seconds>', 'refuse what is older, or ended', parseSeconds)
    .option('--json', 'print one JSON object')
    .addHelpText('after', EXAMPLES)
    .action((file: string | undefined, options: VerifyOptions) => verify(file, options))
}

async function verify(file: string | undefined, { net, maxAge, json }: VerifyOptions): Promise<void> {
  // As bytes: decoding would repair what is not UTF-8, and change what was signed.
  // One line end more than a document can have; what is longer is too large whatever it is.
  const input = await readInput(file, MAX_MESSAGE_BYTES + 2)
  const window = maxAge === undefined ? false : { past: maxAge }
  const verdict = await openMessage(trimLineEnd(input), { net, window })
  if (verdict.ok) {
    print(...(json ? [jsonLine(factsOf(verdict.message))] : describeDocument(verdict.message)))
    return
  }
  const reason = REASONS[verdict.code] ?? verdict.code
  // For a program the verdict is a result, not an error of ours.
  if (!json) throw new Failure(`not valid: ${verdict.code}: ${reason}`)
  print(jsonLine({ ok: false, code: verdict.code, reason }))
  process.exitCode = FAILED
}

/** What is proven, for programs. */
function factsOf(message: SignedMessage): object {
  const { id, from, net, type, time, seq, to, re, exp, data } = message
  return { ok: true, id, from, fingerprint: fingerprintOf(from), net, type, time, seq, to, re, exp, data }
}

/** The same for people. */
function describeDocument(message: SignedMessage): string[] {
  const { id, from, net, type, time, to, re, exp, data } = message
  const paint = painter(process.stdout)
  const facts = fields({
    From: from,
    Fingerprint: fingerprintOf(from),
    Time: dateOf(time),
    Network: net,
    Type: type,
    ID: id,
    To: to?.join(' '),
    Answers: re,
    Until: exp === undefined ? undefined : dateOf(exp),
  })
  return [paint('good', 'The signature is good.'), ...facts, 'Data', jsonLine(data)]
}

/** A time as people write it; numbers beyond the calendar stay numbers. */
function dateOf(time: number): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? `${time} ms` : date.toISOString()
}
