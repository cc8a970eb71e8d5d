import { invalidOption } from '../errors.ts'
import { checkNames } from '../ground/names.ts'
import { areOrigins, isUrlPath } from './web-origin.ts'

/** Options of a `WebSocketTransport`. */
export interface WebSocketOptions {
  /**
   * Pages that may connect, by their origin, like `'https://example.org'`; `'*'` allows all of them. Programs that are
   * no browsers send none, and are always let in.
   *
   * @default pages that come from this machine: `localhost`, `127.0.0.1` and `[::1]`
   */
  readonly origins?: readonly string[] | '*' | undefined
  /** The path of the URL. @default '/' */
  readonly path?: string | undefined
  /** Dial `wss:`, where a proxy in front of the nodes adds TLS. @default as the page was loaded; else `false` */
  readonly secure?: boolean | undefined
}

/** Checks what a transport was given. @throws SecureNodeError `invalid-option` */
export function checkWebSocketOptions(options: WebSocketOptions): void {
  const { origins, path, secure } = options
  checkNames(options, ['origins', 'path', 'secure'])
  if (origins !== undefined && !areOrigins(origins)) {
    throw invalidOption('origins', '"*", or origins like "https://example.org"', origins)
  }
  if (path !== undefined && !isUrlPath(path)) throw invalidOption('path', 'a path like "/network"', path)
  if (secure !== undefined && typeof secure !== 'boolean')
    throw invalidOption('secure', 'true or false', secure)
}
