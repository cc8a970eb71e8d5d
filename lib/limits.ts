/**
 * Every constant with its unit and its reason. Those that a user may change are the defaults of options
 * of the same name (options.ts); the README prints them in one table.
 */

const SECOND = 1_000
const KIB = 1_024
const MIB = 1_024 * KIB

/** Version of the link protocol and of the signed message. */
export const PROTOCOL_VERSION = 1
/** ALPN token a TLS link must agree on, so that no other protocol's port can be talked into a link. */
export const ALPN = 'secure-node/1'

/** Bytes of one signed message. Small enough that a flood of them cannot hold a relay's memory. */
export const MAX_MESSAGE_BYTES = 256 * KIB
/** Nesting of a payload, its root counted as 1. Other languages' parsers recurse; 32 is safe in all of them. */
export const MAX_DEPTH = 32
/** Nesting of a signed document: the payload inside `body` inside the document. */
export const MAX_DOCUMENT_DEPTH = MAX_DEPTH + 2
/** JSON values in one payload: bounds a payload whose parts are shared and would expand when written. */
export const MAX_VALUES = 50_000
/** Characters of a message's `type` and of a network's name. */
export const MAX_NAME_LENGTH = 64
/** Addressees of one message. */
export const MAX_ADDRESSEES = 64

/** How old a message may be on arrival, in ms. A message ID is remembered at least this long. */
export const WINDOW_PAST = 300 * SECOND
/** How far ahead of our clock a message's time may be, in ms. */
export const WINDOW_FUTURE = 60 * SECOND

/** Bytes of one frame, its kind included. Larger than a message, for what later travels beside one. */
export const MAX_FRAME_BYTES = MIB
/** Bytes of one frame before the link is up: a stranger makes us hold no more than this. */
export const MAX_HELLO_BYTES = 4 * KIB
/** From the raw connection to a link that is up, in ms, in total: bytes that trickle in do not extend it. */
export const HANDSHAKE_TIMEOUT = 10 * SECOND
/** A frame that began must be complete within this time, in ms: 1 MiB at 35 KB/s. */
export const FRAME_TIMEOUT = 30 * SECOND
/** How long `stop()` and `disconnectWithNode()` wait for the goodbye to be flushed, in ms. */
export const STOP_TIMEOUT = 2 * SECOND

/** Connections of a node, both directions together. */
export const MAX_CONNECTIONS = 1_024
/** Inbound connections whose handshake is under way. */
export const MAX_PENDING = 32
/** New inbound connections of one address within {@link ADDRESS_INTERVAL}. */
export const MAX_NEW_PER_ADDRESS = 64
/** The interval of {@link MAX_NEW_PER_ADDRESS}, in ms. */
export const ADDRESS_INTERVAL = 10 * SECOND
/** How long a node whose link brought a message that no correct node passes on is kept out, in ms. */
export const BAN_TIME = 600 * SECOND
/** Banned nodes remembered; beyond it the oldest ban ends early. */
export const MAX_BANS = 4_096

/** Bytes that may wait for one peer. A peer that does not read loses its connection, not our memory. */
export const MAX_QUEUE_BYTES = 4 * MIB
/** Bytes waiting for a peer above which senders are asked to pause. */
export const HIGH_WATER_BYTES = 256 * KIB
/**
 * Bytes waiting for a peer above which what is to be relayed is read more slowly. More than a node's own messages
 * may pile up: what others have sent comes first, and what a node sends itself can wait at its source.
 */
export const BACKLOG_BYTES = 4 * HIGH_WATER_BYTES
/**
 * Bytes of new messages a second that are taken from a link while what is relayed piles up. Not none: in a cycle of
 * links, all could be waiting for each other. Few enough for a stuck peer to be found out before its queue is full.
 */
export const TRICKLE_BYTES = 64 * KIB

/** Messages a second, and in a burst, that are read from one link; beyond it the link is read more slowly. */
export const MESSAGE_RATE = 20_000
/** Signatures of a node under verification at once: keeps the thread pool busy and the rest of it usable. */
export const MAX_VERIFICATIONS = 64
/** Imported public keys held by a signature engine: 600 bytes each, and 12 µs or more saved with every reuse. */
export const MAX_CACHED_KEYS = 4_096
/** Message IDs remembered. 262,144 are 728 messages a second over the 360 s that one can be valid. */
export const MAX_MESSAGE_IDS = 262_144
/** Messages that `explain()` remembers. */
export const MAX_TRACES = 4_096

/** Silence after which the operating system probes a TCP connection, in ms. Pings find a dead peer sooner. */
export const KEEP_ALIVE_DELAY = 60 * SECOND
/** Between pings of an otherwise silent link, in ms. */
export const PING_INTERVAL = 20 * SECOND
/** A link that brought nothing for this long is dead, in ms: two pings and a margin. */
export const PING_TIMEOUT = 45 * SECOND
/** How long an old link may take to prove itself alive when its peer opens a second one, in ms. */
export const PROBE_TIMEOUT = 3 * SECOND
/** Pings of a peer that are answered in a second; more are a flood and stay unanswered. */
export const PONG_RATE = 10
/** Pings of a peer that are answered at once. */
export const PONG_BURST = 20
/** How often a node looks after its links (pings, overdue frames), in ms. */
export const TICK = SECOND

/** First pause before a reconnection, in ms; each failure doubles it. */
export const RECONNECT_MIN = 500
/** Longest pause before a reconnection, in ms. */
export const RECONNECT_MAX = 30 * SECOND

/** Bytes of a key file. Ours have 209, encrypted 380; whatever is much larger is some other file. */
export const MAX_KEY_FILE_BYTES = 16 * KIB
/** Bytes of a key file's password as UTF-8: OpenSSL reads no more. */
export const MAX_PASSWORD_BYTES = 1_024
/**
 * Cost of scrypt (RFC 7914) for a password: 16 MiB and an eighth of a second a guess. OpenSSL grants scrypt
 * 32 MiB, so with a block size of 8 neither it nor Node.js opens a file whose cost is 2^15 or more.
 */
export const KEY_SCRYPT = { cost: 2 ** 14, blockSize: 8, parallelization: 5 } as const
