/** Limits of relaying by tree, each with its unit and its reason. */

const SECOND = 1_000
const MIB = 1_024 * 1_024

/** Links up to which nothing is pruned: so few copies are cheaper than a tree that has to be repaired. */
export const FLOOD_LINKS = 4
/** IDs of one `have` or `want` frame: 32 KiB. */
export const MAX_LISTED_IDS = 1_024
/** How long announcements gather, in ms, so that one frame has many; half of them become needless meanwhile. */
export const ANNOUNCE_DELAY = 100
/**
 * How long a message that was announced may take to come by itself before it is asked for, in ms. Twice as long, and
 * the ways through 10,000 nodes had half as many hops again, for a hundredth fewer copies (`npm run simulate`).
 */
export const GRAFT_WAIT = 250
/** The longest such wait, in ms: under load, copies are late, and asking for them would make more of it. */
export const GRAFT_WAIT_MAX = 8 * SECOND
/** By how much of it a wait may be longer, so that not all nodes that lack a message ask at the same time. */
export const GRAFT_SPREAD = 0.6
/** Waits are rounded up to multiples of this, in ms: what is missing is looked for 20 times a second at most. */
export const GRAFT_STEP = 50
/** A longer wait shrinks after so long without a request that was answered, in ms. */
export const GRAFT_CALM = 30 * SECOND
/** Requests for one message to the same link. */
export const MAX_ASKS = 2
/** How long a message is left alone whose announcers all owe as much as they may, in ms. */
export const PARK_TIME = SECOND
/** Links that are remembered as announcers of one missing message. */
export const MAX_ANNOUNCERS = 8
/** How long a message that was announced is looked for, in ms. By then peers have given up its bytes. */
export const MISSING_LIFETIME = 20 * SECOND
/** Missing messages: 250 bytes each. Links have even shares of them, so that no liar takes the room of others. */
export const MAX_MISSING = 32_768
/** Missing messages of one link, however few links there are. */
export const MAX_MISSING_PER_LINK = 4_096
/** Messages that one link was asked for and has not brought: with small ones, less than its queue may hold. */
export const MAX_OWED = 1_024
/** How long a link may take to bring any of the messages that it was asked for, in ms. */
export const PROMISE_TIMEOUT = 10 * SECOND
/** Promises broken in a row after which the announcements of a link are ignored for {@link LIAR_PAUSE}. */
export const MAX_BROKEN_IN_A_ROW = 3
/** How long announcements of such a link are ignored, in ms. Meanwhile it may still bring what it was asked for. */
export const LIAR_PAUSE = 60 * SECOND
/** Promises broken by a link that has never kept one, after which it is closed. Takes six minutes. */
export const MAX_BROKEN = 8
/** A link that announces so long after it was to be eager, in ms, does not do what it should. */
export const SHY_AFTER = SECOND
/** Between two prunes of one link, in ms: copies that were on their way are no reason for another one. */
export const PRUNE_INTERVAL = SECOND
/** Announced IDs a second that are read from one link: twice the messages that are. 8 % of a core. */
export const HAVE_RATE = 200_000
/** Wanted IDs a second that are answered on one link. */
export const WANT_RATE = 2_048
/** Wanted IDs that are answered on one link at once: what it may have missed before its tree was repaired. */
export const WANT_BURST = 8_192
/** Times that one link is sent the same message because it wants it. */
export const MAX_SUPPLIES = 2
/** Wanted IDs of one link that are remembered to count that; more than {@link WANT_RATE} lets through in a second. */
export const MAX_SUPPLIED_IDS = 4_096
/**
 * Links are pruned because of the copies of one message at a time, at most one in so long, in ms. Longer than a message
 * takes through the network.
 */
export const TOUCHSTONE_INTERVAL = 2 * SECOND
/** Messages of which is remembered who brought them first: half of it is half a second at full speed. */
export const MAX_CARRIED = 32_768
/** Messages of no use that are remembered, so that they are not asked for again and again. */
export const MAX_DISMISSED = 4_096
/** Bytes of messages that are held for peers that ask for them. The newer half is never given up early. */
export const MAX_HELD_BYTES = 32 * MIB
/** Messages that are held for peers that ask for them. */
export const MAX_HELD_MESSAGES = 65_536
/** How long a message is held at least for peers that ask for it, in ms, if there is room for it. */
export const HOLD_TIME = 20 * SECOND
