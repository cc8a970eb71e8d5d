import t from 'tap'
import { Deferred } from '../../lib/ground/deferred.ts'
import { MAX_RECORD_BYTES, RECORD_RENEWAL } from '../../lib/limits/network-limits.ts'
import { OwnRecord, type OwnRecordPort } from '../../lib/overlay/own-record.ts'
import { verifyRecord, readRecord } from '../../lib/book/peer-record.ts'
import { readStatement } from '../../lib/message/statement.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import type { Address } from '../../lib/wire/address.ts'
import { NET, realNode } from '../fixtures/records.ts'

const identity = realNode(1)
/** Public hosts of different groups, at which peers are. */
const PEERS = ['20.1.0.1', '20.2.0.1', '20.3.0.1', '20.4.0.1', '20.5.0.1', '20.6.0.1']
const PUBLIC = '33.3.3.3'

interface Setting {
  readonly listen?: Address | undefined
  readonly hosts?: readonly string[]
  readonly advertise?: readonly Address[] | false
  readonly sign?: OwnRecordPort['sign']
}

/** The record of a node that listens at all IPv4 addresses of a machine that knows none. */
function make({ listen, hosts = [], advertise = [], sign }: Setting = {}) {
  const clock = new ManualClock()
  const world = { listen: listen ?? { host: '0.0.0.0', port: 7_000 }, hosts, isListening: true }
  const own = new OwnRecord(
    {
      self: { id: identity.id, net: NET },
      clock,
      sign: sign ?? ((bytes) => identity.sign(bytes)),
      listening: () => (world.isListening ? world.listen : undefined),
      hosts: () => world.hosts,
    },
    advertise,
  )
  /** A new link to a peer at one host, which says where it sees this node. */
  const see = (host: string, by = PEERS[0]!): object => {
    const link = {}
    own.sighted(link, by, { host, port: 55_555 })
    return link
  }
  return { clock, world, own, see }
}

t.test('a node that listens at one address tells this one', async (t) => {
  const { own } = make({ listen: { host: '20.9.9.9', port: 7_000 } })
  t.equal(own.current, undefined, 'nothing before it is asked to make one')
  t.equal(await own.refresh(), true)
  t.match(own.current, { id: identity.id, net: NET, addresses: [{ host: '20.9.9.9', port: 7_000 }] })
})

t.test('the record is one that others can verify', async (t) => {
  const { own } = make({ listen: { host: '20.9.9.9', port: 7_000 } })
  await own.refresh()
  const read = readStatement(new TextEncoder().encode(own.current!.document), MAX_RECORD_BYTES)
  const result = readRecord((read as Extract<typeof read, { ok: true }>).statements[0]!, NET)
  const { draft } = result as Extract<typeof result, { ok: true }>
  t.match(await verifyRecord(draft), { id: identity.id })
})

t.test('addresses that nobody can be reached at are not told', async (t) => {
  for (const host of ['169.254.1.1', 'fe80::1', 'example.org', '224.0.0.1']) {
    const { own } = make({ listen: { host, port: 7_000 } })
    t.equal(await own.refresh(), false, host)
    t.equal(own.current, undefined)
  }
})

t.test('a node that does not listen tells nothing', async (t) => {
  const { own, world } = make({ listen: { host: '20.9.9.9', port: 7_000 } })
  world.isListening = false
  t.equal(await own.refresh(), false)
  t.same(own.addresses(), [])
})

