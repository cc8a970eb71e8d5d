import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Deferred } from '../../ground/deferred.ts'
import { Failure, oneLine } from '../failure.ts'
import type { Answer, Call, MemberApi, MemberMethod } from './member-api.ts'
import { MEMBER_COMMAND } from './member-command.ts'

/** Characters of a dead process' last words that are kept. */
const MAX_LAST_WORDS = 2_000
/** How long a process may take to end by itself, in ms. */
const END_TIMEOUT = 1_000

type Result<M extends MemberMethod> = Awaited<ReturnType<MemberApi[M]>>

/** One process, seen from the conductor's side. */
class Hand {
  readonly exited = new Deferred<void>()
  readonly #child: ChildProcess
  readonly #calls = new Map<number, Deferred<unknown>>()
  #count = 0
  #lastWords = ''

  constructor(main: string, onDeath: (why: string) => void) {
    // Nothing of ours but the command: inspectors and loaders of this process are not for five more.
    this.#child = fork(main, [MEMBER_COMMAND], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] })
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-MAX_LAST_WORDS)
    })
    this.#child.on('message', (answer) => this.#onAnswer(answer as Answer))
    // Watching says it; this keeps a second one from ending the whole program.
    this.#child.on('error', () => {})
    void this.#watch(onDeath)
  }

  /** The event "close" would say both at once, but it does not come when this side has ended the channel. */
  async #watch(onDeath: (why: string) => void): Promise<void> {
    try {
      const [[code, signal]] = (await Promise.all([
        once(this.#child, 'exit'),
        once(this.#child.stderr!, 'close'),
      ])) as [[number | null, NodeJS.Signals | null], unknown]
      const words = this.#lastWords.trim()
      onDeath(`${signal ?? `exit code ${String(code)}`}${words === '' ? '' : `: ${words}`}`)
    } catch (error) {
      // It could not be started.
      onDeath(oneLine(error))
    }
    this.exited.resolve()
  }

  ask(method: MemberMethod, args: readonly unknown[]): Promise<unknown> {
    const answer = new Deferred<unknown>()
    const call: Call = { call: ++this.#count, method, args }
    this.#calls.set(call.call, answer)
    // Whether it could be sent shows in the end of the process, too.
    this.#child.send(call, () => {})
    return answer.promise
  }

  #onAnswer({ call, value, error }: Answer): void {
    const waiting = this.#calls.get(call)
    this.#calls.delete(call)
    if (error === undefined) waiting?.resolve(value)
    else waiting?.reject(new Error(error))
  }

  async end(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    const timer = setTimeout(() => this.kill(), END_TIMEOUT)
    await this.exited.promise
    clearTimeout(timer)
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

/** The processes of the demo. */
export class Crew {
  readonly #hands: readonly Hand[]
  readonly #died = new Deferred<never>()
  #isEnding = false
  readonly #killAll = (): void => {
    for (const hand of this.#hands) hand.kill()
  }

  /** @param main the command line's own file, started once for each member */
  constructor(main: string, members: readonly number[]) {
    this.#hands = members.map((member) => new Hand(main, (why) => this.#onDeath(member, why)))
    this.#died.promise.catch(() => {})
    // The last resort: whatever ends this process, the others must not stay.
    process.on('exit', this.#killAll)
  }

  /** Rejects when one of the processes ends that should not. */
  get died(): Promise<never> {
    return this.#died.promise
  }

  /** Asks a member. Rejects when that fails there. */
  ask<M extends MemberMethod>(
    member: number,
    method: M,
    ...args: Parameters<MemberApi[M]>
  ): Promise<Result<M>> {
    return this.#hands[member - 1]!.ask(method, args) as Promise<Result<M>>
  }

  /** Asks all members at once. */
  askAll<M extends MemberMethod>(method: M, ...args: Parameters<MemberApi[M]>): Promise<Result<M>[]> {
    return Promise.all(this.#hands.map((hand) => hand.ask(method, args) as Promise<Result<M>>))
  }

  /** Ends all processes, and resolves when they are gone. */
  async end(): Promise<void> {
    this.#isEnding = true
    await Promise.all(this.#hands.map((hand) => hand.end()))
    process.off('exit', this.#killAll)
  }

  #onDeath(member: number, why: string): void {
    if (!this.#isEnding) this.#died.reject(new Failure(`node ${member} of the demo died: ${why}`))
  }
}
