import { type Command, Option } from 'commander'
import { type Identity, SecureNode } from '../../index.ts'
import { type Address, parsePort } from '../address.ts'
import { collectAddress } from '../address.ts'
import { describeError } from '../failure.ts'
import { openKey } from '../key.ts'
import { painter } from '../terminal.ts'
import { addWayIn, hostOf, type WayIn } from '../way-in.ts'
import { show, type WatchTerms } from './audience.ts'
import { ended, untilSignal } from './signals.ts'
import { statusOption } from './status-option.ts'

const EXAMPLES = `
A node goes into the network that is found at the addresses, with --join, --lan or --connect, and shows what it sees:
a page for a browser of this machine, at the address that is printed. The address holds the token of the page. With
--json, each thing that happens is one line of JSON on stdout; docs/STATUS.md says what they are.

Examples:
  $ secure-node watch 127.0.0.1:10001
  $ secure-node watch --lan
  $ secure-node watch 127.0.0.1:10001 --json | jq 'select(.kind == "refused")'`

const HOST_TEXT =
  'listen for nodes here; 0.0.0.0 or :: for the network (default: "127.0.0.1", with --lan "0.0.0.0")'
const PAGE_TEXT = 'port of the page, on 127.0.0.1; 0 for any free one (default: any)'

interface WatchOptions extends WayIn, Omit<WatchTerms, 'status' | 'send'> {
  readonly port: number
  readonly key?: string
  readonly net: string
  readonly encryption: boolean
  readonly status?: number
  readonly readOnly?: true
}

/** `watch`: a picture of the network, live. */
export function addWatch(program: Command, folder: string): void {
  const command = program
    .command('watch')
    .summary('see the network live, in a browser')
    .description('Runs a node that shows what it sees of the network: in a browser, or as lines of JSON.')
    .argument('[host:port...]', 'nodes of the network', collectAddress)
  addWayIn(command, 'a node to stay connected with', HOST_TEXT)
    .addOption(
      new Option('--port <number>', 'listen for nodes here; 0 for any free port')
        .argParser((text) => parsePort(text))
        .default(0),
    )
    .addOption(statusOption(PAGE_TEXT))
    .option('--read-only', 'let nobody send messages from the page')
    .option('--key <file>', 'key file of the node; without it, it is a new one each time')
    .option('--net <name>', 'name of the network', 'default')
    .option('--no-encryption', 'talk in the clear, with nodes that do so too')
    .option('--json', 'print one JSON object per line, and serve no page')
    .addHelpText('after', EXAMPLES)
    .action((addresses: readonly Address[] | undefined, options: WatchOptions) =>
      watch({ ...options, join: [...options.join, ...(addresses ?? [])] }, folder),
    )
}

async function watch(options: WatchOptions, folder: string): Promise<void> {
  const identity = options.key === undefined ? undefined : await openKey(options.key)
  await untilSignal((signal) => stay(makeNode(options, identity), options, folder, signal))
}

function makeNode(options: WatchOptions, identity: Identity | undefined): SecureNode {
  const { port, net, encryption, lan = false } = options
  return new SecureNode(hostOf(options), port, identity, { net, encryption, lan })
}

async function stay(
  node: SecureNode,
  options: WatchOptions,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const { json, status = 0, readOnly, key } = options
  const terms = { ...(json && { json }), status, send: readOnly !== true }
  await node.start()
  try {
    const end = await show([node.reporter], terms, folder, painter(process.stdout))
    try {
      enter(node, options, signal)
      await ended(signal)
      // Without a key it never comes back: nobody needs to remember where it was.
      if (key === undefined) await node.leave()
      await node.stop()
    } finally {
      await end()
    }
  } finally {
    await node.stop()
  }
}

/** Nobody may be there yet. The node goes on looking, and the page shows it alone meanwhile. */
function enter(node: SecureNode, { join, connect }: WayIn, signal: AbortSignal): void {
  const onError = (error: unknown): void => {
    if (!signal.aborted) process.stderr.write(describeError(error, false))
  }
  if (join.length > 0) node.join(join, { signal }).catch(onError)
  for (const { host, port } of connect) {
    node.connectWithNode(host, port, { reconnect: true, signal }).catch(onError)
  }
}
