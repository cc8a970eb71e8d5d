import type { DocumentFault } from './document.ts'

/**
 * What no correct node passes on. Every correct node judges these alike, so the link that brought one is
 * closed and its peer kept out for a while.
 */
export type RejectCode =
  | DocumentFault
  /** It belongs to another network. */
  | 'wrong-net'
  /** The signature is not the author's. */
  | 'bad-signature'
  /** The peer that brought it signed it itself, in the name of somebody else. */
  | 'forged-author'
  /** The attachment is not the one that the message names. */
  | 'bad-attachment'

/** What is not delivered, though the link that brought it has done nothing wrong. */
export type IgnoreCode =
  /** Older than the window. */
  | 'stale'
  /** Further ahead of our clock than the window. */
  | 'early'
  /** Past the end that its author set. */
  | 'expired'
  /** Signed before this node started: it could be a replay of what an earlier run delivered. */
  | 'before-start'
  /** Signed with our own key, though this process did not send it: an old copy, or somebody has our key. */
  | 'cloned-key'
  /** The message-ID cache is full, or this peer has used up its share of it. */
  | 'overload'
  /** It is sealed for this node, and cannot be opened. */
  | 'unreadable'
  /** Its content is not what this node's application allows for its type. */
  | 'invalid-content'

/** Every code that remote input can end with, `duplicate` apart. */
export type VerdictCode = RejectCode | IgnoreCode

const IGNORED: ReadonlySet<string> = new Set<IgnoreCode>([
  'stale',
  'early',
  'expired',
  'before-start',
  'cloned-key',
  'overload',
  'unreadable',
  'invalid-content',
])

/** Whether a verdict costs the link that brought the message. */
export function isReject(code: VerdictCode): code is RejectCode {
  return !IGNORED.has(code)
}
