import { type Command, InvalidArgumentError, Option } from 'commander'
import { Deferred } from '../../ground/deferred.ts'
import { FAILED, Failure, INTERRUPTED } from '../failure.ts'
import { jsonLine } from '../safe-text.ts'
import { painter, print } from '../terminal.ts'
import { check } from './check.ts'
import { statusOption } from '../watch/status-option.ts'
import { untilSignal } from '../watch/signals.ts'
import { Crew } from './crew.ts'
import { EndlessDemo } from './endless.ts'
import { readLines } from './lines.ts'
import { type Audience, type Outcome, Play } from './play.ts'
import { ProgressLine, silentAudience } from './progress-line.ts'
import { describeSummary, summarize } from './report.ts'
import { MEMBERS } from './topology.ts'

const EXAMPLES = `
Five nodes, each a process of its own, are connected as 1-2-3-4-5 and 2-4. Each sends the lines of a text to all
others. Then four of them attack their neighbours: with a replayed message, with one of an earlier session, with
an altered one, and with one in another node's name. At the end every message of every node is looked for at
every other one. Exit code 0: each was there exactly once, and every attack was refused; 1: not so, and how.

Examples:
  $ secure-node demo
  $ secure-node demo --messages 1000
  $ secure-node demo --json
  $ secure-node demo --watch`

/** Messages of each node: 1,000 in all. */
const MESSAGES = 200
/** More would not be done before the watchdog ends it. */
const MAX_MESSAGES = 2_000
/** How long the demo may take, in ms. */
const WATCHDOG = 30_000
const SIGNALS = { SIGINT: INTERRUPTED, SIGTERM: FAILED, SIGHUP: FAILED } as const

/** Where the demo finds what it needs. */
export interface PackageFiles {
  /** The command line's own file: it is started once for each node. */
  readonly main: string
  /** The package's folder, for its README. */
  readonly folder: string
}

interface DemoOptions {
  readonly messages: number
  readonly json?: true
  readonly watch?: true
  readonly status?: number
}

/** `demo`: five nodes, a thousand messages, four attacks, and a verdict. */
export function addDemo(program: Command, files: PackageFiles): void {
  program
    .command('demo')
    .summary('see five nodes talk and stand an attack')
    .description(
      'Runs five nodes on this machine, lets them talk and attack each other, and checks the result.',
    )
    .addOption(
      new Option('--messages <number>', 'messages of each node').argParser(parseCount).default(MESSAGES),
    )
    .option('--json', 'print one JSON object; with --watch, one for each thing that happens')
    .option('--watch', 'see the nodes live in a browser, until Ctrl-C')
    .addOption(statusOption('with --watch: port of the page; 0 for any free one (default: any)'))
    .addHelpText('after', EXAMPLES)
    .action((options: DemoOptions) => demo(options, files))
}

function parseCount(text: string): number {
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (count < 1 || count > MAX_MESSAGES)
    throw new InvalidArgumentError(`It must be from 1 to ${MAX_MESSAGES}.`)
  return count
}

async function demo(options: DemoOptions, { main, folder }: PackageFiles): Promise<void> {
  const { messages, json, watch, status = 0 } = options
  const lines = readLines(folder)
  if (watch === true) {
    const terms = { ...(json && { json }), status, send: true }
    await untilSignal((signal) => new EndlessDemo(lines).play(terms, folder, signal))
    return
  }
  const progress = new ProgressLine(process.stdout)
  const audience = json ? silentAudience : progress
  let outcome: Outcome
  try {
    outcome = await perform(main, audience, { messages, lines })
  } finally {
    if (!json) progress.clear()
  }
  // The verdict is reached from the reports alone, after all processes have ended.
  const summary = summarize(outcome, check(outcome))
  print(...(json ? [jsonLine(summary)] : describeSummary(summary, painter(process.stdout))))
  if (!summary.ok) process.exitCode = FAILED
}

/** The play with everything that can end it early; whatever does, no process is left. */
async function perform(
  main: string,
  audience: Audience,
  options: { readonly messages: number; readonly lines: readonly string[] },
): Promise<Outcome> {
  let act = ''
  const ended = new Deferred<never>()
  const onSignal = (signal: NodeJS.Signals): void => {
    ended.reject(new Failure(`ended by ${signal}`, SIGNALS[signal as keyof typeof SIGNALS]))
  }
  const timer = setTimeout(() => {
    ended.reject(new Failure(`not finished after ${WATCHDOG / 1_000} s, while ${act}`))
  }, WATCHDOG)
  for (const signal of Object.keys(SIGNALS)) process.on(signal, onSignal)
  const crew = new Crew(main, MEMBERS)
  const listener: Audience = {
    act: (title) => audience.act((act = title)),
    progress: (done, all) => audience.progress(done, all),
  }
  try {
    return await Promise.race([new Play(crew, listener, options).perform(), crew.died, ended.promise])
  } finally {
    clearTimeout(timer)
    // Before the result is shown: a prompt that comes back with processes still running is a leak.
    await crew.end()
    for (const signal of Object.keys(SIGNALS)) process.off(signal, onSignal)
  }
}
