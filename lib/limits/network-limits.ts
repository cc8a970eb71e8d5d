/** Limits of forming a network: links, records, discovery, lookups, dials and the local network; as in limits.ts. */

const SECOND = 1_000
const KIB = 1_024
const MIB = 1_024 * KIB

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
/** One in so many times, a link that messages come over may be the one that goes for a new one. */
export const FAIR_ROTATION = 8
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
