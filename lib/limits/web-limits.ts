/** Limits of links over WebSockets, each with its unit and its reason. */

/** Bytes of one Noise message (Noise, revision 34, section 3). */
export const MAX_NOISE_BYTES = 65_535
/** Bytes that may lie unread where a socket cannot be paused, as in browsers: twice the queue of a peer's. */
export const MAX_HELD_BYTES = 8 * 1_024 * 1_024
/** Between two looks at what still waits to be sent, in ms, where the platform does not tell. */
export const DRAIN_POLL = 50
/** Bytes of the head of an HTTP request that opens a WebSocket. Browsers send about 1 KiB, with cookies more. */
export const MAX_UPGRADE_BYTES = 8 * 1_024
/** Messages that may come while the proof of the one before is judged: a hello and what belongs to it. */
export const MAX_EARLY_MESSAGES = 16
