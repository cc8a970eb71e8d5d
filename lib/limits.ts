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
/** Bytes beside a signed message: with the largest message and the frame's own bytes it fills a frame. */
export const MAX_ATTACHMENT_BYTES = MAX_FRAME_BYTES - MAX_MESSAGE_BYTES - KIB
/** Sealed data is padded to a multiple of so many bytes: its length tells less. */
export const SEAL_DATA_STEP = 256
/** A sealed attachment is padded to a multiple of so many bytes. */
export const SEAL_BYTES_STEP = 4 * KIB
/** Agreement keys of other nodes that are kept, once they are worked out. */
export const MAX_SEAL_KEYS = 1_024
/** A temporary link over which nothing but pings has gone for so long is ended, in ms. */
export const TEMPORARY_IDLE = 30 * SECOND
/** How long a direct way to a node is looked for before its messages go through relays, in ms. */
export const REACH_TIMEOUT = 10 * SECOND
/** For one dial of it, in ms: what does not answer by then is behind a router, or gone. */
export const REACH_DIAL_TIMEOUT = 3 * SECOND
/** How long no direct way is looked for after none was found, in ms. */
export const REACH_PAUSE = 60 * SECOND
/** Nodes without a direct way that are remembered. */
export const MAX_UNREACHED = 1_024
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
/**
 * Bytes of messages under verification at once, or a single larger one. With what may pile up before ({@link
 * BACKLOG_BYTES}) it fits into every queue: a burst of large messages must not cost a node its other peers.
 */
export const MAX_VERIFICATION_BYTES = MIB
/** Imported public keys held by a signature engine: 600 bytes each, and 12 µs or more saved with every reuse. */
export const MAX_CACHED_KEYS = 4_096
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

/** Nodes of a bucket of the routing table, and nodes that an answer tells: k of Kademlia. */
export const BUCKET_SIZE = 20
/** Nodes that wait for a place in a full bucket, or that were only heard of, in each bucket. */
export const BUCKET_SPARES = 8
/** Nodes in the whole routing table. A network of a billion nodes fills 700 places; more are keys made to order. */
export const MAX_CONTACTS = 1_024
/** Nodes of one public address group in a bucket, where there is a choice. */
export const MAX_BUCKET_GROUP = 2
/** Questions without an answer after which a node leaves the routing table also when nobody waits for its place. */
export const MAX_CONTACT_FAILURES = 3
/** Nodes that a search asks at once: alpha of Kademlia. */
export const LOOKUP_PARALLEL = 3
/** Nodes that a search asks in all: whoever always names somebody nearer leads it no further. */
export const MAX_LOOKUP_ASKS = 3 * BUCKET_SIZE
/** Nodes of one public address group that a search asks before it gives every second question to others. */
export const MAX_LOOKUP_GROUP = 4
/** Searches of the application at once. */
export const MAX_LOOKUPS = 64
/** How long a search may take, in ms. */
export const LOOKUP_TIMEOUT = 15 * SECOND
/** After this time without an answer, in ms, a search asks somebody else as well. */
export const FIND_PATIENCE = SECOND
/** After this time without an answer, in ms, the connection included, a node counts as not there. */
export const FIND_TIMEOUT = 5 * SECOND
/** Records of an answer to a question for nodes near a place. */
export const MAX_FOUND_RECORDS = BUCKET_SIZE
/** Bytes of such an answer: its number, the records, their commas and brackets. */
export const MAX_FOUND_BYTES = 4 + MAX_FOUND_RECORDS * (MAX_RECORD_BYTES + 1) + 1
/** Questions for nodes near a place, a second, that are answered to one link: each answer has about 8 KB. */
export const FIND_RATE = 16
/** Such questions of one link that are answered at once. */
export const FIND_BURST = 64
/** Such questions a second that are answered to all links together: 1.6 MB a second. */
export const ALL_FINDS_RATE = 200
/** Such questions of all links together that are answered at once. */
export const ALL_FINDS_BURST = 800
/** Such questions a second that a node sends over one link: half of what is answered, so that none is lost. */
export const OWN_FIND_RATE = FIND_RATE / 2
/** Such questions that a node sends over one link at once. */
export const OWN_FIND_BURST = FIND_BURST / 2
/** Questions of one link whose answers are still taken for late ones; those to older ones are ignored. */
export const MAX_LATE_ANSWERS = 64
/** Verified records that are remembered while they come again and again: 2 KiB each at most. */
export const MAX_VERIFIED_RECORDS = 2_048
/** From the first link to the search for this node's own place, in ms; shortened by up to a half at random. */
export const TABLE_JOIN_DELAY = 5 * SECOND
/** Between two looks at the routing table, in ms; shortened by up to a half. Each leads to one search at most. */
export const TABLE_TICK = 60 * SECOND
/** A bucket into which nobody has searched for so long, in ms, is searched. */
export const TABLE_REFRESH = 3_600 * SECOND

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
