import { History } from './history/history.ts'
import type { HistoryLink, HistoryOptions, HistoryPort } from './history/history-port.ts'

/** Makes the history of a node, as it starts. */
export async function makeHistory<L extends HistoryLink>(
  port: HistoryPort<L>,
  options: HistoryOptions,
): Promise<History<L>> {
  return new History(port, options)
}
