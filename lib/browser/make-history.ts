import { historyUnavailable, historyUnreadable } from '../errors.ts'
import type { HistoryLink, HistoryOptions, HistoryPort } from '../history/history-port.ts'
import type { History } from '../history/history.ts'

/**
 * In place of the function of this name: a page that keeps no history does not load what keeps it. It is a file beside
 * the bundle.
 */
export async function makeHistory<L extends HistoryLink>(
  port: HistoryPort<L>,
  options: HistoryOptions,
): Promise<History<L>> {
  const { folder } = options
  let file: typeof import('./history.ts')
  try {
    // The build leaves this path alone.
    file = await import('./history.js')
  } catch (cause) {
    throw historyUnavailable('the file history.js beside that of secure-node/browser', cause)
  }
  const unreadable = (why: string, cause: unknown): Error => historyUnreadable(folder!, why, cause)
  const store = folder === undefined ? undefined : new file.DatabaseStore(folder, unreadable)
  return new file.History(port, { ...options, store })
}
