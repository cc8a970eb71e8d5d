// Nodes that lie when they are asked who is near a place, that want to be in everybody's table, or to be a burden.
import t, { type Test } from 'tap'
import type { PeerRecord } from '../../lib/book/peer-record.ts'
import { Identity } from '../../lib/identity/identity.ts'
import {
  BUCKET_SIZE,
  BUCKET_SPARES,
  FIND_BURST,
  FIND_TIMEOUT,
  LOOKUP_TIMEOUT,
  MAX_BUCKET_GROUP,
  MAX_FOUND_BYTES,
  MAX_LATE_ANSWERS,
  MAX_LOOKUP_ASKS,
} from '../../lib/limits/network-limits.ts'
import { decodeFind, encodeFind, encodeFound } from '../../lib/lookup/find-frame.ts'
import { commonPrefix, compareDistance, type Place, placeOf } from '../../lib/lookup/place.ts'
import { Random } from '../../lib/testing/random.ts'
import type { Address } from '../../lib/wire/address.ts'
import { Kind } from '../../lib/wire/frame.ts'
import type { NodeId } from '../../lib/wire/ids.ts'
import { FinderNet, type FinderNetLink, type FinderNode } from '../fixtures/finder-net.ts'
import { publicHost } from '../fixtures/records.ts'

const wanted = `${'5a'.repeat(31)}01` as NodeId
let invented = 1_000_000

/** A key that belongs to nobody in the network. */
function keyOf(net: FinderNet): Identity {
  const seed = new Uint8Array(32)
  new DataView(seed.buffer).setUint32(0, ++invented)
  return Identity.fromSeed(seed, net.engine)
}

/** The signed record of a node that does not exist. */
function invention(net: FinderNet, addresses?: readonly Address[], name?: string): Promise<PeerRecord> {
  const at = addresses ?? [{ host: publicHost(++invented), port: 7_000 }]
  return net.recordOf(keyOf(net), at, undefined, name)
}

const inventions = (net: FinderNet, count: number, host?: string): Promise<PeerRecord[]> =>
  Promise.all(
    Array.from({ length: count }, () =>
      invention(net, host === undefined ? undefined : [{ host, port: 7_000 }]),
    ),
  )

/** From now on, a node answers every question with what the test says. */
function liar(
  node: FinderNode,
  net: FinderNet,
  answer: (place: Place, number: number) => Uint8Array | undefined,
) {
  node.onFrame = (link, kind, payload) => {
    if (kind !== Kind.find) return false
    const { number, place } = decodeFind(payload)!
    const bytes = answer(place, number)
    if (bytes !== undefined) net.say(link, Kind.found, bytes)
    return true
  }
}

const list = (number: number, records: readonly PeerRecord[]): Uint8Array =>
  encodeFound(
    number,
    records.map(({ document }) => document),
  )

/** A node, and a liar that it is linked with. */
async function pair(): Promise<{ net: FinderNet; asker: FinderNode; bad: FinderNode; link: FinderNetLink }> {
  const net = new FinderNet({ shared: false })
  const [asker, bad] = [await net.add(), await net.add()]
  return { net, asker, bad, link: net.link(asker, bad) }
}

/** A network of honest nodes, and the one that is to be found in it by the first. */
async function network(count = 60) {
  const net = new FinderNet({ shared: false })
  await net.grow(count)
  return net
}

/** What is not an answer at all ends the link, and leads nowhere. */
async function endsWith(
  t: Test,
  code: string,
  bytesOf: (net: FinderNet, number: number) => Promise<Uint8Array>,
) {
  const { net, asker, bad, link } = await pair()
  const bytes = await bytesOf(net, 1)
  liar(bad, net, () => bytes)
  const result = await net.run(asker.finder.lookup(wanted))
  t.equal(result.record, undefined)
  t.strictSame(asker.expelled, [code])
  t.equal(link.isUp, false)
  t.equal(asker.finder.stats().contacts, 1, 'of what it told, nothing is taken')
}

