import type { Engine } from '../identity/engine.ts'
import { checkSignature } from '../identity/ed25519.ts'
import type { Identity } from '../identity/identity.ts'
import { joinBytes, utf8 } from '../wire/bytes.ts'
import type { Role } from '../wire/hello.ts'
import { fromHex, toHex } from '../wire/hex.ts'
import type { NodeId } from '../wire/ids.ts'

const LABEL = 'secure-node/1 noise-proof\0'
const ID_BYTES = 32
const SIGNATURE_BYTES = 64
/** A node's ID and its signature. */
export const NOISE_PROOF_BYTES = ID_BYTES + SIGNATURE_BYTES

/**
 * What shows that one end of a Noise handshake is a node: its ID, and its signature over the hash of all that was said,
 * which has the fresh keys of both ends in it. So it is worth nothing in any other handshake, also in one that somebody
 * in between holds with each of the two; and the role in it keeps it from being sent back to its maker.
 */
export async function makeNoiseProof(identity: Identity, role: Role, hash: Uint8Array): Promise<Uint8Array> {
  return joinBytes([fromHex(identity.id), await identity.sign(provenBytes(role, hash))])
}

/** The ID that a proof of the other end proves; undefined for a proof that is none. */
export async function readNoiseProof(
  proof: Uint8Array,
  role: Role,
  hash: Uint8Array,
  engine?: Engine,
): Promise<NodeId | undefined> {
  if (proof.length !== NOISE_PROOF_BYTES) return undefined
  const [key, signature] = [proof.slice(0, ID_BYTES), proof.slice(ID_BYTES)]
  const isGood = await checkSignature(signature, provenBytes(role, hash), key, engine)
  return isGood ? (toHex(key) as NodeId) : undefined
}

function provenBytes(role: Role, hash: Uint8Array): Uint8Array {
  return joinBytes([utf8(`${LABEL}${role}\0`), hash])
}
