import { readFileSync } from 'node:fs'
import t from 'tap'
import * as directLimits from '../../lib/limits/direct-limits.ts'
import * as linkLimits from '../../lib/limits/limits.ts'
import * as networkLimits from '../../lib/limits/network-limits.ts'
import * as treeLimits from '../../lib/limits/tree-limits.ts'
import { Kind } from '../../lib/wire/frame.ts'

const limits = { ...linkLimits, ...networkLimits, ...directLimits, ...treeLimits }

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const TEXT = read('docs/PROTOCOL.md')

interface Block {
  /** What stands behind the fence: `text FILE > key > name > key`. */
  readonly info: string
  readonly content: string
}

const BLOCKS: readonly Block[] = [...TEXT.matchAll(/^```(.*)\n([^]*?)\n```$/gm)].map(([, info, content]) => ({
  info: info!,
  content: content!,
}))
const MARK = /^text (\w+\.json) > (.*)$/

type Named = Readonly<Record<string, unknown>>

/** A step into a vector file: a key of an object, or an entry of a list by its name, role, or speaker and kind. */
function step(value: unknown, name: string): unknown {
  if (!Array.isArray(value)) return (value as Named)[name]
  const isNamed = (entry: Named): boolean =>
    [entry['name'], entry['role'], `${String(entry['by'])} ${String(entry['kind'])}`].includes(name)
  return (value as Named[]).find(isNamed)
}

/** What a block must hold, or undefined where its mark leads nowhere. */
function expected(info: string): unknown {
  const [, file, path] = MARK.exec(info) ?? []
  return path!.split(' > ').reduce<unknown>(step, JSON.parse(read(`test/vectors/${file!}`)))
}

/** Bytes in hexadecimal may be broken into lines; texts may not. */
function contentOf(block: Block): string {
  return /^[0-9a-f\s]+$/.test(block.content) ? block.content.replaceAll(/\s/g, '') : block.content
}

t.test('every example that is marked as a vector is one, byte for byte', (t) => {
  const marked = BLOCKS.filter(({ info }) => MARK.test(info))
  t.ok(marked.length >= 30, `${marked.length} examples`)
  for (const block of marked) {
    const value = expected(block.info)
    const text = Array.isArray(value) ? value.join('') : value
    t.equal(contentOf(block), text, block.info)
  }
  t.end()
})

