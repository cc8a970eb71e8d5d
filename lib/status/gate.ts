import { fault, type StatusReply } from './status-reply.ts'
import type { Token } from './token.ts'

/** What of a request decides whether it is answered. */
export interface Visit {
  readonly method: string
  /** The headers of these names. */
  readonly host: string | undefined
  readonly authorization: string | undefined
  /** The parameter `token` of its address. */
  readonly token: string | undefined
}

/** An address, as a `Host` shows it: IPv4, or IPv6 in brackets. Nobody else can make a name of it. */
const ADDRESS = /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/i

/** Who may read the status of a node. */
export class Gate {
  readonly #host: string
  readonly #token: Token

  /** @param host what the interface listens at */
  constructor(host: string, token: Token) {
    this.#host = host.toLowerCase()
    this.#token = token
  }

  /**
   * Whether a request came to an address, and not to a name that somebody made to point here (DNS rebinding): a page
   * at that name would be of the same origin for the browser. The port tells nothing: it may be forwarded.
   */
  refuseHost({ host }: Visit): StatusReply | undefined {
    const name = (host ?? '').toLowerCase().replace(/:\d{1,5}$/, '')
    if (ADDRESS.test(name) || name === 'localhost' || name === this.#host) return undefined
    return fault('foreign-host', 'call it by its address or localhost')
  }

  /** Whether a request shows the token. In the address only to read: what others make a browser send has no header. */
  refuseToken({ method, authorization, token }: Visit): StatusReply | undefined {
    const [, bearer] = /^bearer +(\S+)$/i.exec(authorization ?? '') ?? []
    const shown = bearer ?? (method === 'POST' ? undefined : token)
    if (shown !== undefined && this.#token.is(shown)) return undefined
    const text =
      shown === undefined ? 'show the token: Authorization: Bearer <token>' : 'this is not the token'
    return fault('unauthorized', text, { 'WWW-Authenticate': 'Bearer' })
  }
}
