import { invalidArgument } from '../errors.ts'
import { MAX_MESSAGE_BYTES } from '../limits/limits.ts'
import { fromHex } from '../wire/hex.ts'
import { joinBytes, utf8 } from '../wire/bytes.ts'
import type { MessageId } from '../wire/ids.ts'
import type { Place } from './batch.ts'
import { labelledHash } from './digest.ts'
import { bodySlice } from './document.ts'

// One label for each use of the key, none a prefix of another: a signature made for one use is nothing in any other.
const ID_LABEL = utf8('secure-node/1 message-id\0')
const hashLabelled = labelledHash(ID_LABEL)
const SIGNATURE_LABEL = utf8('secure-node/1 message-sig\0')
const BATCH_LABEL = utf8('secure-node/1 batch-sig\0')

/**
 * The bytes of a document, as this module's own: the caller may change his while they are verified. No more are
 * copied or encoded than it takes to find them too many.
 */
export function bytesOf(document: unknown): Uint8Array {
  const limit = MAX_MESSAGE_BYTES + 1
  if (ArrayBuffer.isView(document)) {
    const { buffer, byteOffset, byteLength } = document
    return new Uint8Array(buffer, byteOffset, Math.min(byteLength, limit)).slice()
  }
  if (typeof document === 'string') {
    // Every character takes at least a byte.
    if (document.length >= limit) return new Uint8Array(limit)
    if (document.isWellFormed()) return utf8(document)
  }
  // No bytes are the UTF-8 of it, and these are nobody's UTF-8.
  return Uint8Array.of(0xff)
}

/**
 * The ID of a document, verified or not: the hash of its body. The signature is no part of it, so that a second
 * valid signature would not make a second message.
 *
 * @throws SecureNodeError `invalid-argument` for a text that cannot be a document.
 */
export function messageId(document: string): MessageId {
  const id = idOfBytes(bytesOf(document))
  if (id === undefined) throw invalidArgument('document', 'the text of a signed message', document)
  return id
}

/** The ID that these bytes have if they are a document; undefined where they cannot be one. */
export function idOfBytes(bytes: Uint8Array): MessageId | undefined {
  // Nothing is hashed that is too large to be judged.
  const body = bytes.length > MAX_MESSAGE_BYTES ? undefined : bodySlice(bytes)
  return body && hashBody(body)
}

/** The ID of a body in canonical form. */
export function hashBody(body: Uint8Array): MessageId {
  return hashLabelled(body) as MessageId
}

/** The bytes that are signed: the label and the ID's 32 bytes. */
export function signedBytes(id: MessageId): Uint8Array {
  return labelled(SIGNATURE_LABEL, fromHex(id))
}

/**
 * The bytes that are signed for a batch: the label, the number of its messages in 2 bytes big-endian, and the root. With
 * the number, each message has exactly one proof.
 */
export function signedRoot({ root, size }: Pick<Place, 'root' | 'size'>): Uint8Array {
  return joinBytes([BATCH_LABEL, Uint8Array.of(size >>> 8, size), fromHex(root)])
}

function labelled(label: Uint8Array, bytes: Uint8Array): Uint8Array {
  return joinBytes([label, bytes])
}
