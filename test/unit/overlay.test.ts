import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Deferred } from '../../lib/ground/deferred.ts'
import { SecureNodeError } from '../../lib/errors.ts'
import { Identity } from '../../lib/identity/identity.ts'
import { BOOK_SAVE_INTERVAL, MAX_CLOCK_OFFSET, RECORD_RENEWAL } from '../../lib/limits/network-limits.ts'
import { Overlay } from '../../lib/overlay/overlay.ts'
import type { OverlayLink } from '../../lib/overlay/overlay-link.ts'
import type { OverlayOptions, OverlayPort } from '../../lib/overlay/overlay-port.ts'
import { makeRecord, type PeerRecord } from '../../lib/book/peer-record.ts'
import { CountingEngine } from '../../lib/testing/counting-engine.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { Random } from '../../lib/testing/random.ts'
import type { Address } from '../../lib/wire/address.ts'
import type { CloseCode, CloseReason } from '../../lib/wire/close-code.ts'
import { FrameDecoder, Kind } from '../../lib/wire/frame.ts'
import { NET, publicHost } from '../fixtures/records.ts'
import { upTo } from '../fixtures/surroundings.ts'

const OWN = { host: '20.9.9.9', port: 7_000 }
const BOOTSTRAP = { host: '20.1.1.1', port: 7_000 }

/** A link that is nothing but what is told of it. */
class Link implements OverlayLink {
  readonly id: string
  readonly direction: 'inbound' | 'outbound'
  readonly host: string
  readonly port: number
  readonly connectedAt: number
  readonly seenAt: Address | undefined
  readonly clockOffset: number
  readonly latency = undefined
  readonly isCongested = false
  isUp = true
  closeReason: CloseReason | undefined

  get remoteHost(): string {
    return this.host
  }

  constructor(id: string, connectedAt: number, { direction, at, seenAt, clockOffset }: LinkFields) {
    this.id = id
    this.connectedAt = connectedAt
    this.direction = direction ?? 'inbound'
    const { host, port } = at ?? { host: '20.50.0.1', port: 55_555 }
    this.host = host
    this.port = port
    this.seenAt = seenAt
    this.clockOffset = clockOffset ?? 0
  }
}

interface LinkFields {
  readonly direction?: Link['direction']
  readonly at?: Address
  readonly seenAt?: Address
  readonly clockOffset?: number
}

/** What a node does for its overlay, and all that it is asked to do. */
class Bench {
  readonly clock = new ManualClock()
  readonly engine = new CountingEngine()
  readonly identity = this.node(1)
  readonly links = new Set<Link>()
  readonly written: { link: Link; kind: number; text: string }[] = []
  readonly expelled: CloseCode[] = []
  readonly retired: CloseCode[] = []
  readonly warnings: number[][] = []
  readonly reports: string[] = []
  readonly dials: (Deferred<Link> & { address: Address })[] = []
  readonly overlay: Overlay<Link>
  listen: Address | undefined = OWN
  sign = (bytes: Uint8Array): Promise<Uint8Array> => this.identity.sign(bytes)

