import { type Command, Option } from 'commander'
import { type Identity, SecureNode } from '../index.ts'
import { parseSeconds } from './address.ts'
import { describeError, Failure, oneLine, WRONG_USAGE } from './failure.ts'
import { addWayIn, firstPeer, hostOf, type WayIn } from './way-in.ts'
import { within } from './within.ts'

/** What a visit is like. */
export interface VisitOptions extends WayIn {
  readonly net: string
  readonly encryption: boolean
  /** How long finding somebody may take, in ms; for --join and --lan half of it, so that time is left for the rest. */
  readonly timeout: number
}

const HOST_TEXT = 'with --lan: look there, at an address of this machine (default: at all of them)'

/** Adds the options of a visit. */
export function addVisit(command: Command, connect: string): Command {
  return addWayIn(command, connect, HOST_TEXT)
    .option('--net <name>', 'name of the network', 'default')
    .option('--no-encryption', 'talk in the clear, with nodes that do so too')
    .addOption(
      new Option('--timeout <seconds>', 'how long all of it may take')
        .argParser(parseSeconds)
        .default(10_000, '10'),
    )
}

/** @throws Failure with exit code 2 if nothing says where the network is */
export function requireWayIn({ connect, join, lan }: WayIn): void {
  if (connect.length > 0 || join.length > 0 || lan === true) return
  throw new Failure(
    'say where the network is: --join <host:port>, --lan, or --connect <host:port>',
    WRONG_USAGE,
  )
}

/**
 * Goes into a network for a moment, works there, and says goodbye. A visitor tells nobody where it is: others would
 * hand its address on, and dial it long after it has gone.
 *
 * @param links How many peers to look for. @default as many as a node has that stays
 * @throws Failure when nobody can be reached, and whatever the work throws
 */
export async function visit(
  options: VisitOptions,
  identity: Identity | undefined,
  work: (node: SecureNode) => Promise<void>,
  links?: number,
): Promise<void> {
  requireWayIn(options)
  const { net, encryption, lan = false } = options
  const terms = { net, encryption, lan, advertise: false, targetConnections: links } as const
  const node = new SecureNode(hostOf(options), 0, identity, terms)
  await node.start()
  try {
    const errors = await enter(node, options)
    if (node.allNodes.size === 0) throw nobodyThere(errors, options)
    // Some are enough: they lead to the others.
    for (const error of errors) process.stderr.write(describeError(error, false))
    await work(node)
  } finally {
    await node.leave()
    await node.stop()
  }
}

/** Tries all ways at once; resolves with what failed. */
async function enter(node: SecureNode, options: VisitOptions): Promise<readonly unknown[]> {
  const { connect, join, lan, timeout } = options
  const attempts: Promise<readonly unknown[]>[] = connect.map(({ host, port }) =>
    node.connectWithNode(host, port, { timeout }).then(() => []),
  )
  if (join.length > 0) {
    const joined = node.join(join, { timeout: timeout / 2 })
    attempts.push(joined.then(({ failures }) => failures.map(({ error }) => error)))
  }
  if (lan) attempts.push(findLan(node, timeout / 2))
  const results = await Promise.allSettled(attempts)
  return results.flatMap((result): readonly unknown[] =>
    result.status === 'fulfilled' ? result.value : [result.reason],
  )
}

/** Waits for somebody on the local network, and for the neighbourhood that follows from that. */
async function findLan(node: SecureNode, timeout: number): Promise<readonly unknown[]> {
  const deadline = Date.now() + timeout
  const isFound = await within(firstPeer(node), timeout)
  if (!isFound)
    throw new Failure(
      'nobody was found on the local network; does a node run there with --lan and the same --net?',
    )
  await node.join([], { timeout: Math.max(1, deadline - Date.now()) })
  return []
}

function nobodyThere(errors: readonly unknown[], { connect }: WayIn): Failure {
  const reasons = errors.length === 0 ? 'all connections have ended' : errors.map(oneLine).join('; ')
  return new Failure(connect.length > 0 ? `nobody can be reached: ${reasons}` : reasons)
}
