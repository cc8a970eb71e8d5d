// Whole nodes that find each other, on the memory transport and under a clock that the test moves.
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import type { Clock } from '../../lib/ground/clock.ts'
import type { SecureNodeError } from '../../lib/errors.ts'
import { Identity } from '../../lib/identity/identity.ts'
import {
  BOOTSTRAP_RETRY_MAX,
  EXPLORE_INTERVAL,
  JOIN_TIMEOUT,
  MAX_CLOCK_OFFSET,
} from '../../lib/limits/network-limits.ts'
import type { SecureNodeOptions } from '../../lib/options/options.ts'
import { SecureNode } from '../../lib/secure-node.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { Random } from '../../lib/testing/random.ts'
import { exactlyOnce, Fleet, type Member, PORT } from '../fixtures/network.ts'

const STEP = 25

const addressOf = ({ host }: Member): string => `${host}:${PORT}`
const linksOf = (members: readonly Member[]): number[] => members.map(({ node }) => node.allNodes.size)

/** Nodes that have not met. */
async function strangers(t: Test, count: number, node: SecureNodeOptions = {}) {
  const clock = new ManualClock()
  const random = new Random(4)
  const fleet = new Fleet(t, {
    network: { clock, latency: 10 },
    node: { random: () => random.next(), ...node },
  })
  for (let number = 0; number < count; number++) await fleet.join()
  /** Time passes, in larger steps than where something is waited for. */
  const pass = async (ms: number): Promise<void> => {
    for (const end = clock.now() + ms; clock.now() < end;) {
      clock.advance(Math.min(STEP, end - clock.now()))
      await new Promise((resolve) => setImmediate(resolve))
      await new Promise((resolve) => randomBytes(1, resolve))
    }
  }
  return { fleet, clock, members: fleet.members, pass }
}

/** All have joined at the first one. */
async function network(t: Test, count: number, node?: SecureNodeOptions) {
  const setting = await strangers(t, count, node)
  const { fleet, members } = setting
  const [first, ...others] = members as [Member, ...Member[]]
  await fleet.run(Promise.all(others.map((member) => member.node.join(addressOf(first)))))
  const least = Math.min(node?.targetConnections ?? 8, count - 1)
  await fleet.until(() => linksOf(members).every((links) => links >= least))
  return setting
}

/** A promise that is expected to fail. */
const failureOf = (fleet: Fleet, promise: Promise<unknown>): Promise<SecureNodeError> =>
  fleet.run(
    promise.then(
      () => Promise.reject(new Error('it succeeded')),
      (error: unknown) => error as SecureNodeError,
    ),
  )

t.test('three nodes that know one address', async (t) => {
  const { fleet, members } = await strangers(t, 3)
  const [first, second, third] = members as [Member, Member, Member]
  t.match(await fleet.run(second.node.join([addressOf(first)])), { peers: 1, failures: [] })
  t.match(await fleet.run(third.node.join([addressOf(first)])), { peers: 2, failures: [] })
  await fleet.until(() => linksOf(members).every((links) => links === 2))
  t.same(
    members.map(({ node }) => new Set([...node.peerBook].map(({ id }) => id))),
    members.map(({ node }) => new Set(members.map((other) => other.node.id).filter((id) => id !== node.id))),
    'each knows the others',
  )
  t.same(
    members.map(({ node }) => node.networkSize),
    [3, 3, 3],
  )
  const sent = [await fleet.send(0, 'hello'), await fleet.send(2, 'hello too')]
  await fleet.delivered(sent)
  exactlyOnce(t, members, sent)
})

