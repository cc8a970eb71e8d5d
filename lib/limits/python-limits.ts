/** Limits of links to nodes of Python's p2pnetwork; as in limits.ts. */

const KIB = 1_024
const MIB = 1_024 * KIB

/** Bytes of the ID of a p2pnetwork node. Its own have 128; an application may choose any text. */
export const MAX_FOREIGN_ID_BYTES = 512
/**
 * Silence after which an ID is taken to be complete, in ms. It has no end mark. The original takes whatever its first
 * read brings; this joins what was split on the way, and costs every handshake so much.
 */
export const ID_SETTLE_TIME = 200
/**
 * Between our own ID and what we send after it, in ms. The original takes all that it reads at once for the ID, so a
 * message must not travel in the same packet.
 */
export const ANSWER_PAUSE = 200
/**
 * Bytes that messages of one link may unfold to before the others have their turn. A bomb of 70 bytes unfolds to a
 * mebibyte, and one read can bring a thousand of them.
 */
export const UNPACKED_PER_TURN = MIB
/** Bytes beside the content in a compressed message that nothing makes smaller: headers, tables, the method's name. */
export const PACKED_OVERHEAD = KIB
/** How much longer than its content a compressed message may be: base64 (4/3), and 1 % that bzip2 may add. */
export const PACKED_FACTOR = 1.35
/** Bytes that are set aside for a message whose end has not come yet; doubled as it grows. */
export const FIRST_BUFFER_BYTES = 256
