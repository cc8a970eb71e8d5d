import { readFileSync } from 'node:fs'
import t from 'tap'
import * as limits from '../../lib/limits.ts'
import { Kind } from '../../lib/wire/frame.ts'

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

/** Rows of the tables of limits, by their beginnings. */
const LIMITS: Readonly<Record<string, readonly number[]>> = {
  'bytes of a document': [limits.MAX_MESSAGE_BYTES],
  'levels of a document': [limits.MAX_DOCUMENT_DEPTH],
  'levels of a payload': [limits.MAX_DEPTH],
  addressees: [limits.MAX_ADDRESSEES],
  'characters of `type`, `net`': [limits.MAX_NAME_LENGTH],
  'bytes of a frame before the link is up': [limits.MAX_HELLO_BYTES],
  'age of a message': [limits.WINDOW_PAST],
  'time of a message ahead of the clock': [limits.WINDOW_FUTURE],
  'message IDs remembered': [limits.MAX_MESSAGE_IDS],
  'signatures under verification at once': [limits.MAX_VERIFICATIONS],
  'messages read from one link': [limits.MESSAGE_RATE],
  'bytes of a frame while the link is up': [limits.MAX_FRAME_BYTES],
  'bytes that wait for one peer': [limits.MAX_QUEUE_BYTES],
  'from hello to up': [limits.HANDSHAKE_TIMEOUT],
  'a frame, from its first byte to its last': [limits.FRAME_TIMEOUT],
  'between pings': [limits.PING_INTERVAL],
  'silence of a dead link': [limits.PING_TIMEOUT],
  'answer of an old link when a second one comes': [limits.PROBE_TIMEOUT],
  'a close frame on its way': [limits.STOP_TIMEOUT],
  'ban of a peer': [limits.BAN_TIME],
  'bans remembered': [limits.MAX_BANS],
  links: [limits.MAX_CONNECTIONS],
  'inbound links that are not up yet': [limits.MAX_PENDING],
  'new inbound connections of one address': [limits.MAX_NEW_PER_ADDRESS, limits.ADDRESS_INTERVAL],
}

t.test('the limits are those of the program', (t) => {
  const section = TEXT.slice(TEXT.indexOf('\n## 17. '), TEXT.indexOf('\n## 18. '))
  const rows = new Map(
    [...section.matchAll(/^\| (.*?) +\| (.*?) +\|$/gm)].map(([, name, value]) => [name!, value!]),
  )
  for (const [name, numbers] of Object.entries(LIMITS)) {
    const found = (rows.get(name) ?? '').match(/[\d,]+/g) ?? []
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
