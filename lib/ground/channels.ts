import { channel } from 'node:diagnostics_channel'

/**
 * What other tools of the process can listen to, by `node:diagnostics_channel`. Nothing is made for a channel that
 * nobody has subscribed to: whoever publishes asks `hasSubscribers` first. For browsers, which have no such module,
 * this file is the one to replace.
 */
export const CHANNELS = {
  /** A connection is up: `{ node, connection }`. */
  connect: channel('secure-node:connect'),
  /** A message is on its way: `{ node, id?, type?, peers }`. */
  send: channel('secure-node:send'),
  /** A message is about to be shown to the application: `{ node, connection, data, message? }`. */
  receive: channel('secure-node:receive'),
  /** A message was refused: `{ node, connection, refusal }`. */
  reject: channel('secure-node:reject'),
  /** A request was made: `{ node, to, type }`. */
  request: channel('secure-node:request'),
} as const
