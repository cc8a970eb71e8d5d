import { MAX_FOUND_BYTES, MAX_FOUND_RECORDS } from '../limits/network-limits.ts'
import { readUint32, utf8, writeUint32 } from '../wire/bytes.ts'
import { PLACE_BYTES, type Place } from './place.ts'

/** Bytes of the number that an answer repeats. */
const NUMBER_BYTES = 4
const FIND_BYTES = NUMBER_BYTES + PLACE_BYTES

/** A question for the nodes near a place. */
export interface Find {
  /** Chosen by the asker: the answer repeats it. */
  readonly number: number
  readonly place: Place
}

/** An answer, of which nobody has read the records yet. */
export interface Found {
  readonly number: number
  /** A JSON list of records. */
  readonly list: Uint8Array
}

/** The payload of a question. */
export function encodeFind({ number, place }: Find): Uint8Array {
  const payload = new Uint8Array(FIND_BYTES)
  writeUint32(payload, 0, number)
  payload.set(place, NUMBER_BYTES)
  return payload
}

/** Reads the payload of a remote question; undefined for what is none. */
export function decodeFind(payload: Uint8Array): Find | undefined {
  if (payload.length !== FIND_BYTES) return undefined
  // A copy, in an array of its own: the payload is a view into what was received.
  return { number: readUint32(payload, 0), place: new Uint8Array(payload.subarray(NUMBER_BYTES)) }
}

/** The payload of an answer. */
export function encodeFound(number: number, documents: readonly string[]): Uint8Array {
  const list = utf8(`[${documents.join(',')}]`)
  const payload = new Uint8Array(NUMBER_BYTES + list.length)
  writeUint32(payload, 0, number)
  payload.set(list, NUMBER_BYTES)
  return payload
}

/** Reads the payload of a remote answer, without its records; undefined for what is none. */
export function decodeFound(payload: Uint8Array): Found | undefined {
  if (payload.length < NUMBER_BYTES || payload.length > MAX_FOUND_BYTES) return undefined
  return { number: readUint32(payload, 0), list: payload.subarray(NUMBER_BYTES) }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
/** Where one record of a canonical list ends, and the next one begins. */
const SEAM = '"},{"body":'
const HALF = '"}'.length

/**
 * Cuts a list of records into the texts of the records, without reading any of them: most are known already, to the
 * letter. Each of the others has to be read as a statement of its own. Together that comes to the same as reading the
 * whole list as canonical JSON: no string of a record can hold the seam, since JSON escapes the quotes in it, and
 * records have no objects in them.
 *
 * @returns undefined for what is no list, or one of more than 20
 */
export function splitDocuments(list: Uint8Array): readonly string[] | undefined {
  let text: string
  try {
    text = decoder.decode(list)
  } catch {
    return undefined
  }
  if (text === '[]') return []
  if (text.length < 2 || !text.startsWith('[') || !text.endsWith(']')) return undefined
  const documents: string[] = []
  let start = 1
  for (let seam = text.indexOf(SEAM); seam >= 0; seam = text.indexOf(SEAM, start)) {
    documents.push(text.slice(start, seam + HALF))
    if (documents.length >= MAX_FOUND_RECORDS) return undefined
    start = seam + HALF + 1
  }
  documents.push(text.slice(start, -1))
  return documents
}
