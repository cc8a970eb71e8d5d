import { connect, createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import type { SecureNodeOptions } from '../../lib/options/options.ts'
import { SecureNode } from '../../lib/secure-node.ts'
import type { SentMessage } from '../../lib/sending.ts'
import { eventually, Happenings } from '../fixtures/happenings.ts'
import { exactlyOnce, inOrder, Member } from '../fixtures/network.ts'

const HOST = '127.0.0.1'

class Group extends Happenings {
  readonly members: Member[] = []

  async add(t: Test, key?: string | Identity, options: SecureNodeOptions = {}): Promise<Member> {
    const node = new SecureNode(HOST, 0, key, options)
    await node.start()
    t.teardown(() => node.stop())
    const member = new Member(node, HOST, this)
    this.members.push(member)
    return member
  }

  async delivered(sent: readonly SentMessage[], members = this.members): Promise<void> {
    const isDone = (member: Member): boolean =>
      sent.every(({ id }) => member.count(id) > 0 || member.node.explain(id)?.verdict === 'sent')
    await this.until(() => members.every(isDone))
  }
}

async function startLine(t: Test, count: number, options: SecureNodeOptions = {}): Promise<Group> {
  const group = new Group()
  for (let number = 0; number < count; number++) {
    const { node } = await group.add(t, undefined, options)
    if (number > 0) await node.connectWithNode(HOST, group.members[number - 1]!.node.port)
  }
  return group
}

for (const encryption of [true, false]) {
  const title = encryption ? 'encrypted' : 'in the clear'

  t.test(`two nodes, ${title}, know each other and exchange messages`, async (t) => {
    const group = await startLine(t, 2, { encryption })
    const [one, two] = group.members
    await eventually(() => one!.node.allNodes.size === 1)
    const [near] = two!.node.allNodes
    const [far] = one!.node.allNodes
    t.match(near, { id: one!.node.id, encrypted: encryption, direction: 'outbound', port: one!.node.port })
    t.match(far, { id: two!.node.id, encrypted: encryption, direction: 'inbound', host: HOST })
    const sent = [
      await one!.node.sendToNodes('to and'),
      await two!.node.sendToNodes('fro'),
      await two!.node.sendToNode(near!, 'for you'),
    ]
    await group.until(() => one!.messages.length === 2 && two!.messages.length === 1)
    t.same(
      one!.messages.map(({ data }) => data),
      ['fro', 'for you'],
    )
    t.same(
      sent.map(({ peers }) => peers),
      [1, 1, 1],
    )
    t.ok((await near!.ping()) >= 0)
  })

  t.test(`a line of 5, ${title}: each message exactly once, in order`, async (t) => {
    const group = await startLine(t, 5, { encryption })
    const { members } = group
    const sent = await Promise.all(
      [0, 2, 4].flatMap((from) =>
        Array.from({ length: 100 }, (_, number) => members[from]!.node.sendToNodes({ from, number })),
      ),
    )
    await group.delivered(sent)
    exactlyOnce(t, members, sent)
    inOrder(t, members)
    t.same(
      members.flatMap(({ disconnects }) => disconnects),
      [],
    )
  })
}

t.test('nodes with keys from files keep their IDs', async (t) => {
  const directory = t.testdir()
  const files = ['one.pem', 'two.pem'].map((name) => join(directory, name))
  const identities = files.map(() => Identity.generate())
  await Promise.all(identities.map((identity, index) => identity.save(files[index]!)))
  for (let life = 0; life < 2; life++) {
    const group = new Group()
    const [one, two] = [await group.add(t, files[0]), await group.add(t, files[1])]
    t.same(
      [one.node.id, two.node.id],
      identities.map(({ id }) => id),
    )
    const connection = await two.node.connectWithNode(HOST, one.node.port, { expect: identities[0]!.id })
    t.equal(connection.id, identities[0]!.id)
    await group.delivered([await two.node.sendToNodes(`life ${life}`)])
    t.equal(one.messages[0]?.from, identities[1]!.id)
    await Promise.all([one.node.stop(), two.node.stop()])
  }
})

for (const encryption of [true, false]) {
  t.test(
    `another node than the expected one is refused, ${encryption ? 'encrypted' : 'in the clear'}`,
    async (t) => {
      const group = new Group()
      const [one, two] = [
        await group.add(t, undefined, { encryption }),
        await group.add(t, undefined, { encryption }),
      ]
      const expect = Identity.generate().id
      await t.rejects(two.node.connectWithNode(HOST, one.node.port, { expect }), {
        code: 'identity-mismatch',
        message: `expected node ${expect} at ${HOST}:${one.node.port}, found ${one.node.id}`,
      })
      t.equal(two.node.allNodes.size, 0)
      await eventually(() => one.node.stats().pending === 0)
      t.same(one.events, [], 'it never came up')
      await t.resolves(two.node.connectWithNode(HOST, one.node.port, { expect: one.node.id }))
    },
  )
}

t.test('nodes that do not agree on encryption do not connect, and say why', async (t) => {
  const group = new Group()
  const [open, closed] = [await group.add(t, undefined, { encryption: false }), await group.add(t)]
  await t.rejects(open.node.connectWithNode(HOST, closed.node.port), { code: 'handshake-failed' })
  await t.rejects(closed.node.connectWithNode(HOST, open.node.port), {
    code: 'handshake-failed',
    message: /does not speak TLS|closed/,
  })
})

t.test('a node does not connect with itself', async (t) => {
  const group = new Group()
  const { node } = await group.add(t)
  await t.rejects(node.connectWithNode(HOST, node.port), { code: 'self-connection' })
  t.equal(node.allNodes.size, 0)
})

t.test('two nodes that dial each other keep one connection', async (t) => {
  for (let round = 0; round < 5; round++) {
    const group = new Group()
    const [one, two] = [await group.add(t), await group.add(t)]
    const [near, far] = await Promise.all([
      one.node.connectWithNode(HOST, two.node.port),
      two.node.connectWithNode(HOST, one.node.port),
    ])
    await eventually(() => one.node.allNodes.size === 1 && two.node.allNodes.size === 1)
    t.equal(near.isUp && far.isUp, true)
    t.not(near.direction, far.direction, 'both ends kept the same one')
    const sent = [await one.node.sendToNodes(1), await two.node.sendToNodes(2)]
    await group.delivered(sent)
    exactlyOnce(t, group.members, sent)
    t.equal(one.node.stats().duplicates + two.node.stats().duplicates, 0)
    await Promise.all([one.node.stop(), two.node.stop()])
  }
})

t.test('a second connection to the same node gives the first', async (t) => {
  const group = await startLine(t, 2)
  const [one, two] = group.members
  const [first] = two!.node.allNodes
  t.equal(await two!.node.connectWithNode(HOST, one!.node.port), first)
  t.equal(two!.node.allNodes.size, 1)
})

/** Carries bytes between two ends, keeps a copy, and can change what passes. */
async function eavesdrop(
  t: Test,
  target: number,
  change = (bytes: Buffer): Buffer => bytes,
): Promise<{ port: number; heard: () => string }> {
  const chunks: Buffer[] = []
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const remote = connect(target, HOST)
    for (const [from, to] of [
      [client, remote],
      [remote, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroy())
      from.on('data', (bytes) => {
        chunks.push(bytes)
        to.write(change(bytes))
      })
    }
  })
  server.listen(0, HOST)
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return {
    port: (server.address() as AddressInfo).port,
    heard: () => Buffer.concat(chunks).toString('latin1'),
  }
}

