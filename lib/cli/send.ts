import { type Command, Option } from 'commander'
import { type NodeConnection, SecureNode, type SentMessage } from '../index.ts'
import { MAX_MESSAGE_BYTES } from '../limits.ts'
import { type Address, collectAddress, parseSeconds } from './address.ts'
import { describeError, FAILED, Failure, oneLine, WRONG_USAGE } from './failure.ts'
import { decodeText, parseJsonText, readInput, trimLineEnd } from './input.ts'
import { openKey } from './key.ts'
import { jsonLine } from './safe-text.ts'
import { print } from './terminal.ts'
import { within } from './within.ts'

const EXAMPLES = `
The message is signed and sent to every node of the network that can be reached through these peers. It ends
when the peers that were reached have it. Exit code 1: no peer has it. Without --key, its author is a new node
that nobody knows.

Text is sent as {"text": …}, as in "run"; without one final line end, where it comes from stdin.

Examples:
  $ secure-node send --connect 127.0.0.1:10001 'Hello, world'
  $ secure-node send --connect 127.0.0.1:10001 --json-data '{"temperature": 21.5}' --type reading
  $ uptime | secure-node send --connect 10.0.0.5:10001 --key identity.pem -`

interface SendOptions {
  readonly connect: readonly Address[]
  readonly key?: string
  readonly type: string
  readonly jsonData?: true
  readonly net: string
  readonly encryption: boolean
  /** In ms. */
  readonly timeout: number
  readonly json?: true
}

/** `send <text>`: sends one message and sees it arrive at the peers. */
export function addSend(program: Command): void {
  program
    .command('send')
    .summary('send one message into a network')
    .description('Sends one message, and ends when the peers have it.')
    .argument('<text>', 'what to send; "-" reads stdin')
    .addOption(
      new Option('--connect <host:port>', 'a node to send it through; may be repeated')
        .argParser(collectAddress)
        .makeOptionMandatory(),
    )
    .option('--key <file>', 'key file of the author')
    .option('--type <name>', 'kind of message', 'message')
    .option('--json-data', 'the text is JSON, and sent as that')
    .option('--net <name>', 'name of the network', 'default')
    .option('--no-encryption', 'send in the clear, to nodes that do so too')
    .addOption(
      new Option('--timeout <seconds>', 'how long all of it may take')
        .argParser(parseSeconds)
        .default(10_000, '10'),
    )
    .option('--json', 'print one JSON object')
    .addHelpText('after', EXAMPLES)
    .action((text: string, options: SendOptions) => send(text, options))
}

async function send(text: string, options: SendOptions): Promise<void> {
  const data = await dataOf(text, options.jsonData === true)
  const { net, encryption, type, json } = options
  const identity = options.key === undefined ? undefined : await openKey(options.key)
  // After the key: typing a password takes as long as it takes.
  const deadline = Date.now() + options.timeout
  // Nobody is to connect to it, so it listens where nobody else can.
  const node = new SecureNode('127.0.0.1', 0, identity, { net, encryption })
  await node.start()
  try {
    const peers = await connectAll(node, options)
    const sent = await node.sendToNodes(data, { type })
    const confirmed = await confirm(peers, Math.max(1, deadline - Date.now()))
    report(sent, node.id, confirmed, json === true)
  } finally {
    await node.stop()
  }
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

/** Connects with those that can be reached; two addresses may be one node. */
async function connectAll(node: SecureNode, options: SendOptions): Promise<ReadonlySet<NodeConnection>> {
  const { connect, timeout } = options
  const attempts = await Promise.allSettled(
    connect.map(({ host, port }) => node.connectWithNode(host, port, { timeout })),
  )
  const peers = new Set(
    attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : [])),
  )
  const errors = attempts.flatMap((attempt) =>
    attempt.status === 'rejected' ? [attempt.reason as unknown] : [],
  )
  if (peers.size === 0) throw new Failure(`nobody can be reached: ${errors.map(oneLine).join('; ')}`)
  // Some are enough: the message goes on from them to the others.
  for (const error of errors) process.stderr.write(describeError(error, false))
  return peers
}

/** How many peers have all that was sent: frames are in order, so the answer to a ping proves what was before. */
async function confirm(peers: ReadonlySet<NodeConnection>, timeout: number): Promise<number> {
  const answers = await Promise.all([...peers].map((peer) => within(peer.ping(), timeout)))
  return answers.filter((isThere) => isThere).length
}

function report({ id }: SentMessage, from: string, peers: number, json: boolean): void {
  if (peers === 0) throw new Failure('the message was sent, but no peer has confirmed that it has it')
  if (json) print(jsonLine({ id, from, peers }))
  else print(`${id} is with ${peers} ${peers === 1 ? 'peer' : 'peers'}`)
}
