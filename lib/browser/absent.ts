// What Node has and a page does not. The build for browsers puts this file in the place of those that it names (see
// lib/package.json): the source above them is the same on both, and hears of what is missing when it asks for it.
import { engineUnavailable, notInBrowsers } from '../errors.ts'

/** In place of the engine of `node:crypto`. */
export function NodeEngine(): never {
  throw engineUnavailable('node', 'it needs Node.js')
}

/** In place of the engine of `node:crypto` that seals. */
export function NodeSealEngine(): never {
  throw engineUnavailable('node', 'it needs Node.js')
}

/** In place of TCP. */
export function TcpTransport(): never {
  throw notInBrowsers('TCP')
}

/** In place of TLS. */
export function TlsTransport(): never {
  throw notInBrowsers('TCP')
}

/** In place of a history in a folder: pages bring their own store. */
export function LevelStore(): never {
  throw notInBrowsers('a folder')
}

/** In place of reading key files. */
export function readKeyFile(): never {
  throw notInBrowsers('a key file')
}

/** In place of writing them. */
export function writeKeyFile(): never {
  throw notInBrowsers('a key file')
}

/** In place of the paths of files: where pages keep something, it has a name. */
export function pathOf(name: string): string {
  return name
}

/** No error here is one of the operating system. */
export function codeOf(): undefined {
  return
}

/** In place of writing files. */
export function writeBeside(): never {
  throw notInBrowsers('a file')
}

/** In place of the payloads of nodes that do not sign. */
export function encodePayload(): never {
  throw notInBrowsers('a node that does not sign')
}

/** See {@link encodePayload}; a frame of that kind is refused before. */
export function decodePayload(): { ok: false; code: 'unexpected-frame' } {
  return { ok: false, code: 'unexpected-frame' }
}

/** In place of accepting WebSockets. */
export function WebSocketDoor(): never {
  throw notInBrowsers('accepting connections')
}

/** Of options that a page does not have; it says so before anybody asks for their rules. */
export const MACHINE_RULES = {}
