import { invalidArgument, notInBrowsers } from '../errors.ts'
import type { NodeCallback } from '../events.ts'
import { Identity } from '../identity/identity.ts'
import type { SecureNodeOptions } from '../options/options.ts'
import type { SecureNodeEvents } from '../secure-events.ts'
import { SecureNode as SharedSecureNode } from '../secure-node.ts'
import { WebSocketTransport } from '../transport/websocket.ts'
import type { NoTypes, TypeMap } from '../typing/type-map.ts'

/** Options of Node.js that ask for what a page does not have. */
const ABSENT = [
  'password',
  'encryption',
  'advertise',
  'peerBookFile',
  'lan',
  'targetConnections',
  'maxOutboundPerGroup',
  'websocket',
  'transports',
  'status',
] as const

/** Options of a `SecureNode` in a page: those of Node.js, without files, listening and the local network. */
export type BrowserNodeOptions<T extends TypeMap = NoTypes> = Omit<
  SecureNodeOptions<T>,
  (typeof ABSENT)[number]
>

/**
 * The `SecureNode` of a page: the same messages, verdicts, relay, requests and seals as everywhere. It connects with
 * nodes that accept WebSockets, and nobody can connect with it: it has no address, and listens nowhere. What needs
 * that, or files, fails with `not-in-browsers`.
 */
export class SecureNode<T extends TypeMap = NoTypes> extends SharedSecureNode<T> {
  /**
   * @param identity Who the node is. @default a new identity, for as long as the page is open
   * @param options Options, or the callback in their place.
   * @param callback Called for every event.
   * @throws SecureNodeError `invalid-argument`, `invalid-option`, `not-in-browsers`
   */
  constructor(
    identity: Identity = Identity.generate(),
    options: BrowserNodeOptions<T> | NodeCallback<SecureNode<T>, SecureNodeEvents<T>> = {},
    callback?: NodeCallback<SecureNode<T>, SecureNodeEvents<T>>,
  ) {
    const given: unknown = identity
    if (!(given instanceof Identity)) throw invalidArgument('identity', 'an Identity', given)
    const isCallback = typeof options === 'function'
    const rest: SecureNodeOptions<T> = isCallback ? {} : options
    for (const name of ABSENT) if (rest[name] !== undefined) throw notInBrowsers(`the option "${name}"`)
    const { transport = new WebSocketTransport(identity) } = rest
    super('browser', 0, identity, { ...rest, transport }, isCallback ? options : callback)
  }
}
