import { Option } from 'commander'
import type { StatusOptions } from '../../index.ts'
import { parsePort } from '../address.ts'

const TEXT = 'tell over HTTP, at this port of 127.0.0.1, what the node does; 0 for any free port'

/** The option `--status`: where the status interface listens. */
export function statusOption(text = TEXT): Option {
  return new Option('--status <port>', text).argParser((value) => parsePort(value))
}

/**
 * The status interface that is meant by a port. Its token comes from the environment, for programs that must know it
 * before; in the command line every user of the machine could read it.
 */
export function statusAt(port: number, send: boolean): StatusOptions {
  const token = process.env['SECURE_NODE_STATUS_TOKEN'] ?? ''
  return { port, send, ...(token === '' ? {} : { token }) }
}