t.test('answers that no correct node gives', async (t) => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
  const lists: Record<string, (net: FinderNet) => Promise<Uint8Array>> = {
    'no list': async () => bytes('{}'),
    nothing: async () => new Uint8Array(0),
    'not UTF-8': async () => Uint8Array.of(0x5b, 0xff, 0x5d),
    'numbers for records': async () => bytes('[1,2,3]'),
    'brackets without end': async () => bytes('['.repeat(5_000) + ']'.repeat(5_000)),
    'a prototype': async () => bytes('[{"body":{"__proto__":1},"sig":"00"}]'),
    'one record more than allowed': async (net) =>
      list(0, await inventions(net, BUCKET_SIZE + 1)).subarray(4),
    'the same node twice': async (net) => {
      const record = await invention(net)
      return list(0, [record, record]).subarray(4)
    },
    'a record of another network': async (net) =>
      list(0, [await invention(net, undefined, 'other')]).subarray(4),
    'a forged record among good ones': async (net) => {
      const records = await inventions(net, 5)
      const texts = records.map(({ document }) => document)
      texts[3] = texts[3]!.replace(/"time":\d/, '"time":2').replace(/"time":2(\d)/, '"time":1$1')
      texts[4] = texts[4]!.replace(/:7000/, ':7001')
      return encodeFound(0, texts).subarray(4)
    },
    'spaces between them': async (net) => {
      const texts = (await inventions(net, 2)).map(({ document }) => document)
      return bytes(`[${texts.join(', ')}]`)
    },
    'far too much': async () => new Uint8Array(MAX_FOUND_BYTES).fill(0x20),
  }
  for (const [name, make] of Object.entries(lists)) {
    await t.test(name, (t) =>
      endsWith(t, 'bad-lookup', async (net, number) => {
        const content = await make(net)
        const payload = new Uint8Array(4 + content.length)
        new DataView(payload.buffer).setUint32(0, number)
        payload.set(content, 4)
        return payload
      }),
    )
  }
  await t.test('shorter than its number', (t) => endsWith(t, 'bad-lookup', async () => new Uint8Array(3)))
})

t.test('answers to what nobody asked', async (t) => {
  await t.test('another number', (t) =>
    endsWith(t, 'unsolicited', async (_, number) => encodeFound(number + 1, [])),
  )
  await t.test('the number 0', (t) => endsWith(t, 'unsolicited', async () => encodeFound(0, [])))
  await t.test('out of nowhere', async (t) => {
    const { net, asker, link } = await pair()
    net.say(link.back, Kind.found, encodeFound(1, []))
    await net.pass(100)
    t.strictSame(asker.expelled, ['unsolicited'])
  })
  await t.test('a second time', async (t) => {
    const { net, asker, bad, link } = await pair()
    liar(bad, net, (_, number) => encodeFound(number, []))
    await net.run(asker.finder.lookup(wanted))
    t.strictSame(asker.expelled, [])
    net.say(link.back, Kind.found, encodeFound(1, []))
    await net.pass(100)
    t.strictSame(asker.expelled, ['unsolicited'])
  })
  await t.test('of a neighbour in the name of another', async (t) => {
    const { net, asker, bad } = await pair()
    const other = net.link(asker, await net.add())
    liar(bad, net, () => undefined)
    other.peer.onFrame = () => {
      net.say(other.back, Kind.found, encodeFound(2, []))
      return true
    }
    await net.run(asker.finder.lookup(wanted))
    t.strictSame(asker.expelled, ['unsolicited'])
    t.ok(asker.links.has(bad.id))
  })
})

t.test('an answer that comes too late is no offence, and has no effect', async (t) => {
  const { net, asker, bad, link } = await pair()
  const numbers: number[] = []
  liar(bad, net, (_, number) => void numbers.push(number))
  const records = await inventions(net, 5)
  for (let at = 0; at < MAX_LATE_ANSWERS + 20; at++) {
    const id = `${wanted.slice(0, 58)}${at.toString(16).padStart(4, '0')}01` as NodeId
    t.match(await net.run(asker.finder.lookup(id)), { record: undefined, asked: 1 })
  }
  await net.pass(FIND_TIMEOUT)
  t.equal(numbers.length, MAX_LATE_ANSWERS + 20)
  for (const number of numbers) net.say(link.back, Kind.found, list(number, records))
  await net.pass(1_000)
  t.strictSame(asker.expelled, [])
  t.ok(asker.finder.stats().contacts <= 1)
  net.say(link.back, Kind.found, encodeFound(numbers.at(-1)!, []))
  await net.pass(100)
  t.strictSame(asker.expelled, ['unsolicited'], 'but twice is')
})

