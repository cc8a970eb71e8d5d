import t from 'tap'
import { DIAL_PAUSE_MIN, MAX_CANDIDATES, REST_TIME } from '../../lib/limits/network-limits.ts'
import type { ErrorCode } from '../../lib/errors.ts'
import { DialBackOff } from '../../lib/book/back-off.ts'
import { BootstrapList } from '../../lib/overlay/bootstrap-list.ts'
import { type Candidate, Candidates } from '../../lib/overlay/candidates.ts'
import { PeerBook } from '../../lib/book/peer-book.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { Random } from '../../lib/testing/random.ts'
import type { Address } from '../../lib/wire/address.ts'
import { paperId, paperRecord } from '../fixtures/records.ts'
import { SELF, upTo } from '../fixtures/surroundings.ts'

const SOURCE = { id: paperId(77), host: '127.0.0.1' }
const BOOTSTRAP = { host: 'start.example', port: 1 }

/** Whom a node can choose among. */
function make(maxPerGroup = 2) {
  const clock = new ManualClock()
  const generator = new Random(3)
  const random = (): number => generator.next()
  const book = new PeerBook({ self: SELF, random })
  const [backOff, bootstrap] = [new DialBackOff(random), new BootstrapList(random)]
  const linked = new Set<string>()
  const outbound: string[] = []
  const candidates = new Candidates(
    {
      ...{ self: SELF, clock, random, book, backOff, bootstrap },
      isLinked: (id) => linked.has(id),
      outboundHosts: () => outbound,
    },
    maxPerGroup,
  )
  const know = async (number: number, address: Address): Promise<void> => {
    t.equal(book.add(await paperRecord(number, [address]), SOURCE, clock.now()), 'added')
  }
  return { clock, book, backOff, bootstrap, linked, outbound, candidates, know }
}

/** All that can be dialled at the same time. */
function drain(candidates: Candidates): Candidate[] {
  const drained: Candidate[] = []
  for (let next = candidates.next(); next !== undefined; next = candidates.next()) {
    drained.push(next)
    candidates.begin(next)
  }
  return drained
}

t.test('nobody is known', async (t) => {
  const { candidates } = make()
  t.equal(candidates.next(), undefined)
  t.equal(candidates.stranger(), undefined)
  t.equal(candidates.bootstrap(), undefined)
})

t.test('a node of the book is dialled at its address, and must be found there', async (t) => {
  const { candidates, know } = make()
  await know(1, { host: '20.1.1.1', port: 7_000 })
  t.same(candidates.next(), { id: paperId(1), address: { host: '20.1.1.1', port: 7_000 } })
})

t.test('who is linked, or being dialled, or this node itself, is no candidate', async (t) => {
  const { candidates, know, linked } = make()
  await know(1, { host: '20.1.1.1', port: 7_000 })
  linked.add(paperId(1))
  t.equal(candidates.next(), undefined)
  linked.clear()
  const candidate = candidates.next()!
  candidates.begin(candidate)
  t.equal(candidates.dialling, 1)
  t.equal(candidates.next(), undefined)
  candidates.end(candidate)
  t.equal(candidates.dialling, 0)
  t.same(candidates.next(), candidate)
  candidates.found(SELF, { host: '192.168.0.1', port: 1 })
  candidates.begin(candidate)
  t.equal(candidates.next(), undefined)
})

t.test(
  'one address under many IDs is dialled once at a time: it may be a victim that liars name',
  async (t) => {
    const { candidates, know } = make(100)
    for (const number of upTo(16)) await know(number, { host: '20.6.6.6', port: 80 })
    t.equal(drain(candidates).length, 1)
  },
)

t.test('a bootstrap address at which a known node is being dialled is not dialled as well', async (t) => {
  const { candidates, know, bootstrap } = make()
  await know(1, { host: '20.1.1.1', port: 7_000 })
  bootstrap.add([{ host: '20.1.1.1', port: 7_000 }])
  t.equal(drain(candidates).length, 1)
})

