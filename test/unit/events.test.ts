import t, { type Test } from 'tap'
import { once } from 'node:events'
import { EventSource, type NodeCallback, type NodeEvents } from '../../lib/events.ts'
import { selfConnection } from '../../lib/errors.ts'
import { quote } from '../../lib/ground/texts.ts'
import { turns } from '../fixtures/channel-recorder.ts'
import { makeLink } from '../fixtures/fake-link.ts'

type Callback = NodeCallback<never>

/** Tells its events to whoever listens, as a node does. */
class Source extends EventSource<NodeEvents> {
  readonly log: string[] = []

  constructor(...callbacks: [Callback?]) {
    super(callbacks[0])
  }

  tell<K extends keyof NodeEvents>(event: K, ...args: NodeEvents[K]): boolean {
    return this.notify(event, ...args)
  }
}

const { connection } = makeLink()
const EVENTS: { [K in keyof NodeEvents]: NodeEvents[K] } = {
  outboundNodeConnected: [connection],
  inboundNodeConnected: [connection],
  outboundNodeDisconnected: [connection, { code: 'lost', text: '', by: 'network' }],
  inboundNodeDisconnected: [connection, { code: 'lost', text: '', by: 'network' }],
  nodeMessage: [connection, 'text'],
  nodeDisconnectWithOutboundNode: [connection],
  nodeRequestToStop: [],
  outboundNodeConnectionError: [selfConnection('a:1'), { host: 'a', port: 1 }],
  inboundNodeConnectionError: [new Error('no'), { host: 'a', port: 1 }],
  nodeReconnectionError: ['a', 1, 3, new Error('no')],
  handlerError: [new Error('yours'), 'nodeMessage'],
}
const NAMES = Object.keys(EVENTS) as (keyof NodeEvents)[]

/** Collects process warnings until the test ends. */
function collectWarnings(t: Test): Error[] {
  const warnings: Error[] = []
  const collect = (warning: Error): void => void warnings.push(warning)
  process.on('warning', collect)
  t.teardown(() => process.off('warning', collect))
  return warnings
}

/** A source whose three kinds of handlers do the same with `act`. */
function makeNoisy(act: (who: string) => unknown, event: keyof NodeEvents = 'nodeRequestToStop') {
  const source = new Source((name) => {
    if (name === event) return act('callback')
    source.log.push(name)
    return undefined
  })
  Object.assign(source, { [event]: () => act('method') })
  source.on(event, () => act('first listener'))
  source.on(event, () => act('second listener'))
  return source
}

for (const event of NAMES) {
  t.test(
    `${event} reaches the method of its name, the listeners, and the callback, in this order`,
    async (t) => {
      const seen: unknown[][] = []
      const source = new Source((...args: unknown[]) => seen.push(['callback', ...args]))
      const spy = (name: string) => (...args: unknown[]) => void seen.push([name, ...args]) // prettier-ignore
      Object.assign(source, { [event]: spy('method') })
      source.on(event, spy('first'))
      source.on(event, spy('second'))
      const args = EVENTS[event]
      t.equal((source.tell as (...all: unknown[]) => boolean)(event, ...args), true)
      const [first, ...rest] = args
      const about = first === connection ? [connection, ...rest] : [undefined, args.length > 1 ? args : first]
      t.strictSame(
        seen.map(([who]) => who),
        ['method', 'first', 'second', 'callback'],
      )
      t.strictSame(
        seen.slice(0, 3).map(([, ...given]) => given),
        [args, args, args],
      )
      const [, name, node, ...given] = seen[3]!
      t.equal(name, event)
      t.equal(node, source)
      t.strictSame(given, about)
    },
  )

  t.test(`${event} without anybody who listens harms nobody`, async (t) => {
    t.equal((new Source().tell as (...all: unknown[]) => boolean)(event, ...EVENTS[event]), true)
  })
}

t.test('methods and listeners have the node as their "this"', async (t) => {
  const seen: unknown[] = []
  class Mine extends Source {
    override nodeRequestToStop(): void {
      seen.push(this)
    }
  }
  const source = new Mine()
  source.on('nodeRequestToStop', function (this: unknown) {
    seen.push(this)
  })
  source.tell('nodeRequestToStop')
  t.equal(seen[0], source)
  t.equal(seen[1], source)
})

t.test('every event has a method to override', async (t) => {
  for (const event of NAMES)
    t.type((EventSource.prototype as unknown as Record<string, unknown>)[event], 'function')
})

t.test('a listener that was added once is called once, also when it is awaited', async (t) => {
  const source = new Source()
  let calls = 0
  source.once('nodeRequestToStop', () => calls++)
  const awaited = once(source, 'nodeMessage') as Promise<unknown[]>
  source.tell('nodeRequestToStop')
  source.tell('nodeRequestToStop')
  t.equal(calls, 1)
  source.tell('nodeMessage', connection, 'first')
  t.strictSame((await awaited)[1], 'first')
  t.equal(source.listenerCount('nodeMessage'), 0)
})

