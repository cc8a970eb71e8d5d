import { utf8 } from '../wire/bytes.ts'
import type { Engine } from '../identity/engine.ts'
import { MAX_MESSAGE_BYTES } from '../limits/limits.ts'
import { MAX_BOUNCES } from '../limits/direct-limits.ts'
import { attach, bodyOf, readDraft, type SignedMessage, verifyDraft } from '../message/message.ts'
import { decodeParcel } from '../message/parcel.ts'
import type { MessageId, NodeId } from '../wire/ids.ts'
import { readBounce } from './envelope.ts'

/** What all messages of one request have in common. */
export interface Thread {
  /** The ID of its ask. */
  readonly id: MessageId
  readonly net: string
  readonly type: string
  readonly asker: NodeId
  /** The node that was asked. */
  readonly addressee: NodeId
}

/**
 * Follows bounces from the addressee of an ask to whoever answers it: each was signed by the node that the one
 * before it names, for this ask. Returns the nodes on the way, without the last one, or undefined where the bounces
 * do not lead to it. The age of the documents does not matter: an ask's ID is never used again.
 *
 * Verified one by one: what strangers invent costs one signature, since the first must be the addressee's.
 */
export async function followBounces(
  thread: Thread,
  by: readonly string[],
  answerer: NodeId,
  engine: Engine | undefined,
): Promise<readonly NodeId[] | undefined> {
  if (by.length > MAX_BOUNCES) return undefined
  const way: NodeId[] = []
  let holder = thread.addressee
  for (const document of by) {
    const bounce = await openDocument(document, thread.net, engine)
    const next = bounce && nextHolder(bounce, thread, holder)
    way.push(holder)
    // Nobody twice, and not back to the asker: a loop would go round until the ask ends.
    if (next === undefined || next === thread.asker || way.includes(next)) return undefined
    holder = next
  }
  return holder === answerer ? way : undefined
}

/** Whom a message makes the holder of an ask, if it is a bounce of its present holder. */
export function nextHolder(bounce: SignedMessage, thread: Thread, holder: NodeId): NodeId | undefined {
  if (bounce.op !== 'bounce' || bounce.from !== holder) return undefined
  if (bounce.re !== thread.id || bounce.type !== thread.type) return undefined
  const to = readBounce(bounce.data)?.to
  const isToBoth = bounce.to?.length === 2 && bounce.to.includes(thread.asker)
  return to !== undefined && isToBoth && to !== thread.asker && bounce.to.includes(to) ? to : undefined
}

/**
 * The ask inside of a bounce: verified as if it had come by itself, its attachment included. Undefined where it is
 * not the one that the bounce speaks of, or where only its addressee can read it.
 */
export async function openBouncedAsk(
  bounce: SignedMessage,
  engine: Engine | undefined,
): Promise<SignedMessage | undefined> {
  const parcel = bounce.bytes && decodeParcel(bounce.bytes)
  if (parcel === undefined) return undefined
  // Copies: what is kept must not keep the whole bounce.
  const [document, attachment] = [parcel.document.slice(), parcel.attachment.slice()]
  const read = readDraft(document, bounce.net)
  if (!read.ok || read.draft.id !== bounce.re) return undefined
  const named = read.draft.body.bytes
  if (attachment.length !== (named?.size ?? 0)) return undefined
  const verdict = await verifyDraft(read.draft, engine)
  if (!verdict.ok) return undefined
  const ask = named === undefined ? verdict.message : attach(verdict.message, attachment)
  if (ask === undefined) return undefined
  const isForUs = ask.op === 'ask' && ask.to?.length === 1 && ask.type === bounce.type
  return isForUs && bodyOf(ask).seal === undefined ? ask : undefined
}

async function openDocument(
  document: string,
  net: string,
  engine: Engine | undefined,
): Promise<SignedMessage | undefined> {
  // It came inside of a message, and takes at least one byte a character.
  if (document.length > MAX_MESSAGE_BYTES || !document.isWellFormed()) return undefined
  const result = readDraft(utf8(document), net)
  if (!result.ok) return undefined
  const verdict = await verifyDraft(result.draft, engine)
  return verdict.ok ? verdict.message : undefined
}
