import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { canonicalJson, type Identity, type Json, messageId } from '../../index.ts'
import { PROTOCOL_VERSION } from '../../limits/limits.ts'

/** What an attacker makes: documents of the right shape that no honest node would send. */

/** The label of a message signature, as every node uses it. An attacker follows the protocol where it helps. */
const SIGNATURE_LABEL = utf8ToBytes('secure-node/1 message-sig\0')
/** A document needs some signature before its ID can be computed; the ID does not depend on it. */
const NO_SIGNATURE = '0'.repeat(128)

/** Somebody else's genuine message with words put into the author's mouth, its signature left as it was. */
export function alterDocument(document: string): string {
  // Still canonical, still of the right shape: nothing but the signature can tell.
  const altered = document.replace('"text":"', '"text":"It is not true that ')
  if (altered === document) throw new Error('the document has no text to alter')
  return altered
}

/** What a forged message is to look like. */
export interface Forgery {
  /** Who is said to have written it. */
  readonly author: string
  readonly net: string
  readonly type: string
  readonly data: Json
  readonly time: number
}

/** A message in the name of another node, signed correctly, but with the forger's own key. */
export async function forgeDocument({ author, ...rest }: Forgery, forger: Identity): Promise<string> {
  // By hand: signing with the package puts the forger's own name in.
  const body = canonicalJson({ ...rest, from: author, seq: rest.time * 1_000, v: PROTOCOL_VERSION })
  const id = messageId(documentOf(body, NO_SIGNATURE))
  const signature = await forger.sign(concatBytes(SIGNATURE_LABEL, hexToBytes(id)))
  return documentOf(body, bytesToHex(signature))
}

function documentOf(body: string, signature: string): string {
  return `{"body":${body},"sig":"${signature}"}`
}
