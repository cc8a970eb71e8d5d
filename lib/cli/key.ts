import { Identity, SecureNodeError } from '../index.ts'
import { Failure } from './failure.ts'
import { askPassword, canAsk, PASSWORD_VARIABLE, passwordOfEnvironment } from './password.ts'

/** How often a password may be typed. */
const MAX_TRIALS = 3

/**
 * Opens a key file: with the password of the environment if it needs one, or else with one that is asked for at
 * the terminal.
 *
 * @throws Failure when a password is needed and nobody can be asked; SecureNodeError as `Identity.load`
 */
export async function openKey(file: string): Promise<Identity> {
  const identity = await tryKey(file, `Password of ${JSON.stringify(file)}: `)
  if (identity !== undefined) return identity
  const what = `the key file ${JSON.stringify(file)} is protected by a password`
  throw new Failure(
    canAsk() ? `${what}; none was given` : `${what}; set ${PASSWORD_VARIABLE}, or run this in a terminal`,
  )
}

/** {@link openKey}, but undefined where no password is at hand, or only Enter was pressed. */
export async function tryKey(file: string, question: string): Promise<Identity | undefined> {
  const password = passwordOfEnvironment()
  try {
    return await Identity.load(file, password === undefined ? {} : { password })
  } catch (error) {
    if (!isCode(error, 'key-password-missing')) throw error
  }
  return canAsk() ? askForKey(file, question) : undefined
}

async function askForKey(file: string, question: string): Promise<Identity | undefined> {
  for (let trial = 1; ; trial++) {
    const password = await askPassword(question)
    if (password === '') return undefined
    try {
      return await Identity.load(file, { password })
    } catch (error) {
      if (!isCode(error, 'key-password-wrong') || trial === MAX_TRIALS) throw error
      process.stderr.write('That is not the password.\n')
    }
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof SecureNodeError && error.code === code
}
