/** Limits of the status interface: who watches a node must not cost it its work. */

const SECOND = 1_000
const KIB = 1_024
const MIB = 1_024 * KIB

/** Streams of events at once. Each is a page or a tool that somebody has opened. */
export const MAX_STREAMS = 16
/** Connections to the interface: a page opens a handful besides its stream. */
export const MAX_STATUS_CONNECTIONS = 64
/** Bytes that may wait for one stream. Who reads more slowly is cut off, and may come back where it was. */
export const MAX_STREAM_QUEUE = MIB
/** Events kept for those who come back: some seconds of a busy node. */
export const MAX_KEPT_EVENTS = 2_048
/** Bytes of them: an event that names 64 peers has 5 KB. */
export const MAX_KEPT_EVENT_BYTES = 4 * MIB
/** After the last stream has ended, in ms: so long its events are kept, and new ones collected, for its return. */
export const STREAM_LINGER = 5 * SECOND
/** Between comments of a stream without events, in ms: proxies and pages find out that the other end is gone. */
export const STREAM_HEARTBEAT = 15 * SECOND
/** How often figures and changes of links are told, in ms. */
export const FIGURES_INTERVAL = SECOND
/** Messages that are told one by one within {@link FIGURES_INTERVAL}; each costs about 10 µs. */
export const MAX_TOLD_MESSAGES = 500
/** Refusals that are told one by one within {@link FIGURES_INTERVAL}: a flood of bad messages must not be a louder one. */
export const MAX_TOLD_REFUSALS = 200
/** Peers that are named of those that a message went to. */
export const MAX_TOLD_PEERS = 64
/** Characters of a payload that are shown. */
export const PREVIEW_CHARACTERS = 200
/** Most that can be asked for: the events are no second copy of the traffic. */
export const MAX_PREVIEW_CHARACTERS = 2_000
/** Characters of a token. The shortest that may be given: 16 random ones of 64 are 96 bits. */
export const MIN_TOKEN_LENGTH = 16
/** The longest: it stands in an address, and in a header. */
export const MAX_TOKEN_LENGTH = 256
/** Bytes of a token that the node makes. */
export const TOKEN_BYTES = 32
/** Bytes of the body of a request. */
export const MAX_STATUS_BODY = 64 * KIB
/** Bytes of the headers of a request. */
export const MAX_STATUS_HEADERS = 8 * KIB
/** How long a request may take to come in, in ms. */
export const STATUS_REQUEST_TIMEOUT = 10 * SECOND
/** How long the last events may take to be read when the interface is closed, in ms. */
export const STATUS_CLOSE_TIMEOUT = 500
/** How long an answer of the network counts as new, in ms: each question goes to all of its nodes. */
export const GRAPH_INTERVAL = 10 * SECOND
/** How long the network may take to answer, in ms. */
export const GRAPH_TIMEOUT = 5 * SECOND
