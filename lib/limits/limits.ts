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
/** Messages under one signature: 8 hashes lead from each of them to the root. */
export const MAX_BATCH_MESSAGES = 256
/** Bytes of the bodies under one signature, so that a frame has room for all of them. */
export const MAX_BATCH_BYTES = 256 * KIB
/** Bytes of a body that is signed with others. What is larger costs more than its signature anyway. */
export const MAX_BATCHED_BODY_BYTES = 16 * KIB
/** Roots of batches whose signature was found good, kept for what comes of them one by one. */
export const MAX_VERIFIED_ROOTS = 1_024
/** IDs of nodes that were found to be keys only their owners can sign for: 120 bytes each. */
export const MAX_STRICT_KEYS = 512
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
/** Bytes beside a signed message: with the largest message and the frame's own bytes it fills a frame. */
export const MAX_ATTACHMENT_BYTES = MAX_FRAME_BYTES - MAX_MESSAGE_BYTES - KIB
/** Bytes of one frame before the link is up: a stranger makes us hold no more than this. */
export const MAX_HELLO_BYTES = 4 * KIB
/** From the raw connection to a link that is up, in ms, in total: bytes that trickle in do not extend it. */
export const HANDSHAKE_TIMEOUT = 10 * SECOND
/** A frame that began must be complete within this time, in ms: 1 MiB at 35 KB/s. */
export const FRAME_TIMEOUT = 30 * SECOND
/** How long `stop()` and `disconnectWithNode()` wait for the goodbye to be flushed, in ms. */
export const STOP_TIMEOUT = 2 * SECOND
/** A temporary link over which nothing but pings has gone for so long is ended, in ms. */
export const TEMPORARY_IDLE = 30 * SECOND
/** The other parameters of scrypt, the same for all boxes. */
export const BOX_SCRYPT = { blockSize: 8, parallelization: 1 } as const

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
export const MESSAGE_RATE = 100_000
/** Signatures of a node under verification at once: keeps the thread pool busy and the rest of it usable. */
export const MAX_VERIFICATIONS = 64
/**
 * Bytes of messages under verification at once, or a single larger one. With what may pile up before ({@link
 * BACKLOG_BYTES}) it fits into every queue: a burst of large messages must not cost a node its other peers.
 */
export const MAX_VERIFICATION_BYTES = MIB
/** Imported public keys held by a signature engine: 600 bytes each, and 12 µs or more saved with every reuse. */
export const MAX_CACHED_KEYS = 4_096
/**
 * Signatures that are verified on the main thread in one turn of the event loop (0.1 ms each). More than that are
 * a backlog, for which it pays to wake up the thread pool.
 */
export const MAX_VERIFIED_HERE = 4
/** Bytes whose signature may be verified on the main thread. Longer ones take longer, and are rare. */
export const MAX_BYTES_VERIFIED_HERE = 4 * KIB
/** Message IDs remembered. 262,144 are 728 messages a second over the 360 s that one can be valid. */
export const MAX_MESSAGE_IDS = 262_144
/** Verified messages that wait for a disk or for a check of the application before less is read. */
export const MAX_WAITING_MESSAGES = 1_024
/** Messages that `explain()` remembers. */
export const MAX_TRACES = 4_096

/** Things that are wrong with a content and are told: of a long list of numbers each could be wrong. */
export const MAX_SHOWN_ISSUES = 3
/** Characters that are told of one of them: schemas quote what a stranger has sent. */
export const MAX_ISSUE_CHARACTERS = 200
/** Steps of the path to it that are told: more than a payload has levels only in a schema's imagination. */
export const MAX_ISSUE_STEPS = MAX_DEPTH

/** Silence after which the operating system probes a TCP connection, in ms. Pings find a dead peer sooner. */
export const KEEP_ALIVE_DELAY = 60 * SECOND
/** The first ping of a link goes out within this time, in ms. */
export const FIRST_PING = 2 * SECOND
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