t.test('what join() is given', async (t) => {
  t.test('a text, an address, a list of both', async (t) => {
    const { fleet, members } = await strangers(t, 4)
    const [first, ...others] = members as [Member, Member, Member, Member]
    const address = { host: first.host, port: PORT }
    const forms = [addressOf(first), address, [addressOf(first), address]]
    for (const [at, form] of forms.entries()) {
      const { peers, failures } = await fleet.run(others[at]!.node.join(form))
      t.ok(peers >= 1)
      t.same(failures, [])
    }
  })

  t.test('what is no address, or no option, is refused before anything is dialled', async (t) => {
    const { fleet, members } = await strangers(t, 1)
    const { node } = members[0]!
    for (const wrong of [
      '',
      'nowhere',
      '10.0.0.1',
      '10.0.0.1:0',
      '[::1]',
      null,
      7,
      {},
      [''],
      [null],
      new Set(),
    ])
      await t.rejects(node.join(wrong as string), { code: 'invalid-argument' }, inspect(wrong))
    for (const options of [
      { timeout: 0 },
      { timeout: -1 },
      { timeout: NaN },
      { timeout: '9' },
      { signal: 1 },
    ])
      await t.rejects(node.join('10.0.0.9:1', options as object), { code: 'invalid-argument' })
    await t.rejects(node.join('10.0.0.9:1', { tiemout: 1 } as object), { code: 'invalid-option' })
    t.equal(fleet.network.dialsTo('10.0.0.9:1'), 0)
  })

  t.test('nothing: the node looks among those that it knows', async (t) => {
    const { fleet, members } = await strangers(t, 2)
    t.same(await fleet.run(members[0]!.node.join()), { peers: 0, failures: [] })
    t.same(await fleet.run(members[0]!.node.join([])), { peers: 0, failures: [] })
  })

  t.test('a node that does not run cannot join, leave, send to its book, or discover', async (t) => {
    const { members } = await strangers(t, 1)
    const { node } = members[0]!
    await node.stop()
    await t.rejects(node.join('10.0.0.9:1'), { code: 'not-started' })
    await t.rejects(node.leave(), { code: 'not-started' })
    await t.rejects(node.sendToPeerBook('x'), { code: 'not-started' })
    t.throws(() => node.discover(), { code: 'not-started' })
  })
})

t.test('a network that is not there', async (t) => {
  t.test('one error that names each address and its reason', async (t) => {
    const { fleet, members, clock } = await strangers(t, 1)
    const { node } = members[0]!
    const error = await failureOf(fleet, node.join(['10.7.7.7:1', '10.7.7.8:2']))
    t.equal(error.code, 'join-failed')
    t.match(error.message, /10\.7\.7\.7:1: .*10\.7\.7\.8:2: /s)
    await node.stop()
    t.equal(clock.pendingTimers, 0)
  })

  t.test('that swallows everything: within its time', async (t) => {
    const { fleet, members, clock } = await strangers(t, 1)
    const [{ node, host }] = members as [Member]
    const addresses = Array.from({ length: 10 }, (_, at) => `10.7.7.${at + 1}:1`)
    for (let at = 0; at < 10; at++) fleet.network.cut(host, `10.7.7.${at + 1}`)
    const start = clock.now()
    const error = await failureOf(fleet, node.join(addresses))
    t.equal(error.code, 'join-failed')
    t.ok(clock.now() - start <= JOIN_TIMEOUT + 100, `${clock.now() - start} ms`)
    for (const address of addresses) t.match(error.message, address)
  })

  t.test('goes on being looked for: it may come later', async (t) => {
    const { fleet, members } = await strangers(t, 1)
    const { node } = members[0]!
    await failureOf(fleet, node.join('10.0.0.2:8000'))
    const late = await fleet.join()
    t.equal(late.host, '10.0.0.2')
    await fleet.until(() => node.allNodes.size === 1)
  })

  t.test('an abort, and a stop, end the waiting', async (t) => {
    const { fleet, members, clock } = await strangers(t, 1)
    const [{ node, host }] = members as [Member]
    fleet.network.cut(host, '10.7.7.7')
    const controller = new AbortController()
    const joined = failureOf(fleet, node.join('10.7.7.7:1', { signal: controller.signal }))
    controller.abort()
    t.equal((await joined).code, 'aborted')
    const again = failureOf(fleet, node.join('10.7.7.7:1'))
    await node.stop()
    t.equal((await again).code, 'join-failed')
    t.equal(clock.pendingTimers, 0)
  })
})

