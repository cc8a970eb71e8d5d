import type { StatusEvent, StatusSource } from '../../index.ts'
import { StatusServer } from '../../status/status-server.ts'
import { jsonLine } from '../safe-text.ts'
import { type Paint, print } from '../terminal.ts'
import { readPage } from './page-files.ts'
import { statusAt } from './status-option.ts'

/** How nodes are watched. */
export interface WatchTerms {
  /** Print the events instead of serving the page. */
  readonly json?: true
  /** Port of the page. */
  readonly status: number
  /** Whether the page may send messages. */
  readonly send: boolean
}

/** Nodes to be watched; the first one is asked and sends where none is named. */
export type Watched = readonly [StatusSource, ...StatusSource[]]

/** Lets people or programs watch some nodes. Resolves with what ends it. */
export async function show(
  sources: Watched,
  { json, status, send }: WatchTerms,
  folder: string,
  paint: Paint,
): Promise<() => Promise<void>> {
  if (json === true) return printEvents(sources)
  const server = new StatusServer(sources, statusAt(status, send), readPage(folder))
  const { url } = await server.open()
  print(`The picture is at ${paint('strong', url)}`, 'Who has this address can watch; Ctrl-C ends it.')
  return () => server.close()
}

/** The same events as those of the status interface, one line of JSON each. */
function printEvents(sources: Watched): () => Promise<void> {
  const tell = (event: StatusEvent): void => void process.stdout.write(`${jsonLine(event)}\n`)
  for (const source of sources) {
    tell({ kind: 'snapshot', at: source.clock.now(), node: source.id, status: source.status() })
  }
  const ends = sources.map((source) => source.watch(tell))
  return async () => {
    for (const end of ends) end()
  }
}
