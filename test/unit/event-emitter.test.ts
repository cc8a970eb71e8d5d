import { EventEmitter as NodeEmitter } from 'node:events'
import t from 'tap'
import { EventEmitter as PageEmitter } from '../../lib/browser/event-emitter.ts'

type Emitter = Pick<
  PageEmitter,
  'on' | 'once' | 'off' | 'emit' | 'prependListener' | 'prependOnceListener' | 'removeAllListeners'
> & {
  listeners(event: string): unknown[]
  rawListeners(event: string): unknown[]
  listenerCount(event: string): number
  eventNames(): unknown[]
}

/** What happens when it is used in every way. */
function story(emitter: Emitter): unknown[] {
  const told: unknown[] = []
  const listener = (name: string) => (value: unknown) => told.push(`${name} ${String(value)}`)
  const [one, two, three] = [listener('one'), listener('two'), listener('three')]
  emitter.on('a', one).on('a', two).once('a', three)
  emitter.prependListener('a', listener('first'))
  emitter.prependOnceListener('b', listener('only once'))
  told.push(emitter.listenerCount('a'), emitter.listeners('a').includes(three), emitter.eventNames())
  told.push(emitter.emit('a', 1 as never), emitter.emit('a', 2 as never), emitter.emit('b', 3 as never))
  told.push(emitter.emit('b', 4 as never), emitter.emit('nothing'), emitter.eventNames())
  emitter
    .on('a', one)
    .off('a', one)
    .off('a', two)
    .off('a', () => {})
  told.push(emitter.emit('a', 5 as never), emitter.listenerCount('a'))
  // One that takes another away while both are called: both are.
  emitter.removeAllListeners('a')
  emitter.on('a', () => emitter.off('a', two)).on('a', two)
  told.push(emitter.emit('a', 6 as never), emitter.emit('a', 7 as never))
  emitter.once('c', three).off('c', three)
  told.push(emitter.listenerCount('c'))
  emitter.once('c', three)
  for (const raw of emitter.rawListeners('c')) (raw as (value: unknown) => void)(8)
  told.push(emitter.listenerCount('c'), emitter.listenerCount('toString'))
  emitter.removeAllListeners()
  told.push(emitter.eventNames())
  return told
}

t.test('it does what the EventEmitter of Node.js does', (t) => {
  t.strictSame(story(new PageEmitter()), story(new NodeEmitter() as unknown as Emitter))
  t.end()
})

t.test('what is no listener is refused at once', (t) => {
  const emitter = new PageEmitter()
  for (const method of ['on', 'once', 'prependListener', 'prependOnceListener'] as const) {
    t.throws(() => emitter[method]('a', 'no function' as never), TypeError, method)
  }
  t.equal(emitter.listenerCount('a'), 0)
  t.equal(emitter.getMaxListeners(), Infinity)
  t.end()
})
