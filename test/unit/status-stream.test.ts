import t from 'tap'
import type { StatusEvent } from '../../lib/status/status-event.ts'
import type { StatusSource } from '../../lib/status/status-port.ts'
import { EventStream, type StreamClient } from '../../lib/status/event-stream.ts'
import {
  MAX_KEPT_EVENTS,
  MAX_STREAM_QUEUE,
  MAX_STREAMS,
  STREAM_HEARTBEAT,
  STREAM_LINGER,
} from '../../lib/limits/status-limits.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'

interface Told {
  readonly id: string
  readonly event: StatusEvent
}

/** A reader that takes everything, unless told otherwise. */
class Reader implements StreamClient {
  queuedBytes = 0
  end = (): void => void this.ended.push('end')
  drop = (): void => void this.ended.push('drop')
  readonly ended: string[] = []
  text = ''

  write(text: string): void {
    this.text += text
  }

  /** Its events, read as a browser reads them. */
  get told(): Told[] {
    const blocks = this.text.split('\n\n').filter((block) => block !== '' && block !== ':')
    return blocks.map((block) => {
      const [, id, data] = /^id: (\S+)\ndata: ([^\n]*)$/.exec(block)!
      return { id: id!, event: JSON.parse(data!) as StatusEvent }
    })
  }

  get kinds(): string[] {
    return this.told.map(({ event }) => event.kind)
  }
}

function setUp(names = ['a']) {
  const clock = new ManualClock()
  const watchers = new Map<string, (event: StatusEvent) => void>()
  const sources = names.map((id): StatusSource => ({
    id,
    clock,
    status: () => ({ node: id, links: [] }) as never,
    watch: (tell) => {
      watchers.set(id, tell)
      return () => watchers.delete(id)
    },
    graph: () => Promise.resolve({}),
    send: () => Promise.reject(new Error('not here')),
  }))
  const stream = new EventStream(sources, clock)
  const tell = (peer: string, node = 'a'): void =>
    watchers.get(node)!({ kind: 'unlink', peer, code: 'lost', by: 'network', text: '', at: 1, node })
  return { clock, watchers, stream, tell }
}

t.test('the nodes are watched while somebody reads, and for a moment longer', async (t) => {
  const { clock, watchers, stream } = setUp(['a', 'b'])
  const reader = new Reader()
  t.equal(watchers.size, 0)
  stream.add(reader)
  t.equal(watchers.size, 2)
  t.strictSame(
    reader.told.map(({ event }) => [event.kind, event.node]),
    [
      ['snapshot', 'a'],
      ['snapshot', 'b'],
    ],
  )
  stream.delete(reader)
  clock.advance(STREAM_LINGER - 1)
  t.ok(stream.isWatching)
  clock.advance(1)
  t.notOk(stream.isWatching)
  t.equal(watchers.size, 0)
  t.equal(clock.pendingTimers, 0, 'nothing is left to be done')
})

t.test('who was cut off goes on where it was', async (t) => {
  const { clock, stream, tell } = setUp()
  const [reader, other] = [new Reader(), new Reader()]
  stream.add(reader)
  stream.add(other)
  for (const peer of ['1', '2', '3']) tell(peer)
  const { id } = reader.told[2]!
  stream.delete(reader)
  tell('4')
  clock.advance(1_000)
  const again = new Reader()
  stream.add(again, id)
  t.strictSame(
    again.told.map(({ event }) => (event as { peer?: string }).peer),
    ['3', '4'],
  )
  const last = new Reader()
  stream.add(last, again.told.at(-1)!.id)
  t.equal(last.text, '', 'nothing was missed')
  tell('5')
  t.strictSame(last.kinds, ['unlink'])
})

t.test('who was away too long, or comes with another number, begins again', async (t) => {
  const { clock, stream, tell } = setUp()
  const reader = new Reader()
  stream.add(reader)
  const { id: first } = reader.told[0]!
  for (let at = 0; at < 3 * MAX_KEPT_EVENTS; at++) tell(String(at))
  for (const id of [
    first,
    '',
    'x',
    '1.1',
    `${first}0000`,
    `${first.split('.')[0]!}.-1`,
    first.replace('.', '.9'),
  ]) {
    const again = new Reader()
    stream.add(again, id)
    t.strictSame(again.kinds, ['snapshot'], id)
    stream.delete(again)
  }
  const { id: newest } = reader.told.at(-1)!
  stream.delete(reader)
  clock.advance(STREAM_LINGER)
  const later = new Reader()
  stream.add(later, newest)
  t.strictSame(later.kinds, ['snapshot'], 'nobody has watched meanwhile')
})

t.test('a snapshot has the number of what came before it', async (t) => {
  const { stream, tell } = setUp()
  stream.add(new Reader())
  tell('1')
  const reader = new Reader()
  stream.add(reader)
  const { id } = reader.told[0]!
  tell('2')
  const again = new Reader()
  stream.add(again, id)
  t.strictSame(again.kinds, ['unlink'])
})

t.test('who reads too slowly is cut off, and costs the others nothing', async (t) => {
  const { stream, tell } = setUp()
  const [slow, quick] = [new Reader(), new Reader()]
  stream.add(slow)
  stream.add(quick)
  slow.queuedBytes = MAX_STREAM_QUEUE
  tell('1')
  t.strictSame(slow.kinds, ['snapshot', 'unlink'], 'just about')
  slow.queuedBytes++
  tell('2')
  tell('3')
  t.strictSame(slow.ended, ['drop'])
  t.equal(slow.told.length, 2)
  t.equal(quick.told.length, 4)
})

t.test('there is room for so many, and no more', async (t) => {
  const { stream } = setUp()
  const readers = Array.from({ length: MAX_STREAMS }, () => new Reader())
  for (const reader of readers) {
    t.ok(stream.hasRoom)
    stream.add(reader)
  }
  t.notOk(stream.hasRoom)
  stream.delete(readers[3]!)
  t.ok(stream.hasRoom)
})

t.test('silence is broken by comments, and ended with the interface', async (t) => {
  const { clock, stream } = setUp()
  const reader = new Reader()
  stream.add(reader)
  const before = reader.text
  clock.advance(STREAM_HEARTBEAT)
  t.equal(reader.text, `${before}:\n\n`)
  stream.close()
  t.strictSame(reader.ended, ['end'])
  t.equal(clock.pendingTimers, 0)
})

t.test('what a node says cannot end its line', async (t) => {
  const { stream, tell } = setUp()
  const reader = new Reader()
  stream.add(reader)
  tell('1\n\ndata: {}\r\u2028')
  t.strictSame(reader.kinds, ['snapshot', 'unlink'])
})
