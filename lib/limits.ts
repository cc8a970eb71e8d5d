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

/** Links that a node looks for. A network of 10,000 nodes stays in one piece when a fifth of them crashes. */
export const TARGET_CONNECTIONS = 8
/** Fewest links that a node may look for: with two or less, networks of random links fall into parts. */
export const MIN_TARGET_CONNECTIONS = 3

/** Outbound links to public addresses of one group: whoever owns a network must not become all of our neighbours. */
export const MAX_OUTBOUND_PER_GROUP = 2
/** Links, in multiples of the target, above which a node tells inbound peers that it has enough. */
export const ENOUGH_FACTOR = 2
/** Between two rounds in which an overfull node tells peers so, in ms. */
export const ENOUGH_INTERVAL = 10 * SECOND
/** Dials of a node's own accord that are under way at once. */
export const MAX_DIALS = 4
/** Between two looks at the neighbourhood while links are missing, in ms; shortened by up to a half at random. */
export const TEND_SOON = SECOND
/** Between two looks at the neighbourhood while there is nothing to do, in ms; shortened by up to a half. */
export const TEND_INTERVAL = 10 * SECOND
/**
 * Between two links that are made out of curiosity, in ms, on average: they join the parts of a network that was
 * divided, and mix a network whose nodes joined at one place.
 */
export const EXPLORE_INTERVAL = 60 * SECOND
/** A link that its peer, or the network, ends sooner than this, in ms, counts as a failed dial. */
export const BRIEF_LINK = 10 * SECOND
/** How long a node that was let go because there were enough links is not dialled again, in ms. */
export const REST_TIME = 600 * SECOND
/** First pause after a bootstrap address failed, in ms; each failure doubles it. */
export const BOOTSTRAP_RETRY_MIN = SECOND
/** Longest pause between two trials of a bootstrap address, in ms. */
export const BOOTSTRAP_RETRY_MAX = 60 * SECOND
/** How long `join()` waits for a single dial to come out, in ms; it goes on after that. */
export const DIAL_PATIENCE = 2 * SECOND
/** Nodes of the local network, and nodes that rest, that are remembered. */
export const MAX_CANDIDATES = 512
/** How long `join()` may take, in ms. */
export const JOIN_TIMEOUT = 15 * SECOND

/** A record is made anew this often, in ms, so that others see that it is alive. */
export const RECORD_RENEWAL = 3_600 * SECOND
/** Records of an answer to "whom do you know?". */
export const MAX_RECORDS_PER_ANSWER = 16
/** Questions of a link that are answered at once; more come back at one in {@link ASK_REFILL} ms. */
export const ASK_BURST = 4
/** After this time, in ms, a link may be asked once more. */
export const ASK_REFILL = 10 * SECOND
/** Between two questions to the same link, in ms. */
export const ASK_INTERVAL = 30 * SECOND
/** How long an answer is waited for before the neighbourhood counts as known, in ms. */
export const ASK_TIMEOUT = 5 * SECOND
/** How far the clocks of the peers may differ from ours before the application is warned, in ms. */
export const MAX_CLOCK_OFFSET = 10 * SECOND
/** From the first peer to the first saving of the peer book, in ms: enough time to hear of others. */
export const BOOK_SAVE_SOON = 5 * SECOND
/** Between two savings of the peer book, in ms, if it has changed. */
export const BOOK_SAVE_INTERVAL = 300 * SECOND

/** How long `discover()` waits for answers, in ms; it ends sooner when every node that was named has answered. */
export const DISCOVER_TIMEOUT = 5 * SECOND
/** How old a question to the network may be on arrival, in ms; for so long answers to it are passed back. */
export const QUESTION_PAST = 30 * SECOND
/** How far ahead of our clock a question's time may be, in ms. */
export const QUESTION_FUTURE = 60 * SECOND
/** Bytes of a question; the longest has 367. */
export const MAX_QUESTION_BYTES = 512
/** Bytes of an answer; the longest has about 6,500. */
export const MAX_ANSWER_BYTES = 8 * KIB
/** Links that an answer names; how many more there are is told as a number. */
export const MAX_ANSWER_LINKS = 64
/** Largest round-trip time that an answer tells, in ms; a link that slow counts as not measured. */
export const MAX_TOLD_LATENCY = 600 * SECOND
/** New questions a second that are taken from one link, and that a node asks itself: each wakes the whole network. */
export const QUESTION_RATE = 1
/** New questions that are taken from one link at once, and that a node asks itself. */
export const QUESTION_BURST = 8
/** New questions a second that are taken from all links together: one stranger gets no more than half of it. */
export const ALL_QUESTIONS_RATE = 2
/** New questions that are taken from all links together at once. */
export const ALL_QUESTIONS_BURST = 16
/**
 * Copies of questions a second that are read from one link. An honest peer brings each question once: those of all
 * others and its own come to 3 a second.
 */
export const QUESTION_COPIES_RATE = 4
/** Copies of questions that are read from one link at once. */
export const QUESTION_COPIES_BURST = 32
/**
 * Questions remembered. The rates admit 234 within the 90 s that the most distant one stays valid, so honest use
 * never gets there, and nothing is forgotten early.
 */