  constructor(options: Partial<OverlayOptions> = {}) {
    const random = new Random(1)
    this.overlay = new Overlay<Link>(this.#port(), {
      ...{ bootstrap: [], targetConnections: 4, maxOutboundPerGroup: 2, advertise: [], lan: false },
      ...{ peerBookFile: undefined, random: () => random.next(), engine: this.engine },
      ...options,
    })
  }

  #port(): OverlayPort<Link> {
    return {
      self: { id: this.identity.id, net: NET },
      clock: this.clock,
      sign: (bytes) => this.sign(bytes),
      datagrams: () => {
        throw new Error('no local network here')
      },
      listening: () => this.listen,
      hosts: () => [OWN.host],
      links: () => this.links,
      freePlaces: () => 1_000,
      dial: (address) => {
        const dial = Object.assign(new Deferred<Link>(), { address })
        this.dials.push(dial)
        return dial.promise
      },
      write: (link, frame) => {
        new FrameDecoder(2 ** 20).push(frame, ({ kind, payload }) => {
          this.written.push({ link, kind, text: new TextDecoder().decode(payload) })
        })
      },
      learned: () => {},
      isNeeded: () => false,
      retire: (link, code) => {
        this.retired.push(code)
        this.down(link, code, 'us')
      },
      expel: (link, code) => {
        this.expelled.push(code)
        this.down(link, code, 'us')
      },
      onClockOff: (offset, peers) => this.warnings.push([offset, peers]),
      report: (text) => this.reports.push(text),
    }
  }

  node(number: number): Identity {
    return Identity.fromSeed(new Uint8Array(32).fill(number), this.engine)
  }

  recordOf(node: Identity, addresses: readonly Address[], time = this.clock.now()): Promise<PeerRecord> {
    return makeRecord({ id: node.id, net: NET, time, addresses }, (bytes) => node.sign(bytes))
  }

  async up(fields: LinkFields = {}, id = `peer ${this.links.size}`): Promise<Link> {
    const link = new Link(id, this.clock.now(), fields)
    this.links.add(link)
    this.overlay.onUp(link)
    await this.turns()
    return link
  }

  down(link: Link, code: CloseCode = 'lost', by: CloseReason['by'] = 'network'): void {
    if (!link.isUp) return
    link.isUp = false
    link.closeReason = { code, text: '', by }
    this.links.delete(link)
    this.overlay.onDown(link)
  }

  async say(link: Link, kind: number, payload = ''): Promise<boolean> {
    const isTaken = this.overlay.receive(link, { kind, payload: new TextEncoder().encode(payload) })
    await this.turns()
    return isTaken
  }

  /** Somebody is found where the node dials first. */
  async answer(id: string): Promise<Link> {
    const { address, resolve } = this.dials.shift()!
    const link = await this.up({ direction: 'outbound', at: address, seenAt: OWN }, id)
    resolve(link)
    await this.turns()
    return link
  }

  async turns(): Promise<void> {
    await this.clock.advanceAsync(0)
  }

  /** The records that were told, and how many of them over which link. */
  told(link?: Link): { body: { addresses: string[]; time: number } }[] {
    return this.written
      .filter(({ kind, link: to }) => kind === Kind.record && (link === undefined || to === link))
      .map(({ text }) => JSON.parse(text) as { body: { addresses: string[]; time: number } })
  }
}

t.test('a node that is asked for nothing', async (t) => {
  const bench = new Bench()
  bench.overlay.start()
  await bench.up()
  await bench.clock.advanceAsync(3_600_000)
  t.equal(bench.dials.length, 0)
  t.notOk(bench.written.some(({ kind }) => kind === Kind.getPeers))
  t.equal(bench.clock.pendingTimers, 1, 'the renewal of its record is all that it waits for')
  t.equal(bench.overlay.missingOutbound, 0)
  t.equal(bench.overlay.networkSize, 1)
  await bench.overlay.stop()
  t.equal(bench.clock.pendingTimers, 0)
})

t.test('bootstrap addresses are dialled from the start on', async (t) => {
  const bench = new Bench({ bootstrap: [BOOTSTRAP] })
  bench.overlay.start()
  await bench.clock.advanceAsync(1)
  t.same(
    bench.dials.map(({ address }) => address),
    [BOOTSTRAP],
  )
  t.equal(bench.overlay.missingOutbound, 2)
  const link = await bench.answer('hub')
  t.equal(bench.overlay.missingOutbound, 1)
  t.same(
    bench.written.filter(({ kind }) => kind === Kind.getPeers).map(({ link: to }) => to),
    [link],
  )
})

t.test('its own record', async (t) => {
  t.test('is told on each link, once', async (t) => {
    const bench = new Bench()
    bench.overlay.start()
    await bench.turns()
    const links = [await bench.up(), await bench.up(), await bench.up()]
    for (const link of links) t.match(bench.told(link), [{ body: { addresses: ['20.9.9.9:7000'] } }])
    t.equal(bench.told().length, 3)
  })

  t.test('is told to all when a peer has seen it somewhere else', async (t) => {
    const bench = new Bench()
    bench.listen = { host: '0.0.0.0', port: 7_000 }
    bench.overlay.start()
    const links = [await bench.up(), await bench.up()]
    t.same(bench.told(), [])
    links.push(await bench.up({ seenAt: { host: OWN.host, port: 1 } }))
    for (const link of links) t.match(bench.told(link), [{ body: { addresses: ['20.9.9.9:7000'] } }])
    t.equal(bench.told().length, 3)
  })

  t.test('is not told again for each of many links that come up while it is signed', async (t) => {
    const bench = new Bench()
    bench.listen = { host: '0.0.0.0', port: 7_000 }
    bench.overlay.start()
    await bench.turns()
    const links = upTo(20).map((number) => {
      const fields = { seenAt: { host: OWN.host, port: 1 } }
      const link = new Link(`peer ${number}`, bench.clock.now(), fields)
      bench.links.add(link)
      bench.overlay.onUp(link)
      return link
    })
    await bench.turns()
    for (const link of links) t.equal(bench.told(link).length, 1, 'a peer looks at four, and no more')
  })

  t.test('is renewed every hour', async (t) => {
    const bench = new Bench()
    bench.overlay.start()
    const link = await bench.up()
    await bench.clock.advanceAsync(RECORD_RENEWAL + BOOK_SAVE_INTERVAL)
    t.equal(bench.told(link).length, 2)
    await bench.overlay.stop()
  })

  t.test('is not told where the option advertise is false', async (t) => {
    const bench = new Bench({ advertise: false })
    bench.overlay.start()
    await bench.up({ seenAt: OWN })
    await bench.clock.advanceAsync(RECORD_RENEWAL * 2)
    t.same(bench.told(), [])
    await bench.overlay.stop()
  })

  t.test('that cannot be signed is reported', async (t) => {
    const bench = new Bench()
    bench.sign = () => Promise.reject(new Error('no card in the reader'))
    bench.overlay.start()
    await bench.turns()
    t.match(bench.reports, [/no card in the reader/])
  })
})