t.test('every example is marked', (t) => {
  for (const { info, content } of BLOCKS) {
    if (!MARK.test(info))
      t.notMatch(content, /[0-9a-f]{16}|"sig":"[0-9a-f]/, `${info}: ${content.slice(0, 60)}`)
  }
  t.end()
})

t.test('the table of frames has every kind with its number', (t) => {
  for (const [name, kind] of Object.entries(Kind)) {
    t.match(TEXT, new RegExp(`^\\| \`${kind.toString(16).padStart(2, '0')}\` \\| ${name} `, 'm'), name)
  }
  const rows = TEXT.match(/^\| `[0-9a-f]{2}` \| (?!zlib|Brotli)/gm) ?? []
  t.equal(rows.length, Object.keys(Kind).length, 'and no other')
  t.end()
})

/** Levels of statements: bounded where they are read, and shown by the vectors. */
const STATEMENT_DEPTH = 6
/** Bytes of a list of records: the records, their commas and brackets. */
const MAX_LIST_BYTES = limits.MAX_RECORDS_PER_ANSWER * (limits.MAX_RECORD_BYTES + 1) + 1

/** Rows of the tables of limits, by their beginnings. */
const LIMITS: Readonly<Record<string, readonly number[]>> = {
  'bytes of a document': [limits.MAX_MESSAGE_BYTES],
  'levels of a document': [limits.MAX_DOCUMENT_DEPTH],
  'levels of a payload': [limits.MAX_DEPTH],
  addressees: [limits.MAX_ADDRESSEES],
  'bytes beside a document': [limits.MAX_ATTACHMENT_BYTES],
  'characters of `op`': [16],
  'characters of `type`, `net`': [limits.MAX_NAME_LENGTH],
  'messages that are signed together': [limits.MAX_BATCH_MESSAGES],
  'IDs of a have or a want': [limits.MAX_LISTED_IDS],
  'bytes of a frame before the link is up': [limits.MAX_HELLO_BYTES],
  'levels of a statement, and of a list of them': [STATEMENT_DEPTH],
  'bytes of a record': [limits.MAX_RECORD_BYTES],
  'addresses of a record': [limits.MAX_RECORD_ADDRESSES],
  'records of an answer to getPeers': [limits.MAX_RECORDS_PER_ANSWER],
  'bytes of such an answer': [MAX_LIST_BYTES],
  'bytes of a question': [limits.MAX_QUESTION_BYTES],
  'bytes of an answer to a question': [limits.MAX_ANSWER_BYTES],
  'links that an answer tells': [limits.MAX_ANSWER_LINKS],
  'time of a link that an answer tells': [limits.MAX_TOLD_LATENCY],
  'bytes of a beacon': [limits.MAX_BEACON_BYTES],
  'records of a found': [limits.MAX_FOUND_RECORDS],
  'bytes of a found': [limits.MAX_FOUND_BYTES],
  'bytes of a ranges frame': [limits.HISTORY_FRAME_BYTES],
  'bounces of a request': [limits.MAX_BOUNCES],
  "age of a request's end": [limits.MAX_REQUEST_TIMEOUT],
  "bytes of a file's chunk": [limits.FILE_CHUNK_BYTES],

  'age of a message': [limits.WINDOW_PAST],
  'time of a message ahead of the clock': [limits.WINDOW_FUTURE],
  'message IDs remembered': [limits.MAX_MESSAGE_IDS],
  'signatures under verification at once': [limits.MAX_VERIFICATIONS],
  'bytes of bodies that are signed together': [limits.MAX_BATCH_BYTES],
  'bytes of a body that is signed with others': [limits.MAX_BATCHED_BODY_BYTES],
  'roots of batches remembered': [limits.MAX_VERIFIED_ROOTS],
  'messages read from one link': [limits.MESSAGE_RATE],
  'bytes of a frame while the link is up': [limits.MAX_FRAME_BYTES],
  'bytes that wait for one peer': [limits.MAX_QUEUE_BYTES],
  'from hello to up': [limits.HANDSHAKE_TIMEOUT],
  'a frame, from its first byte to its last': [limits.FRAME_TIMEOUT],
  'until the first ping': [limits.FIRST_PING],
  'between pings': [limits.PING_INTERVAL],
  'silence of a dead link': [limits.PING_TIMEOUT],
  'pings that are answered': [limits.PONG_BURST, limits.PONG_RATE],
  'answer of an old link when a second one comes': [limits.PROBE_TIMEOUT],
  'a close frame on its way': [limits.STOP_TIMEOUT],
  'ban of a peer': [limits.BAN_TIME],
  'bans remembered': [limits.MAX_BANS],
  links: [limits.MAX_CONNECTIONS],
  'inbound links that are not up yet': [limits.MAX_PENDING],
  'new inbound connections of one address': [limits.MAX_NEW_PER_ADDRESS, limits.ADDRESS_INTERVAL],
  'a temporary link without use': [limits.TEMPORARY_IDLE],
  'looking for a direct way to a node': [limits.REACH_TIMEOUT],

  'age of a record': [limits.RECORD_LIFETIME],
  'time of a record ahead of the clock': [limits.RECORD_FUTURE],
  'age of a record that is told to others': [limits.RECORD_SHARED],
  'until a node makes its record anew': [limits.RECORD_RENEWAL],
  'own records of a link that are read, and questions for peers that are answered': [
    limits.ASK_BURST,
    limits.ASK_REFILL,
  ],
  'between two questions for peers on one link': [limits.ASK_INTERVAL],
  'nodes that are known': [limits.MAX_BOOK_ENTRIES],
  'of these, told by one source': [limits.MAX_PER_SOURCE],
  'of these, held by nodes that were reached': [limits.MAX_TRIED],
  'failed dials until a node that was never reached is forgotten': [limits.MAX_FAILURES_UNTRIED],
  'until one that was reached is forgotten': [limits.MAX_FAILURES_TRIED, limits.TRIED_KEPT],
  'farewells remembered': [limits.MAX_FAREWELLS],

  'age of a question, and how long answers to it are passed back': [limits.QUESTION_PAST],
  'time of a question ahead of the clock': [limits.QUESTION_FUTURE],
  'how long the node that asks waits': [limits.DISCOVER_TIMEOUT],
  'questions remembered': [limits.MAX_QUESTIONS],
  'questions of one link, copies included': [limits.QUESTION_COPIES_BURST, limits.QUESTION_COPIES_RATE],
  'new questions of one link': [limits.QUESTION_BURST, limits.QUESTION_RATE],
  'new questions of all links': [limits.ALL_QUESTIONS_BURST, limits.ALL_QUESTIONS_RATE],
  'answers to one question': [limits.MAX_ANSWERS],
  'bytes of answers to one question': [limits.MAX_ANSWERS_BYTES],
  'answers to all questions': [limits.MAX_ANSWERS_HELD],
  'bytes of answers over one link, each way': [limits.ANSWER_BYTES_BURST, limits.ANSWER_BYTES_RATE],
  'bytes that wait for verification': [limits.MAX_WAITING_BYTES],

  "time of a beacon, before and after the clock's": [limits.BEACON_WINDOW],
  'beacons that ask': [limits.LAN_QUESTIONS],
  'pause after the first of them': [limits.LAN_QUESTION_PAUSE],
  'between other beacons': [limits.LAN_INTERVAL],
  'addresses of the machine that are used': [limits.MAX_LAN_ATTACHMENTS],
  'hosts that are counted': [limits.MAX_LAN_SOURCES],
  'beacons of one host that are read': [limits.LAN_SOURCE_BURST, limits.LAN_SOURCE_RATE],
  'beacons of all hosts that are read': [limits.LAN_READ_RATE],
  'signatures of beacons that are verified': [limits.LAN_VERIFY_BURST, limits.LAN_VERIFY_RATE],
  'questions of one host that are answered': [limits.LAN_SOURCE_ANSWER_RATE],
  'questions of all hosts that are answered': [limits.LAN_ANSWER_RATE],

  'links up to which nothing is pruned': [limits.FLOOD_LINKS],
  'announcements gather': [limits.ANNOUNCE_DELAY],
  'until a message that was announced is wanted, at least and at most': [
    limits.GRAFT_WAIT,
    limits.GRAFT_WAIT_MAX,
  ],
  'a missing message is looked for': [limits.MISSING_LIFETIME],
  'announcers of a missing message': [limits.MAX_ANNOUNCERS],
  'wants for a message over one link': [limits.MAX_ASKS],
  'missing messages': [limits.MAX_MISSING],
  'of these, announced by one link': [limits.MAX_MISSING_PER_LINK],
  'messages that one link owes': [limits.MAX_OWED],
  'until nothing that came of a want is a broken promise': [limits.PROMISE_TIMEOUT],
  'rest of announcements after broken promises': [limits.MAX_BROKEN_IN_A_ROW, limits.LIAR_PAUSE],
  'broken promises of a link that never kept one': [limits.MAX_BROKEN],
  'between two prunes of a link': [limits.PRUNE_INTERVAL],
  'between two touchstones': [limits.TOUCHSTONE_INTERVAL],
  'announced IDs of one link': [limits.HAVE_RATE],
  'wanted IDs of one link': [limits.WANT_BURST, limits.WANT_RATE],
  'times that a message is sent because it is wanted, over one link': [limits.MAX_SUPPLIES],
  'bytes, and number, of messages that are held for wants': [limits.MAX_HELD_BYTES, limits.MAX_HELD_MESSAGES],
  'how long they are held, if there is room': [limits.HOLD_TIME],

  'links that are looked for': [limits.TARGET_CONNECTIONS],
  'fewest that a node may look for': [limits.MIN_TARGET_CONNECTIONS],
  'links above which enough is said, in multiples of these': [limits.ENOUGH_FACTOR],
  'between two rounds of that': [limits.ENOUGH_INTERVAL],
  'own links to public addresses of one group': [limits.MAX_OUTBOUND_PER_GROUP],
  'dials under way': [limits.MAX_DIALS],
  'between two looks at the links, when some are missing and otherwise': [
    limits.TEND_SOON,
    limits.TEND_INTERVAL,
  ],
  'between two links out of curiosity, on average': [limits.EXPLORE_INTERVAL],
  'a link that ends sooner counts as a failed dial': [limits.BRIEF_LINK],
  'rest of a node after a link ended with enough': [limits.REST_TIME],
  'nodes of the local network, and resting ones, that are remembered': [limits.MAX_CANDIDATES],
  'rest of an address after a failed dial, at first and at most': [
    limits.DIAL_PAUSE_MIN,
    limits.DIAL_PAUSE_MAX,
  ],
  'failed ports of a host until it rests as a whole': [limits.MAX_FAILED_PORTS],
  'addresses, and hosts, of which failures are remembered': [limits.MAX_BACK_OFFS],
  'rest of a bootstrap address, at first and at most': [
    limits.BOOTSTRAP_RETRY_MIN,
    limits.BOOTSTRAP_RETRY_MAX,
  ],
  joining: [limits.JOIN_TIMEOUT],
  'of that, waiting for an answer to getPeers': [limits.ASK_TIMEOUT],
  'difference of the clocks that is told': [limits.MAX_CLOCK_OFFSET],
}

/** The text of a section, by its title. */
function sectionOf(title: string): string {
  const [, text] = new RegExp(`^## \\d+\\. ${title}\\n([^]*?)(?=^## |$(?![^]))`, 'm').exec(TEXT) ?? []
  return text!
}

t.test('the limits are those of the program', (t) => {
  const section = sectionOf('Limits')
  const rows = new Map(
    [...section.matchAll(/^\| (.*?) +\| (.*?) +\|$/gm)].map(([, name, value]) => [name!, value!]),
  )
  for (const [name, numbers] of Object.entries(LIMITS)) {
    const found = (rows.get(name) ?? '').match(/\d+(?:,\d{3})*/g) ?? []
    t.same(
      found,
      numbers.map((number) => number.toLocaleString('en-US')),
      name,
    )
  }
  const given = [...rows].filter(([, value]) => /\d/.test(value)).map(([name]) => name)
  t.same(given, Object.keys(LIMITS), 'and no others')
  t.end()
})

t.test('where beacons go is what the program says', (t) => {
  const section = sectionOf('The local network')
  const { LAN_PORT: port, LAN_LOOPBACK_PORTS: count } = limits
  const words = [limits.LAN_GROUP_IPV4, limits.LAN_GROUP_IPV6]
  for (const word of words) t.ok(section.includes(`\`${word}\``), word)
  t.match(section, new RegExp(`\\| port +\\| ${port} `))
  t.match(section, `the ports ${port + 1} to ${port + count} stand in for the group`)
  t.match(section, `It sends what it calls to all ${count}`)
  t.end()
})

/** Members of a body, as the first table behind a heading has them. */
function membersIn(heading: string): string[] {
  const section = TEXT.slice(TEXT.indexOf(`\n${heading}\n`))
  const table = section.slice(
    section.indexOf('\n| name'),
    section.indexOf('\n\n', section.indexOf('\n| name')),
  )
  return [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name!)
}

t.test('the tables of bodies have every member of the vectors, and no other', (t) => {
  const { valid } = JSON.parse(read('test/vectors/statements.json')) as {
    valid: readonly { kind: string; document: string }[]
  }
  const tables = {
    record: '## 19. Peer records',
    question: '### 21.1 Questions',
    answer: '### 21.2 Answers',
    beacon: '### 22.1 Beacons',
  }
  for (const [kind, heading] of Object.entries(tables)) {
    const bodies = valid
      .filter((vector) => vector.kind === kind)
      .map(({ document }) => JSON.parse(document).body)
    const members = new Set(bodies.flatMap((body: object) => Object.keys(body)))
    t.same(membersIn(heading), [...members].sort(), kind)
  }
  t.end()
})

t.test('the reasons of the vectors stand in the page', (t) => {
  const { invalid } = JSON.parse(read('test/vectors/statements.json')) as {
    invalid: readonly { code: string; effect: string }[]
  }
  const words = new Set(invalid.flatMap(({ code, effect }) => [code, effect]))
  for (const word of words) t.ok(TEXT.includes(`\`${word}\``), word)
  t.end()
})

t.test('the table of contents leads to every section, and every link within the page somewhere', (t) => {
  const anchorOf = (title: string): string =>
    title
      .toLowerCase()
      .replaceAll(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-')
  const titles = [...TEXT.matchAll(/^#{2,3} (.*)$/gm)].map(([, title]) => title!)
  const anchors = new Set(titles.map(anchorOf))
  const links = [...TEXT.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor]) => anchor!)
  for (const link of new Set(links)) t.ok(anchors.has(link), link)
  const sections = titles.filter((title) => /^\d+\. /.test(title)).map(anchorOf)
  t.same(links.slice(0, sections.length), sections)
  t.end()
})