t.test('a link that is being ended brings nothing more', async (t) => {
  const { net, asker, bad, link } = await pair()
  asker.isPatient = true
  const records = await inventions(net, 5)
  t.test('no answer whose records were still being verified', async (t) => {
    liar(bad, net, () => undefined)
    const lookup = asker.finder.lookup(wanted)
    await net.pass(100)
    asker.finder.receive(link, Kind.found, list(1, records))
    asker.finder.receive(link, Kind.found, list(99, records))
    t.equal((await net.run(lookup)).record, undefined)
    t.strictSame(asker.expelled, ['unsolicited'])
    t.equal(net.dials, 0, 'nobody that it names is dialled')
  })
  t.test('no question, and no second offence', async (t) => {
    asker.finder.receive(link, Kind.find, encodeFind({ number: 1, place: placeOf(wanted) }))
    asker.finder.receive(link, Kind.find, new Uint8Array(3))
    t.equal(asker.finder.stats().answered, 0)
    t.strictSame(asker.expelled, ['unsolicited'])
  })
})

t.test('questions that are none end the link', async (t) => {
  for (const length of [0, 4, 35, 37, 4_096]) {
    const { net, asker, link } = await pair()
    net.say(link.back, Kind.find, new Uint8Array(length))
    await net.pass(100)
    t.strictSame(asker.expelled, ['bad-lookup'], `${length} bytes`)
    net.say(link.back, Kind.find, new Uint8Array(length))
    await net.pass(100)
    t.equal(asker.expelled.length, 1)
  }
})

t.test('an asker that asks 10,000 times gets a burst of answers, and slows nobody else down', async (t) => {
  const { net, asker: victim, link } = await pair()
  const friend = net.link(victim, await net.add())
  const question = encodeFind({ number: 1, place: placeOf(wanted) })
  for (let at = 0; at < 10_000; at++) victim.finder.receive(link, Kind.find, question)
  t.match(victim.finder.stats(), { answered: FIND_BURST, refused: 10_000 - FIND_BURST })
  victim.finder.receive(friend, Kind.find, question)
  t.equal(victim.finder.stats().answered, FIND_BURST + 1)
  t.strictSame(victim.expelled, [])
})

t.test('liars in a network that is whole otherwise', async (t) => {
  /** A tenth of the nodes lie; every lookup among the others is tried. */
  const found = async (
    t: Test,
    lie: (net: FinderNet, bad: FinderNode) => (place: Place, number: number) => Uint8Array,
  ) => {
    const net = await network()
    const [bad, good] = [
      net.nodes.filter((_, at) => at % 10 === 3),
      net.nodes.filter((_, at) => at % 10 !== 3),
    ]
    for (const node of bad) liar(node, net, lie(net, node))
    const results = await net.run(
      Promise.all(good.map((node, at) => node.finder.lookup(good[(at * 5 + 9) % good.length]!.id))),
    )
    t.equal(results.filter(({ record }) => record !== undefined).length, good.length, 'everybody is found')
    t.ok(results.every(({ asked }) => asked <= MAX_LOOKUP_ASKS))
    t.strictSame(
      good.flatMap(({ expelled }) => expelled),
      [],
      'what cannot be proven is not punished',
    )
    return net
  }

  await t.test('that name inventions which nobody can reach', async (t) => {
    const pool = await inventions(new FinderNet(), 400)
    await found(t, () => (place, number) => {
      // The nearest that money can buy.
      const near = pool.toSorted((a, b) => compareDistance(place, placeOf(a.id), placeOf(b.id)))
      return list(number, near.slice(0, BUCKET_SIZE))
    })
  })
  await t.test('that name nodes at the other end of the network', async (t) => {
    await found(t, (net) => (place, number) => {
      const far = net.nodes.toSorted((a, b) => compareDistance(place, placeOf(b.id), placeOf(a.id)))
      return list(
        number,
        far.slice(0, BUCKET_SIZE).map(({ record }) => record!),
      )
    })
  })
  await t.test('that always name the same node', async (t) => {
    await found(
      t,
      (net, bad) => (_, number) =>
        list(number, [net.nodes[0] === bad ? net.nodes[1]!.record! : net.nodes[0]!.record!]),
    )
  })
  await t.test('that name themselves', async (t) => {
    await found(t, (_, bad) => (_place, number) => list(number, [bad.record!]))
  })
  await t.test('that know nobody', async (t) => {
    await found(t, () => (_, number) => encodeFound(number, []))
  })
})