t.test('at a wildcard', async (t) => {
  t.test('nothing is known before anybody has seen it', async (t) => {
    const { own } = make({ hosts: ['20.9.9.9', '192.168.1.5'] })
    t.equal(await own.refresh(), false)
    t.equal(own.current, undefined)
  })

  t.test('one word is enough for an address of this machine, with the port that it listens at', async (t) => {
    const { own, see } = make({ hosts: ['192.168.1.5'] })
    see('192.168.1.5')
    t.same(own.addresses(), [{ host: '192.168.1.5', port: 7_000 }])
  })

  t.test('spellings of one address are one', async (t) => {
    const { own, see } = make({ listen: { host: '::', port: 7_000 }, hosts: ['2A00:0:0::5'] })
    see('2a00::5')
    see('2a00:0:0:0:0:0:0:5', PEERS[1])
    t.same(own.addresses(), [{ host: '2a00::5', port: 7_000 }])
  })

  t.test('an IPv4 address inside an IPv6 one is what it is', async (t) => {
    const { own, see } = make({ listen: { host: '::', port: 7_000 }, hosts: ['192.168.1.5'] })
    see('::ffff:192.168.1.5')
    t.same(own.addresses(), [{ host: '192.168.1.5', port: 7_000 }])
  })

  t.test('an address of a router needs peers of two groups', async (t) => {
    const { own, see } = make()
    see(PUBLIC, '20.1.0.1')
    see(PUBLIC, '20.1.0.2')
    see(PUBLIC, '20.1.200.200')
    t.same(own.addresses(), [], 'three of one group are one')
    see(PUBLIC, '20.2.0.1')
    t.same(own.addresses(), [{ host: PUBLIC, port: 7_000 }])
  })

  t.test('a peer that lies is not believed, however many links it opens', async (t) => {
    const { own, see } = make({ hosts: ['20.9.9.9'] })
    see('20.9.9.9', PEERS[1])
    for (let count = 0; count < 1_000; count++) see('66.6.6.6', '20.1.0.1')
    t.same(own.addresses(), [{ host: '20.9.9.9', port: 7_000 }])
    await own.refresh()
    t.same(own.current?.addresses, [{ host: '20.9.9.9', port: 7_000 }], 'nor does it push out the truth')
  })

  t.test('a node of IPv4 alone has no IPv6 address, whoever says so', async (t) => {
    const { own, see } = make({ hosts: ['2a00::5', '20.9.9.9'] })
    see('2a00::5', PEERS[0])
    see('2a00::5', PEERS[1])
    t.same(own.addresses(), [])
    see('20.9.9.9')
    t.same(own.addresses(), [{ host: '20.9.9.9', port: 7_000 }])
  })

  t.test('what is no address, or none that can be reached, is no word at all', async (t) => {
    const { own, see } = make({ hosts: ['169.254.1.1', 'evil.example'] })
    for (const host of ['169.254.1.1', 'evil.example', '', '0.0.0.0', '224.0.0.1', '__proto__']) {
      see(host, PEERS[0])
      see(host, PEERS[1])
    }
    t.same(own.addresses(), [])
  })

  t.test('at most four, those that most groups see first', async (t) => {
    const hosts = ['20.9.9.1', '20.9.9.2', '20.9.9.3', '20.9.9.4', '20.9.9.5']
    const { own, see } = make({ hosts })
    for (const [count, host] of hosts.entries()) for (const by of PEERS.slice(0, count + 1)) see(host, by)
    t.same(
      own.addresses().map(({ host }) => host),
      ['20.9.9.5', '20.9.9.4', '20.9.9.3', '20.9.9.2'],
    )
  })

  t.test('a node that has moved tells the new address, and not the old one', async (t) => {
    const { own, see, world, clock } = make({ hosts: ['20.9.9.9'] })
    const links = [see('20.9.9.9', PEERS[0]), see('20.9.9.9', PEERS[1])]
    await own.refresh()
    for (const link of links) own.unsighted(link)
    t.equal(await own.refresh(), false, 'nobody sees it: nothing speaks against what was known')
    t.same(own.current?.addresses, [{ host: '20.9.9.9', port: 7_000 }])
    world.hosts = ['20.8.8.8']
    clock.advance(60_000)
    see('20.8.8.8')
    t.equal(await own.refresh(), true)
    t.same(own.addresses(), [{ host: '20.8.8.8', port: 7_000 }])
  })

  t.test('an address that was believed stays while anybody sees it', async (t) => {
    const { own, see } = make()
    const first = see(PUBLIC, PEERS[0])
    see(PUBLIC, PEERS[1])
    await own.refresh()
    own.unsighted(first)
    t.equal(await own.refresh(), false)
    t.same(own.current?.addresses, [{ host: PUBLIC, port: 7_000 }])
  })

  t.test('the word of a link that has ended does not count', async (t) => {
    const { own, see } = make()
    own.unsighted(see(PUBLIC, PEERS[0]))
    see(PUBLIC, PEERS[1])
    t.same(own.addresses(), [])
  })
})

t.test('the option advertise', async (t) => {
  const given = [
    { host: '33.3.3.3', port: 1 },
    { host: '2A00:0::1', port: 2 },
  ]
  t.test('a list takes the place of what is found out', async (t) => {
    const { own, see } = make({ advertise: given, hosts: ['20.9.9.9'] })
    see('20.9.9.9')
    t.equal(await own.refresh(), true)
    t.same(own.current?.addresses, [
      { host: '33.3.3.3', port: 1 },
      { host: '2a00::1', port: 2 },
    ])
  })

  t.test('however it is spelled, it is the same the next time', async (t) => {
    const { own } = make({ advertise: [...given, { host: '2a00::1', port: 2 }] })
    t.equal(await own.refresh(), true)
    t.equal(await own.refresh(), false)
  })

  t.test('a longer list is cut: readers would refuse the record', async (t) => {
    const advertise = PEERS.map((host) => ({ host, port: 1 }))
    const { own } = make({ advertise })
    await own.refresh()
    t.same(own.current?.addresses, advertise.slice(0, 4))
  })

  t.test('false tells nothing', async (t) => {
    const { own, see } = make({ advertise: false, hosts: ['20.9.9.9'] })
    see('20.9.9.9')
    t.equal(await own.refresh(), false)
    t.equal(own.current, undefined)
  })
})