t.test('addresses of its own', async (t) => {
  t.test('are left out, and never dialled again', async (t) => {
    const { fleet, members, pass } = await strangers(t, 2)
    const [first, second] = members as [Member, Member]
    t.match(await fleet.run(first.node.join([addressOf(first), addressOf(second)])), {
      peers: 1,
      failures: [],
    })
    const dials = fleet.network.dialsTo(addressOf(first))
    await pass(5 * EXPLORE_INTERVAL)
    t.equal(fleet.network.dialsTo(addressOf(first)), dials)
  })

  t.test('alone, it is the first of its network', async (t) => {
    const { fleet, members } = await strangers(t, 2)
    const [first, second] = members as [Member, Member]
    const list = [addressOf(first), addressOf(second)]
    await second.node.stop()
    t.match(await fleet.run(first.node.join(list)), { peers: 0, failures: { length: 1 } })
    await second.node.start()
    t.match(await fleet.run(second.node.join(list)), { peers: 1 }, 'the same list serves all')
  })

  t.test('two of them, on real sockets', async (t) => {
    const node = new SecureNode('0.0.0.0', 0)
    await node.start()
    t.teardown(() => node.stop())
    const joined = await node.join([`127.0.0.1:${node.port}`, `127.0.0.2:${node.port}`])
    t.same(joined, { peers: 0, failures: [] })
  })
})

t.test('leaving', async (t) => {
  t.test('is seen at once by all, and the leaver is dialled by nobody', async (t) => {
    const { fleet, members, pass } = await network(t, 5)
    const [, leaver, ...others] = members as [Member, Member, ...Member[]]
    // Until everybody has looked up itself: who is looking just then may still knock.
    await pass(20_000)
    const dials = fleet.network.dialsTo(addressOf(leaver))
    await fleet.run(leaver.node.leave())
    await pass(50)
    const rest = [members[0]!, ...others]
    t.same(linksOf(rest), [3, 3, 3, 3])
    t.equal(leaver.node.allNodes.size, 0)
    for (const { node, disconnects } of rest) {
      t.notOk(node.peerBook.has(leaver.node.id))
      t.match(disconnects.at(-1), /goodbye/)
    }
    await pass(3 * EXPLORE_INTERVAL)
    t.equal(fleet.network.dialsTo(addressOf(leaver)), dials)
    t.equal(leaver.node.allNodes.size, 0)
  })

  t.test('lets nobody in until it joins again, and is found by all then', async (t) => {
    const { fleet, members, pass } = await network(t, 4)
    const [first, leaver, third] = members as [Member, Member, Member, Member]
    await fleet.run(leaver.node.leave())
    const error = await failureOf(fleet, third.node.connectWithNode(leaver.host, PORT))
    t.match(error, { code: 'refused-by-peer', message: /left/ })
    await pass(1_000)
    await fleet.run(leaver.node.join(addressOf(first)))
    await fleet.until(() => linksOf(members).every((links) => links === 3))
    t.ok(members.every(({ node }) => node === leaver.node || node.peerBook.has(leaver.node.id)))
  })

  t.test('of one at whose address the others have joined: it is left in peace', async (t) => {
    const { fleet, members, pass } = await network(t, 4)
    const [first, ...others] = members as [Member, ...Member[]]
    await fleet.run(first.node.leave())
    const dials = fleet.network.dialsTo(addressOf(first))
    await pass(5 * 60_000)
    const more = fleet.network.dialsTo(addressOf(first)) - dials
    t.ok(
      more <= (others.length * (5 * 60_000 * 2)) / BOOTSTRAP_RETRY_MAX + 20,
      `${more} dials in five minutes`,
    )
    t.equal(first.node.allNodes.size, 0)
    t.same(linksOf(others), [2, 2, 2])
  })

  t.test('while it dials leaves no link behind', async (t) => {
    const { fleet, members, pass } = await strangers(t, 2)
    const [first, second] = members as [Member, Member]
    const joined = second.node.join(addressOf(first)).catch(() => undefined)
    await pass(15)
    await fleet.run(second.node.leave())
    await fleet.run(joined)
    await pass(30_000)
    t.same(linksOf(members), [0, 0])
  })

  t.test('while it is dialled does so too', async (t) => {
    const { fleet, members, pass } = await strangers(t, 2)
    const [first, second] = members as [Member, Member]
    for (const wait of [15, 25, 35, 45, 55]) {
      const dialled = first.node.connectWithNode(second.host, PORT).catch(() => undefined)
      await pass(wait)
      await fleet.run(second.node.leave())
      await fleet.run(dialled)
      await pass(1_000)
      t.same(linksOf(members), [0, 0], `${wait} ms`)
      await fleet.run(second.node.join([]))
    }
  })
})