t.test('groups', async (t) => {
  t.test('at most two dials, and links, to public addresses of one group', async (t) => {
    const { candidates, know, outbound } = make()
    for (const number of upTo(10)) await know(number, { host: `20.1.${number}.1`, port: 7_000 })
    t.equal(drain(candidates).length, 2)
    for (const number of upTo(10)) await know(10 + number, { host: `20.2.${number}.1`, port: 7_000 })
    outbound.push('20.2.50.1')
    t.equal(drain(candidates).length, 1, 'the link counts')
    t.equal(candidates.dialling, 3)
  })

  t.test('IPv6: the first 32 bits', async (t) => {
    const { candidates, know } = make()
    for (const number of upTo(5)) await know(number, { host: `2a00:1:${number + 1}::1`, port: 7_000 })
    t.equal(drain(candidates).length, 2)
  })

  t.test('an IPv4 address in an IPv6 one is of the group of the first', async (t) => {
    const { candidates, know, outbound } = make()
    outbound.push('::ffff:20.1.0.1', '20.1.9.9')
    await know(1, { host: '20.1.1.1', port: 7_000 })
    t.equal(candidates.next(), undefined)
  })

  t.test('private and loopback addresses have no limit', async (t) => {
    const { candidates, know } = make()
    for (const number of upTo(10)) await know(number, { host: `192.168.0.${number + 1}`, port: 7_000 })
    for (const number of upTo(10)) await know(10 + number, { host: '127.0.0.1', port: 7_000 + number })
    t.equal(drain(candidates).length, 20)
  })

  t.test('names count for no group, nor do bootstrap addresses keep to it', async (t) => {
    const { candidates, bootstrap, outbound } = make()
    outbound.push('a.example', 'a.example', '20.1.0.1', '20.1.0.2')
    bootstrap.add([{ host: '20.1.0.3', port: 1 }])
    t.match(candidates.next(), { id: undefined, address: { host: '20.1.0.3' } })
  })

  t.test('curiosity keeps to it too', async (t) => {
    const { candidates, know, outbound } = make()
    await know(1, { host: '20.1.1.1', port: 7_000 })
    outbound.push('20.1.0.1', '20.1.0.2')
    t.equal(candidates.stranger(), undefined)
  })
})

t.test('addresses that have failed are left alone until their pause is over', async (t) => {
  const { candidates, know, backOff, clock } = make()
  await know(1, { host: '20.1.1.1', port: 7_000 })
  backOff.failed({ host: '20.1.1.1', port: 7_000 }, clock.now())
  t.equal(candidates.next(), undefined)
  clock.advance(DIAL_PAUSE_MIN)
  t.ok(candidates.next())
})

t.test('those who rest', async (t) => {
  t.test('come last: after the bootstrap addresses, and rather than nobody', async (t) => {
    const { candidates, know, bootstrap } = make()
    await know(1, { host: '20.1.1.1', port: 7_000 })
    candidates.rest(paperId(1))
    bootstrap.add([BOOTSTRAP])
    t.same(
      drain(candidates).map(({ id }) => id),
      [undefined, paperId(1)],
    )
  })

  t.test('are nobody to be curious about', async (t) => {
    const { candidates, know, clock } = make()
    await know(1, { host: '20.1.1.1', port: 7_000 })
    candidates.rest(paperId(1))
    t.equal(candidates.stranger(), undefined)
    clock.advance(REST_TIME)
    t.ok(candidates.stranger())
  })

  t.test('are remembered up to a limit', async (t) => {
    const { candidates, know } = make()
    await know(1, { host: '20.1.1.1', port: 7_000 })
    candidates.rest(paperId(1))
    for (const number of upTo(10 * MAX_CANDIDATES)) candidates.rest(`stranger ${number}`)
    t.ok(candidates.stranger(), 'others have taken its place')
  })
})

t.test('bootstrap addresses', async (t) => {
  t.test('come after whom the book knows', async (t) => {
    const { candidates, know, bootstrap } = make()
    bootstrap.add([BOOTSTRAP])
    await know(1, { host: '20.1.1.1', port: 7_000 })
    t.same(
      drain(candidates).map(({ id }) => id),
      [paperId(1), undefined],
    )
  })

  t.test('are dialled once at a time, and not where somebody is linked', async (t) => {
    const { candidates, bootstrap, linked } = make()
    bootstrap.add([BOOTSTRAP])
    const candidate = candidates.bootstrap()!
    t.same(candidate, { id: undefined, address: BOOTSTRAP })
    candidates.begin(candidate)
    t.equal(candidates.bootstrap(), undefined)
    candidates.end(candidate)
    bootstrap.succeeded(BOOTSTRAP, 'alice')
    linked.add('alice')
    t.equal(candidates.bootstrap(), undefined)
  })
})

