import t from 'tap'
import {
  ASK_BURST,
  ASK_INTERVAL,
  ASK_REFILL,
  ASK_TIMEOUT,
  MAX_RECORDS_PER_ANSWER,
} from '../../lib/limits/network-limits.ts'
import { Kind } from '../../lib/wire/frame.ts'
import { ExchangeBench, listOf } from '../fixtures/exchange.ts'
import { paperId } from '../fixtures/records.ts'

t.test('a node introduces itself on each link', async (t) => {
  const bench = new ExchangeBench()
  bench.up()
  t.same(bench.written, [], 'as soon as it has a record')
  bench.own = await bench.recordOf(bench.identity)
  const link = bench.up()
  t.same(bench.written, [{ link, kind: Kind.record, text: bench.own.document }])
})

t.test('a question', async (t) => {
  t.test('has no payload, and is not repeated before half a minute', async (t) => {
    const bench = new ExchangeBench()
    const link = bench.up()
    bench.exchange.ask(link)
    bench.say(link, Kind.peers, '[]')
    bench.clock.advance(ASK_INTERVAL - 1)
    bench.exchange.ask(link)
    t.same(bench.written, [{ link, kind: Kind.getPeers, text: '' }])
    bench.clock.advance(1)
    bench.exchange.ask(link)
    t.equal(bench.written.length, 2)
  })

  t.test('is not repeated while no answer has come, however long', async (t) => {
    const bench = new ExchangeBench()
    const link = bench.up()
    bench.exchange.ask(link)
    bench.clock.advance(100 * ASK_INTERVAL)
    bench.exchange.ask(link)
    t.equal(bench.written.length, 1)
  })

  t.test('is waited for five seconds', async (t) => {
    const bench = new ExchangeBench()
    t.equal(bench.exchange.isAsking, false)
    const link = bench.up()
    bench.exchange.ask(link)
    t.equal(bench.exchange.isAsking, true)
    bench.clock.advance(ASK_TIMEOUT)
    t.equal(bench.exchange.isAsking, false)
  })

  t.test('is over with its answer, and with its link', async (t) => {
    const bench = new ExchangeBench()
    const [one, two] = [bench.up(), bench.up()]
    bench.exchange.ask(one)
    bench.exchange.ask(two)
    bench.say(one, Kind.peers, '[]')
    await new Promise((resolve) => setImmediate(resolve))
    t.equal(bench.exchange.isAsking, true)
    bench.down(two)
    t.equal(bench.exchange.isAsking, false)
  })

  t.test('a slow answer counts too', async (t) => {
    const bench = new ExchangeBench()
    const link = bench.up()
    bench.exchange.ask(link)
    bench.clock.advance(10 * ASK_TIMEOUT)
    bench.say(link, Kind.peers, listOf(await bench.recordsOf(2)))
    await bench.turns()
    t.equal(bench.book.size, 2)
    t.same(bench.answers, [link])
  })
})

t.test('an answer that came', async (t) => {
  t.test('is in the book when it is told of', async (t) => {
    const bench = new ExchangeBench()
    const link = bench.up()
    const records = await bench.recordsOf(MAX_RECORDS_PER_ANSWER)
    await bench.answer(link, listOf(records))
    t.same(bench.answers, [link])
    t.same(bench.expelled, [])
    t.same(
      records.map(({ id }) => bench.book.get(id)?.source.id),
      records.map(() => link.id),
    )
  })

  t.test('may be empty', async (t) => {
    const bench = new ExchangeBench()
    const link = bench.up()
    await bench.answer(link, '[]')
    t.same(bench.answers, [link])
    t.same(bench.expelled, [])
  })

  t.test('says nothing new: no signature is looked at', async (t) => {
    const bench = new ExchangeBench()
    const records = listOf(await bench.recordsOf(8))
    await bench.answer(bench.up(), records)
    t.equal(bench.engine.verified, 8)
    await bench.answer(bench.up(), records)
    t.equal(bench.engine.verified, 8)
    t.equal(bench.answers.length, 2)
  })
})

