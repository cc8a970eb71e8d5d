// What the page keeps and draws at most. A page is left open for days: nothing here may grow with time.

/** Happenings of one chunk of the chronicle; the state before each chunk is kept, so this is the most to replay. */
export const CHUNK_HAPPENINGS = 500
/** Chunks kept: with {@link CHUNK_HAPPENINGS}, the last 30,000 happenings can be looked at again. */
export const MAX_CHUNKS = 60
/** Nodes drawn. A hostile node can name any number of others; a picture of more than this tells nothing. */
export const MAX_NODES = 2_000
/** Links drawn: eight for each node. */
export const MAX_LINKS = 16_000
/** Messages whose paths are kept. */
export const MAX_MESSAGES = 200
/** Hops kept of one message: two for each node of a large network. */
export const MAX_HOPS = 1_000
/** Refusals listed. */
export const MAX_REFUSALS = 200
/** Messages that move at the same time. More is a blur; the links that carry more glow instead. */
export const MAX_TRAVELS = 40
/** Dots that move at the same time, over all messages. */
export const MAX_DOTS = 2_000
/** How long a message takes over a link of the picture, in ms. In the network it is faster than the eye. */
export const HOP_TIME = 650
/** How long a node shows that it was reached, or that it refused, in ms. */
export const GLOW_TIME = 900
/** Rows of a table. The filter finds those beyond. */
export const MAX_ROWS = 200
/** Largest trace that is read from a file, in bytes: 30,000 happenings are about 8 MB. */
export const MAX_TRACE_BYTES = 64 * 1024 * 1024
/** Longest name or text of another that is shown, in characters. */
export const MAX_TEXT = 200
/** First wait before connecting again, in ms; each further one is twice as long. */
export const FIRST_RETRY = 1_000
/** Longest wait before connecting again, in ms. */
export const LAST_RETRY = 30_000
/** How often tables and figures are written anew, in ms: faster is unreadable, aloud above all. */
export const FIGURES_EVERY = 500
/** Columns of the timeline. */
export const TIMELINE_COLUMNS = 160
