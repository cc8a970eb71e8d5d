/**
 * Every constant of the transport over a DHT, with its unit and its reason. The packages below it have few limits of
 * their own.
 */

const SECOND = 1_000
const KIB = 1_024

/** Bytes of one message of a stream, its kind included. The stream itself would take 16 MiB from a stranger. */
export const MAX_STREAM_MESSAGE = 64 * KIB
/** Bytes that the stream adds to a message: a tag and an authenticator (libsodium's secretstream). */
export const STREAM_OVERHEAD = 17
/** Cost of what one end may send before the other has granted more: a hello and what follows it. */
export const START_CREDIT = 16 * KIB
/** Cost of what one end may send and the other has not taken: 10 MB/s at a round trip of 50 ms. */
export const STREAM_WINDOW = 512 * KIB
/** Least cost of a message, so that the window bounds their number too: 2,048. */
export const MIN_MESSAGE_COST = 256
/** Bytes waiting in a channel from which on its owner is told when they are gone. */
export const STREAM_HIGH_WATER = 64 * KIB

/** Requests for a handshake that are looked at in {@link KNOCK_INTERVAL}: each is remembered for 10 s below. */
export const MAX_KNOCKS = 256
/** The interval of {@link MAX_KNOCKS}, in ms. */
export const KNOCK_INTERVAL = 10 * SECOND
/** Handshakes under way whose other end has not proven yet that it is where it claims to be. */
export const MAX_UNPROVEN = 32
/** Those of one claimed address. A claim can be forged, but not by who wants to be let in. */
export const MAX_UNPROVEN_PER_ADDRESS = 8

/** First pause between two looks at the topic, in ms; doubled each time, since a network that starts is looked for. */
export const TOPIC_MIN_INTERVAL = 2 * SECOND
/** Longest pause between two looks at the topic, in ms: the DHT forgets an announcement after 20 minutes. */
export const TOPIC_MAX_INTERVAL = 600 * SECOND
/** Nodes that are taken from one look at the topic: whoever likes may announce himself there. */
export const MAX_TOPIC_PEERS = 64

/** How long taking back what was announced may take before the sockets are closed all the same, in ms. */
export const DHT_CLOSE_TIMEOUT = 2 * SECOND

/** How long a dial over the addresses of a node goes on alone before the DHT is asked beside it, in ms. */
export const PUNCH_HEAD_START = SECOND
/** Nodes that were found by topic and may be dialled; the ones found last. */
export const MAX_ENCOUNTERS = 256
/** Dials to them at once. */
export const MAX_ENCOUNTER_DIALS = 2
/** How long one of them is left alone after a dial, in ms. */
export const ENCOUNTER_PAUSE = 60 * SECOND
/** For one such dial, in ms: finding, punching and the handshake. */
export const ENCOUNTER_TIMEOUT = 10 * SECOND