t.test('the book', async (t) => {
  t.test('knows a peer by its record, and whether it was reached', async (t) => {
    const bench = new Bench({ bootstrap: [BOOTSTRAP] })
    const [one, two] = [bench.node(2), bench.node(3)]
    bench.overlay.start()
    await bench.clock.advanceAsync(1)
    const outbound = await bench.answer(one.id)
    const inbound = await bench.up({}, two.id)
    await bench.say(outbound, Kind.record, (await bench.recordOf(one, [BOOTSTRAP])).document)
    await bench.say(
      inbound,
      Kind.record,
      (await bench.recordOf(two, [{ host: '20.2.2.2', port: 1 }])).document,
    )
    t.match(bench.overlay.book.get(one.id), { isTried: true, lastConnected: bench.clock.now() })
    t.match(bench.overlay.book.get(two.id), { isTried: false, lastConnected: bench.clock.now() })
    t.equal(bench.overlay.networkSize, 3)
    await bench.overlay.stop()
  })

  t.test('notes when a link ended, and not while another one to the same node is up', async (t) => {
    const bench = new Bench()
    const node = bench.node(2)
    bench.overlay.start()
    const first = await bench.up({}, node.id)
    await bench.say(
      first,
      Kind.record,
      (await bench.recordOf(node, [{ host: '20.2.2.2', port: 1 }])).document,
    )
    const start = bench.clock.now()
    await bench.clock.advanceAsync(10_000)
    const second = await bench.up({}, node.id)
    bench.down(first, 'duplicate', 'us')
    await bench.clock.advanceAsync(10_000)
    bench.down(second)
    t.equal(bench.overlay.book.get(node.id)?.lastConnected, start + 20_000)
    await bench.overlay.stop()
  })

  t.test('is kept in a file, and read from it', async (t) => {
    const file = join(t.testdir({}), 'book.json')
    const bench = new Bench({ peerBookFile: file })
    const node = bench.node(2)
    await bench.overlay.open()
    bench.overlay.start()
    const link = await bench.up({}, node.id)
    const address = { host: '20.2.2.2', port: 1 }
    await bench.say(link, Kind.record, (await bench.recordOf(node, [address])).document)
    await bench.clock.advanceAsync(20_000)
    await bench.overlay.stop()
    t.match(readFileSync(file, 'utf8'), node.id)
    const again = new Bench({ peerBookFile: file })
    await again.clock.advanceAsync(30_000)
    await again.overlay.open()
    t.match(again.overlay.book.get(node.id), { lastConnected: bench.clock.now() }, 'up to the stop')
    again.overlay.start()
    await again.clock.advanceAsync(1)
    t.same(
      again.dials.map((dial) => dial.address),
      [address],
      'no bootstrap address is needed',
    )
    await again.overlay.stop()
  })

  t.test('of another kind of file is an error before the node listens, and the file stays', async (t) => {
    const file = join(t.testdir({}), 'book.json')
    writeFileSync(file, 'shopping: milk')
    const bench = new Bench({ peerBookFile: file })
    await t.rejects(bench.overlay.open(), { code: 'peer-book-unreadable' })
    t.equal(readFileSync(file, 'utf8'), 'shopping: milk')
  })

  t.test('that cannot be written is reported, and nothing else', async (t) => {
    const bench = new Bench({ peerBookFile: join(t.testdir({}), 'no', 'such', 'folder') })
    await bench.overlay.open()
    bench.overlay.start()
    await bench.overlay.stop()
    t.match(bench.reports, [/folder/])
  })
})