t.test('an answer that is given', async (t) => {
  const answerTo = async (bench: ExchangeBench, link = bench.up()): Promise<{ body: { id: string } }[]> => {
    bench.say(link, Kind.getPeers)
    const { kind, text } = bench.written.at(-1)!
    t.equal(kind, Kind.peers)
    return JSON.parse(text) as { body: { id: string } }[]
  }

  t.test('names at most sixteen nodes that were met', async (t) => {
    const bench = new ExchangeBench()
    const records = await bench.recordsOf(40)
    await bench.answer(bench.up(), listOf(records.slice(0, 16)))
    await bench.answer(bench.up(), listOf(records.slice(16, 32)))
    t.same(await answerTo(bench), [], 'none that it only heard of')
    for (const { id } of records.slice(0, 20)) bench.book.connected(id, undefined, bench.clock.now())
    const named = await answerTo(bench)
    t.equal(named.length, MAX_RECORDS_PER_ANSWER)
    const met = new Set(records.slice(0, 20).map(({ id }) => id as string))
    t.ok(named.every(({ body }) => met.has(body.id)))
  })

  t.test('does not name who asks', async (t) => {
    const bench = new ExchangeBench()
    const peer = bench.node(2)
    const link = bench.up(peer.id)
    bench.say(link, Kind.record, (await bench.recordOf(peer)).document)
    await bench.turns()
    bench.book.connected(peer.id, undefined, bench.clock.now())
    t.same(await answerTo(bench, link), [])
    t.equal((await answerTo(bench)).length, 1)
  })

  t.test('names no private addresses to who comes from a public one', async (t) => {
    const bench = new ExchangeBench()
    const peer = bench.node(2)
    const link = bench.up(peer.id, '192.168.0.7')
    const addresses = [
      { host: '192.168.0.7', port: 1 },
      { host: '20.1.1.1', port: 1 },
    ]
    bench.say(link, Kind.record, (await bench.recordOf(peer, addresses)).document)
    await bench.turns()
    bench.book.connected(peer.id, undefined, bench.clock.now())
    t.equal((await answerTo(bench, bench.up(paperId(9), '192.168.0.9'))).length, 1)
    // The whole record is signed; the asker's own rule leaves the private address aside.
    t.equal((await answerTo(bench, bench.up(paperId(9), '20.5.5.5'))).length, 1)
    // To this machine itself, only what this node may dial itself.
    bench.book.forget(peer.id)
    const teller = bench.up(paperId(8), '20.6.6.6')
    await bench.answer(teller, listOf([await bench.recordOf(peer, addresses)]))
    bench.book.connected(peer.id, undefined, bench.clock.now())
    t.same(await answerTo(bench, bench.up(paperId(9), '192.168.0.9')), [], 'told by a stranger from outside')
  })

  t.test('is given so often, and no more', async (t) => {
    const bench = new ExchangeBench()
    const link = bench.up()
    for (let count = 0; count < 100; count++) bench.say(link, Kind.getPeers)
    t.equal(bench.written.length, ASK_BURST)
    bench.clock.advance(ASK_REFILL)
    for (let count = 0; count < 100; count++) bench.say(link, Kind.getPeers)
    t.equal(bench.written.length, ASK_BURST + 1)
    t.same(bench.expelled, [], 'that is no reason to end the link')
  })

  t.test('an honest asker gets each of its questions answered', async (t) => {
    const bench = new ExchangeBench()
    const link = bench.up()
    for (let count = 0; count < 50; count++) {
      bench.say(link, Kind.getPeers)
      bench.clock.advance(ASK_INTERVAL)
    }
    t.equal(bench.written.length, 50)
  })
})

t.test("a peer's own record", async (t) => {
  t.test('is in the book when it is told of', async (t) => {
    const bench = new ExchangeBench()
    const peer = bench.node(2)
    const link = bench.up(peer.id)
    const record = await bench.recordOf(peer)
    bench.say(link, Kind.record, record.document)
    await bench.turns()
    t.same(bench.records, [link])
    t.match(bench.book.get(peer.id), { source: { id: peer.id }, addresses: record.addresses })
  })

  t.test('a renewed one takes the place of the old one, which does not come back', async (t) => {
    const bench = new ExchangeBench()
    const peer = bench.node(2)
    const link = bench.up(peer.id)
    const old = await bench.recordOf(peer, [{ host: '20.1.1.1', port: 1 }])
    bench.clock.advance(60_000)
    const renewed = await bench.recordOf(peer, [{ host: '20.2.2.2', port: 1 }])
    for (const { document } of [old, renewed, old]) {
      bench.say(link, Kind.record, document)
      await bench.turns()
    }
    t.same(bench.book.get(peer.id)?.addresses, [{ host: '20.2.2.2', port: 1 }])
    t.same(bench.expelled, [])
  })

  t.test('a farewell takes it out, and nobody brings it back', async (t) => {
    const bench = new ExchangeBench()
    const peer = bench.node(2)
    const link = bench.up(peer.id)
    const record = await bench.recordOf(peer)
    bench.say(link, Kind.record, record.document)
    await bench.turns()
    bench.say(link, Kind.record, (await bench.recordOf(peer, [], record.time + 1)).document)
    await bench.turns()
    t.equal(bench.book.has(peer.id), false)
    await bench.answer(bench.up(), listOf([record]))
    t.equal(bench.book.has(peer.id), false)
    t.same(bench.expelled, [], 'who told of it may not have heard yet')
  })
})
