import { type Command, Option } from 'commander'
import type { SecureNode } from '../index.ts'
import { type Address, collectAddress } from './address.ts'

/** How a node comes into a network: by what its command was told. */
export interface WayIn {
  /** Nodes to connect with, and no others. */
  readonly connect: readonly Address[]
  /** Nodes that know the network. */
  readonly join: readonly Address[]
  /** Whether to look on the local network. */
  readonly lan?: true
  /** Where to listen. */
  readonly host?: string
}

/** Where a node listens if nothing is said: for this machine alone. */
const HOST = '127.0.0.1'
/** On a local network the others must reach it, and nobody has typed where it is. */
const LAN_HOST = '0.0.0.0'

/** Adds the options of {@link WayIn}; what a node is connected with for differs from command to command. */
export function addWayIn(command: Command, connect: string, host: string): Command {
  return command
    .addOption(addressOption('--join', 'a node of the network to join; may be repeated'))
    .option('--lan', 'find the nodes of the local network, without any address')
    .addOption(addressOption('--connect', `${connect}; may be repeated`))
    .option('--host <address>', host)
}

function addressOption(name: string, text: string): Option {
  return new Option(`${name} <host:port>`, text).argParser(collectAddress).default([], 'none')
}

/** Where a node listens. */
export function hostOf({ host, lan }: Pick<WayIn, 'host' | 'lan'>): string {
  return host ?? (lan ? LAN_HOST : HOST)
}

/** Resolves as soon as a node has a peer. */
export async function firstPeer(node: SecureNode): Promise<void> {
  if (node.allNodes.size > 0) return
  await new Promise<void>((resolve) => {
    node.once('inboundNodeConnected', () => resolve())
    node.once('outboundNodeConnected', () => resolve())
  })
}
