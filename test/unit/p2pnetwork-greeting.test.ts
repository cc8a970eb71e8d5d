import t from 'tap'
import { Greeting, type GreetingResult } from '../../lib/transport/p2pnetwork-greeting.ts'

const MADE = '0123456789abcdef'.repeat(8)
const OURS = MADE.slice(0, 64)
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const shown = (result: GreetingResult): unknown =>
  typeof result === 'string' ? result : [result.id, result.port, new TextDecoder().decode(result.rest)]

/** The outcome of reads, and of the silence after them. */
function read(reads: string[], hasPort = true, pattern?: RegExp): unknown {
  const greeting = new Greeting(hasPort, pattern)
  for (const [index, text] of reads.entries()) {
    const result = greeting.push(bytes(text))
    if (result !== 'more') return [...reads.slice(index + 1), shown(result)].at(-1)
  }
  return shown(greeting.settle())
}

t.test('an ID comes with a port or without', async (t) => {
  t.same(read(['alice:10001']), ['alice', 10_001, ''])
  t.same(read(['alice:80']), ['alice', 80, ''])
  t.same(read(['alice']), ['alice', undefined, ''])
  t.same(read([MADE]), [MADE, undefined, ''])
  t.same(read([`${MADE}:10001`]), [MADE, 10_001, ''])
  t.same(read(['grüße aus köln:10001']), ['grüße aus köln', 10_001, ''])
  t.same(read(['alice'], false), ['alice', undefined, ''])
  t.same(read(['alice:10001'], false), ['alice', 10_001, ''])
  t.same(read(['alice:99999']), ['alice', undefined, ''], 'a port that is none is no port')
})

t.test('it may come byte by byte', async (t) => {
  for (const text of ['alice', 'alice:8080', MADE, `${MADE}:10001`, OURS, `${OURS}:443`]) {
    t.same(read(text.split(/(?=.)/s)), read([text]), text)
  }
})

t.test('a message may come with it, in one packet or in pieces', async (t) => {
  const message = '{"a":1}\u0004'
  for (const id of [MADE, OURS]) {
    t.same(read([`${id}${message}`], false), [id, undefined, message])
    t.same(read([`${id}:10001${message}`]), [id, 10_001, message])
    t.same(read([`${id}:80${message}`]), [id, 80, message])
    t.same(read([`${id}: a colon\u0004`], false), [id, undefined, ': a colon\u0004'])
  }
  t.same(read([`${MADE}face\u0004`], false), [MADE, undefined, 'face\u0004'], 'though it goes on with digits')
  t.same(read(['alice:10001hello\u0004']), ['alice', 10_001, 'hello\u0004'])
  t.same(read(['alice:80hello\u0004']), ['alice', 80, 'hello\u0004'])
  t.same(
    read(['alice', 'hello\u0004'], false),
    ['alice', undefined, 'hello\u0004'],
    'a chosen one ends with its read',
  )
})

t.test('where nothing tells its end, it is refused, and a pattern tells', async (t) => {
  t.equal(read(['alicehello\u0004'], false), 'bad')
  t.equal(read(['alicehello\u0004']), 'bad')
  t.same(read(['robot-12hello\u0004'], false, /robot-\d\d/), ['robot-12', undefined, 'hello\u0004'])
  t.same(read(['robot-12:80hello\u0004'], true, /robot-\d\d/y), ['robot-12', 80, 'hello\u0004'])
  t.same(read(['robot-12'], false, /robot-\d\d/g), ['robot-12', undefined, ''])
  t.equal(read(['xrobot-12hello\u0004'], false, /robot-\d\d/), 'bad', 'only where the ID begins')
})

t.test('what is no ID is refused', async (t) => {
  t.equal(read(['\u0004']), 'bad')
  t.equal(read([':10001']), 'bad', 'nothing before the port')
  t.equal(read(['a\nb']), 'bad', 'control characters')
  t.equal(read(['x'.repeat(513)]), 'bad')
  t.same(read(['x'.repeat(512)]), ['x'.repeat(512), undefined, ''])
  t.equal(read(Array.from({ length: 600 }, () => 'x')), 'bad', 'also in drips')
  const greeting = new Greeting(true)
  t.equal(greeting.push(Uint8Array.of(0xff, 0xfe)), 'more')
  t.equal(greeting.settle(), 'bad', 'no UTF-8')
})
