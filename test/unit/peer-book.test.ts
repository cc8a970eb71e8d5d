import t from 'tap'
import type { KnownPeer, Source } from '../../lib/book/known-peer.ts'
import { PeerBook } from '../../lib/book/peer-book.ts'
import { Random } from '../../lib/testing/random.ts'
import { DAY, NOW, paperId, paperRecord, publicHost } from '../fixtures/records.ts'

const SELF = paperId(0)
const PUBLIC = { host: '20.1.1.1', port: 1 }
const PUBLIC_6 = { host: '2a00::1', port: 1 }
const PRIVATE = { host: '192.168.1.1', port: 1 }
const LOOPBACK = { host: '127.0.0.1', port: 1 }

function makeBook(seed = 1): PeerBook {
  const random = new Random(seed)
  return new PeerBook({ self: SELF, random: () => random.next() })
}

/** A stranger at a public address; neighbouring numbers are in different groups. */
const stranger = (number: number, host = publicHost(number)): Source => ({
  id: paperId(100_000 + number),
  host,
})
const anyone = () => true

/** Whom each source has told of. */
function bySource(book: PeerBook): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { source } of book) counts.set(source.id, (counts.get(source.id) ?? 0) + 1)
  return counts
}

/** Fills the book with nodes from `first` on, each told by a source of its own group. */
async function fill(book: PeerBook, count: number, first = 1): Promise<void> {
  for (let number = first; number < first + count; number++) {
    book.add(await paperRecord(number), stranger(number % 16_000), NOW)
  }
}

t.test('a node that is told of is known, and can be looked at', async (t) => {
  const book = makeBook()
  const record = await paperRecord(1)
  t.equal(book.add(record, stranger(1), NOW), 'added')
  t.equal(book.size, 1)
  t.ok(book.has(record.id))
  const peer = book.get(record.id)
  t.strictSame(peer, {
    id: record.id,
    addresses: record.addresses,
    time: NOW,
    record,
    source: stranger(1),
    lastConnected: undefined,
    failures: 0,
    isTried: false,
  })
  t.strictSame([...book], [peer])
  t.equal(book.get('nobody'), undefined)
  t.equal(book.get('__proto__'), undefined)
})

t.test('what was looked at does not change with the book, nor the book with it', async (t) => {
  const book = makeBook()
  const { id } = await paperRecord(1)
  book.add(await paperRecord(1), stranger(1), NOW)
  const before = book.get(id)!
  book.failed(id, NOW)
  t.equal(before.failures, 0)
  t.equal(book.get(id)!.failures, 1)
  t.throws(() => ((before as { failures: number }).failures = 9), TypeError)
})

t.test('the view shows the book, and has nothing that changes it', async (t) => {
  const book = makeBook()
  const view = book.view()
  await fill(book, 3)
  t.equal(view.size, 3)
  t.strictSame([...view], [...book])
  t.equal(view.get(paperId(1)), book.get(paperId(1)))
  t.ok(view.has(paperId(2)))
  t.strictSame(Object.keys(view).sort(), ['get', 'has', 'size'])
  t.ok(Object.isFrozen(view))
})

t.test('the newest record counts, and what is not newer changes nothing', async (t) => {
  const book = makeBook()
  const newer = await paperRecord(1, [PUBLIC_6], NOW)
  const older = await paperRecord(1, [PUBLIC], NOW - 1)
  t.equal(book.add(older, stranger(1), NOW), 'added')
  t.equal(book.add(newer, stranger(2), NOW), 'renewed')
  t.equal(book.add(older, stranger(3), NOW), 'older')
  t.equal(book.add(newer, stranger(4), NOW), 'older')
  t.equal(book.add(await paperRecord(1, [PUBLIC], NOW), stranger(1), NOW), 'older', 'two of the same time')
  t.match(book.get(newer.id), { addresses: [PUBLIC_6], time: NOW, source: stranger(1) })
  t.equal(book.size, 1)
})

t.test('a node is not in its own book', async (t) => {
  const book = makeBook()
  t.equal(book.add(await paperRecord(SELF, [PUBLIC]), stranger(1), NOW), 'self')
  t.equal(book.size, 0)
})