t.test('a node at a wildcard learns its address from those who see it', async (t) => {
  const { fleet, clock, members } = await network(t, 3)
  const host = '10.55.0.1'
  const node = new SecureNode('0.0.0.0', PORT, undefined, { clock, transport: fleet.network.transport(host) })
  await node.start()
  t.teardown(() => fleet.run(node.stop()))
  await fleet.run(node.join(addressOf(members[0]!)))
  await fleet.until(() => members.every((member) => member.node.peerBook.has(node.id)))
  t.same(members[2]!.node.peerBook.get(node.id)?.addresses, [{ host, port: PORT }])
})

t.test('a node that only visits is known to nobody, and gets what it needs', async (t) => {
  const { fleet, members } = await network(t, 3)
  const guest = await fleet.join({ advertise: false })
  await fleet.run(guest.node.join(addressOf(members[0]!)))
  t.equal(guest.node.allNodes.size, 3)
  t.ok(members.slice(0, 3).every(({ node }) => !node.peerBook.has(guest.node.id)))
})

t.test('a book that is kept in a file leads back without the bootstrap node', async (t) => {
  const { fleet, clock, members, pass } = await network(t, 4)
  const identity = Identity.generate()
  const options = { clock, peerBookFile: join(t.testdir({}), 'book.json') }
  const make = (): SecureNode =>
    new SecureNode('10.66.0.1', PORT, identity, {
      ...options,
      transport: fleet.network.transport('10.66.0.1'),
    })
  const before = make()
  await before.start()
  await fleet.run(before.join(addressOf(members[0]!)))
  await fleet.until(() => before.allNodes.size === 4)
  await fleet.run(before.stop())
  await fleet.run(members[0]!.node.stop())
  await pass(1_000)
  const after = make()
  await after.start()
  t.teardown(() => fleet.run(after.stop()))
  t.equal(after.peerBook.size, 4)
  await fleet.until(() => after.allNodes.size === 3)
})

t.test('sendToPeerBook', async (t) => {
  t.test('reaches everybody in the book and every peer, once', async (t) => {
    const { fleet, members } = await network(t, 5)
    const guest = await fleet.join({ advertise: false })
    await fleet.run(guest.node.connectWithNode(members[1]!.host, PORT))
    const sent = await fleet.run(members[1]!.node.sendToPeerBook({ news: 1 }, { type: 'news' }))
    t.equal(sent.length, 1, 'one message with all addressees')
    await fleet.delivered(sent)
    await fleet.settle()
    exactlyOnce(t, members, sent)
    t.match(guest.messages, [{ type: 'news', to: { length: 5 } }])
  })

  t.test('not the excluded ones', async (t) => {
    const { fleet, members } = await network(t, 4)
    const [first, second, third, fourth] = members as [Member, Member, Member, Member]
    const sent = await fleet.run(first.node.sendToPeerBook('x', { exclude: [second.node.id] }))
    await fleet.delivered(sent, [third, fourth])
    await fleet.settle()
    t.same(
      [second, third, fourth].map(({ messages }) => messages.length),
      [0, 1, 1],
    )
    const nobody = await fleet.run(
      first.node.sendToPeerBook('x', { exclude: [second, third, fourth].map(({ node }) => node.id) }),
    )
    t.same(nobody, [])
  })
})

