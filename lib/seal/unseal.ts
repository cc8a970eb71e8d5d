import type { SealedHead } from '../message/draft.ts'
import { bodyOf, markMessage, type SignedMessage } from '../message/message.ts'
import type { Unsealer } from './sealed.ts'

/** A message with what was sealed in it, or as it is; undefined where it is sealed and cannot be opened. */
export function unseal(message: SignedMessage, unsealer: Unsealer): SignedMessage | undefined {
  const body = bodyOf(message)
  if (body.seal === undefined) return message
  const { data, bytes: _, seal, to, ...head } = body
  if (to === undefined || typeof data !== 'string') return undefined
  const sealedHead: SealedHead = { ...head, to }
  const opened = unsealer.open(sealedHead, seal, data, message.bytes)
  return opened.ok ? markMessage(message, { opened }) : undefined
}
