import type { SecureNode } from '../index.ts'
import { type Address, parseAddress } from './address.ts'
import { oneLine } from './failure.ts'
import type { Notice } from './notice.ts'
import { knownPeers, pingPeers } from './peer-table.ts'

/** What the shell needs. */
export interface ShellPort {
  readonly node: Pick<
    SecureNode,
    'allNodes' | 'debug' | 'discover' | 'explain' | 'peerBook' | 'sendToNodes' | 'stats'
  >
  /** Connects, and stays connected. */
  connect(address: Address): Promise<void>
  stop(): void
}

type Command = (argument: string) => Notice | undefined | Promise<Notice | undefined>

const HELP: Readonly<Record<string, string>> = {
  '/connect host:port': 'connect with a node, and stay connected',
  '/peers': 'show the connections',
  '/book': 'show the nodes that this one knows of',
  '/discover': 'ask the whole network who is there, and draw it',
  '/stats': 'show what the node has done',
  '/explain [id]': 'show what became of a message (its first digits do; without one, the newest)',
  '/debug': 'show more of what happens, or less again',
  '/help': 'show this',
  '/stop': 'stop the node (also /quit)',
  '//text': 'send "/text"',
}

/** Digits of a message ID that are enough to mean one. */
const MIN_DIGITS = 4
/** Message IDs that can be named by their first digits. */
const MAX_RECENT = 1_000

/** What happens with the lines that somebody types: text is sent, commands begin with a slash. */
export class Shell {
  readonly #port: ShellPort
  readonly #say: (notice: Notice) => void
  readonly #commands: ReadonlyMap<string, Command>
  /** IDs of messages that were shown, the newest last. */
  readonly #recent = new Set<string>()

  constructor(port: ShellPort, say: (notice: Notice) => void) {
    this.#port = port
    this.#say = say
    const { node } = port
    const stop = (): undefined => {
      port.stop()
      return undefined
    }
    // A map: what is typed must not find the methods of an object.
    this.#commands = new Map<string, Command>([
      ['connect', (address) => this.#connect(address)],
      ['peers', async () => ({ event: 'peers', peers: await pingPeers(node) })],
      ['book', () => ({ event: 'book', book: knownPeers(node.peerBook) })],
      ['discover', async () => ({ event: 'network', map: await node.discover() })],
      ['stats', () => ({ event: 'stats', stats: node.stats() })],
      ['explain', (digits) => this.#explain(digits)],
      ['debug', () => ({ event: 'debug', on: (node.debug = !node.debug) })],
      ['help', () => ({ event: 'help', commands: HELP })],
      ['stop', stop],
      ['quit', stop],
    ])
  }

  /** A message was shown, sent or refused: it can be asked about. */
  remember(id: string): void {
    this.#recent.delete(id)
    this.#recent.add(id)
    if (this.#recent.size > MAX_RECENT) this.#recent.delete(this.#recent.values().next().value!)
  }

  /** Takes one line. False when it could not be done, which has been said then; never rejects. */
  async execute(line: string): Promise<boolean> {
    try {
      const notice = await this.#run(line)
      if (notice !== undefined) this.#say(notice)
      return true
    } catch (error) {
      this.#say({ event: 'error', error: oneLine(error) })
      return false
    }
  }

  #run(line: string): ReturnType<Command> {
    if (line.trim() === '') return undefined
    if (!line.startsWith('/')) return this.#send(line)
    if (line.startsWith('//')) return this.#send(line.slice(1))
    const [, name = '', argument = ''] = /^\/(\S*)\s*(.*?)\s*$/s.exec(line)!
    const command = this.#commands.get(name)
    if (command !== undefined) return command(argument)
    throw new Error(`there is no command "/${name}"; /help shows those there are, and "//" sends a slash`)
  }

  async #send(text: string): Promise<Notice> {
    const { id, peers } = await this.#port.node.sendToNodes({ text })
    this.remember(id)
    return { event: 'sent', id, peers }
  }

  async #connect(argument: string): Promise<undefined> {
    // What comes up is told by the node itself.
    await this.#port.connect(parseAddress(argument))
  }

  #explain(digits: string): Notice {
    const explanation = this.#port.node.explain(this.#find(digits.toLowerCase()))
    if (explanation === undefined) throw new Error('that message is not known here, or not any more')
    return { event: 'explanation', explanation }
  }

  #find(digits: string): string {
    const recent = [...this.#recent]
    if (digits === '') {
      const newest = recent.at(-1)
      if (newest === undefined) throw new Error('there was no message yet')
      return newest
    }
    if (/^[0-9a-f]{64}$/.test(digits)) return digits
    if (!/^[0-9a-f]+$/.test(digits) || digits.length < MIN_DIGITS) {
      throw new Error(`give the ID of a message, or at least its first ${MIN_DIGITS} digits`)
    }
    const found = recent.filter((id) => id.startsWith(digits))
    if (found.length > 1) throw new Error(`${found.length} messages begin with ${digits}; give more digits`)
    if (found.length === 0) throw new Error(`no message that was seen lately begins with ${digits}`)
    return found[0]!
  }
}