t.test('frames', async (t) => {
  t.test('of other kinds are not the business of the overlay', async (t) => {
    const bench = new Bench()
    bench.overlay.start()
    const link = await bench.up()
    for (const kind of [Kind.message, Kind.text, 0x2f, 0x36, 0xff])
      t.equal(await bench.say(link, kind), false, String(kind))
    t.same(bench.expelled, [])
  })

  t.test('that no correct node sends end the link', async (t) => {
    const bench = new Bench()
    bench.overlay.start()
    const cases: readonly (readonly [kind: number, payload: string, code: CloseCode])[] = [
      [Kind.enough, 'x', 'bad-payload'],
      [Kind.getPeers, 'x', 'bad-payload'],
      [Kind.peers, '[]', 'unsolicited'],
      [Kind.record, '{}', 'bad-record'],
      [Kind.question, '{}', 'bad-question'],
    ]
    for (const [kind, payload, code] of cases) {
      t.equal(await bench.say(await bench.up(), kind, payload), true)
      t.equal(bench.expelled.at(-1), code)
    }
    await bench.overlay.stop()
    t.equal(bench.clock.pendingTimers, 0)
  })

  t.test('a flood of `enough` changes nothing', async (t) => {
    const bench = new Bench()
    bench.overlay.start()
    const link = await bench.up()
    const frame = { kind: Kind.enough, payload: new Uint8Array(0) }
    for (let count = 0; count < 100_000; count++) bench.overlay.receive(link, frame)
    await bench.clock.advanceAsync(10_000)
    t.same([bench.expelled, bench.retired, bench.dials.length], [[], [], 0])
    t.equal(bench.clock.pendingTimers, 1)
    await bench.overlay.stop()
  })
})

t.test('a clock that is off', async (t) => {
  const bench = new Bench()
  bench.overlay.start()
  t.equal(bench.overlay.clockOffset, undefined)
  const off = MAX_CLOCK_OFFSET + 1_000
  await bench.up({ clockOffset: 5 })
  await bench.up({ clockOffset: off })
  t.same(bench.warnings, [], 'one of two does not count')
  await bench.up({ clockOffset: off })
  await bench.up({ clockOffset: off })
  t.same(bench.warnings, [[off, 3]], 'is told once')
  t.equal(bench.overlay.clockOffset, off)
  await bench.overlay.stop()
})

t.test('leaving', async (t) => {
  t.test('tells every peer, and then nobody anything', async (t) => {
    const bench = new Bench({ bootstrap: [BOOTSTRAP] })
    bench.overlay.start()
    const links = [await bench.up(), await bench.up()]
    const { time } = bench.told(links[0])[0]!.body
    await bench.overlay.leave()
    t.equal(bench.overlay.hasLeft, true)
    for (const link of links) {
      const farewell = bench.told(link).at(-1)!
      t.same(farewell.body.addresses, [])
      t.ok(farewell.body.time > time, 'or it would pass for an old one')
    }
    for (const link of links) bench.down(link, 'goodbye', 'us')
    const { length } = bench.written
    const { length: dials } = bench.dials
    const friend = await bench.up({ direction: 'outbound', seenAt: { host: OWN.host, port: 1 } })
    await bench.up({ direction: 'outbound', seenAt: { host: OWN.host, port: 1 } })
    await bench.clock.advanceAsync(RECORD_RENEWAL * 2)
    t.match(
      bench.told(friend),
      [{ body: { addresses: { length: 0 } } }],
      'where it is, it tells no friend either',
    )
    t.equal(bench.written.length, length + 2)
    t.equal(bench.dials.length, dials)
    await bench.overlay.stop()
  })

  t.test('ends a dial that was under way', async (t) => {
    const bench = new Bench({ bootstrap: [BOOTSTRAP] })
    bench.overlay.start()
    await bench.clock.advanceAsync(1)
    await bench.overlay.leave()
    await bench.answer('hub')
    t.same(bench.retired, ['goodbye'])
    await bench.overlay.stop()
  })

  t.test('ends a peer that was let in before, after it was seen to be up', async (t) => {
    const bench = new Bench()
    bench.overlay.start()
    await bench.overlay.leave()
    const link = new Link('late', bench.clock.now(), {})
    bench.links.add(link)
    bench.overlay.onUp(link)
    t.same(bench.retired, [])
    t.match(bench.told(link), [{ body: { addresses: { length: 0 } } }], 'it is told, too')
    await bench.turns()
    t.same(bench.retired, ['goodbye'])
  })

  t.test('ends a visit that was let in before, too', async (t) => {
    const bench = new Bench()
    bench.overlay.start()
    await bench.overlay.leave()
    bench.overlay.onVisit(new Link('late', bench.clock.now(), {}))
    t.same(bench.retired, [])
    await bench.turns()
    t.same(bench.retired, ['goodbye'])
  })

  t.test('who joins again is told anew, with a later time than the farewell', async (t) => {
    const bench = new Bench()
    bench.overlay.start()
    await bench.up()
    await bench.overlay.leave()
    const friend = await bench.up({ direction: 'outbound' })
    const joined = bench.overlay.join([], {})
    await bench.clock.advanceAsync(10_000)
    await joined
    t.equal(bench.overlay.hasLeft, false)
    t.match(bench.told(friend).at(-1), { body: { addresses: ['20.9.9.9:7000'] } })
    const [farewell, record] = bench.told(friend).map(({ body }) => body.time)
    t.ok(record! > farewell!)
    await bench.overlay.stop()
  })
})

