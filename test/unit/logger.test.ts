import t from 'tap'
import { MemoryNetwork } from '../../lib/transport/memory.ts'
import { isLogger, type Logger, logTo } from '../../lib/ground/logger.ts'
import { Node } from '../../lib/node.ts'
import { eventually } from '../fixtures/happenings.ts'

const [A, B, PORT] = ['10.0.0.1', '10.0.0.2', 8_000] as const

interface Line {
  readonly level: string
  readonly facts: Record<string, unknown>
  readonly text: string
}

function recorder() {
  const lines: Line[] = []
  const at =
    (level: string) =>
    (facts: object, text: string): void =>
      void lines.push({ level, facts: facts as Record<string, unknown>, text })
  const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  return { lines, logger }
}

t.test('a logger has a method for each level; trace may be missing', async (t) => {
  const { logger } = recorder()
  t.ok(isLogger(logger))
  t.ok(isLogger({ ...logger, trace: () => {} }))
  for (const value of [
    undefined,
    null,
    1,
    'x',
    {},
    console.log,
    { ...logger, error: undefined },
    { ...logger, trace: 1 },
  ]) {
    t.notOk(isLogger(value))
  }
})

t.test('its methods are called as its own', async (t) => {
  class Counting {
    count = 0
    debug(): void {
      this.count++
    }
    readonly info = (): void => this.debug()
    readonly warn = this.info
    readonly error = this.info
  }
  const logger = new Counting()
  logTo(logger, 'debug', {}, '')
  t.equal(logger.count, 1)
})

t.test('what it throws harms nobody, at once or later', async (t) => {
  const fail = (): never => {
    throw new Error('the disk is full')
  }
  const later = (): Promise<never> => Promise.reject(new Error('the disk is full'))
  const logger: Logger = { debug: fail, info: later, warn: fail, error: fail }
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    t.doesNotThrow(() => logTo(logger, level, {}, 'x'))
  }
})

t.test('a node logs what happens as records, and prints nothing', async (t) => {
  const network = new MemoryNetwork()
  const { lines, logger } = recorder()
  const node = new Node(A, PORT, { id: 'alice', logger, debug: true, transport: network.transport(A) })
  const other = new Node(B, PORT, { id: 'bob', transport: network.transport(B) })
  let printed = ''
  const write = process.stderr.write.bind(process.stderr)
  process.stderr.write = (text: string | Uint8Array) => {
    printed += String(text)
    return true
  }
  t.teardown(() => (process.stderr.write = write))
  await node.start()
  await other.start()
  const link = await node.connectWithNode(B, other.port)
  await node.disconnectWithNode(link)
  await eventually(() => other.allNodes.size === 0)
  await t.rejects(node.connectWithNode(B, other.port + 1), { code: 'connect-failed' })
  node.debugPrint('of my own')
  await node.stop()
  await other.stop()
  process.stderr.write = write
  t.equal(printed, '')
  t.match(lines, [
    {
      level: 'info',
      facts: { node: 'alice', event: 'started', host: A, port: PORT },
      text: /^listening at /,
    },
    { level: 'info', facts: { event: 'connected', peer: 'bob', direction: 'outbound', host: B } },
    { level: 'info', facts: { event: 'disconnected', peer: 'bob', code: /./, by: 'us' } },
    { level: 'warn', facts: { event: 'connect-failed', code: 'connect-failed', host: B } },
    { level: 'debug', facts: { node: 'alice' }, text: 'of my own' },
    { level: 'info', facts: { event: 'stopped' } },
  ])
})

t.test('a node with a logger that always throws works as any other', async (t) => {
  const network = new MemoryNetwork()
  const fail = (): never => {
    throw new Error('the disk is full')
  }
  const logger = { debug: fail, info: fail, warn: fail, error: fail }
  const node = new Node(A, PORT, { logger, transport: network.transport(A) })
  const other = new Node(B, PORT, { logger, transport: network.transport(B) })
  await node.start()
  await other.start()
  await node.connectWithNode(B, other.port)
  const arrived = new Promise((resolve) => other.once('nodeMessage', (_connection, data) => resolve(data)))
  await node.sendToNodes('hello')
  t.equal(await arrived, 'hello')
  await node.stop()
  await other.stop()
})