t.test('an endless chain of nodes, each nearer than the last, comes to an end', async (t) => {
  const { net, asker, bad } = await pair()
  const chain = [bad]
  const random = new Random(3)
  // All of them real, and all at the liar's service.
  for (let at = 0; at < 300; at++) chain.push(await net.add(`66.${random.below(200)}.${at % 250}.1`))
  const target = placeOf(wanted)
  chain.sort((a, b) => compareDistance(target, placeOf(b.id), placeOf(a.id)))
  for (const [at, node] of chain.entries())
    liar(node, net, (_, number) =>
      list(
        number,
        chain.slice(at + 1, at + 3).map(({ record }) => record!),
      ),
    )
  net.link(asker, chain[0]!)
  const before = net.time.clock.now()
  const result = await net.run(asker.finder.lookup(wanted))
  t.equal(result.record, undefined)
  t.ok(result.asked <= MAX_LOOKUP_ASKS, `${result.asked} are asked`)
  t.ok(net.time.clock.now() - before <= LOOKUP_TIMEOUT)
})

t.test('a search among nodes that accept everything and answer nothing ends in time', async (t) => {
  const { net, asker, bad } = await pair()
  const silent: FinderNode[] = []
  for (let at = 0; at < BUCKET_SIZE; at++) silent.push(await net.add())
  for (const node of silent) liar(node, net, () => undefined)
  liar(bad, net, (_, number) =>
    list(
      number,
      silent.map(({ record }) => record!),
    ),
  )
  const before = net.time.clock.now()
  t.equal((await net.run(asker.finder.lookup(wanted))).record, undefined)
  t.ok(net.time.clock.now() - before <= LOOKUP_TIMEOUT)
})

t.test('nobody reaches into a local network through a lookup', async (t) => {
  const inner = [{ host: '192.168.1.1', port: 80 }]
  t.test('private addresses from a public source lead nowhere', async (t) => {
    const { net, asker, bad } = await pair()
    const victim = await net.add('192.168.1.1')
    const record = await net.recordOf(victim.identity, inner)
    liar(bad, net, (_, number) => list(number, [record]))
    const dials = net.dials
    const result = await net.run(asker.finder.lookup(victim.id))
    t.equal(result.record, undefined)
    t.equal(net.dials, dials)
    t.strictSame(asker.expelled, [], 'its bearer may be in that network')
    t.equal(
      asker.finder.contacts(placeOf(victim.id)).some(({ id }) => id === victim.id),
      false,
    )
  })
  t.test('of mixed ones, the public ones count', async (t) => {
    const { net, asker, bad } = await pair()
    const victim = await net.add('20.77.1.1')
    const record = await net.recordOf(victim.identity, [...inner, { host: '20.77.1.1', port: 7_000 }])
    liar(bad, net, (_, number) => list(number, [record]))
    const result = await net.run(asker.finder.lookup(victim.id))
    t.strictSame(result.addresses, [{ host: '20.77.1.1', port: 7_000 }])
    t.equal(result.record?.document, record.document)
  })
  t.test('who took only a part of the addresses does not tell the whole to neighbours', async (t) => {
    const net = new FinderNet({ shared: false })
    const [hub, inside] = [await net.add('192.168.1.7'), await net.add('192.168.1.9')]
    const victim = await net.add('20.77.1.1')
    net.link(inside, hub)
    // Told by a node in the internet that is the victim, and seen at its public address.
    const record = await net.recordOf(victim.identity, [...inner, { host: '20.77.1.1', port: 7_000 }])
    hub.finder.learn(record, { id: victim.id, host: victim.host })
    t.equal((await net.run(inside.finder.lookup(victim.id))).record, undefined)
  })
})