t.test('stopping', async (t) => {
  t.test('leaves no timer, in whatever state it comes', async (t) => {
    const states: Record<string, (bench: Bench) => Promise<unknown>> = {
      'just started': () => Promise.resolve(),
      dialling: (bench) => bench.clock.advanceAsync(1),
      'with links': async (bench) => {
        await bench.clock.advanceAsync(1)
        await bench.answer('hub')
        for (const number of upTo(20)) await bench.up({ at: { host: publicHost(number), port: 1 } })
      },
      'while it joins': async (bench) => {
        bench.overlay.join([{ host: '20.3.3.3', port: 1 }], {}).catch(() => {})
        await bench.clock.advanceAsync(1)
      },
      'after a join': async (bench) => {
        const joined = bench.overlay.join([BOOTSTRAP], {})
        await bench.answer('hub')
        await bench.clock.advanceAsync(20_000)
        await joined
      },
      'while it searches': async (bench) => {
        await bench.up()
        bench.overlay.discover({}).catch(() => {})
        await bench.turns()
      },
      'after it has left': (bench) => bench.overlay.leave(),
    }
    for (const [name, reach] of Object.entries(states)) {
      const bench = new Bench({ bootstrap: [BOOTSTRAP] })
      bench.overlay.start()
      await reach(bench)
      await bench.overlay.stop()
      // What the node does then.
      for (const dial of bench.dials.splice(0))
        dial.reject(new SecureNodeError('aborted', 'the node was stopped'))
      for (const link of [...bench.links]) bench.down(link, 'goodbye', 'us')
      await bench.turns()
      t.equal(bench.clock.pendingTimers, 0, name)
      await bench.clock.advanceAsync(60_000)
      t.equal(bench.dials.length, 0, name)
    }
  })

  t.test('what comes while it stops sets no timer either', async (t) => {
    const bench = new Bench({ bootstrap: [BOOTSTRAP] })
    const node = bench.node(2)
    bench.overlay.start()
    const link = await bench.up({}, node.id)
    const stopped = bench.overlay.stop()
    await bench.up()
    await bench.say(link, Kind.record, (await bench.recordOf(node, [BOOTSTRAP])).document)
    await bench.say(link, Kind.enough)
    await stopped
    await t.rejects(bench.overlay.join([BOOTSTRAP], {}), { code: 'not-started' })
    t.equal(bench.clock.pendingTimers, 0)
  })

  t.test('twice, and before any start, is harmless; it can start again', async (t) => {
    const bench = new Bench({ bootstrap: [BOOTSTRAP] })
    await bench.overlay.stop()
    for (let round = 0; round < 3; round++) {
      bench.overlay.start()
      await bench.clock.advanceAsync(1)
      t.equal(bench.dials.length, 1, String(round))
      await Promise.all([bench.overlay.stop(), bench.overlay.stop()])
      for (const dial of bench.dials.splice(0))
        dial.reject(new SecureNodeError('aborted', 'the node was stopped'))
      await bench.turns()
      t.equal(bench.clock.pendingTimers, 0)
    }
  })
})
