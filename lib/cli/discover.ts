import { type Command, Option } from 'commander'
import type { SecureNode } from '../index.ts'
import { drawDot, drawMermaid, drawText } from '../discovery/network-drawing.ts'
import type { NetworkMap } from '../discovery/network-map.ts'
import { parseSeconds } from './address.ts'
import { openKey } from './key.ts'
import { jsonLine } from './safe-text.ts'
import { requireWayIn, visit, type VisitOptions } from './visit.ts'
import { addWayIn } from './way-in.ts'

const EXAMPLES = `
A new node goes into the network that is found with --join, --lan or --connect, one of which must be given; asks all
nodes whom they are linked with; and leaves again. It is itself the first of those that are shown. Each node stands
with the time that its answer took, and with its links and their round-trip times. It ends when everybody has
answered who was named, or with the timeout: then those are shown that did not answer.

Examples:
  $ secure-node discover --lan
  $ secure-node discover --join 127.0.0.1:10001
  $ secure-node discover --join 127.0.0.1:10001 --format dot | neato -Tsvg > network.svg
  $ secure-node discover --join 127.0.0.1:10001 --format json | jq .size`

/** How a network is shown. */
const FORMATS = {
  text: drawText,
  dot: drawDot,
  mermaid: drawMermaid,
  json: (map: NetworkMap) => `${jsonLine(map)}\n`,
} as const

interface DiscoverCommandOptions extends VisitOptions {
  readonly key?: string
  readonly format: keyof typeof FORMATS
}

/** Peers that are looked for. One could do; of three, one may be about to stop. */
const LINKS = 3

const HOST_TEXT = 'with --lan: look there, at an address of this machine (default: on all of them)'

/** `discover`: shows who is in a network. */
export function addDiscover(program: Command): void {
  const command = program
    .command('discover')
    .summary('show who is in a network')
    .description('Asks all nodes of a network whom they are linked with, and draws what they answer.')
  addWayIn(command, 'a node to ask through', HOST_TEXT)
    .addOption(
      new Option('--format <name>', 'how to show it: for people, Graphviz, Mermaid, or programs')
        .choices(Object.keys(FORMATS))
        .default('text'),
    )
    .option('--key <file>', 'key file of the node that asks; not one of a node that runs')
    .option('--net <name>', 'name of the network', 'default')
    .option('--no-encryption', 'ask in the clear, nodes that do so too')
    .addOption(
      new Option('--timeout <seconds>', 'how long all of it may take')
        .argParser(parseSeconds)
        .default(10_000, '10'),
    )
    .addHelpText('after', EXAMPLES)
    .action((options: DiscoverCommandOptions) => discover(options))
}

async function discover(options: DiscoverCommandOptions): Promise<void> {
  requireWayIn(options)
  const identity = options.key === undefined ? undefined : await openKey(options.key)
  // After the key: typing a password takes as long as it takes.
  const deadline = Date.now() + options.timeout
  const work = async (node: SecureNode): Promise<void> => {
    const map = await node.discover({ timeout: Math.max(1, deadline - Date.now()) })
    process.stdout.write(FORMATS[options.format](map))
  }
  await visit(options, identity, work, LINKS)
}
