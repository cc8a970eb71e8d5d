import type { Command } from 'commander'
import type { SecureNode } from '../index.ts'
import { bookTable, knownPeers, peerTable, pingPeers } from './peer-table.ts'
import { jsonLine } from './safe-text.ts'
import { print } from './terminal.ts'
import { addVisit, visit, type VisitOptions } from './visit.ts'

const EXAMPLES = `
It looks into the network as a visitor: finds nodes with --join or --lan, or connects with those of --connect alone,
pings them, shows them, and says goodbye; where it was is told to nobody. One of the three must be given. What a node
that runs is connected with, its session says (/peers, /book).

Latencies are in ms and smoothed, the traffic is in bytes, of this visit. With --book, the nodes that it was told of:
how long ago each of them said where it is, who passed that on, and when this node was connected with it.

Examples:
  $ secure-node peers --lan
  $ secure-node peers --join 127.0.0.1:10001 --book
  $ secure-node peers --join 10.0.0.5:10001 --json | jq '.peers[].latency'`

interface PeersOptions extends VisitOptions {
  readonly book?: true
  readonly json?: true
}

/** `peers`: shows who is there. */
export function addPeers(program: Command): void {
  const command = program
    .command('peers')
    .summary('show the nodes that a network offers')
    .description('Visits a network, and shows the nodes that it was connected with.')
  addVisit(command, 'a node to look at')
    .option('--book', 'also show all nodes that it was told of')
    .option('--json', 'print one JSON object')
    .addHelpText('after', EXAMPLES)
    .action((options: PeersOptions) => visit(options, undefined, (node) => show(node, options)))
}

async function show(node: SecureNode, { book, json }: PeersOptions): Promise<void> {
  const peers = await pingPeers(node)
  const known = book && knownPeers(node.peerBook)
  if (json) print(jsonLine({ id: node.id, peers, book: known }))
  else print(...peerTable(peers), ...(known ? ['', ...bookTable(known)] : []))
}
