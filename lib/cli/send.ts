import type { Command } from 'commander'
import type { NodeConnection, SecureNode, SentMessage } from '../index.ts'
import { MAX_MESSAGE_BYTES } from '../limits/limits.ts'
import { FAILED, Failure, WRONG_USAGE } from './failure.ts'
import { decodeText, parseJsonText, readInput, trimLineEnd } from './input.ts'
import { openKey } from './key.ts'
import { jsonLine } from './safe-text.ts'
import { counted, print } from './terminal.ts'
import { addVisit, requireWayIn, visit, type VisitOptions } from './visit.ts'
import { within } from './within.ts'

const EXAMPLES = `
The message is signed and goes to every node of the network that is found with --join, --lan or --connect, one of
which must be given. It ends when the peers have it, and says goodbye; where it was is told to nobody. Exit code 1:
no peer has it. Without --key, its author is a new node that nobody knows.

Text is sent as {"text": …}, as in "run"; without one final line end, where it comes from stdin.

Examples:
  $ secure-node send --lan 'Hello, world'
  $ secure-node send --join 127.0.0.1:10001 --json-data '{"temperature": 21.5}' --type reading
  $ uptime | secure-node send --connect 10.0.0.5:10001 --key identity.pem -`

interface SendOptions extends VisitOptions {
  readonly key?: string
  readonly type: string
  readonly jsonData?: true
  readonly json?: true
}

/** Peers that are looked for. One could do; of three, one may be about to stop. */
const LINKS = 3

/** `send <text>`: sends one message and sees it arrive at the peers. */
export function addSend(program: Command): void {
  const command = program
    .command('send')
    .summary('send one message into a network')
    .description('Sends one message, and ends when the peers have it.')
    .argument('<text>', 'what to send; "-" reads stdin')
  addVisit(command, 'a node to send it through')
    .option('--key <file>', 'key file of the author')
    .option('--type <name>', 'kind of message', 'message')
    .option('--json-data', 'the text is JSON, and sent as that')
    .option('--json', 'print one JSON object')
    .addHelpText('after', EXAMPLES)
    .action((text: string, options: SendOptions) => send(text, options))
}

async function send(text: string, options: SendOptions): Promise<void> {
  requireWayIn(options)
  const data = await dataOf(text, options.jsonData === true)
  const { type, json } = options
  const identity = options.key === undefined ? undefined : await openKey(options.key)
  // After the key: typing a password takes as long as it takes.
  const deadline = Date.now() + options.timeout
  const work = async (node: SecureNode): Promise<void> => {
    const peers = node.allNodes
    const sent = await node.sendToNodes(data, { type })
    const confirmed = await confirm(peers, Math.max(1, deadline - Date.now()))
    report(sent, node.id, confirmed, json === true)
  }
  await visit(options, identity, work, LINKS)
}

/** The payload. What is wrong with an argument is wrong usage; what is wrong with the input is not. */
async function dataOf(text: string, isJson: boolean): Promise<unknown> {
  const isArgument = text !== '-'
  const input = isArgument ? text : await readText()
  if (!isJson) return { text: input }
  return parseJsonText(input, isArgument ? 'the text' : 'the input', isArgument ? WRONG_USAGE : FAILED)
}

async function readText(): Promise<string> {
  const input = await readInput('-', MAX_MESSAGE_BYTES)
  if (input.length > MAX_MESSAGE_BYTES) {
    throw new Failure(`the input is too large: a message has at most ${MAX_MESSAGE_BYTES} bytes`)
  }
  return decodeText(trimLineEnd(input))
}

/** How many peers have all that was sent: frames are in order, so the answer to a ping proves what was before. */
async function confirm(peers: ReadonlySet<NodeConnection>, timeout: number): Promise<number> {
  const answers = await Promise.all([...peers].map((peer) => within(peer.ping(), timeout)))
  return answers.filter((isThere) => isThere).length
}

function report({ id }: SentMessage, from: string, peers: number, json: boolean): void {
  if (peers === 0) throw new Failure('the message was sent, but no peer has confirmed that it has it')
  if (json) print(jsonLine({ id, from, peers }))
  else print(`${id} is with ${counted(peers, 'peer')}`)
}
