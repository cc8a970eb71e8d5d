import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { SecureNodeError } from '../../lib/errors.ts'
import { Identity } from '../../lib/identity/identity.ts'
import { MAX_MESSAGE_BYTES } from '../../lib/limits/limits.ts'
import { isReject } from '../../lib/message/verdict.ts'
import { openMessage, SignedMessage } from '../../lib/message/message.ts'
import type { NodeConnection } from '../../lib/node-connection.ts'
import { SecureNode } from '../../lib/secure-node.ts'
import type { SecureSendOptions } from '../../lib/sending.ts'
import { MemoryNetwork } from '../../lib/transport/memory.ts'
import { encodeFrame, Kind } from '../../lib/wire/frame.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { genuine } from '../fixtures/documents.ts'
import { eventually, Happenings } from '../fixtures/happenings.ts'
import { exactlyOnce, Fleet, inOrder, line, mesh, PORT } from '../fixtures/network.ts'

const HOST = '127.0.0.1'

const keyFileOf = async (t: Test, identity: Identity, password?: string): Promise<string> => {
  const file = join(t.testdir(), 'identity.pem')
  mkdirSync(t.testdirName, { recursive: true })
  await identity.save(file, password === undefined ? {} : { password })
  return file
}

/** The one connection of a node to another one. */
const linkTo = (node: SecureNode, other: SecureNode): NodeConnection =>
  [...node.allNodes].find(({ id }) => id === other.id)!

t.test('constructor', async (t) => {
  t.test('without a key file the node has a new identity', async (t) => {
    const [one, two] = [new SecureNode(HOST, 0), new SecureNode(HOST, 0)]
    t.match(one.id, /^[0-9a-f]{64}$/)
    t.not(one.id, two.id)
    t.equal(one.host, HOST)
    t.equal(one.port, 0)
    t.equal(one.isRunning, false)
  })

  t.test('an identity', async (t) => {
    const identity = Identity.generate()
    t.equal(new SecureNode(HOST, 0, identity).id, identity.id)
  })

  t.test('a key file, as a path and as a URL', async (t) => {
    const identity = Identity.generate()
    const file = await keyFileOf(t, identity)
    t.equal(new SecureNode(HOST, 0, file).id, identity.id)
    t.equal(new SecureNode(HOST, 0, pathToFileURL(file)).id, identity.id)
  })

  t.test('a key file with a password: of the option, or of the environment', async (t) => {
    const identity = Identity.generate()
    const file = await keyFileOf(t, identity, 'open sesame')
    t.throws(() => new SecureNode(HOST, 0, file), { code: 'key-password-missing' })
    t.throws(() => new SecureNode(HOST, 0, file, { password: 'wrong' }), { code: 'key-password-wrong' })
    t.equal(new SecureNode(HOST, 0, file, { password: 'open sesame' }).id, identity.id)
    const { SECURE_NODE_PASSWORD: before } = process.env
    t.teardown(() => {
      if (before === undefined) delete process.env['SECURE_NODE_PASSWORD']
      else process.env['SECURE_NODE_PASSWORD'] = before
    })
    process.env['SECURE_NODE_PASSWORD'] = 'open sesame'
    t.equal(new SecureNode(HOST, 0, file).id, identity.id)
    t.throws(() => new SecureNode(HOST, 0, file, { password: 'wrong' }), { code: 'key-password-wrong' })
    process.env['SECURE_NODE_PASSWORD'] = ''
    t.throws(() => new SecureNode(HOST, 0, file), { code: 'key-password-missing' })
  })

  t.test('a key file that is not there names the command that makes one', async (t) => {
    const file = join(t.testdir(), 'none.pem')
    t.throws(() => new SecureNode(HOST, 0, file), { code: 'key-missing', message: /npx secure-node keygen/ })
  })

  t.test('anything else is no identity', async (t) => {
    const values = [null, 7, '', {}, [], Buffer.alloc(32), { id: 'a'.repeat(64) }, true, Symbol('key')]
    for (const value of values) {
      try {
        new SecureNode(HOST, 0, value as unknown as string)
        t.fail('it was taken')
      } catch (error) {
        t.ok(error instanceof SecureNodeError, inspect(value))
      }
    }
    t.throws(() => new SecureNode(HOST, 0, (() => {}) as unknown as string), {
      code: 'invalid-argument',
      message: 'keyFile must be the path of a key file or an Identity, got a function',
    })
  })

  t.test('the callback is the last argument, with or without options before it', async (t) => {
    const network = new MemoryNetwork()
    const seen: [string, boolean][] = []
    const node: SecureNode = new SecureNode(
      HOST,
      PORT,
      undefined,
      { transport: network.transport() },
      (event, self) => seen.push([event, self === node]),
    )
    await node.start()
    await node.stop()
    t.same(seen, [['nodeRequestToStop', true]])
    const other = new SecureNode(HOST, 0, undefined, (event) => seen.push([event, false]))
    t.equal(other.listenerCount('nodeMessage'), 0)
  })

  t.test('options are checked', async (t) => {
    const cases: [object, RegExp][] = [
      [{ encrypt: true }, /option "encrypt" is not known here; the options are /],
      [{ id: 'mine' }, /option "id" is not known here/],
      [{ encryption: 'yes' }, /option "encryption" must be true or false, got "yes"/],
      [{ maxMessageIds: 0 }, /option "maxMessageIds" must be a positive integer, got 0/],
      [{ maxVerifications: 1.5 }, /maxVerifications/],
      [{ messageRate: -1 }, /messageRate/],
      [{ windowPast: 0 }, /windowPast/],
      [{ windowFuture: Infinity }, /windowFuture/],
      [{ maxTraces: '9' }, /maxTraces/],
      [{ banTime: 2 ** 31 }, /banTime/],
      [{ password: '' }, /password/],
      [{ net: 'no spaces' }, /net/],
      [{ clock: 7 }, /clock/],
    ]
    for (const [options, message] of cases) {
      t.throws(() => new SecureNode(HOST, 0, undefined, options), {
        code: 'invalid-option',
        message,
      })
    }
    t.throws(() => new SecureNode('', 0), { code: 'invalid-argument' })
    t.throws(() => new SecureNode(HOST, 65_536), { code: 'invalid-argument' })
    t.throws(() => new SecureNode(HOST, 1.5), { code: 'invalid-argument' })
  })
})

