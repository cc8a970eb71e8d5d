import { emitKeypressEvents } from 'node:readline'
import { Failure, INTERRUPTED, WRONG_USAGE } from './failure.ts'

/** The variable that programs give a password with; command lines are no place for one, since `ps` shows them. */
export const PASSWORD_VARIABLE = 'SECURE_NODE_PASSWORD'

/** The password of the environment. An empty variable is one that is not set. */
export function passwordOfEnvironment(): string | undefined {
  const password = process.env[PASSWORD_VARIABLE]
  return password === '' ? undefined : password
}

/** Whether somebody sits at a terminal who can be asked. The question goes to stderr: stdout may be a file. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY
}

interface Key {
  readonly name?: string
  readonly ctrl?: boolean
  readonly meta?: boolean
}

/**
 * Asks for a password at the terminal; what is typed is not shown. Empty when only Enter was pressed.
 *
 * @throws Failure with exit code 130 after Ctrl-C or Ctrl-D
 */
export async function askPassword(question: string): Promise<string> {
  const { stdin, stderr } = process
  emitKeypressEvents(stdin)
  const typed = new Typed()
  let onKeypress: (text: string | undefined, key: Key) => void = () => {}
  // Raw: the kernel echoes nothing, and Ctrl-C arrives as a key. Before the question, or a fast answer would be
  // shown; and it must end in every case, or the shell that comes after us is left without an echo.
  stdin.setRawMode(true)
  stderr.write(question)
  try {
    return await new Promise<string>((resolve, reject) => {
      onKeypress = (text, key) => {
        const answer = typed.press(text, key)
        if (answer === 'cancel') reject(new Failure('no password was given', INTERRUPTED))
        else if (answer === 'enter') resolve(typed.text)
      }
      stdin.on('keypress', onKeypress)
      stdin.resume()
    })
  } finally {
    stdin.off('keypress', onKeypress)
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}

/** A line that is typed unseen. */
class Typed {
  #characters: string[] = []

  get text(): string {
    return this.#characters.join('')
  }

  press(text: string | undefined, { name, ctrl, meta }: Key): 'enter' | 'cancel' | undefined {
    if (name === 'return' || name === 'enter') return 'enter'
    if (ctrl && (name === 'c' || (name === 'd' && this.#characters.length === 0))) return 'cancel'
    if (name === 'backspace') this.#characters.pop()
    else if (ctrl && name === 'u') this.#characters = []
    // Arrows, function keys and the like are no part of a password, nor what they send.
    else if (!ctrl && !meta && text !== undefined && !/\p{Cc}/u.test(text)) this.#characters.push(text)
    return undefined
  }
}

/**
 * The password for a new key: of the environment, or asked for twice at the terminal. Undefined when Enter alone
 * says that there shall be none.
 *
 * @throws Failure when there is nobody to ask, or when the two are not the same
 */
export async function chooseNewPassword(): Promise<string | undefined> {
  const given = passwordOfEnvironment()
  if (given !== undefined) return given
  if (!canAsk()) {
    throw new Failure(
      `there is no terminal to ask for a password; set ${PASSWORD_VARIABLE}, or give --no-password for a key without one`,
      WRONG_USAGE,
    )
  }
  for (let trial = 0; trial < 3; trial++) {
    const first = await askPassword('Password for the new key (Enter for none): ')
    if (first === '') return undefined
    if ((await askPassword('The same again: ')) === first) return first
    process.stderr.write('The two are not the same.\n')
  }
  throw new Failure('no key was made: the password was not repeated')
}
