import { WINDOW_PAST } from './limits.ts'

/** Limits of what nodes do with each other: requests, files, histories, seals, temporary links; as in limits.ts. */

const SECOND = 1_000
const KIB = 1_024
const MIB = 1_024 * KIB

/** Sealed data is padded to a multiple of so many bytes: its length tells less. */
export const SEAL_DATA_STEP = 256
/** A sealed attachment is padded to a multiple of so many bytes. */
export const SEAL_BYTES_STEP = 4 * KIB
/** Agreement keys of other nodes that are kept, once they are worked out. */
export const MAX_SEAL_KEYS = 1_024
/** How long a direct way to a node is looked for before its messages go through relays, in ms. */
export const REACH_TIMEOUT = 10 * SECOND
/** For one dial of it, in ms: what does not answer by then is behind a router, or gone. */
export const REACH_DIAL_TIMEOUT = 3 * SECOND
/** How long no direct way is looked for after none was found, in ms. */
export const REACH_PAUSE = 60 * SECOND
/** Nodes without a direct way that are remembered. */
export const MAX_UNREACHED = 1_024

/** How long a request waits for its answer, in ms. */
export const REQUEST_TIMEOUT = 10 * SECOND
/** Longest wait for an answer, in ms: the ask is a message, and no message lives longer. */
export const MAX_REQUEST_TIMEOUT = WINDOW_PAST
/** Requests of a node that wait for their answer. */
export const MAX_PENDING_REQUESTS = 1_024
/** Requests of others that are under way at a node. */
export const MAX_INCOMING_REQUESTS = 1_024
/** Requests of one asker that are under way at a node: one sixteenth of them. */
export const MAX_INCOMING_PER_ASKER = 64
/** Refusals (no handler, overload) that are on their way at once; a flood of asks gets no flood of answers. */
export const MAX_REFUSALS = 64
/** How often one ask may be passed on. Each time more than doubles the proof in the answer: 15 KB after four. */
export const MAX_BOUNCES = 4
/** Asks that came by a bounce, remembered until they end: whoever bounces one again makes nobody answer it twice. */
export const MAX_BOUNCED_ASKS = 4_096
/** Messages at once whose right to be there hangs on bounces under verification: of one request, and of all asks. */
export const MAX_CLAIMS = 32
/** Parts of an answer that a node holds for its reader: so many may be sent before it has taken one. */
export const STREAM_CREDIT = 8
/** Parts that are sent without another word of the asker, whatever it allows: it may be gone. */
export const MAX_STREAM_AHEAD = 64
/** How long parts of an answer wait for whoever takes them, at both ends, in ms. */
export const STREAM_IDLE = 60 * SECOND

/**
 * Bytes of one chunk of a file. Part of what a file's ID is made of, so it is the same for everybody. A chunk travels
 * as an attachment, which has room for it: {@link MAX_ATTACHMENT_BYTES}.
 */
export const FILE_CHUNK_BYTES = 512 * KIB
/** Bytes of the largest file: the hashes of its chunks, which both ends hold in memory, have 16 MiB. */
export const MAX_FILE_BYTES = 256 * KIB * MIB
/** Hashes of chunks in one part of an answer: as many bytes as a chunk has. */
export const FILE_HASHES_PER_PART = FILE_CHUNK_BYTES / 32
/** Chunks of one request: as many parts as a node holds for its reader. */
export const MAX_CHUNKS_PER_ASK = STREAM_CREDIT
/** Requests for chunks that are under way at one source: while one of them ends, the other is answered. */
export const FILE_ASKS_PER_SOURCE = 2
/** Sources of one download. With all of them at work, 256 MiB of chunks may be under way. */
export const MAX_FILE_SOURCES = 32
/** Sources that are asked for the hashes of a file at once: each may send 16 MiB before it is found to lie. */
export const MAX_MANIFEST_ASKS = 3
/** How long a source may bring nothing before it is left, in ms. */
export const FILE_TIMEOUT = 30 * SECOND
/** Chunks that were asked for so long ago, in ms, are asked of a second source when that one has nothing else to do. */
export const FILE_PATIENCE = 5 * SECOND
/** The same for chunks of a source that has brought others and then nothing for so long, in ms: it is likely to be gone. */
export const FILE_SILENCE = SECOND
/** First pause after a source failed, in ms; doubled with each failure in a row. */
export const FILE_RETRY = SECOND
/** Failures of a source in a row after which it is left. */
export const MAX_FILE_FAILURES = 3
/** The same for a source that has too much to do: with the pauses, two minutes. */
export const MAX_FILE_OVERLOADS = 8
/** Between two looks for chunks that are overdue, in ms, while there are no others. */
export const FILE_LOOK_INTERVAL = SECOND / 4
/** Between two reports of progress, in ms. */
export const FILE_PROGRESS_INTERVAL = 100
/** Requests for parts of files that are answered at once. Each holds one chunk and one open file. */
export const MAX_UPLOADS = 16
/** Requests for parts of files that are answered at once to one asker: the larger part is left for others. */
export const MAX_UPLOADS_PER_ASKER = 4
/** Requests for parts of files that wait for their turn. What comes beyond is refused as `overload`. */
export const MAX_WAITING_UPLOADS = 64
/** Requests of one asker that wait for their turn. */
export const MAX_WAITING_PER_ASKER = 8
/** Offers of files that are considered or taken at once. */
export const MAX_FILE_OFFERS = 16
/** Offers of one node that are considered or taken at once. */
export const MAX_FILE_OFFERS_PER_NODE = 4
/** How often the taker of an offer says how far it is, in ms: also while it asks a person whether to take it at all. */
export const FILE_OFFER_BEAT = SECOND
/** Bytes of a safe file name as UTF-8. File systems take 255; something may be put behind it. */
export const MAX_FILE_NAME_BYTES = 200