t.test('sendToNodes', async (t) => {
  t.test('reaches every node once, with what was sent', async (t) => {
    const fleet = await Fleet.start(t, 3, line(3))
    const [first, , last] = fleet.members
    const payloads = ['text', 7, null, true, [], {}, { deep: [{ er: 'ü 😀 \u0000' }] }, 1e300]
    const sent = await Promise.all(payloads.map((data) => fleet.send(0, data)))
    await fleet.delivered(sent)
    t.same(
      last!.messages.map(({ data }) => data),
      payloads,
    )
    t.match(sent[0], { id: /^[0-9a-f]{64}$/, peers: 1 })
    const [message] = last!.messages
    t.ok(message instanceof SignedMessage)
    t.match(message, { id: sent[0]!.id, from: first!.node.id, net: 'default', type: 'message' })
    t.match(await openMessage(message!.document, { net: 'default' }), {
      ok: true,
      message: { id: sent[0]!.id },
    })
    exactlyOnce(t, fleet.members, sent)
  })

  t.test('the options are signed along', async (t) => {
    const fleet = await Fleet.start(t, 2, line(2))
    const [one, two] = fleet.members
    const exp = Date.now() + 60_000
    const re = 'ab'.repeat(32)
    const sent = await one!.node.sendToNodes('hi', { type: 'chat/line', to: [two!.node.id], re, exp })
    await fleet.delivered([sent])
    t.match(two!.messages[0], { type: 'chat/line', to: [two!.node.id], re, exp, data: 'hi' })
  })

  t.test('what is sent is a copy: changing it afterwards changes nothing', async (t) => {
    const fleet = await Fleet.start(t, 2, line(2))
    const data = { text: 'before' }
    const sending = fleet.send(0, data)
    data.text = 'after'
    await fleet.delivered([await sending])
    t.same(fleet.members[1]!.messages[0]?.data, { text: 'before' })
    t.throws(() => ((fleet.members[1]!.messages[0]!.data as { text: string }).text = 'mine'), TypeError)
  })

  t.test('without peers it is sent to nobody, which is no error', async (t) => {
    const fleet = await Fleet.start(t, 1, [])
    const [member] = fleet.members
    const sent = await fleet.send(0, 'hello')
    t.match(sent, { id: /^[0-9a-f]{64}$/, peers: 0 })
    t.match(member!.node.explain(sent.id), { verdict: 'sent', relays: 0 })
    t.match(member!.node.stats(), { sent: 1, received: 0, messageIds: 1 })
  })

  t.test('a connection that is excluded is spared by the sender alone', async (t) => {
    const fleet = await Fleet.start(t, 3, mesh(3))
    const [one, two, three] = fleet.members
    const sent = await one!.node.sendToNodes('around', { exclude: [linkTo(one!.node, two!.node)] })
    t.equal(sent.peers, 1)
    await fleet.delivered([sent])
    await fleet.settle()
    exactlyOnce(t, fleet.members, [sent])
    t.equal(two!.node.explain(sent.id)?.via, three!.node.id)
    const all = await one!.node.sendToNodes('nobody', { exclude: one!.node.allNodes })
    t.equal(all.peers, 0)
  })

  t.test('is refused by a node that is not running', async (t) => {
    const node = new SecureNode(HOST, PORT, undefined, { transport: new MemoryNetwork().transport() })
    await t.rejects(node.sendToNodes('early'), { code: 'not-started' })
    await node.start()
    await node.stop()
    await t.rejects(node.sendToNodes('late'), { code: 'not-started' })
    t.equal(node.stats().sent, 0)
  })

  t.test('refuses options that it does not know, and values that make no sense', async (t) => {
    const fleet = await Fleet.start(t, 1, [])
    const [member] = fleet.members
    const id = member!.node.id
    const many = Array.from({ length: 65 }, (_, number) => number.toString(16).padStart(64, '0'))
    const cases: [object, string][] = [
      [{ typ: 'chat' }, 'invalid-option'],
      [{ compression: 'brotli' }, 'invalid-option'],
      [{ net: 'other' }, 'invalid-option'],
      [{ time: 0 }, 'invalid-option'],
      [{ type: '' }, 'invalid-argument'],
      [{ type: '.hidden' }, 'invalid-argument'],
      [{ type: 'x'.repeat(65) }, 'invalid-argument'],
      [{ type: 7 }, 'invalid-argument'],
      [{ to: [] }, 'invalid-argument'],
      [{ to: id }, 'invalid-argument'],
      [{ to: ['somebody'] }, 'invalid-argument'],
      [{ to: [id.toUpperCase()] }, 'invalid-argument'],
      [{ to: [id, id] }, 'invalid-argument'],
      [{ to: many }, 'invalid-argument'],
      [{ re: 'that one' }, 'invalid-argument'],
      [{ exp: Date.now() - 1 }, 'invalid-argument'],
      [{ exp: Date.now() + 400_000 }, 'invalid-argument'],
    ]
    for (const [options, code] of cases) {
      await t.rejects(
        member!.node.sendToNodes('x', options as SecureSendOptions),
        { code },
        JSON.stringify(options),
      )
    }
    t.match(member!.node.stats(), { sent: 0, messageIds: 0 })
  })

  t.test('refuses what is not JSON, with the path to it', async (t) => {
    const fleet = await Fleet.start(t, 1, [])
    const cyclic: Record<string, unknown> = {}
    cyclic['self'] = cyclic
    const cases: [unknown, string | RegExp][] = [
      [undefined, /^data cannot be sent: it is undefined/],
      [{ a: [1, NaN] }, /^data\.a\[1\] cannot be sent/],
      [{ a: 1n }, /^data\.a cannot be sent: a BigInt/],
      [{ when: new Date() }, /^data\.when cannot be sent: a Date/],
      [{ bytes: new Uint8Array(3) }, /a Uint8Array is not plain JSON/],
      [cyclic, /^data\.self cannot be sent: it contains itself/],
      [JSON.parse('{"__proto__":1}'), /^data\.__proto__ cannot be sent: the name "__proto__" is not allowed/],
      [{ toJSON: 1 }, /toJSON/],
      ['\ud800', /lone surrogate/],
      [[, 1], /hole/],
    ]
    for (const [data, message] of cases) {
      await t.rejects(fleet.send(0, data), { code: 'invalid-payload', message })
    }
    await t.rejects(fleet.send(0, 'x'.repeat(MAX_MESSAGE_BYTES)), { code: 'message-too-large' })
    await t.resolves(fleet.send(0, 'x'.repeat(MAX_MESSAGE_BYTES - 1_000)))
  })

  t.test('is refused while all message IDs are in use, also when all are sent at once', async (t) => {
    const clock = new ManualClock()
    const fleet = await Fleet.start(t, 1, [], { network: { clock }, node: { maxMessageIds: 3 } })
    const [member] = fleet.members
    const results = await Promise.allSettled([1, 2, 3, 4, 5].map((data) => fleet.send(0, data)))
    t.same(
      results.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'],
    )
    t.match(results[4], { reason: { code: 'overload', message: /maxMessageIds/ } })
    t.match(member!.node.stats(), { sent: 3, messageIds: 3 })
    clock.advance(700_000)
    await t.resolves(fleet.send(0, 6))
  })

  t.test('sent at once, messages keep the order of the calls', async (t) => {
    const fleet = await Fleet.start(t, 2, line(2))
    const sent = await Promise.all(Array.from({ length: 300 }, (_, number) => fleet.send(0, number)))
    await fleet.delivered(sent)
    const { messages } = fleet.members[1]!
    t.same(
      messages.map(({ data }) => data),
      Array.from({ length: 300 }, (_, number) => number),
    )
    inOrder(t, fleet.members)
  })
})