t.test('nodes of the local network', async (t) => {
  t.test(
    'take turns with those of the book, and each is tried once for every time that it is found',
    async (t) => {
      const { candidates, know } = make()
      await know(1, { host: '20.1.1.1', port: 7_000 })
      const firsts = new Set<string | undefined>()
      for (let round = 0; round < 30; round++) {
        candidates.found(paperId(2), { host: '192.168.0.2', port: 7_000 })
        firsts.add(candidates.next()?.id)
      }
      t.same(
        firsts,
        new Set([paperId(1), paperId(2)]),
        'one host with many names cannot be all that is dialled',
      )
      while (candidates.next()?.id === paperId(2));
      t.equal(candidates.next()?.id, paperId(1))
    },
  )

  t.test('are forgotten where they rest, are linked, or do not answer', async (t) => {
    const { candidates, backOff, linked, clock } = make()
    const address = { host: '192.168.0.2', port: 7_000 }
    candidates.found(paperId(2), address)
    linked.add(paperId(2))
    t.equal(candidates.next(), undefined)
    linked.clear()
    candidates.found(paperId(2), address)
    backOff.failed(address, clock.now())
    t.equal(candidates.next(), undefined)
    t.equal(candidates.next(), undefined)
    candidates.found(paperId(3), { host: '192.168.0.3', port: 7_000 })
    candidates.rest(paperId(3))
    t.equal(candidates.next(), undefined, 'it calls every half minute, and would come first each time')
  })

  t.test(
    'whoever repeats the call of another node from his own address does not take its place',
    async (t) => {
      const { candidates } = make()
      candidates.found(paperId(2), { host: '192.168.0.2', port: 7_000 })
      candidates.found(paperId(2), { host: '192.168.0.66', port: 7_000 })
      t.equal(candidates.next()?.address.host, '192.168.0.2')
      t.equal(candidates.next()?.address.host, '192.168.0.66')
    },
  )

  t.test('are remembered up to a limit, the newest ones', async (t) => {
    const { candidates } = make()
    for (const number of upTo(3 * MAX_CANDIDATES))
      candidates.found(`node ${number}`, { host: `10.${number >> 8}.${number & 255}.1`, port: 7_000 })
    const drained = drain(candidates)
    t.equal(drained.length, MAX_CANDIDATES)
    t.equal(drained.at(-1)?.id, `node ${3 * MAX_CANDIDATES - 1}`)
  })
})

t.test('records that name the address of another node do not keep anybody away from it', async (t) => {
  const { candidates, know, clock } = make()
  const address = { host: '20.1.1.1', port: 7_000 }
  await know(1, address)
  for (let number = 2; number < 30; number++) {
    await know(number, address)
    candidates.failed({ id: paperId(number), address }, { code: 'identity-mismatch', found: paperId(1) })
    for (let look = 0; look < 20; look++) {
      const candidate = candidates.next()
      t.ok(candidate === undefined || candidate.id === paperId(1), 'nobody else is looked for there')
    }
  }
  t.equal(candidates.next()?.id, paperId(1))
  candidates.failed({ id: paperId(1), address }, { code: 'connect-failed' })
  t.equal(candidates.next(), undefined, 'it was there, and is not any more')
  clock.advance(3_600_000)
  t.ok(candidates.next())
})

t.test('what came of a dial', async (t) => {
  const address = { host: '20.1.1.1', port: 7_000 }
  const dialled = async (code: ErrorCode, expected: 'a node' | 'anybody' = 'a node') => {
    const id = expected === 'a node' ? paperId(1) : undefined
    const setting = make()
    await setting.know(1, address)
    setting.bootstrap.add([address])
    setting.candidates.failed({ id, address }, { code })
    return {
      isPaused: !setting.backOff.isReady(address, setting.clock.now()),
      bootstraps: setting.bootstrap.size,
      failures: setting.book.get(paperId(1))?.failures,
    }
  }

  t.test('a failure pauses the address, and counts against who was expected there', async (t) => {
    t.same(await dialled('connect-failed'), { isPaused: true, bootstraps: 1, failures: 1 })
    t.same(await dialled('handshake-failed'), { isPaused: true, bootstraps: 1, failures: 1 })
    t.same(await dialled('connect-failed', 'anybody'), { isPaused: true, bootstraps: 1, failures: 0 })
  })

  t.test('who refuses, or hangs up, is alive', async (t) => {
    for (const code of ['refused-by-peer', 'connection-closed'] as const)
      t.same(await dialled(code), { isPaused: true, bootstraps: 1, failures: 0 }, code)
  })

  t.test('what was ended here counts for nothing', async (t) => {
    for (const code of ['aborted', 'not-started', 'too-many-connections'] as const)
      t.same(await dialled(code), { isPaused: false, bootstraps: 1, failures: 0 }, code)
  })

  t.test('a record that leads to somebody else is forgotten', async (t) => {
    t.same(await dialled('identity-mismatch'), { isPaused: true, bootstraps: 1, failures: undefined })
  })

  t.test('an address of its own is no bootstrap address', async (t) => {
    t.match(await dialled('self-connection'), { isPaused: true, bootstraps: 0, failures: 1 })
  })

  t.test('a success ends the pauses', async (t) => {
    const { candidates, backOff, bootstrap, clock } = make()
    bootstrap.add([address])
    candidates.pause(address)
    candidates.succeeded(address, 'alice')
    t.ok(backOff.isReady(address, clock.now()))
  })
})