t.test('renewal', async (t) => {
  t.test('after an hour, and not before', async (t) => {
    const { own, clock } = make({ listen: { host: '20.9.9.9', port: 7_000 } })
    await own.refresh()
    const first = own.current!
    clock.advance(RECORD_RENEWAL - 1)
    t.equal(await own.refresh(), false)
    t.equal(own.current, first)
    clock.advance(1)
    t.equal(await own.refresh(), true)
    t.equal(own.current!.time, first.time + RECORD_RENEWAL)
  })

  t.test(
    'at once when the addresses have changed, with a later time even in the same millisecond',
    async (t) => {
      const { own, see } = make({ hosts: ['20.9.9.9', '20.8.8.8'] })
      see('20.9.9.9')
      await own.refresh()
      const first = own.current!
      see('20.8.8.8', PEERS[1])
      t.equal(await own.refresh(), true)
      t.ok(own.current!.time > first.time, 'the newest one counts')
    },
  )

  t.test('with a later time also where the clock was set back', async (t) => {
    const { own, see, clock } = make({ hosts: ['20.9.9.9', '20.8.8.8'] })
    see('20.9.9.9')
    await own.refresh()
    const { time } = own.current!
    clock.now = () => time - 30_000
    see('20.8.8.8', PEERS[1])
    await own.refresh()
    t.equal(own.current?.time, time + 1)
  })

  t.test('one caller alone hears of a new record, or it would be told again and again', async (t) => {
    const { own, see } = make({ hosts: ['20.9.9.9'] })
    see('20.9.9.9')
    t.same(await Promise.all([own.refresh(), own.refresh(), own.refresh()]), [true, false, false])
  })

  t.test('what is seen while a record is signed is in the next one, which is made at once', async (t) => {
    const signing = new Deferred<void>()
    let count = 0
    const sign = async (bytes: Uint8Array): Promise<Uint8Array> => {
      if (++count === 1) await signing.promise
      return identity.sign(bytes)
    }
    const { own, see } = make({ hosts: ['20.9.9.9', '20.8.8.8'], sign })
    see('20.9.9.9')
    const refreshed = own.refresh()
    see('20.8.8.8', PEERS[1])
    t.equal(await own.refresh(), false)
    signing.resolve()
    t.equal(await refreshed, true)
    t.same(
      own.current?.addresses.map(({ host }) => host),
      ['20.8.8.8', '20.9.9.9'],
    )
    t.equal(count, 2)
  })

  t.test('a signer that fails is heard of, and asked again the next time', async (t) => {
    let isBroken = true
    const sign = (bytes: Uint8Array): Promise<Uint8Array> =>
      isBroken ? Promise.reject(new Error('no card in the reader')) : identity.sign(bytes)
    const { own } = make({ listen: { host: '20.9.9.9', port: 7_000 }, sign })
    await t.rejects(own.refresh(), { message: 'no card in the reader' })
    isBroken = false
    t.equal(await own.refresh(), true)
  })
})

t.test('a farewell', async (t) => {
  t.test('has no addresses, and a later time than the record that it takes back', async (t) => {
    const { own } = make({ listen: { host: '20.9.9.9', port: 7_000 } })
    await own.refresh()
    const { time } = own.current!
    const farewell = await own.farewell()
    t.same(farewell.addresses, [])
    t.ok(farewell.time > time)
    t.equal(own.current, undefined)
  })

  t.test('a record that was being signed meanwhile does not come back', async (t) => {
    const signing = new Deferred<void>()
    let count = 0
    const sign = async (bytes: Uint8Array): Promise<Uint8Array> => {
      if (++count === 1) await signing.promise
      return identity.sign(bytes)
    }
    const { own } = make({ listen: { host: '20.9.9.9', port: 7_000 }, sign })
    const refreshed = own.refresh()
    const farewell = await own.farewell()
    signing.resolve()
    t.equal(await refreshed, false)
    t.equal(own.current, undefined)
    t.equal(await own.refresh(), true, 'who joins again is told anew')
    t.ok(own.current!.time > farewell.time)
  })
})
