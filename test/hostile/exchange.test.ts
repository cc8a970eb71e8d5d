// Peers that lie about who is where, or that want to be a burden with it.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { sha256 } from '@noble/hashes/sha2.js'
import t from 'tap'
import { Deferred } from '../../lib/ground/deferred.ts'
import {
  ASK_BURST,
  ASK_INTERVAL,
  ASK_REFILL,
  MAX_BOOK_ENTRIES,
  MAX_PER_SOURCE,
  MAX_RECORD_BYTES,
  MAX_RECORDS_PER_ANSWER,
  RECORD_FUTURE,
  RECORD_LIFETIME,
} from '../../lib/limits/network-limits.ts'
import type { Signer } from '../../lib/identity/engine.ts'
import { CountingEngine } from '../../lib/testing/counting-engine.ts'
import { Random } from '../../lib/testing/random.ts'
import { joinBytes } from '../../lib/wire/bytes.ts'
import { Kind } from '../../lib/wire/frame.ts'
import { toHex } from '../../lib/wire/hex.ts'
import { bytesOf, ExchangeBench, listOf } from '../fixtures/exchange.ts'
import { NET, paperId, publicHost } from '../fixtures/records.ts'

/** A node whose verifications take as long as the test wants. */
function slowBench() {
  const gates: Deferred<void>[] = []
  const engine = new CountingEngine()
  const bench = new ExchangeBench({
    verifier: {
      name: engine.name,
      signer: (seed) => engine.signer(seed),
      verify: async (signature, bytes, key) => {
        const gate = new Deferred<void>()
        gates.push(gate)
        await gate.promise
        return engine.verify(signature, bytes, key)
      },
    },
  })
  return { bench, gates }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function heapUsed(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

function seedOf(number: number): Uint8Array {
  const seed = new Uint8Array(32)
  new DataView(seed.buffer).setUint32(0, number)
  return seed
}

/** A good record, written without detours: so many addresses take their time. */
function writeRecord(signer: Signer, addresses: string, time: number): string {
  const body = `{"addresses":[${addresses}],"id":"${toHex(signer.publicKey)}","net":"${NET}","time":${time},"v":1}`
  const signed = joinBytes([bytesOf('secure-node/1 peer-record\0'), sha256(bytesOf(body))])
  return `{"body":${body},"sig":"${toHex(signer.sign(signed) as Uint8Array)}"}`
}

t.test('an answer that nobody asked for ends the link', async (t) => {
  t.test('of whatever content', async (t) => {
    const bench = new ExchangeBench()
    for (const text of ['', '[]', '{', listOf(await bench.recordsOf(3))])
      bench.say(bench.up(), Kind.peers, text)
    await bench.turns()
    t.same(bench.codes, ['unsolicited', 'unsolicited', 'unsolicited', 'unsolicited'])
    t.equal(bench.book.size, 0)
    t.equal(bench.engine.verified, 0, 'at no cost')
  })

  t.test('also from one whose neighbour was asked', async (t) => {
    const bench = new ExchangeBench()
    const [asked, other] = [bench.up(), bench.up()]
    bench.exchange.ask(asked)
    bench.say(other, Kind.peers, '[]')
    t.same(bench.expelled, [[other, 'unsolicited']])
  })

  t.test('and a second one to the same question, also while the first is looked at', async (t) => {
    const { bench, gates } = slowBench()
    const link = bench.up()
    bench.exchange.ask(link)
    const records = await bench.recordsOf(4)
    bench.say(link, Kind.peers, listOf(records.slice(0, 2)))
    bench.say(link, Kind.peers, listOf(records.slice(2)))
    t.same(bench.codes, ['unsolicited'])
    for (const gate of gates) gate.resolve()
    await bench.turns()
    t.equal(bench.book.size, 0, 'what comes of a link that is gone does not count')
    t.equal(gates.length, 1, 'nor is the rest of it looked at')
    t.same(bench.answers, [])
  })
})

t.test('too much', async (t) => {
  t.test('a list of one more than asked for', async (t) => {
    const bench = new ExchangeBench()
    const records = await bench.recordsOf(MAX_RECORDS_PER_ANSWER + 1)
    await bench.answer(bench.up(), listOf(records))
    t.same(bench.codes, ['bad-record'])
    t.equal(bench.engine.verified, 0)
  })

  t.test('bytes: of an answer, and of a record', async (t) => {
    const bench = new ExchangeBench()
    await bench.answer(bench.up(), `[${' '.repeat(MAX_RECORDS_PER_ANSWER * (MAX_RECORD_BYTES + 1))}]`)
    bench.say(bench.up(), Kind.record, new Uint8Array(MAX_RECORD_BYTES + 1).fill(0x20))
    bench.say(bench.up(), Kind.record, new Uint8Array(2 ** 20 - 1))
    await bench.turns()
    t.same(bench.codes, ['bad-record', 'bad-record', 'bad-record'])
  })

  t.test('one record of a list that is larger than a record may be', async (t) => {
    const bench = new ExchangeBench()
    const node = bench.node(2)
    const { document } = await bench.recordOf(node)
    const long = document.replace(NET, NET.padEnd(MAX_RECORD_BYTES, 'x'))
    await bench.answer(bench.up(), `[${long}]`)
    t.same(bench.codes, ['bad-record'])
  })

  t.test('bytes after a question', async (t) => {
    const bench = new ExchangeBench()
    const link = bench.up()
    bench.say(link, Kind.getPeers, 'x')
    t.same(bench.codes, ['bad-payload'])
    t.same(bench.written, [])
  })

  t.test('the longest list of the longest records is not too much', async (t) => {
    const bench = new ExchangeBench()
    const addresses = Array.from({ length: 4 }, (_, at) => ({
      host: `2a00:1111:2222:3333:4444:5555:6666:777${at}`,
      port: 65_535,
    }))
    const records = await Promise.all(
      Array.from({ length: MAX_RECORDS_PER_ANSWER }, (_, at) =>
        bench.recordOf(bench.node(100 + at), addresses),
      ),
    )
    await bench.answer(bench.up(), listOf(records))
    t.same(bench.expelled, [])
    t.equal(bench.book.size, MAX_RECORDS_PER_ANSWER)
  })
})

t.test('what is no record at all ends the link, and is not verified', async (t) => {
  const bench = new ExchangeBench()
  const node = bench.node(2)
  const { document } = await bench.recordOf(node)
  const { body, sig } = JSON.parse(document) as { body: Record<string, unknown>; sig: string }
  const broken: Record<string, string | Uint8Array> = {
    nothing: '',
    'no JSON': '{"body":',
    'not UTF-8': Uint8Array.of(0xff, 0xfe),
    'a number': '1',
    null: 'null',
    'another spelling': document.replace('{', '{ '),
    'bytes after it': `${document}\n`,
    'no signature': JSON.stringify({ body }),
    'a short signature': JSON.stringify({ body, sig: sig.slice(2) }),
    'a signature in capitals': JSON.stringify({ body, sig: sig.toUpperCase() }),
    'one more key': JSON.stringify({ body, sig, x: 1 }),
    'one more key inside': JSON.stringify({ body: { ...body, x: 1 }, sig }),
    'another version': JSON.stringify({ body: { ...body, v: 2 }, sig }),
    'no time': JSON.stringify({ body: { ...body, time: '1' }, sig }),
    'a time with a fraction': JSON.stringify({ body: { ...body, time: 1.5 }, sig }),
    'a name for an address': JSON.stringify({ body: { ...body, addresses: ['a.example:1'] }, sig }),
    'a metadata service': JSON.stringify({ body: { ...body, addresses: ['169.254.169.254:80'] }, sig }),
    'port 0': JSON.stringify({ body: { ...body, addresses: ['20.1.1.1:0'] }, sig }),
    'one address twice': JSON.stringify({ body: { ...body, addresses: ['20.1.1.1:1', '20.1.1.1:1'] }, sig }),
    'five addresses': JSON.stringify({
      body: { ...body, addresses: ['1', '2', '3', '4', '5'].map((port) => `20.1.1.1:${port}`) },
      sig,
    }),
    'an ID that everybody can sign for': JSON.stringify({
      body: { ...body, id: `01${'0'.repeat(62)}` },
      sig,
    }),
    'a chain of brackets': '['.repeat(500) + ']'.repeat(500),
    'a prototype': '{"__proto__":{"body":1},"sig":2}',
  }
  for (const [name, bytes] of Object.entries(broken)) {
    const link = bench.up(node.id)
    bench.say(link, Kind.record, bytes)
    await bench.turns()
    t.same(bench.expelled.at(-1), [link, 'bad-record'], name)
    if (typeof bytes !== 'string') continue
    const other = bench.up()
    await bench.answer(other, `[${bytes === '' ? '""' : bytes}]`)
    t.same(bench.expelled.at(-1), [other, 'bad-record'], `${name}, in a list`)
  }
  t.equal(bench.engine.verified, 0)
  t.equal(bench.book.size, 0)
})

t.test('lies about who has signed', async (t) => {
  t.test("another node's record in the place of one's own", async (t) => {
    const bench = new ExchangeBench()
    const [liar, other] = [bench.node(2), bench.node(3)]
    bench.say(bench.up(liar.id), Kind.record, (await bench.recordOf(other)).document)
    await bench.turns()
    t.same(bench.codes, ['bad-record'])
    t.equal(bench.engine.verified, 0)
  })

  t.test("one's own, signed by somebody else", async (t) => {
    const bench = new ExchangeBench()
    const [liar, other] = [bench.node(2), bench.node(3)]
    const [own, foreign] = [await bench.recordOf(liar), await bench.recordOf(other)]
    const mixed = own.document.slice(0, -131) + foreign.document.slice(-131)
    bench.say(bench.up(liar.id), Kind.record, mixed)
    await bench.turns()
    t.same(bench.codes, ['bad-record'])
    t.equal(bench.engine.verified, 1)
    t.same(bench.records, [])
  })

  t.test('a forged record among good ones: its bearer goes, and whom it names is not blamed', async (t) => {
    const bench = new ExchangeBench()
    const victim = bench.node(2)
    const records = await bench.recordsOf(4)
    const genuine = await bench.recordOf(victim, [{ host: '20.1.1.1', port: 1 }])
    const forged = { document: genuine.document.replace('20.1.1.1:1', '20.6.6.6:1') }
    const [liar, honest] = [bench.up(), bench.up(victim.id)]
    await bench.answer(liar, listOf([...records.slice(0, 2), forged, ...records.slice(2)]))
    t.same(bench.expelled, [[liar, 'bad-record']])
    t.same(bench.answers, [])
    t.equal(bench.engine.verified, 3, 'what follows is not looked at')
    bench.say(honest, Kind.record, genuine.document)
    await bench.turns()
    t.same(bench.book.get(victim.id)?.addresses, [{ host: '20.1.1.1', port: 1 }])
  })

  t.test('a forged renewal does not touch what is known', async (t) => {
    const bench = new ExchangeBench()
    const victim = bench.node(2)
    const genuine = await bench.recordOf(victim)
    await bench.answer(bench.up(), listOf([genuine]))
    const later = genuine.document.replace(`"time":${genuine.time}`, `"time":${genuine.time + 1_000}`)
    await bench.answer(bench.up(), `[${later}]`)
    t.same(bench.codes, ['bad-record'])
    t.equal(bench.book.get(victim.id)?.time, genuine.time)
  })

  t.test('a forged farewell does not take anybody out', async (t) => {
    const bench = new ExchangeBench()
    const victim = bench.node(2)
    const genuine = await bench.recordOf(victim)
    await bench.answer(bench.up(), listOf([genuine]))
    const gone = JSON.parse(genuine.document) as { body: Record<string, unknown>; sig: string }
    Object.assign(gone.body, { addresses: [], time: genuine.time + 1_000 })
    await bench.answer(bench.up(), `[${JSON.stringify(gone)}]`)
    t.same(bench.codes, ['bad-record'])
    t.ok(bench.book.has(victim.id))
  })

  t.test('a record of another network', async (t) => {
    const bench = new ExchangeBench()
    const node = bench.node(2)
    const foreign = await bench.recordOf(node, undefined, undefined, 'another')
    bench.say(bench.up(node.id), Kind.record, foreign.document)
    await bench.answer(bench.up(), listOf([foreign]))
    t.same(bench.codes, ['bad-record', 'bad-record'])
    t.equal(bench.engine.verified, 0)
  })

  t.test('a record that was changed anywhere is never taken', async (t) => {
    const bench = new ExchangeBench()
    const random = new Random(11)
    const node = bench.node(2)
    const { document } = await bench.recordOf(node)
    for (let count = 0; count < 2_000; count++) {
      const bytes = bytesOf(document)
      bytes[random.below(bytes.length)]! ^= 1 << random.below(8)
      bench.say(bench.up(node.id), Kind.record, bytes)
    }
    await bench.turns()
    t.equal(bench.book.size, 0)
    t.same(new Set(bench.codes), new Set(['bad-record']))
    // Where its time, or all of its addresses, count for nothing, nobody asks who has signed it.
    t.ok(bench.codes.length > 1_800, `${bench.codes.length} links were ended`)
  })
})

t.test('what depends on clocks, or says nothing new, is ignored, and nobody is blamed', async (t) => {
  t.test('times of the future and of the past', async (t) => {
    const bench = new ExchangeBench()
    const { MAX_SAFE_INTEGER } = Number
    for (const age of [-RECORD_FUTURE - ASK_INTERVAL - 1, RECORD_LIFETIME + 1, Infinity, -Infinity]) {
      const time = Math.min(Math.max(bench.clock.now() - age, 0), MAX_SAFE_INTEGER)
      const node = bench.node(2)
      const { document } = await bench.recordOf(node, undefined, time)
      const own = bench.up(node.id)
      bench.say(own, Kind.record, document)
      await bench.answer(bench.up(), `[${document}]`)
      t.equal(bench.book.size, 0, String(time))
      t.ok(own.isUp)
    }
    t.same(bench.expelled, [])
    t.equal(bench.engine.verified, 0)
  })

  t.test('this node itself', async (t) => {
    const bench = new ExchangeBench()
    const records = [await bench.recordOf(bench.identity), ...(await bench.recordsOf(1))]
    await bench.answer(bench.up(), listOf(records))
    t.same(bench.expelled, [])
    t.equal(bench.book.has(bench.identity.id), false)
    t.equal(bench.book.size, 1, 'the others are taken')
    t.equal(bench.engine.verified, 1)
  })

  t.test('addresses that this source may not tell', async (t) => {
    const bench = new ExchangeBench()
    const hosts = ['192.168.0.1', '10.0.0.1', '127.0.0.1', 'fd00::1', '::1']
    const records = await Promise.all(
      hosts.map((host, at) => bench.recordOf(bench.node(20 + at), [{ host, port: 1 }])),
    )
    await bench.answer(bench.up(paperId(1), '20.1.1.1'), listOf(records))
    t.same(bench.expelled, [])
    t.equal(bench.book.size, 0)
    t.equal(bench.engine.verified, 0)
  })

  t.test('one node, again and again in one list', async (t) => {
    const bench = new ExchangeBench()
    const record = await bench.recordOf(bench.node(2))
    await bench.answer(bench.up(), listOf(new Array<typeof record>(MAX_RECORDS_PER_ANSWER).fill(record)))
    t.same(bench.expelled, [])
    t.equal(bench.engine.verified, 1)
  })
})

t.test('floods', async (t) => {
  t.test('of new records of a peer: as many are verified as its bucket holds', async (t) => {
    const bench = new ExchangeBench()
    const node = bench.node(2)
    const link = bench.up(node.id)
    const start = bench.clock.now()
    for (let count = 0; count < 500; count++) {
      const { document } = await bench.recordOf(node, undefined, start + count)
      bench.say(link, Kind.record, document)
    }
    await bench.turns()
    t.ok(bench.engine.verified <= ASK_BURST, `${bench.engine.verified} verified`)
    const before = bench.engine.verified
    for (let second = 0; second < 3_600; second++) {
      bench.clock.advance(1_000)
      bench.say(link, Kind.record, (await bench.recordOf(node)).document)
    }
    await bench.turns()
    const verified = bench.engine.verified - before
    t.ok(verified <= 3_600_000 / ASK_REFILL + 1, `${verified} in an hour`)
    t.same(bench.expelled, [], 'what is not looked at is no fault')
  })

  t.test('of broken records: the first one is the last', async (t) => {
    const bench = new ExchangeBench()
    const link = bench.up()
    for (let count = 0; count < 1_000; count++) bench.say(link, Kind.record, 'x')
    t.equal(bench.expelled.length, 1)
  })

  t.test('of questions: answers are bounded, and nothing piles up', async (t) => {
    const bench = new ExchangeBench()
    const records = await bench.recordsOf(60)
    for (let at = 0; at < 60; at += 15) await bench.answer(bench.up(), listOf(records.slice(at, at + 15)))
    for (const { id } of records) bench.book.connected(id, undefined, bench.clock.now())
    const links = Array.from({ length: 100 }, () => bench.up())
    const before = bench.written.length
    for (let round = 0; round < 1_000; round++) for (const link of links) bench.say(link, Kind.getPeers)
    const answers = bench.written.slice(before)
    t.equal(answers.length, 100 * ASK_BURST)
    t.ok(answers.every(({ text }) => text.length <= MAX_RECORDS_PER_ANSWER * (MAX_RECORD_BYTES + 1) + 1))
    t.same(bench.expelled, [])
  })

  t.test('of links: what is kept of one ends with it', async (t) => {
    const bench = new ExchangeBench()
    const first = bench.up()
    bench.exchange.ask(first)
    for (let count = 0; count < 20_000; count++) {
      const link = bench.up()
      bench.say(link, Kind.getPeers)
      bench.exchange.ask(link)
      bench.down(link)
      bench.written.length = 0
    }
    t.equal(bench.exchange.isAsking, true)
    bench.down(first)
    t.equal(bench.exchange.isAsking, false, 'no question to anybody is left')
  })
})

t.test('a link that ends while its words are verified', async (t) => {
  t.test('leaves nothing of what it told of others, and is not expelled once more', async (t) => {
    const { bench, gates } = slowBench()
    const link = bench.up()
    bench.exchange.ask(link)
    bench.say(link, Kind.peers, listOf(await bench.recordsOf(3)))
    t.equal(bench.exchange.isAsking, true)
    bench.down(link)
    gates[0]!.resolve()
    await bench.turns()
    t.equal(gates.length, 1, 'the rest is not looked at')
    t.equal(bench.exchange.isAsking, false)
    t.equal(bench.book.size, 0)
    t.same([bench.answers, bench.expelled], [[], []])
  })

  t.test('leaves what it told of itself: it may have been its farewell', async (t) => {
    const { bench, gates } = slowBench()
    const node = bench.node(2)
    const link = bench.up(node.id)
    const { document, time } = await bench.recordOf(node)
    bench.say(link, Kind.record, document)
    bench.say(link, Kind.record, (await bench.recordOf(node, [], time + 1)).document)
    bench.down(link)
    gates[0]!.resolve()
    await bench.turns()
    t.same([bench.records, bench.expelled], [[], []])
    t.ok(bench.book.has(node.id))
    const again = bench.up(node.id)
    bench.say(again, Kind.record, (await bench.recordOf(node, [], time + 1)).document)
    bench.down(again)
    gates.at(-1)!.resolve()
    await bench.turns()
    t.notOk(bench.book.has(node.id))
  })

  t.test('also if they were forged', async (t) => {
    const { bench, gates } = slowBench()
    const node = bench.node(2)
    const link = bench.up(node.id)
    const { document } = await bench.recordOf(node)
    bench.say(link, Kind.record, document.replace(/"time":\d/, '"time":2'))
    bench.down(link)
    gates[0]?.resolve()
    await bench.turns()
    t.same(bench.expelled, [])
  })

  t.test('a record that became old meanwhile does not take the place of the newer one', async (t) => {
    const { bench, gates } = slowBench()
    const node = bench.node(2)
    const [one, two] = [bench.up(), bench.up()]
    const old = await bench.recordOf(node, [{ host: '20.1.1.1', port: 1 }])
    const renewed = await bench.recordOf(node, [{ host: '20.2.2.2', port: 1 }], old.time + 1)
    bench.exchange.ask(one)
    bench.exchange.ask(two)
    bench.say(one, Kind.peers, listOf([old]))
    bench.say(two, Kind.peers, listOf([renewed]))
    gates[1]!.resolve()
    await bench.turns()
    gates[0]!.resolve()
    await bench.turns()
    t.same(bench.book.get(node.id)?.addresses, [{ host: '20.2.2.2', port: 1 }])
  })
})

t.test('250,000 addresses: the book stays as large as it may be, and memory flat', async (t) => {
  const bench = new ExchangeBench()
  const [perLink, links] = [16, 250]
  const friend = bench.node(2)
  await bench.answer(bench.up(friend.id, '20.77.0.1'), listOf([await bench.recordOf(friend)]))
  bench.book.connected(friend.id, bench.book.get(friend.id)!.addresses[0], bench.clock.now())
  let count = 0
  const inventRecord = (): string => {
    const number = ++count
    const host = publicHost(number)
    const addresses = [1, 2, 3, 4].map((port) => `"${host}:${port}"`).join(',')
    return writeRecord(bench.engine.signer(seedOf(number)), addresses, bench.clock.now())
  }
  let middle = 0
  for (let number = 0; number < links; number++) {
    // All of one group, with as many identities as they like.
    const link = bench.up(paperId(number), `66.6.${number >> 8}.${number & 255}`)
    for (let asked = 0; asked < perLink; asked++) {
      bench.clock.advance(ASK_INTERVAL)
      bench.exchange.ask(link)
      bench.say(
        link,
        Kind.peers,
        `[${Array.from({ length: MAX_RECORDS_PER_ANSWER }, inventRecord).join(',')}]`,
      )
      await Promise.resolve()
    }
    await bench.turns()
    bench.down(link)
    bench.written.length = bench.answers.length = 0
    if (number === links / 2) middle = heapUsed()
  }
  t.equal(count * 4, links * perLink * MAX_RECORDS_PER_ANSWER * 4)
  t.ok(count * 4 >= 250_000, `${count * 4} addresses`)
  t.same(bench.expelled, [])
  t.ok(bench.book.size <= MAX_BOOK_ENTRIES)
  // Places that they lose to each other are free for more of theirs.
  t.ok(bench.engine.verified <= 2 * links * MAX_PER_SOURCE, `${bench.engine.verified} verified`)
  t.ok(bench.book.has(friend.id), 'and whom this node has reached is still known')
  const growth = heapUsed() - middle
  t.ok(growth < 4 * 2 ** 20, `${Math.round(growth / 1_024)} KiB more in the second half`)
})