export const MAX_QUESTIONS = 256
/** Answers to one question that are passed back, or taken by the node that asked. */
export const MAX_ANSWERS = 10_000
/** Bytes of answers to one question that are passed back, or taken: {@link MAX_ANSWERS} with 20 links each. */
export const MAX_ANSWERS_BYTES = 16 * MIB
/** Answers to all questions that are remembered, so that none is passed back twice: 120 bytes each. */
export const MAX_ANSWERS_HELD = 65_536
/** Bytes of answers a second that are read from one link, and that are passed back over one. */
export const ANSWER_BYTES_RATE = 2 * MIB
/** Bytes of answers that are read from one link at once, and that are passed back over one. */
export const ANSWER_BYTES_BURST = 4 * MIB
/** Bytes of questions and answers that wait for their verification; of one link, no more than half of it. */
export const MAX_WAITING_BYTES = 4 * MIB

/** Bytes of a peer record; the longest has 536. */
export const MAX_RECORD_BYTES = KIB
/** Addresses of a peer record: IPv4 and IPv6, local and public. Each one more is one more place to send dials to. */
export const MAX_RECORD_ADDRESSES = 4
/** Age after which a peer record says nothing any more, in ms. Longer than a node may be away with a saved book. */
export const RECORD_LIFETIME = 7 * 24 * 3_600 * SECOND
/** How far ahead of our clock a peer record's time may be, in ms. */
export const RECORD_FUTURE = 600 * SECOND
/** Age up to which a peer record is told to others, in ms: nodes that are alive renew theirs every hour. */
export const RECORD_SHARED = 24 * 3_600 * SECOND
/** Nodes in the peer book: 2 KiB each at most. */
export const MAX_BOOK_ENTRIES = 4_096
/** Nodes in the peer book that were told by one source: a stranger and his inventions fill no more than this. */
export const MAX_PER_SOURCE = 64
/** Nodes in the peer book that are kept because there was a link to them. The rest of it stays open for news. */
export const MAX_TRIED = MAX_BOOK_ENTRIES / 2
/** Failed dials after which a node that was never reached is forgotten. */
export const MAX_FAILURES_UNTRIED = 4
/** Failed dials after which a node that was reached before is forgotten, if {@link TRIED_KEPT} has passed too. */
export const MAX_FAILURES_TRIED = 12
/** How long a node that was connected is kept whatever fails, in ms: a machine may be off overnight. */
export const TRIED_KEPT = 24 * 3_600 * SECOND
/** Nodes that have left, whose older records are not taken back: this many at most, at least half as many. */
export const MAX_FAREWELLS = MAX_BOOK_ENTRIES
/** Entries of the peer book that are looked at, at most, to find one to dial; the next search begins elsewhere. */
export const MAX_PICK_LOOKS = 512
/** Bytes of a peer book's file. A full book of ours has about 3 MB. */
export const MAX_BOOK_BYTES = 8 * MIB

/** First pause after a failed dial, in ms; each further failure doubles it. */
export const DIAL_PAUSE_MIN = 30 * SECOND
/** Longest pause after failed dials, in ms. */
export const DIAL_PAUSE_MAX = 3_600 * SECOND
/** Ports of one host that fail before the whole host has to rest: fewer may be nodes that share an address. */
export const MAX_FAILED_PORTS = 3
/** Addresses, and hosts, whose failed dials are remembered. */
export const MAX_BACK_OFFS = 4_096

/**
 * UDP port of the beacons of the local network. Not registered with IANA (31766 to 31947 are free), and below the
 * ports that systems give to outgoing connections: nothing else is there by chance.
 */
export const LAN_PORT = 31_811
/** Where beacons go by IPv4: in the Local Scope of RFC 2365, which no router carries out of a site. */
export const LAN_GROUP_IPV4 = '239.255.83.78'
/** Where beacons go by IPv6: link-local and transient (RFC 4291), in the range for everybody's use (RFC 3307). */
export const LAN_GROUP_IPV6 = 'ff12::8073:6e31'
/** Ports above {@link LAN_PORT} that stand in for a group at `::1`, where Linux has no multicast: nodes, at most. */
export const LAN_LOOPBACK_PORTS = 16
/** Bytes of a beacon: fits into every packet. The longest has 342. */
export const MAX_BEACON_BYTES = 512
/** How far the time of a beacon may be from ours, either way, in ms: what was recorded is of no use for long. */
export const BEACON_WINDOW = 60 * SECOND
/** Between two beacons of a node, in ms; shortened by up to a quarter at random. */
export const LAN_INTERVAL = 30 * SECOND
/** Beacons of a node that ask, after its start and on a new network: UDP loses some. Later ones only tell. */
export const LAN_QUESTIONS = 3
/** Pause after the first question, in ms; doubled after each: they go out after 0, 1 and 3 s. */
export const LAN_QUESTION_PAUSE = SECOND
/** Addresses of this machine on which beacons are used; more exist where hundreds of containers run. */
export const MAX_LAN_ATTACHMENTS = 32
/** Hosts of the local network whose beacons and questions are counted; a larger one forgets the quietest. */
export const MAX_LAN_SOURCES = 1_024
/** Beacons a second that are read, and at once: 2 % of a core when somebody floods. */
export const LAN_READ_RATE = 500
/** Beacons a second of one host that are read. */
export const LAN_SOURCE_RATE = 4
/** Beacons of one host that are read at once: several nodes on it, all starting. */
export const LAN_SOURCE_BURST = 16
/** Signatures of beacons a second that are verified: 1 % of a core. So many nodes are found in a second, no more. */
export const LAN_VERIFY_RATE = 64
/** Signatures of beacons that are verified at once. */
export const LAN_VERIFY_BURST = 128
/** Questions a second that are answered, and at once. */
export const LAN_ANSWER_RATE = 10
/** Questions a second of one host that are answered: a forged source makes a victim hear this from each node. */
export const LAN_SOURCE_ANSWER_RATE = 1

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