t.test('sendToNode', async (t) => {
  t.test('reaches that node alone, signed for it', async (t) => {
    const fleet = await Fleet.start(t, 3, mesh(3))
    const [one, two, three] = fleet.members
    const sent = await one!.node.sendToNode(linkTo(one!.node, two!.node), { secret: 1 }, { type: 'whisper' })
    t.equal(sent.peers, 1)
    await fleet.delivered([sent], [two!])
    await fleet.settle()
    t.match(two!.messages, [{ id: sent.id, to: [two!.node.id], type: 'whisper', data: { secret: 1 } }])
    t.same(three!.messages, [])
    t.equal(three!.node.explain(sent.id), undefined)
  })

  t.test('refuses a connection that has ended', async (t) => {
    const fleet = await Fleet.start(t, 2, line(2))
    const [one, two] = fleet.members
    const link = linkTo(one!.node, two!.node)
    // It ends while the message is being signed: nobody must be told that it was sent.
    const sending = one!.node.sendToNode(link, 'too late')
    await Promise.all([t.rejects(sending, { code: 'connection-closed' }), one!.node.disconnectWithNode(link)])
    await t.rejects(one!.node.sendToNode(link, 'later'), { code: 'connection-closed' })
    t.equal(one!.node.stats().sent, 0)
  })

  t.test('refuses what has no place there', async (t) => {
    const fleet = await Fleet.start(t, 2, line(2))
    const [one, two] = fleet.members
    const link = linkTo(one!.node, two!.node)
    for (const options of [{ to: [two!.node.id] }, { exclude: [] }, { compression: 'brotli' }]) {
      await t.rejects(one!.node.sendToNode(link, 'x', options as object), { code: 'invalid-option' })
    }
    await t.rejects(one!.node.sendToNode(link, new Map()), { code: 'invalid-payload' })
    await t.rejects(one!.node.sendToNode(link, 'x', { type: '?' }), { code: 'invalid-argument' })
  })
})