t.test('records of the wrong time are refused here too', async (t) => {
  const book = makeBook()
  t.equal(book.add(await paperRecord(1, [PUBLIC], NOW - 7 * DAY - 1), stranger(1), NOW), 'stale')
  t.equal(book.add(await paperRecord(1, [PUBLIC], NOW + 600_001), stranger(1), NOW), 'early')
  t.equal(book.add(await paperRecord(1, [PUBLIC], Number.MAX_SAFE_INTEGER), stranger(1), NOW), 'early')
  t.equal(book.add(await paperRecord(1, [PUBLIC], NOW + 600_000), stranger(1), NOW), 'added')
})

t.test('strangers cannot name addresses of the local network or of this machine', async (t) => {
  const book = makeBook()
  t.equal(book.add(await paperRecord(1, [PRIVATE, LOOPBACK]), stranger(1), NOW), 'no-address')
  t.equal(book.add(await paperRecord(1, [PRIVATE]), { id: 'x', host: 'a.name' }, NOW), 'no-address')
  t.equal(book.size, 0)
  t.equal(book.add(await paperRecord(1, [PRIVATE, PUBLIC]), stranger(1), NOW), 'added')
  t.strictSame(book.get(paperId(1))!.addresses, [PUBLIC])
  // Not for the node itself either, while it is seen outside.
  t.equal(book.add(await paperRecord(2, [LOOPBACK]), { id: paperId(2), host: '20.5.5.5' }, NOW), 'no-address')
})

t.test('a newer record from outside that has no address for us leaves what is known', async (t) => {
  const book = makeBook()
  book.add(await paperRecord(1, [PRIVATE]), { id: 'lan', host: '192.168.1.2' }, NOW)
  t.equal(book.add(await paperRecord(1, [LOOPBACK], NOW + 1), stranger(1), NOW), 'no-address')
  t.match(book.get(paperId(1)), { addresses: [PRIVATE], time: NOW })
})

t.test('the same record from nearer by adds the addresses that could not be used', async (t) => {
  const book = makeBook()
  const record = await paperRecord(1, [PUBLIC, PRIVATE, LOOPBACK])
  t.equal(book.add(record, stranger(1), NOW), 'added')
  t.equal(book.add(record, { id: 'lan', host: '10.0.0.9' }, NOW), 'renewed')
  t.strictSame(book.get(record.id)!.addresses, [PUBLIC, PRIVATE])
  t.equal(book.add(record, stranger(2), NOW), 'older')
  t.strictSame(book.get(record.id)!.addresses, [PUBLIC, PRIVATE])
})

t.test('a farewell takes a node out, and no older record brings it back', async (t) => {
  const book = makeBook()
  const record = await paperRecord(1)
  const farewell = await paperRecord(1, [], NOW + 1)
  book.add(record, stranger(1), NOW)
  t.equal(book.add(await paperRecord(1, [], NOW), stranger(1), NOW), 'older')
  t.equal(book.add(farewell, stranger(2), NOW), 'renewed')
  t.notOk(book.has(record.id))
  t.equal(book.add(record, stranger(1), NOW), 'older')
  t.equal(book.add(await paperRecord(1, [PUBLIC], NOW + 1), stranger(1), NOW), 'older')
  t.equal(book.add(farewell, stranger(1), NOW), 'older')
  t.equal(book.add(await paperRecord(1, [PUBLIC], NOW + 2), stranger(1), NOW), 'added', 'it has come back')
  book.forget(record.id)
  t.equal(book.add(record, stranger(1), NOW), 'older')
})

t.test('the farewell of somebody whom nobody knew is not remembered', async (t) => {
  const book = makeBook()
  t.equal(book.add(await paperRecord(1, [], NOW + 1), stranger(1), NOW), 'no-address')
  t.equal(book.add(await paperRecord(1), stranger(1), NOW), 'added')
})

