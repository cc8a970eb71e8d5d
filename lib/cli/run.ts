import { type Command, Option } from 'commander'
import { collectAddress, parsePort } from './address.ts'
import { openKey } from './key.ts'
import { type RunOptions, RunSession } from './run-session.ts'

const DEFAULT_PORT = 10_001

const EXAMPLES = `
Each line that is typed goes to the whole network; lines that begin with a slash are commands (/help), and "//"
sends a slash. Empty lines are not sent. Ctrl-C, Ctrl-D or /stop ends it.

Where stdin is a pipe or a file, its lines are sent when the nodes of --connect are there (each was tried, and
one at least is up), and it ends when the input has ended and the peers have all of it; exit code 1 if something
could not be sent. With stdin from /dev/null it runs until SIGINT or SIGTERM.

With --json, each thing that happens is one line of JSON on stdout; its member "event" says what it is.

Examples:
  $ secure-node run
  $ secure-node run --port 10002 --connect 127.0.0.1:10001
  $ secure-node run --host 0.0.0.0 --key identity.pem --json < /dev/null
  $ tail -f app.log | secure-node run --port 0 --connect 10.0.0.5:10001`

/** `run`: a node to talk with, in the terminal or from a program. */
export function addRun(program: Command): void {
  program
    .command('run')
    .summary('run a node and talk through it')
    .description('Runs a node: shows the messages of the network, and sends what is typed.')
    .option('--host <address>', 'listen here; 0.0.0.0 or :: for the network', '127.0.0.1')
    .addOption(
      new Option('--port <number>', 'listen here; 0 for any free port')
        .argParser((text) => parsePort(text))
        .default(DEFAULT_PORT),
    )
    .option('--key <file>', 'key file of the node; without it, it is a new one each time')
    .addOption(
      new Option('--connect <host:port>', 'a node to stay connected with; may be repeated')
        .argParser(collectAddress)
        .default([], 'none'),
    )
    .option('--net <name>', 'name of the network', 'default')
    .option('--no-encryption', 'talk in the clear, with nodes that do so too')
    .option('--json', 'print one JSON object per line')
    .addHelpText('after', EXAMPLES)
    .action((_options: unknown, command: Command) => run(command.optsWithGlobals<RunOptions>()))
}

async function run(options: RunOptions): Promise<void> {
  const identity = options.key === undefined ? undefined : await openKey(options.key)
  process.exitCode = await new RunSession(options, identity).run()
}