t.test('a listener that removes others, or adds some, is harmless', async (t) => {
  const source = new Source()
  const log: string[] = []
  source.on('nodeRequestToStop', () => {
    log.push('first')
    source.removeAllListeners('nodeRequestToStop')
    source.on('nodeRequestToStop', () => log.push('new'))
  })
  source.on('nodeRequestToStop', () => log.push('second'))
  source.tell('nodeRequestToStop')
  t.strictSame(log, ['first', 'second'], 'those who listened when it began')
  source.tell('nodeRequestToStop')
  t.strictSame(log, ['first', 'second', 'new'])
})

t.test('false from any of them is false, and stops none of the others', async (t) => {
  for (const who of ['method', 'first listener', 'second listener', 'callback']) {
    const seen: string[] = []
    const source = makeNoisy((name) => {
      seen.push(name)
      return name !== who
    })
    t.equal(source.tell('nodeRequestToStop'), false, who)
    t.equal(seen.length, 4)
  }
  for (const value of [undefined, null, 0, '', NaN, true, {}]) {
    t.equal(makeNoisy(() => value).tell('nodeRequestToStop'), true, quote(value))
  }
  const source = new Source()
  source.once('nodeRequestToStop', () => false)
  t.equal(source.tell('nodeRequestToStop'), false, 'also from one that was added once')
})

t.test('a handler that throws harms neither the others nor the node, and is reported', async (t) => {
  const warnings = collectWarnings(t)
  const source = makeNoisy((who) => {
    throw new Error(who)
  })
  const reported: string[] = []
  source.on('handlerError', (error, event) => reported.push(`${event}: ${(error as Error).message}`))
  t.equal(source.tell('nodeRequestToStop'), true)
  const everyone = ['method', 'first listener', 'second listener', 'callback']
  t.strictSame(
    reported,
    everyone.map((who) => `nodeRequestToStop: ${who}`),
  )
  t.strictSame(source.log, Array(4).fill('handlerError'), 'the callback hears of it too')
  await turns()
  t.strictSame(warnings, [])
})

t.test('a handler that rejects is reported', async (t) => {
  const source = makeNoisy(async (who) => {
    await turns(1)
    throw new Error(who)
  })
  const reported: string[] = []
  source.on('handlerError', (error, event) => reported.push(`${event}: ${(error as Error).message}`))
  t.equal(source.tell('nodeRequestToStop'), true)
  await turns()
  t.equal(reported.length, 4)
})

t.test('an overridden handlerError is told, and nobody is warned', async (t) => {
  const warnings = collectWarnings(t)
  const reported: unknown[] = []
  class Mine extends Source {
    override nodeRequestToStop(): void {
      throw new Error('mine')
    }
    override handlerError(error: unknown, event: string): void {
      reported.push([(error as Error).message, event])
    }
  }
  new Mine().tell('nodeRequestToStop')
  await turns()
  t.strictSame(reported, [['mine', 'nodeRequestToStop']])
  t.strictSame(warnings, [])
})

t.test('an error that nobody listens for is a warning of the process', async (t) => {
  const warnings = collectWarnings(t)
  const source = new Source()
  const error = new Error('mine')
  source.on('nodeRequestToStop', () => {
    throw error
  })
  source.tell('nodeRequestToStop')
  await turns()
  t.strictSame(warnings, [error])
})

t.test('an error of who handles errors is a warning, and not reported again', async (t) => {
  const warnings = collectWarnings(t)
  const source = makeNoisy((who) => {
    throw new Error(who)
  }, 'handlerError')
  source.on('nodeRequestToStop', () => {
    throw new Error('the first')
  })
  source.tell('nodeRequestToStop')
  await turns()
  const everyone = ['method', 'first listener', 'second listener', 'callback']
  t.strictSame(
    warnings.map(({ message }) => message),
    everyone,
  )
})

t.test('whatever is thrown, the node lives', async (t) => {
  const warnings = collectWarnings(t)
  const odd: unknown[] = [undefined, null, 0, 'text', Symbol('s'), {}, Object.create(null)]
  odd.push({ toString: () => { throw new Error('no') } }) // prettier-ignore
  for (const value of odd) {
    const source = new Source()
    source.on('nodeRequestToStop', () => {
      throw value
    })
    // prettier-ignore
    const rejecting: (...args: unknown[]) => unknown = async () => { throw value }
    source.on('nodeMessage', rejecting)
    t.equal(source.tell('nodeRequestToStop'), true)
    t.equal(source.tell('nodeMessage', connection, 'text'), true)
  }
  await turns()
  t.equal(warnings.length, 2 * odd.length)
})

t.test('nothing of a node is an "error" event', async (t) => {
  t.notOk(NAMES.includes('error' as keyof NodeEvents))
})