t.test('a judgement says what would be done, and does nothing', async (t) => {
  const book = makeBook()
  t.equal(book.judge(await paperRecord(1), stranger(1), NOW), 'added')
  t.equal(book.size, 0)
  book.add(await paperRecord(1), stranger(1), NOW)
  t.equal(book.judge(await paperRecord(1), stranger(1), NOW), 'older')
  t.equal(book.judge(await paperRecord(1, [], NOW + 1), stranger(1), NOW), 'renewed')
  t.ok(book.has(paperId(1)))
})

// Quotas

t.test('one source gets 64 entries, whatever it tells', async (t) => {
  const book = makeBook()
  const outcomes = new Map<string, number>()
  for (let number = 1; number <= 12_000; number++) {
    const outcome = book.add(await paperRecord(number), stranger(1), NOW)
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  t.strictSame(Object.fromEntries(outcomes), { added: 64, full: 11_936 })
  t.equal(book.size, 64)
  t.equal(
    book.add(await paperRecord(1, [PUBLIC], NOW + 1), stranger(1), NOW),
    'renewed',
    'renewals have places',
  )
  book.forget(paperId(1))
  t.equal(book.add(await paperRecord(13_000), stranger(1), NOW), 'added', 'and so has another one now')
})

t.test('a hundred thousand records of one node are one entry', async (t) => {
  const book = makeBook()
  // A thousand are made: what they cost to make is not what is tested.
  const records = await Promise.all(
    Array.from({ length: 1_000 }, (_, step) => paperRecord(1, [PUBLIC], NOW - 1_000 + step)),
  )
  for (let round = 0; round < 100; round++)
    for (const record of records) book.add(record, stranger(round % 9), NOW)
  t.equal(book.size, 1)
  t.equal(book.get(paperId(1))!.time, NOW - 1)
  t.equal(bySource(book).size, 1)
})

t.test('what a node tells of itself is on nobody’s account', async (t) => {
  const book = makeBook()
  const source = { id: paperId(5_000), host: '20.7.7.7' }
  for (let number = 1; number <= 64; number++) book.add(await paperRecord(number), source, NOW)
  t.equal(book.add(await paperRecord(5_000), source, NOW), 'added')
  t.equal(book.add(await paperRecord(65), source, NOW), 'full')
  // A node that this source has told of comes itself: a place is free again.
  const own = { id: paperId(1), host: '20.1.1.1' }
  t.equal(book.add(await paperRecord(1), own, NOW), 'renewed')
  t.strictSame(book.get(paperId(1))!.source, own)
  t.equal(book.add(await paperRecord(1), own, NOW), 'older')
  t.equal(book.add(await paperRecord(65), source, NOW), 'added')
  t.equal(book.add(await paperRecord(66), source, NOW), 'full')
})

t.test('nobody can draw the entries of others onto his own account, or wear theirs out', async (t) => {
  const book = makeBook()
  for (let number = 1; number <= 200; number++) book.add(await paperRecord(number), stranger(number), NOW)
  for (let number = 1; number <= 200; number++) {
    book.add(await paperRecord(number, [PUBLIC], NOW + 1), stranger(999), NOW)
  }
  t.equal(bySource(book).size, 200)
  t.notOk(bySource(book).has(stranger(999).id))
})

t.test('memory is flat: 12,000 records from 6,000 sources leave 4,096 entries', async (t) => {
  const book = makeBook()
  for (let number = 1; number <= 12_000; number++) {
    book.add(await paperRecord(number), stranger(number % 6_000), NOW)
  }
  t.equal(book.size, 4_096)
  t.equal([...book].length, 4_096)
  for (const { id } of [...book]) book.forget(id)
  t.equal(book.size, 0)
  t.equal(book.pick(NOW, anyone), undefined)
  t.strictSame(book.sample(16, NOW), [])
})

t.test('a group of sybils cannot push out what others tell', async (t) => {
  const book = makeBook()
  await fill(book, 500)
  // A thousand identities at addresses of one /16 tell of 10,000 nodes.
  for (let number = 0; number < 10_000; number++) {
    const source = stranger(50_000 + (number % 1_000), `99.99.${number % 250}.${1 + (number % 199)}`)
    book.add(await paperRecord(100_000 + number), source, NOW)
  }
  t.equal(book.size, 4_096)
  let honest = 0
  for (let number = 1; number <= 500; number++) if (book.has(paperId(number))) honest++
  t.equal(honest, 500)
  // Nor do they get more attention than one of the other groups does.
  let sybils = 0
  for (let turn = 0; turn < 1_000; turn++) {
    if (book.get(book.pick(NOW, anyone)!.id)!.source.host.startsWith('99.99.')) sybils++
  }
  t.ok(sybils < 20, `${sybils} of 1,000 picks`)
  const told = book.sample(200, NOW).filter(({ id }) => book.get(id)!.source.host.startsWith('99.99.'))
  t.ok(told.length < 40, `${told.length} of 200 records`)
})

t.test('when places are short, new groups still come in', async (t) => {
  const book = makeBook()
  for (let number = 0; number < 5_000; number++) {
    book.add(await paperRecord(10_000 + number), stranger(number % 80, `99.99.1.${number % 80}`), NOW)
  }
  t.equal(book.size, 4_096)
  await fill(book, 1_000)
  let honest = 0
  for (let number = 1; number <= 1_000; number++) if (book.has(paperId(number))) honest++
  t.equal(honest, 1_000)
})

// Links and dials

t.test(
  'a node that was reached is tried, its address comes first, and its failures are forgotten',
  async (t) => {
    const book = makeBook()
    const { id } = await paperRecord(1)
    book.add(await paperRecord(1, [PUBLIC, PUBLIC_6]), stranger(1), NOW)
    book.failed(id, NOW)
    book.connected(id, PUBLIC_6, NOW + 5)
    const expected = { isTried: true, failures: 0, lastConnected: NOW + 5, addresses: [PUBLIC_6, PUBLIC] }
    t.match(book.get(id), expected)
    t.strictSame(book.pick(NOW, anyone), { id, ...PUBLIC_6 })
    book.disconnected(id, NOW + 9)
    t.match(book.get(id), { ...expected, lastConnected: NOW + 9 })
    book.disconnected(id, NOW + 99)
    t.equal(book.get(id)!.lastConnected, NOW + 9, 'a link ends once')
  },
)

t.test('who connects to us has proven no address, and gets no place for good', async (t) => {
  const book = makeBook()
  const { id } = await paperRecord(1)
  book.add(await paperRecord(1), { id, host: '20.1.1.1' }, NOW)
  book.connected(id, undefined, NOW)
  t.match(book.get(id), { isTried: false, lastConnected: NOW })
  book.connected(id, PUBLIC, NOW)
  book.connected(id, undefined, NOW)
  t.equal(book.get(id)!.isTried, true)
})

t.test('the link may be there before the record', async (t) => {
  const book = makeBook()
  book.connected(paperId(1), PUBLIC, NOW)
  book.connected(paperId(2), undefined, NOW)
  t.equal(book.size, 0)
  for (const number of [1, 2])
    book.add(await paperRecord(number), { id: paperId(number), host: '20.1.1.1' }, NOW + 7)
  t.match(book.get(paperId(1)), { isTried: true, lastConnected: NOW + 7 })
  t.match(book.get(paperId(2)), { isTried: false, lastConnected: NOW + 7 })
})

t.test('what is heard of nobody who is known is no error', async (t) => {
  const book = makeBook()
  book.failed('nobody', NOW)
  book.disconnected('nobody', NOW)
  book.forget('nobody')
  t.equal(book.size, 0)
})

t.test('a node that was never reached is forgotten after 4 failures', async (t) => {
  const book = makeBook()
  const { id } = await paperRecord(1)
  book.add(await paperRecord(1), stranger(1), NOW)
  for (let failure = 1; failure < 4; failure++) {
    book.failed(id, NOW)
    t.equal(book.get(id)!.failures, failure)
  }
  book.failed(id, NOW)
  t.notOk(book.has(id))
})

t.test('one that was reached is forgotten after 12, when it was away for a day', async (t) => {
  const book = makeBook()
  const { id } = await paperRecord(1)
  book.add(await paperRecord(1), stranger(1), NOW)
  book.connected(id, PUBLIC, NOW)
  for (let failure = 0; failure < 50; failure++) book.failed(id, NOW + 2 * DAY)
  t.ok(book.has(id), 'there is a link to it')
  book.connected(id, PUBLIC, NOW)
  book.disconnected(id, NOW)
  for (let failure = 0; failure < 11; failure++) book.failed(id, NOW + 2 * DAY)
  t.ok(book.has(id))
  book.failed(id, NOW + DAY)
  t.ok(book.has(id))
  book.failed(id, NOW + DAY + 1)
  t.notOk(book.has(id))
})

t.test('stale records go, except of those who are there', async (t) => {
  const book = makeBook()
  await fill(book, 3)
  book.add(await paperRecord(4, [PUBLIC], NOW + 1), stranger(4), NOW)
  book.connected(paperId(2), PUBLIC, NOW)
  book.forgetStale(NOW + 7 * DAY)
  t.equal(book.size, 4)
  t.equal(book.pick(NOW + 7 * DAY + 2, anyone), undefined, 'nor are they dialled meanwhile')
  book.forgetStale(NOW + 7 * DAY + 1)
  t.strictSame([...book].map(({ id }) => id).sort(), [paperId(2), paperId(4)].sort())
})

t.test('nodes that were reached stay, whatever flood comes', async (t) => {
  const book = makeBook()
  await fill(book, 100)
  for (let number = 1; number <= 100; number++) {
    book.connected(paperId(number), PUBLIC, NOW)
    book.disconnected(paperId(number), NOW)
  }
  for (let number = 1_000; number < 9_000; number++) {
    book.add(await paperRecord(number), stranger(number % 7_000), NOW)
  }
  t.equal([...book].filter(({ isTried }) => isTried).length, 100)
  t.equal(book.size, 4_096)
})

t.test('at most half of the book is tried: the one that was away longest gives way', async (t) => {
  const book = makeBook()
  await fill(book, 2_100)
  for (let number = 1; number <= 2_048; number++) book.connected(paperId(number), PUBLIC, NOW + number)
  // The first one still has its link; the second and third have lost theirs in the other order.
  for (let number = 4; number <= 2_048; number++) book.disconnected(paperId(number), NOW + 10_000)
  book.disconnected(paperId(3), NOW + 5_000)
  book.disconnected(paperId(2), NOW + 6_000)
  const triedOf = (number: number) => book.get(paperId(number))!.isTried
  book.connected(paperId(2_049), PUBLIC, NOW + 11_000)
  t.strictSame([1, 2, 3, 2_049].map(triedOf), [true, true, false, true])
  book.connected(paperId(2_050), PUBLIC, NOW + 11_000)
  t.strictSame([1, 2, 3, 2_050].map(triedOf), [true, false, false, true])
  t.equal([...book].filter(({ isTried }) => isTried).length, 2_048)
  t.equal(book.size, 2_100, 'and is known on')
})

// Picking and sharing

t.test('tried and untried are picked by turns of a coin', async (t) => {
  const book = makeBook()
  await fill(book, 300)
  book.connected(paperId(7), PUBLIC, NOW)
  let tried = 0
  for (let turn = 0; turn < 1_000; turn++) if (book.pick(NOW, anyone)!.id === paperId(7)) tried++
  t.ok(tried > 430 && tried < 570, `${tried} of 1,000`)
})

t.test('any of several addresses is picked, as it is wanted', async (t) => {
  const book = makeBook()
  book.add(await paperRecord(1, [PUBLIC, PUBLIC_6]), stranger(1), NOW)
  const hosts = new Set(Array.from({ length: 50 }, () => book.pick(NOW, anyone)!.host))
  t.equal(hosts.size, 2)
  const is6 = (_: KnownPeer, { host }: { host: string }) => host.includes(':')
  for (let turn = 0; turn < 20; turn++) t.equal(book.pick(NOW, is6)!.host, PUBLIC_6.host)
  t.equal(
    book.pick(NOW, () => false),
    undefined,
  )
  t.equal(makeBook().pick(NOW, anyone), undefined)
})

t.test(
  'a wanted node among 500 is found at once; in a full book by and by, and no call takes long',
  async (t) => {
    const book = makeBook()
    await fill(book, 500)
    t.equal(book.pick(NOW, ({ id }) => id === paperId(123))!.id, paperId(123))
    await fill(book, 4_096, 501)
    t.equal(book.size, 4_096)
    let looks = 0
    const wanted = [...book][4_000]!.id
    let calls = 0
    for (let found; found === undefined && calls < 200; calls++) {
      looks = 0
      found = book.pick(NOW, ({ id }) => (looks++, id === wanted))
      if (looks > 512) t.fail(`${looks} looks`)
    }
    t.ok(calls < 200, `found after ${calls} calls`)
  },
)

t.test('picking from a full book is cheap', async (t) => {
  const book = makeBook()
  await fill(book, 4_096)
  let looks = 0
  for (let turn = 0; turn < 1_000; turn++) book.pick(NOW, () => ++looks % 2 === 0)
  t.equal(looks, 2_000)
})

t.test('the same seed picks the same nodes', async (t) => {
  const picks = async (seed: number) => {
    const book = makeBook(seed)
    await fill(book, 100)
    return Array.from({ length: 20 }, () => book.pick(NOW, anyone)!.id)
  }
  t.strictSame(await picks(5), await picks(5))
  t.not((await picks(5)).join(), (await picks(6)).join())
})

t.test('a sample has different nodes, as many as there are and no more than asked for', async (t) => {
  const book = makeBook()
  t.strictSame(book.sample(16, NOW), [])
  await fill(book, 10)
  for (let number = 1; number <= 5; number++) book.connected(paperId(number), PUBLIC, NOW)
  t.equal(new Set(book.sample(16, NOW)).size, 10)
  t.equal(new Set(book.sample(3, NOW)).size, 3)
  t.strictSame(book.sample(0, NOW), [])
  const odd = new Set([1, 3, 5, 7, 9].map(paperId) as string[])
  t.strictSame(new Set(book.sample(16, NOW, ({ id }) => odd.has(id)).map(({ id }) => id)), odd)
  const all = new Set<string>()
  for (let turn = 0; turn < 100; turn++) for (const { id } of book.sample(1, NOW)) all.add(id)
  t.equal(all.size, 10, 'anybody may be in it')
})

t.test('what is older than a day is told to nobody', async (t) => {
  const book = makeBook()
  await fill(book, 5)
  t.equal(book.sample(16, NOW + DAY).length, 5)
  t.equal(book.sample(16, NOW + DAY + 1).length, 0)
})

t.test('a record with addresses that were refused goes to nobody who would take them', async (t) => {
  const book = makeBook()
  const record = await paperRecord(1, [PUBLIC, PRIVATE])
  book.add(record, stranger(1), NOW)
  t.strictSame(book.sample(16, NOW, anyone, 'public'), [record])
  t.strictSame(book.sample(16, NOW, anyone, 'private'), [])
  t.strictSame(book.sample(16, NOW, anyone, undefined), [])
  t.strictSame(book.sample(16, NOW), [], 'without a word about the asker, it is left out')
  book.add(record, { id: 'lan', host: '192.168.1.9' }, NOW)
  t.strictSame(book.sample(16, NOW, anyone, 'private'), [record])
})

// Restarts

t.test('what was saved comes back as it was, its source included', async (t) => {
  const book = makeBook()
  await fill(book, 5)
  book.connected(paperId(2), { host: publicHost(2), port: 7_000 }, NOW)
  book.connected(paperId(3), undefined, NOW)
  const next = makeBook()
  for (const peer of book) t.ok(next.restore(peer, NOW))
  t.strictSame([...next], [...book])
  t.notOk(next.restore([...book][0]!, NOW), 'only once')
})

t.test('what is stale, or from a clock that was ahead, is not taken as it stands', async (t) => {
  const book = makeBook()
  const saved = {
    record: await paperRecord(1),
    source: stranger(1),
    lastConnected: NOW + 9 * DAY,
    isTried: true,
  }
  t.notOk(book.restore(saved, NOW + 8 * DAY))
  t.ok(book.restore(saved, NOW))
  t.equal(book.get(paperId(1))!.lastConnected, NOW)
})