t.test('a clock that is off is told of once', async (t) => {
  const { fleet, clock, members } = await network(t, 3)
  const off = MAX_CLOCK_OFFSET + 20_000
  const slow: Clock = {
    now: () => clock.now() - off,
    setTimer: (callback, ms) => clock.setTimer(callback, ms),
  }
  const node = new SecureNode('10.77.0.1', PORT, undefined, {
    clock: slow,
    transport: fleet.network.transport('10.77.0.1'),
  })
  const warnings: number[][] = []
  node.on('clockWarning', (...args) => warnings.push(args))
  await node.start()
  t.teardown(() => fleet.run(node.stop()))
  await fleet.run(node.join(addressOf(members[0]!)))
  await fleet.until(() => node.allNodes.size === 3)
  t.equal(warnings.length, 1)
  t.ok(Math.abs(warnings[0]![0]! - off) < 100, `${warnings[0]![0]} ms`)
  t.ok(Math.abs(node.clockOffset! - off) < 100)
  t.ok(Math.abs(members[0]!.node.clockOffset!) < 100, 'nobody believes it')
})

t.test('strangers who take every place leave those for its own links', async (t) => {
  const { fleet, members, pass } = await network(t, 4)
  const crowded = await fleet.join({ maxConnections: 6, targetConnections: 4, bootstrap: ['10.9.9.9:1'] })
  const crowd: Member[] = []
  for (let count = 0; count < 12; count++) crowd.push(await fleet.join({ advertise: false }))
  await fleet.run(
    Promise.all(crowd.map(({ node }) => node.connectWithNode(crowded.host, PORT).catch(() => undefined))),
  )
  await pass(100)
  t.equal(crowded.node.nodesInbound.size, 4, 'two of six are kept free')
  await fleet.run(crowded.node.join(addressOf(members[0]!)))
  await pass(5_000)
  t.equal(crowded.node.nodesOutbound.size, 2)
  t.equal(crowded.node.allNodes.size, 6)
})

t.test('a node whose places are all taken does not dial in vain', async (t) => {
  const { fleet, members, pass } = await network(t, 4)
  const small = await fleet.join({ maxConnections: 2 })
  const errors: string[] = []
  small.node.on('outboundNodeConnectionError', ({ message }: Error) => errors.push(message))
  await fleet.run(small.node.join(addressOf(members[0]!)))
  await pass(3 * EXPLORE_INTERVAL)
  t.ok(small.node.allNodes.size <= 2)
  t.ok(errors.length <= 6, `${errors.length} errors in three minutes`)
})

t.test('a link that the application has asked for stays, and others come and go', async (t) => {
  const { fleet, members, pass } = await network(t, 8, { targetConnections: 3 })
  const friend = await fleet.join()
  const link = await fleet.run(friend.node.connectWithNode(members[1]!.host, PORT))
  await fleet.run(friend.node.join())
  await pass(6 * EXPLORE_INTERVAL)
  t.ok(link.isUp)
  t.ok(members.some(({ disconnects }) => disconnects.some((event) => event.endsWith('enough'))))
  // Two links of a node may end at the same moment; then it makes another one.
  await fleet.until(() => linksOf(members).every((links) => links >= 3))
  const sent = [await fleet.send(5, 'still one network')]
  await fleet.delivered(sent)
})
