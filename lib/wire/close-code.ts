import { parseJson } from '../message/canonical.ts'
import type { RejectCode } from '../message/verdict.ts'
import { encodeFrame, Kind } from './frame.ts'

/** Why a connection ended. Travels in the close frame, and stands in every disconnect event. */
export type CloseCode =
  | RejectCode
  /** The other end said goodbye, or we did. */
  | 'goodbye'
  /** The remote end, or the network between, went away without a goodbye. */
  | 'lost'
  /** Nothing was heard for too long. */
  | 'timeout'
  /** The handshake was not finished in time. */
  | 'handshake-timeout'
  /** A frame began and was not finished in time. */
  | 'frame-timeout'
  /** The peer did not read what was sent to it. */
  | 'slow-peer'
  /** Another connection to the same node is kept instead. */
  | 'duplicate'
  /** The node reached itself. */
  | 'self-connection'
  /** The peer has enough other connections, and so has this node. */
  | 'enough'
  /** A peer record that no correct node passes on: malformed, forged, or of somebody else. */
  | 'bad-record'
  /** An answer to what nobody asked. */
  | 'unsolicited'
  /** The node has as many connections as it wants. */
  | 'too-many-connections'
  /** The node was kept out because of what it sent before. */
  | 'banned'
  /** The hello speaks another version. */
  | 'wrong-version'
  /** One end signs its messages and the other does not. */
  | 'wrong-mode'
  /** The hello is none. */
  | 'bad-hello'
  /** The ID in the hello was not proven. */
  | 'bad-proof'
  /** Another node than the expected one. */
  | 'identity-mismatch'
  /** A frame larger than allowed. */
  | 'frame-too-large'
  /** A frame without a kind. */
  | 'frame-empty'
  /** A frame that has no place here. */
  | 'unexpected-frame'
  /** A payload that is not what its kind says. */
  | 'bad-payload'
  /** A question to the network that no correct node passes on. */
  | 'bad-question'
  /** An answer to such a question that no correct node passes on. */
  | 'bad-answer'
  /** A question for nodes near a place, or its answer, that no correct node sends. */
  | 'bad-lookup'
  /** An exchange about the history that no correct node has. */
  | 'bad-history'
  /** A peer that announces messages again and again and has never sent one that it was asked for. */
  | 'bad-relay'
  /** A temporary link that was not used any more. */
  | 'idle'
  /** Something that a person or a program decided; the text says what. */
  | 'closed'

/** Why a connection ended, in full. */
export interface CloseReason {
  readonly code: CloseCode
  /** For people; may be empty. What a remote node wrote is cut and cleaned. */
  readonly text: string
  /** Who ended it. */
  readonly by: 'us' | 'peer' | 'network'
}

/** Characters of a remote text that are shown. */
const MAX_TEXT = 128
const CODE = /^[a-z][a-z0-9-]{0,31}$/
// Control characters, escapes, line separators, text direction, invisible ones: nothing that forges a log line.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** A remote text, made harmless for terminals and logs. */
export function cleanText(text: unknown): string {
  return typeof text === 'string' ? text.slice(0, MAX_TEXT).replace(UNSAFE, '�') : ''
}

/** The frame that tells the other end why this one ends the connection. */
export function encodeClose(code: CloseCode, text: string): Uint8Array {
  return encodeFrame(Kind.close, new TextEncoder().encode(JSON.stringify({ code, text })))
}

/** Reads the payload of a remote close frame; never throws. Whatever it is, the connection ends. */
export function decodeClose(payload: Uint8Array): CloseReason {
  const parsed = parseJson(payload)
  return readCloseReason(parsed.ok ? parsed.value : undefined)
}

/** Reads the value of a close frame; anything odd becomes a plain `closed`. */
export function readCloseReason(value: unknown): CloseReason {
  const { code, text } = (typeof value === 'object' && value !== null ? value : {}) as {
    code?: unknown
    text?: unknown
  }
  const known = typeof code === 'string' && CODE.test(code)
  return { code: known ? (code as CloseCode) : 'closed', text: cleanText(text), by: 'peer' }
}