/** How long messages are kept for those who were away, in ms, where the option `history` says nothing else. */
export const HISTORY_MAX_AGE = 24 * 3_600 * SECOND
/** Bytes of messages and IDs that are kept for those who were away. */
export const HISTORY_MAX_BYTES = 64 * MIB
/** Bytes that a message of the history counts beside its own: what its ID costs in memory. All that is left later. */
export const HISTORY_ID_BYTES = 256
/** Part of the history, as 1 in so many, above which an author loses his own oldest messages first. */
export const HISTORY_AUTHOR_SHARE = 8
/** When the history is full, 1 in so many of its bytes are given up at once: looking for them goes through all. */
export const HISTORY_SLACK = 64
/** Messages of a span so long, in ms, share a fingerprint that is computed once. A day has 1,319 of them. */
export const HISTORY_SLICE = 2 ** 16
/** How often what is too old is looked for in the history, in ms. */
export const HISTORY_SWEEP = 10 * SECOND
/** Bytes of one frame of a comparison. */
export const HISTORY_FRAME_BYTES = 64 * KIB
/** Messages of a range up to which their IDs are told instead of a fingerprint. */
export const HISTORY_LIST = 32
/** Parts into which a range that differs is split. */
export const HISTORY_SPLIT = 16
/** Frames of one comparison, both ends together. Its steps need 10; the rest is for lists that fill many frames. */
export const HISTORY_ROUNDS = 64
/** How long an end waits for the next frame of a comparison, in ms. */
export const HISTORY_TIMEOUT = 15 * SECOND
/** Between two comparisons over one link while there is nothing to do, in ms. Doubled when they come to nothing. */
export const HISTORY_INTERVAL = 120 * SECOND
/** Longest pause between two comparisons over one link, in ms. */
export const HISTORY_INTERVAL_MAX = 960 * SECOND
/** Between two comparisons over one link because of news, in ms. */
export const HISTORY_NEWS_INTERVAL = 3 * SECOND
/** Comparisons that a peer may begin at once; one more in every {@link HISTORY_NEWS_INTERVAL}. */
export const HISTORY_OPENINGS = 8
/** IDs a second that are hashed for one link: 2 % of a core. */
export const HISTORY_HASH_RATE = 100_000
/** IDs that are hashed for one link at once: a comparison of a million messages with one that lacks them all. */
export const HISTORY_HASH_BURST = 4_000_000
/** IDs that are to be asked for over one link. When they are here, what else is lacking is found anew. */
export const HISTORY_WANTS = 16_384
/** IDs that are to be asked for, all links together: 100 bytes each. */
export const HISTORY_ALL_WANTS = 65_536
/** IDs of one frame that asks for messages. The next one follows when these have come. */
export const HISTORY_ASK = 512
/** How long others are not asked for what one link was asked for, in ms. */
export const HISTORY_PATIENCE = 60 * SECOND
/** How long a message may take from its arrival to its acceptance, in ms: its signature is verified. */
export const HISTORY_SETTLE = 10 * SECOND
/** A link that brought nothing for so long, in ms, is not waited for any more before others are compared with. */
export const HISTORY_LULL = 2 * SECOND
/** Bytes of the history a second that are sent over one link; live messages have the rest. */
export const HISTORY_RATE = 4 * MIB
/** Bytes of the history a second that are sent over all links together. */
export const HISTORY_ALL_RATE = 16 * MIB
/** Bytes of the history that are sent at once, of one link or all. */
export const HISTORY_BURST = 512 * KIB
/** Bytes that a late message counts at least: the signatures of small ones cost more than their bytes. */
export const HISTORY_MESSAGE_COST = KIB
/** A link gets everything that there is once in this time, in ms, and {@link HISTORY_BURST} more. */
export const HISTORY_REFILL = 600 * SECOND
/** First pause after the disk failed, in ms; doubled up to {@link HISTORY_RETRY_MAX}. */
export const HISTORY_RETRY = 5 * SECOND
/** Longest pause after the disk failed, in ms. */
export const HISTORY_RETRY_MAX = 60 * SECOND

/** Bytes of one chunk of what is sealed with a password: what is held of a file while it is sealed or opened. */
export const BOX_CHUNK_BYTES = 64 * KIB
/**
 * Cost of scrypt (RFC 7914) for what is sealed with a password, as the exponent of N: 128 MiB and a third of a second
 * a guess. No other program reads it, so it need not stay within the 32 MiB of {@link KEY_SCRYPT}.
 */
export const BOX_COST = 17
/** The least cost: 16 MiB a guess. */
export const MIN_BOX_COST = 14
/** The highest cost: 256 MiB. A box says its cost itself, and whoever opens a stranger's pays it. */
export const MAX_BOX_COST = 18
/** The other parameters of scrypt, the same for all boxes. */
export const BOX_SCRYPT = { blockSize: 8, parallelization: 1 } as const
