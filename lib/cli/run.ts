import { type Command, Option } from 'commander'
import { parsePort } from './address.ts'
import { openKey } from './key.ts'
import { type RunOptions, RunSession } from './run-session.ts'
import { statusOption } from './watch/status-option.ts'
import { addWayIn } from './way-in.ts'

const DEFAULT_PORT = 10_001

const EXAMPLES = `
Each line that is typed goes to the whole network; lines that begin with a slash are commands (/help), and "//"
sends a slash. Empty lines are not sent. Ctrl-C, Ctrl-D or /stop ends it.

With --join or --lan the node finds the others, keeps enough connections with them, and looks for new ones when
some are lost; with --peers-file it needs no address any more when it comes back. With --lan alone two terminals
on the same network find each other. If nobody is there it says so, and goes on trying. With --connect it is
connected with these nodes, and with nobody else of its own accord.

Where stdin is a pipe or a file, its lines are sent when somebody is there (each address of --join and --connect
was tried, and one peer at least is up), and it ends when the input has ended and the peers have all of it; exit
code 1 if something could not be sent. With stdin from /dev/null it runs until SIGINT or SIGTERM.

With --json, each thing that happens is one line of JSON on stdout; its member "event" says what it is.

Examples:
  $ secure-node run --lan
  $ secure-node run
  $ secure-node run --port 10002 --join 127.0.0.1:10001
  $ secure-node run --host 0.0.0.0 --key identity.pem --join 10.0.0.5:10001 --json < /dev/null
  $ tail -f app.log | secure-node run --port 0 --join 10.0.0.5:10001`

const HOST_TEXT = 'listen here; 0.0.0.0 or :: for the network (default: "127.0.0.1", with --lan "0.0.0.0")'

/** `run`: a node to talk with, in the terminal or from a program. */
export function addRun(program: Command): void {
  const command = program
    .command('run')
    .summary('run a node and talk through it')
    .description('Runs a node: shows the messages of the network, and sends what is typed.')
  addWayIn(command, 'a node to stay connected with', HOST_TEXT)
    .addOption(
      new Option('--port <number>', 'listen here; 0 for any free port')
        .argParser((text) => parsePort(text))
        .default(DEFAULT_PORT),
    )
    .option('--key <file>', 'key file of the node; without it, it is a new one each time')
    .option('--peers-file <file>', 'keep the known nodes there, to find them again after a restart')
    .option('--net <name>', 'name of the network', 'default')
    .option('--no-encryption', 'talk in the clear, with nodes that do so too')
    .option('--json', 'print one JSON object per line')
    .addOption(statusOption())
    .addHelpText('after', EXAMPLES)
    .action((_options: unknown, command: Command) => run(command.optsWithGlobals<RunOptions>()))
}

async function run(options: RunOptions): Promise<void> {
  const identity = options.key === undefined ? undefined : await openKey(options.key)
  process.exitCode = await new RunSession(options, identity).run()
}
