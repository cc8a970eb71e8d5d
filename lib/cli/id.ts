import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { openKey, tryKey } from './key.ts'
import { PASSWORD_VARIABLE } from './password.ts'
import { jsonLine, safeText } from './safe-text.ts'
import { fields, print } from './terminal.ts'

const EXAMPLES = `
The ID is public: it is the name that others know the node by. The key is opened to prove that the file holds
it. Where it has a password and none is given (${PASSWORD_VARIABLE}, or typed), the ID that the file claims is
shown, and marked as unchecked.

Examples:
  $ secure-node id identity.pem
  $ secure-node id --json identity.pem`

interface IdOptions {
  readonly json?: true
}

/** `id <file>`: shows whose key a file holds. */
export function addId(program: Command): void {
  program
    .command('id')
    .summary('show the ID of a key file')
    .description('Shows the ID and the fingerprint of a key file.')
    .argument('<file>', 'a key file')
    .option('--json', 'print one JSON object')
    .addHelpText('after', EXAMPLES)
    .action((file: string, options: IdOptions) => showId(file, options))
}

async function showId(file: string, { json }: IdOptions): Promise<void> {
  const question = `Password of ${JSON.stringify(file)} (Enter to show the ID unchecked): `
  const identity = await tryKey(file, question)
  // Without a claim there is nothing to show; this says that a password is needed.
  const id = identity?.id ?? claimedId(file) ?? (await openKey(file)).id
  const checked = identity !== undefined
  const fingerprint = fingerprintOf(id)
  if (json) print(jsonLine({ file, id, fingerprint, checked }))
  else {
    const note = checked ? undefined : 'not checked: the key is protected by a password'
    print(...fields({ File: safeText(file), ID: id, Fingerprint: fingerprint, Note: note }))
  }
}

/** What the file says of itself. Its kind, size and rights were judged when its key was found to be encrypted. */
function claimedId(file: string): string | undefined {
  return /^Id: ([0-9a-f]{64})\r?$/m.exec(readFileSync(file, 'utf8'))?.[1]
}

/** As `Identity.fingerprint`, of an ID. */
export function fingerprintOf(id: string): string {
  const hash = createHash('sha256').update(id, 'hex').digest('base64')
  return `SHA256:${hash.replace('=', '')}`
}
