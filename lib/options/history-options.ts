/** What a node keeps for those who were away. */
export interface HistoryOptions {
  /** How long a message is kept, in ms. @default 86_400_000: a day */
  readonly maxAge?: number | undefined
  /** Bytes that are kept at most. @default 64 MiB */
  readonly maxBytes?: number | undefined
  /**
   * Folder that keeps them over restarts; it needs the package `classic-level`. In a page, the name of a database of
   * its origin.
   *
   * @default in memory
   */
  readonly folder?: string | URL | undefined
}