t.test('start and stop', async (t) => {
  t.test('port 0 becomes a real one', async (t) => {
    const node = new SecureNode(HOST, 0, undefined, { transport: new MemoryNetwork().transport() })
    await node.start()
    t.ok(node.port > 0)
    await node.stop()
  })

  t.test('what was sent right before the stop is delivered, awaited or not', async (t) => {
    for (const isAwaited of [true, false]) {
      const fleet = await Fleet.start(t, 2, line(2))
      const [one, two] = fleet.members
      const sends = Array.from({ length: 200 }, (_, number) => fleet.send(0, number))
      if (isAwaited) await Promise.all(sends)
      await one!.node.stop()
      const sent = await Promise.all(sends)
      await fleet.until(() => two!.disconnects.length > 0 && two!.messages.length >= 200)
      exactlyOnce(t, [two!], sent)
      t.same(two!.disconnects, ['inboundNodeDisconnected goodbye'])
    }
  })

  t.test('sending, stopping and starting in one turn happen in this order', async (t) => {
    const fleet = await Fleet.start(t, 2, line(2))
    const [one, two] = fleet.members
    const [sent] = await Promise.all([fleet.send(0, 'last words'), one!.node.stop(), one!.node.start()])
    t.equal(one!.node.isRunning, true)
    await fleet.delivered([sent])
    exactlyOnce(t, [two!], [sent])
  })

  t.test('a node that was stopped starts again, with the same ID', async (t) => {
    const fleet = await Fleet.start(t, 2, line(2))
    const [one] = fleet.members
    const before = await fleet.send(0, 'before')
    await fleet.delivered([before])
    await one!.node.stop()
    await t.rejects(fleet.send(0, 'while stopped'), { code: 'not-started' })
    await one!.node.start()
    await t.rejects(one!.node.start(), { code: 'already-started' })
    await fleet.connect([[0, 1]])
    const after = await fleet.send(0, 'after')
    await fleet.delivered([after])
    exactlyOnce(t, fleet.members, [before, after])
    await one!.node.stop()
    await one!.node.stop()
    t.equal(one!.node.isRunning, false)
  })

  t.test('after a restart, what was signed before is refused', async (t) => {
    const clock = new ManualClock()
    const fleet = await Fleet.start(t, 2, [], { network: { clock } })
    const [one, two] = fleet.members
    const draft = await genuine(Identity.generate(), { time: clock.now() })
    await two!.node.stop()
    clock.advance(1)
    await two!.node.start()
    await fleet.connect([[0, 1]])
    linkTo(one!.node, two!.node).sendFrame(encodeFrame(Kind.message, draft.bytes))
    await fleet.until(() => two!.events.includes('rejected before-start'))
    t.same(two!.messages, [])
    t.match(two!.node.explain(draft.id), { verdict: 'before-start' })
    t.equal(linkTo(one!.node, two!.node).isUp, true)
  })
})

