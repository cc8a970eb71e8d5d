import { lstat, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import { Identity } from '../index.ts'
import { Failure } from './failure.ts'
import { chooseNewPassword, PASSWORD_VARIABLE } from './password.ts'
import { jsonLine, safeText } from './safe-text.ts'
import { fields, painter, print } from './terminal.ts'

const DEFAULT_FILE = 'identity.pem'

const EXAMPLES = `
Without a terminal, ${PASSWORD_VARIABLE} gives the password, and --no-password says that there is none.
Folders that are missing are made, for this user alone. A file that exists is left alone.

Examples:
  $ secure-node keygen
  $ secure-node keygen keys/alice.pem
  $ secure-node keygen --no-password --json keys/robot.pem`

interface KeygenOptions {
  /** False after --no-password. */
  readonly password: boolean
  readonly force?: true
  readonly json?: true
}

/** `keygen [file]`: makes a new identity and keeps it in a file. */
export function addKeygen(program: Command): void {
  program
    .command('keygen')
    .summary('make a new identity')
    .description('Makes a new identity, an Ed25519 key, and keeps it in a file.')
    .argument('[file]', 'where to keep it', DEFAULT_FILE)
    .option('--no-password', 'ask for no password: whoever reads the file is this node')
    .option('--force', 'replace a file that exists; the identity in it is lost')
    .option('--json', 'print one JSON object')
    .addHelpText('after', EXAMPLES)
    .action((file: string, options: KeygenOptions) => keygen(file, options))
}

async function keygen(file: string, options: KeygenOptions): Promise<void> {
  const overwrite = options.force === true
  // Before anybody types a password in vain. Writing looks again, in one step with the writing itself.
  if (!overwrite && (await exists(file))) {
    throw new Failure(
      `"${file}" exists already and is left as it is; choose another name, or replace it with --force`,
    )
  }
  const password = options.password ? await chooseNewPassword() : undefined
  const identity = Identity.generate()
  await makeFolder(dirname(file))
  await identity.save(file, { overwrite, ...(password !== undefined && { password }) })
  const { id, fingerprint } = identity
  if (options.json) print(jsonLine({ file, id, fingerprint, protected: password !== undefined }))
  else print(...describeKey(file, identity, password !== undefined))
}

function describeKey(file: string, { id, fingerprint }: Identity, isProtected: boolean): string[] {
  const lines = fields({ File: safeText(file), ID: id, Fingerprint: fingerprint })
  if (isProtected) return [...lines]
  const warning = 'The key has no password: whoever can read the file can speak as this node.'
  return [...lines, painter(process.stdout)('bad', warning)]
}

async function exists(file: string): Promise<boolean> {
  // A link that leads nowhere is in the way too.
  return lstat(file).then(
    () => true,
    () => false,
  )
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
  } catch {
    // Saving says what is wrong with the folder, and it says it better.
  }
}