t.test('a stranger who wants to own a routing table', async (t) => {
  await t.test('with inventions: nobody else hears of them', async (t) => {
    const { net, asker, bad, link } = await pair()
    const friend = await net.add()
    net.link(friend, asker)
    for (let round = 0; round < 10; round++) {
      const records = await inventions(net, BUCKET_SIZE)
      liar(bad, net, (_, number) => list(number, records))
      await net.run(asker.finder.lookup(`${wanted.slice(0, 60)}${round}002` as NodeId))
    }
    t.ok(link.isUp)
    const told: PeerRecord[] = []
    friend.onFrame = undefined
    await net.run(friend.finder.lookup(wanted))
    for (const { record } of friend.finder.contacts(placeOf(wanted), 100)) told.push(record)
    t.strictSame(told.map(({ id }) => id).sort(), [asker.id, bad.id].sort())
  })

  await t.test('with many nodes at one address: two places in a bucket, where others are', async (t) => {
    const net = new FinderNet({ shared: false })
    const victim = await net.add()
    const own = placeOf(victim.id)
    for (let at = 0; at < 200; at++) {
      const record = await invention(net, [{ host: '66.6.6.6', port: at + 1 }])
      victim.finder.learn(record, { id: record.id, host: '66.6.6.6' })
    }
    for (let at = 0; at < 200; at++) {
      const record = await invention(net)
      victim.finder.learn(record, { id: record.id, host: record.addresses[0]!.host })
    }
    const first = victim.finder.contacts(own, 1_000).filter(({ place }) => commonPrefix(own, place) === 0)
    const sybils = first.filter(({ group }) => group === '66.6')
    t.equal(first.length, BUCKET_SIZE + BUCKET_SPARES)
    t.ok(sybils.length <= MAX_BUCKET_GROUP + BUCKET_SPARES, `${sybils.length} of ${first.length}`)
  })

  await t.test('with the address of a victim: it is told to nobody, however many sign it', async (t) => {
    const { net, asker: hub } = await pair()
    const friend = await net.add()
    net.link(friend, hub)
    for (let at = 0; at < 50; at++) {
      const record = await invention(net, [{ host: '20.66.1.1', port: 443 }])
      hub.finder.learn(record, { id: record.id, host: `66.${at}.1.1` })
    }
    await net.run(friend.finder.lookup(wanted))
    const hosts = friend.finder
      .contacts(placeOf(wanted), 1_000)
      .flatMap(({ addresses }) => addresses.map(({ host }) => host))
    t.notOk(hosts.includes('20.66.1.1'))
  })

  await t.test('by coming later than those that are there', async (t) => {
    const net = await network(80)
    const victim = net.nodes[5]!
    const before = victim.finder.contacts(placeOf(victim.id), 1_000).filter(({ isSeen }) => isSeen)
    for (let at = 0; at < 2_000; at++) {
      const record = await invention(net)
      victim.finder.learn(record, { id: record.id, host: record.addresses[0]!.host })
    }
    const after = new Set(victim.finder.contacts(placeOf(victim.id), 5_000).map(({ id }) => id))
    t.ok(
      before.every(({ id }) => after.has(id)),
      'all of them are still there',
    )
    t.ok(after.size <= 12 * (BUCKET_SIZE + BUCKET_SPARES), `${after.size} in all`)
  })
})

t.test('a record of the past does not replace a newer one', async (t) => {
  const { net, asker, bad } = await pair()
  const victim = await net.add()
  const now = net.time.clock.now()
  const old = await net.recordOf(victim.identity, [{ host: '20.5.5.5', port: 1 }], now - 1_000)
  asker.finder.learn(victim.record!, { id: bad.id, host: bad.host })
  liar(bad, net, (_, number) => list(number, [old]))
  await net.run(asker.finder.lookup(wanted))
  t.strictSame(asker.finder.contacts(placeOf(victim.id), 1)[0]?.addresses, [victim.address])
  t.strictSame(asker.expelled, [])
})

t.test('records that are too old, or of the future, are left out; nobody is blamed', async (t) => {
  const { net, asker, bad } = await pair()
  const victim = await net.add()
  const now = net.time.clock.now()
  for (const time of [now - 8 * 24 * 3_600_000, now + 3_600_000]) {
    const record = await net.recordOf(victim.identity, [victim.address], time)
    liar(bad, net, (_, number) => list(number, [record]))
    t.equal((await net.run(asker.finder.lookup(victim.id))).record, undefined)
  }
  t.strictSame(asker.expelled, [])
})