t.test('events', async (t) => {
  t.test('a message is told to the method, the listeners and the callback, in this order', async (t) => {
    const network = new MemoryNetwork()
    const log: unknown[] = []
    const happenings = new Happenings()
    class Chat extends SecureNode {
      override nodeMessage(...[, data, message]: Parameters<SecureNode['nodeMessage']>): void {
        log.push(['method', data, message.type])
      }
    }
    const receiver = new Chat(
      '10.0.0.1',
      PORT,
      undefined,
      { transport: network.transport('10.0.0.1') },
      (event, node, connection, data, ...rest) => {
        if (event !== 'nodeMessage') return
        log.push([
          'callback',
          node === receiver,
          connection?.id === sender.id,
          data,
          (rest[0] as SignedMessage).type,
        ])
        happenings.tell()
      },
    )
    receiver.on('nodeMessage', (connection, data, message) =>
      log.push(['listener', connection.id, data, message.from]),
    )
    const sender = new SecureNode('10.0.0.2', PORT, undefined, { transport: network.transport('10.0.0.2') })
    t.teardown(() => Promise.all([sender.stop(), receiver.stop()]))
    await Promise.all([sender.start(), receiver.start()])
    await sender.connectWithNode('10.0.0.1', PORT)
    await sender.sendToNodes('hi', { type: 'chat' })
    await happenings.until(() => log.length === 3)
    t.same(log, [
      ['method', 'hi', 'chat'],
      ['listener', sender.id, 'hi', sender.id],
      ['callback', true, true, 'hi', 'chat'],
    ])
  })

  t.test('a handler that throws harms neither the others nor the node', async (t) => {
    const fleet = await Fleet.start(t, 2, line(2))
    const [, two] = fleet.members
    const errors: unknown[] = []
    two!.node.prependListener('nodeMessage', () => {
      throw new Error('my fault')
    })
    const rejecting = (): unknown => Promise.reject(new Error('mine as well'))
    two!.node.prependListener('nodeMessage', rejecting)
    two!.node.on('handlerError', (error, event) => {
      errors.push([(error as Error).message, event])
      fleet.tell()
    })
    const sent = [await fleet.send(0, 1), await fleet.send(0, 2)]
    await fleet.delivered(sent)
    await fleet.until(() => errors.length === 4)
    t.same(errors.map(String).sort(), [
      'mine as well,nodeMessage',
      'mine as well,nodeMessage',
      'my fault,nodeMessage',
      'my fault,nodeMessage',
    ])
    t.same(two!.disconnects, [])
  })

  t.test('without a listener for it, what a handler throws becomes a warning', async (t) => {
    const fleet = await Fleet.start(t, 2, line(2))
    const [, two] = fleet.members
    two!.node.on('nodeMessage', () => {
      throw new Error('nobody listens')
    })
    const warning = once(process, 'warning')
    await fleet.send(0, 'boom')
    t.match(await warning, [{ message: 'nobody listens' }])
    t.equal(two!.node.allNodes.size, 1)
  })

  t.test('a message of type "error" is a message like any other', async (t) => {
    const fleet = await Fleet.start(t, 2, line(2))
    const [one, two] = fleet.members
    for (const type of ['error', 'newListener', 'nodeMessage', 'constructor', 'hasOwnProperty']) {
      await fleet.delivered([await one!.node.sendToNodes(type, { type })])
    }
    t.equal(two!.messages.length, 5)
    t.equal(two!.messages[0]?.type, 'error')
  })

  t.test('a refusal is told, and the cheat is kept out', async (t) => {
    const fleet = await Fleet.start(t, 2, line(2))
    const [one, two] = fleet.members
    const told: unknown[] = []
    two!.node.on('rejected', (connection, refusal) =>
      told.push([connection.id, refusal.code, isReject(refusal.code)]),
    )
    linkTo(one!.node, two!.node).sendFrame(
      encodeFrame(Kind.message, new TextEncoder().encode('{"__proto__":1}')),
    )
    await fleet.until(() => one!.disconnects.length > 0)
    t.same(told, [[one!.node.id, 'bad-shape', true]])
    t.same(one!.disconnects, ['outboundNodeDisconnected bad-shape'])
    t.same(two!.disconnects, ['inboundNodeDisconnected bad-shape'])
    await t.rejects(one!.node.connectWithNode(two!.host, PORT), {
      code: 'refused-by-peer',
      message: /banned/,
    })
    t.match(two!.node.stats(), { refused: { 'bad-shape': 1 }, received: 0 })
  })
})