t.test('whoever carries the bytes reads them only where encryption was switched off', async (t) => {
  for (const encryption of [false, true]) {
    const group = new Group()
    const [one, two] = [
      await group.add(t, undefined, { encryption }),
      await group.add(t, undefined, { encryption }),
    ]
    const { port, heard } = await eavesdrop(t, one.node.port)
    await two.node.connectWithNode(HOST, port)
    const sent = [
      await two.node.sendToNodes({ secret: 'the treasure is under the oak' }, { type: 'map' }),
      await one.node.sendToNodes('dig at midnight'),
    ]
    await group.delivered(sent)
    const words = ['treasure', 'midnight', 'secret', '"type"', two.node.id, one.node.id, sent[0]!.id]
    const seen = words.filter((word) => heard().includes(word))
    // A message ID is never sent, and is computed by everybody.
    t.same(seen, encryption ? [] : words.slice(0, -1))
    t.ok(heard().length > 1_000)
  }
})

t.test('whoever carries the bytes can change them nowhere without being noticed', async (t) => {
  const change = (bytes: Buffer): Buffer =>
    Buffer.from(bytes.toString('latin1').replace('under the oak', 'under the elm'), 'latin1')
  const group = new Group()
  const [one, two] = [
    await group.add(t, undefined, { encryption: false }),
    await group.add(t, undefined, { encryption: false }),
  ]
  const { port } = await eavesdrop(t, one.node.port, change)
  await two.node.connectWithNode(HOST, port)
  await two.node.sendToNodes('the treasure is under the oak')
  await group.until(() => two.disconnects.length > 0)
  t.same(one.messages, [])
  t.ok(one.events.includes('rejected bad-signature'))
  t.same(two.disconnects, ['outboundNodeDisconnected bad-signature'])
})

t.test('one byte that is changed on an encrypted link ends it, and nothing wrong is shown', async (t) => {
  const group = new Group()
  const [one, two] = [await group.add(t), await group.add(t)]
  let isTampering = false
  const { port } = await eavesdrop(t, one.node.port, (bytes) => {
    if (!isTampering) return bytes
    const changed = Buffer.from(bytes)
    changed[changed.length - 1]! ^= 1
    return changed
  })
  await two.node.connectWithNode(HOST, port)
  await eventually(() => one.node.allNodes.size === 1)
  isTampering = true
  await two.node.sendToNodes('hello')
  await group.until(() => one.disconnects.length > 0 && two.disconnects.length > 0)
  t.same(one.messages, [])
  t.same(one.disconnects, ['inboundNodeDisconnected lost'])
})

t.test('a message that is as large as allowed passes through a line', async (t) => {
  const group = await startLine(t, 3)
  const data = 'ü'.repeat(130_000)
  const sent = [await group.members[0]!.node.sendToNodes(data)]
  await group.delivered(sent)
  t.equal(group.members[2]!.messages[0]?.data, data)
})

t.test('what was sent right before the stop is delivered', async (t) => {
  const group = await startLine(t, 3)
  const [first, middle, last] = group.members
  const sends = Array.from({ length: 300 }, (_, number) => first!.node.sendToNodes(number))
  await first!.node.stop()
  const sent = await Promise.all(sends)
  await group.delivered(sent, [middle!, last!])
  exactlyOnce(t, [middle!, last!], sent)
  await group.until(() => middle!.disconnects.length > 0)
  t.same(middle!.disconnects, ['outboundNodeDisconnected goodbye'])
})

t.test('a port is free again after stop(), and taken while it runs', async (t) => {
  const group = new Group()
  const { node } = await group.add(t)
  const second = new SecureNode(HOST, node.port)
  await t.rejects(second.start(), { code: 'listen-failed', message: /another program uses this port/ })
  await node.stop()
  await second.start()
  await second.stop()
  await node.start()
  t.equal(node.isRunning, true)
})