t.test('the echo of an own message is neither shown nor passed on', async (t) => {
  const fleet = await Fleet.start(t, 2, line(2))
  const [one, two] = fleet.members
  const sent = await fleet.send(0, 'hello')
  await fleet.delivered([sent])
  const [message] = two!.messages
  linkTo(two!.node, one!.node).sendFrame(
    encodeFrame(Kind.message, new TextEncoder().encode(message!.document)),
  )
  await eventually(() => one!.node.stats().duplicates === 1)
  t.same(one!.messages, [])
  t.equal(one!.node.stats().relayed, 0)
})

t.test('stats count what was sent, received and relayed', async (t) => {
  const fleet = await Fleet.start(t, 3, line(3))
  const sent = await Promise.all([fleet.send(0, 1), fleet.send(0, 2), fleet.send(2, 3)])
  await fleet.delivered(sent)
  await fleet.settle()
  const [first, middle, last] = fleet.members.map(({ node }) => node.stats())
  t.match(first, { sent: 2, received: 1, relayed: 0, duplicates: 0, messageIds: 3, inbound: 0, outbound: 1 })
  t.match(middle, { sent: 0, received: 3, relayed: 3, duplicates: 0, messageIds: 3, inbound: 1, outbound: 1 })
  t.match(last, { sent: 1, received: 2, relayed: 0, duplicates: 0, messageIds: 3, inbound: 1, outbound: 0 })
  t.ok(middle!.bytesIn > 0 && middle!.bytesOut > 0)
})

t.test('nodes of different networks, or of different kinds, do not connect', async (t) => {
  const fleet = new Fleet(t)
  const one = await fleet.join()
  await fleet.join({ net: 'elsewhere' })
  await t.rejects(fleet.connect([[1, 0]]), { code: /handshake-failed|refused-by-peer/, message: /wrong-net/ })
  t.equal(one.node.allNodes.size, 0)
})
