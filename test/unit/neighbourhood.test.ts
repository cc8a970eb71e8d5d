import t from 'tap'
import {
  BRIEF_LINK,
  DIAL_PAUSE_MIN,
  ENOUGH_FACTOR,
  ENOUGH_INTERVAL,
  EXPLORE_INTERVAL,
  MAX_DIALS,
  TEND_INTERVAL,
  TEND_SOON,
} from '../../lib/limits/network-limits.ts'
import type { Address } from '../../lib/wire/address.ts'
import { paperId, publicHost } from '../fixtures/records.ts'
import { Surroundings, upTo } from '../fixtures/surroundings.ts'

const BOOTSTRAP = { host: 'start.example', port: 1 }
const privateAddress = (number: number): Address => ({
  host: `10.9.${number >> 8}.${number & 255}`,
  port: 7_000,
})
const addressOf = (number: number): Address => ({ host: publicHost(number), port: 7_000 })

/** A neighbourhood that looks for links, and knows so many nodes. */
async function active(known: number, options: ConstructorParameters<typeof Surroundings>[0] = {}) {
  const around = new Surroundings(options)
  await around.know(upTo(known))
  around.neighbourhood.activate()
  return around
}

t.test('a node that nobody asked to look for links', async (t) => {
  t.test('dials nobody, asks nobody, and sets no timer', async (t) => {
    const around = new Surroundings()
    await around.know(upTo(50))
    around.bootstrap.add([BOOTSTRAP])
    const link = around.up('stranger')
    around.neighbourhood.found(paperId(1), privateAddress(1))
    around.end(link)
    await around.run(60_000)
    t.equal(around.history.length, 0)
    t.same(around.asked, [])
    t.equal(around.clock.pendingTimers, 0)
    t.equal(around.neighbourhood.missingOutbound, 0)
  })

  t.test('tells peers that it has enough, as long as it has too many, and is quiet after that', async (t) => {
    const around = new Surroundings({ target: 4 })
    const links = upTo(ENOUGH_FACTOR * 4 + 3).map((number) => around.up(`stranger ${number}`))
    await around.run(TEND_SOON)
    t.equal(around.relieved.length, 3)
    t.same(around.retired, [], 'it is for them to go')
    for (const link of links.slice(0, 3)) around.end(link)
    await around.run(2 * TEND_INTERVAL)
    t.equal(around.relieved.length, 3)
    t.equal(around.clock.pendingTimers, 0)
  })

  t.test('does not wait to be settled', async (t) => {
    const around = new Surroundings()
    await around.neighbourhood.settled()
    t.equal(around.clock.pendingTimers, 0)
  })

  t.test('dials nobody for others either', async (t) => {
    const around = new Surroundings()
    await t.rejects(around.neighbourhood.connect({ id: undefined, address: BOOTSTRAP }), { code: 'aborted' })
    t.equal(around.history.length, 0)
    t.equal(around.clock.pendingTimers, 0)
  })
})

t.test('dialling', async (t) => {
  t.test('goes on until there are enough links, and then stops', async (t) => {
    const around = await active(50, { target: 6 })
    await around.run(10_000)
    t.equal(around.links.size, 6)
    t.equal(around.history.length, 6)
    t.equal(new Set(around.history.map(({ terms }) => terms.expect)).size, 6, 'six different ones')
    await around.run(20_000)
    t.equal(around.history.length, 6)
  })

  t.test('tells who must be found there, save at bootstrap addresses', async (t) => {
    const around = await active(1)
    around.bootstrap.add([BOOTSTRAP])
    await around.clock.advanceAsync(1)
    t.same(
      around.dials.map(({ address, terms }) => [address, terms.expect]),
      [
        [addressOf(0), paperId(0)],
        [BOOTSTRAP, undefined],
      ],
    )
  })

  t.test('is never more than four at once, however many are missing', async (t) => {
    const around = await active(500, { target: 100 })
    let most = 0
    await around.run(60_000, async (dial) => {
      most = Math.max(most, around.dials.length)
      if (around.clock.now() - dial.at > 700) await dial.refuse()
    })
    t.equal(most, MAX_DIALS)
    t.ok(around.history.length > 100, 'and it does go on')
  })

  t.test('is at a bounded rate where everything fails at once', async (t) => {
    const around = await active(2_000, { target: 100 })
    await around.run(10_000, (dial) => dial.refuse())
    t.ok(around.history.length <= (10_000 / (TEND_SOON / 8)) * MAX_DIALS, `${around.history.length} dials`)
    const tried = around.history.map(({ terms }) => terms.expect)
    t.equal(new Set(tried).size, tried.length, 'nobody twice')
  })

  t.test('does not go beyond the places that are left', async (t) => {
    const around = await active(50, { target: 8 })
    around.freePlaces = 1
    await around.clock.advanceAsync(1_000)
    t.equal(around.dials.length, 1)
    around.freePlaces = 0
    await around.dials[0]!.answer()
    await around.run(60_000, () => Promise.resolve())
    t.ok(around.history.length <= 2, 'a dial that can only fail would be reported again and again')
  })

  t.test('differs in time between nodes that have lost the same peer', async (t) => {
    const times = new Set<number>()
    for (const seed of upTo(20)) {
      const around = await active(0, { target: 1, seed })
      const lost = around.up('hub', 'outbound')
      await around.run(BRIEF_LINK)
      await around.know(upTo(5))
      const start = around.clock.now()
      around.end(lost)
      while (around.history.length === 0) await around.clock.advanceAsync(1)
      const { at } = around.history[0]!
      t.ok(at - start >= TEND_SOON / 2 - 1 && at - start <= TEND_SOON + 1, `${at - start} ms`)
      times.add(at - start)
    }
    t.ok(times.size > 15)
  })

  t.test('asks peers when nobody is left to dial', async (t) => {
    const around = await active(0)
    const link = around.up('somebody')
    await around.run(TEND_SOON)
    t.ok(around.asked.includes(link))
    t.equal(around.history.length, 0)
  })

  t.test('begins as soon as an answer has come', async (t) => {
    const around = await active(0)
    around.up('somebody')
    await around.run(TEND_SOON)
    await around.know([1])
    around.neighbourhood.wake(0)
    await around.clock.advanceAsync(1)
    t.equal(around.dials.length, 1)
  })

  t.test('of one who is alone begins again soon, where others wait longer', async (t) => {
    const around = await active(0)
    await around.run(30_000)
    await around.know([1])
    const start = around.clock.now()
    await around.run(2 * TEND_SOON, () => Promise.resolve())
    t.ok(around.history[0]!.at - start <= TEND_SOON)
  })
})

t.test('half of the links are of its own choice', async (t) => {
  t.test('however many strangers come', async (t) => {
    const around = await active(50, { target: 6 })
    for (const number of upTo(40)) around.up(`stranger ${number}`)
    t.equal(around.neighbourhood.missingOutbound, 3)
    await around.run(10_000)
    t.equal(around.outbound.length, 3)
    t.equal(around.neighbourhood.missingOutbound, 0)
  })

  t.test('also of an odd number', async (t) => {
    const around = await active(50, { target: 5 })
    for (const number of upTo(40)) around.up(`stranger ${number}`)
    await around.run(10_000)
    t.equal(around.outbound.length, 3)
  })

  t.test('links that the application has opened count', async (t) => {
    const around = await active(50, { target: 6 })
    for (const number of upTo(3)) around.up(`friend ${number}`, 'outbound')
    for (const number of upTo(3)) around.up(`stranger ${number}`)
    await around.run(10_000)
    t.equal(around.history.length, 0)
  })
})

t.test('what has failed', async (t) => {
  t.test('is not dialled again before its pause is over', async (t) => {
    const around = await active(1)
    await around.run(DIAL_PAUSE_MIN / 2 - 1_000, (dial) => dial.refuse())
    t.equal(around.history.length, 1)
    await around.run(DIAL_PAUSE_MIN, (dial) => dial.refuse())
    t.equal(around.history.length, 2)
  })

  t.test('is forgotten after four failures', async (t) => {
    const around = await active(1)
    await around.run(3_600_000, (dial) => dial.refuse())
    t.equal(around.history.length, 4)
    t.equal(around.book.size, 0)
  })

  t.test('but not where somebody is there who refuses', async (t) => {
    const around = await active(1)
    await around.run(3_600_000, (dial) => dial.refuse('refused-by-peer'))
    t.ok(around.history.length > 4)
    t.equal(around.book.get(paperId(0))?.failures, 0)
  })

  t.test('here says nothing about the address', async (t) => {
    for (const code of ['aborted', 'not-started', 'too-many-connections'] as const) {
      const around = await active(1)
      await around.clock.advanceAsync(1)
      await around.dials[0]!.refuse(code)
      t.ok(around.backOff.isReady(addressOf(0), around.clock.now()), code)
      t.equal(around.book.get(paperId(0))?.failures, 0)
    }
  })

  t.test('a bootstrap address is tried again and again', async (t) => {
    const around = await active(0)
    around.bootstrap.add([BOOTSTRAP])
    await around.run(600_000, (dial) => dial.refuse())
    t.ok(around.history.length >= 12, `${around.history.length} times in ten minutes`)
    t.ok(around.history.length <= 30)
    t.ok(around.history[3]!.at - around.history[0]!.at < 15_000, 'soon at first')
  })

  t.test('a bootstrap address that is this node itself is never tried again', async (t) => {
    const around = await active(0)
    around.bootstrap.add([BOOTSTRAP])
    await around.run(600_000, (dial) => dial.refuse('self-connection'))
    t.equal(around.history.length, 1)
    t.equal(around.bootstrap.size, 0)
  })
})

t.test('where somebody else was found than the record says', async (t) => {
  const around = await active(1)
  await around.run(DIAL_PAUSE_MIN * 4, (dial) => dial.refuse('identity-mismatch'))
  t.equal(around.history.length, 1)
  t.equal(around.book.size, 0, 'the record is forgotten')
  t.notOk(around.backOff.isReady(addressOf(0), around.history[0]!.at + 1))
})

t.test('a peer that ends each link as soon as it is up', async (t) => {
  t.test('is dialled no more often than one that does not answer', async (t) => {
    const around = await active(1)
    await around.run(DIAL_PAUSE_MIN * 4, async (dial) => {
      const link = await dial.answer()
      around.end(link, 'unexpected-frame', 'peer')
    })
    t.ok(around.history.length <= 8, `${around.history.length} dials in two minutes`)
  })

  t.test('also if it does so before anybody has seen the link', async (t) => {
    const around = await active(1)
    await around.run(DIAL_PAUSE_MIN * 4, async (dial) => {
      const answered = dial.answer()
      for (const link of around.links) around.end(link, 'unexpected-frame', 'peer')
      await answered
    })
    t.ok(around.history.length <= 8, `${around.history.length} dials in two minutes`)
  })

  t.test('a bootstrap node that does so is left alone for longer each time', async (t) => {
    const around = await active(0)
    around.bootstrap.add([BOOTSTRAP])
    await around.run(60_000, async (dial) => {
      around.end(await dial.answer(), 'goodbye', 'peer')
    })
    t.ok(around.history.length < 60, `${around.history.length} dials in a minute`)
  })

  t.test('a link that lasted is dialled again soon', async (t) => {
    const around = await active(1)
    await around.run(BRIEF_LINK + 1_000)
    const [link] = around.links
    around.end(link!)
    await around.run(TEND_SOON)
    t.equal(around.history.length, 2)
  })

  t.test('a link that gave way to another one to the same node has not failed', async (t) => {
    const around = await active(1)
    await around.run(1_000)
    const [link] = around.links
    around.end(link!, 'duplicate', 'us')
    t.ok(around.backOff.isReady(addressOf(0), around.clock.now()))
  })
})

t.test('a peer that has enough', async (t) => {
  t.test('is let go as soon as there are enough without it', async (t) => {
    const around = await active(20, { target: 4 })
    await around.run(5_000)
    const [link] = around.links
    around.neighbourhood.onEnough(link!)
    t.same(around.retired, [], 'not before')
    await around.run(5_000)
    t.same(around.retired, [[link, 'enough']])
    t.equal(around.links.size, 4)
  })

  t.test('stays where nobody else is to be found', async (t) => {
    const around = await active(4, { target: 4 })
    await around.run(5_000)
    for (const link of around.links) around.neighbourhood.onEnough(link)
    await around.run(EXPLORE_INTERVAL * 3)
    t.same(around.retired, [])
    t.equal(around.links.size, 4)
    t.equal(around.history.length, 4)
  })

  t.test('is not dialled again soon', async (t) => {
    const around = await active(5, { target: 4 })
    await around.run(5_000)
    const [link] = around.links
    around.neighbourhood.onEnough(link!)
    await around.run(EXPLORE_INTERVAL * 4)
    t.equal(around.history.filter(({ terms }) => terms.expect === link!.id).length, 1)
  })

  t.test('leaves a link of the application alone, whoever opened it', async (t) => {
    const around = await active(20, { target: 2 })
    const [friend, stranger] = [around.up('friend', 'outbound'), around.up('stranger')]
    for (const link of [friend, stranger]) around.neighbourhood.claim(link)
    await around.run(EXPLORE_INTERVAL)
    for (const link of [friend, stranger]) around.neighbourhood.onEnough(link)
    await around.run(EXPLORE_INTERVAL * 5)
    t.ok(friend.isUp && stranger.isUp)
  })

  t.test('ends a link that it opened itself at once, where there are others enough', async (t) => {
    const around = await active(0, { target: 2 })
    const [one, two] = [around.up('one'), around.up('two')]
    around.neighbourhood.onEnough(one)
    await around.run(TEND_INTERVAL)
    t.ok(one.isUp, 'there are not')
    around.up('three')
    around.neighbourhood.onEnough(two)
    t.same(around.retired, [[two, 'enough']])
  })

  t.test('may say so as often as it likes', async (t) => {
    const around = await active(4, { target: 4 })
    await around.run(5_000)
    const [link] = around.links
    for (let count = 0; count < 10_000; count++) around.neighbourhood.onEnough(link!)
    t.ok(around.clock.pendingTimers <= 1)
    await around.run(5_000)
    t.equal(around.links.size, 4)
    t.equal(around.history.length, 4)
  })

  t.test('who has said so and gone is nothing any more', async (t) => {
    const around = await active(20, { target: 4 })
    await around.run(5_000)
    const [link] = around.links
    around.neighbourhood.onEnough(link!)
    around.end(link!, 'goodbye', 'peer')
    around.neighbourhood.onEnough(link!)
    await around.run(5_000)
    t.equal(around.links.size, 4)
    t.same(around.retired, [])
  })
})

t.test('a link that the application asks for', async (t) => {
  t.test('is never let go, even if it was found by the node itself', async (t) => {
    const around = await active(50, { target: 4 })
    await around.run(5_000)
    const [link] = around.links
    around.neighbourhood.claim(link!)
    around.neighbourhood.onEnough(link!)
    await around.run(EXPLORE_INTERVAL * 20)
    t.ok(link!.isUp)
    t.ok(around.relieved.length > 5, 'others go')
    t.notOk(around.relieved.includes(link!))
  })

  t.test('nor if it asks while the node dials', async (t) => {
    const around = await active(50, { target: 1 })
    await around.clock.advanceAsync(1)
    const [dial] = around.dials
    const link = around.up(dial!.terms.expect!, 'outbound', dial!.address)
    around.neighbourhood.claim(link)
    await dial!.answer()
    around.neighbourhood.onEnough(link)
    await around.run(EXPLORE_INTERVAL * 10)
    t.ok(link.isUp)
  })

  t.test('nor if it was there before the node dialled the same peer', async (t) => {
    const around = await active(0, { target: 4 })
    const friend = around.up('friend', 'outbound', BOOTSTRAP)
    around.bootstrap.add([BOOTSTRAP])
    await around.run(2_000, (dial) => dial.answer('friend'))
    t.equal(around.history.length, 1)
    around.neighbourhood.onEnough(friend)
    await around.know(upTo(20))
    await around.run(EXPLORE_INTERVAL * 10)
    t.ok(friend.isUp)
  })
})

t.test('curiosity', async (t) => {
  t.test('makes a link now and then; the oldest goes for it', async (t) => {
    const around = await active(60, { target: 6 })
    await around.run(5_000)
    const first = [...around.links]
    await around.run(EXPLORE_INTERVAL * 10)
    const made = around.history.length - 6
    t.ok(made >= 7 && made <= 16, `${made} in ten minutes`)
    t.same(
      around.relieved.slice(0, 6).map(({ id }) => id),
      first.map(({ id }) => id),
      'in their order',
    )
    t.same(around.retired, [], 'each by the decision of its peer')
  })

  t.test('links that messages run over go last; now and then all the same, by lot', async (t) => {
    const around = await active(600, { target: 6 })
    await around.run(5_000)
    const branches = [...around.links].slice(0, 3)
    for (const link of branches) around.needed.add(link)
    await around.run(EXPLORE_INTERVAL * 10)
    const early = around.relieved.filter((link) => branches.includes(link))
    t.ok(around.relieved.length >= 6, `${around.relieved.length} went`)
    t.ok(early.length < around.relieved.length / 2, `${early.length} of them by lot`)
    await around.run(EXPLORE_INTERVAL * 100)
    t.same(
      branches.filter((link) => link.isUp),
      [],
      'nobody stays for ever',
    )
  })

  t.test('never leaves fewer links than wanted, nor fewer than half of its own choice', async (t) => {
    for (const strangers of [0, 3, 5, 8]) {
      const around = await active(60, { target: 6 })
      for (const number of upTo(strangers)) around.up(`stranger ${number}`)
      await around.run(10_000)
      let [fewest, fewestOutbound] = [Infinity, Infinity]
      await around.run(EXPLORE_INTERVAL * 20, async (dial) => {
        await dial.answer()
        fewest = Math.min(fewest, around.links.size)
        fewestOutbound = Math.min(fewestOutbound, around.outbound.length)
      })
      t.ok(around.relieved.length > 5, `${around.relieved.length} were let go`)
      t.ok(fewest >= 6, `${fewest} links beside ${strangers} strangers`)
      t.ok(fewestOutbound >= 3, `${fewestOutbound} outbound`)
    }
  })

  t.test('lets nobody go for a link that was not made', async (t) => {
    const around = await active(60, { target: 4 })
    await around.run(5_000)
    for (const number of upTo(3)) around.up(`stranger ${number}`)
    await around.run(EXPLORE_INTERVAL * 10, (dial) => dial.refuse())
    t.same([around.retired, around.relieved], [[], []])
  })

  t.test('peers that never let go are asked in turn, and do not become more and more', async (t) => {
    const around = await active(600, { target: 4, maxPerGroup: 100 })
    around.arePolite = false
    await around.run(5_000)
    await around.run(EXPLORE_INTERVAL * 4)
    t.equal(new Set(around.relieved).size, around.relieved.length, 'each is asked once')
    t.same(around.retired, [])
    const [oldest] = around.links
    await around.run(EXPLORE_INTERVAL * 100)
    t.ok(around.links.size <= ENOUGH_FACTOR * 4 + 1, `${around.links.size} links`)
    t.same(around.retired[0], [oldest, 'enough'])
    t.ok(around.history.length > 50, 'and others have their turn')
  })

  t.test(
    'seldom goes to a bootstrap address: to a part of the network that nobody here may know',
    async (t) => {
      const around = await active(60, { target: 4 })
      await around.run(5_000)
      around.bootstrap.add([BOOTSTRAP])
      const { length } = around.history
      await around.run(EXPLORE_INTERVAL * 300, async (dial) => {
        const link = await dial.answer()
        if (dial.address === BOOTSTRAP) around.end(link, 'goodbye', 'us')
      })
      const news = around.history.slice(length)
      const count = news.filter(({ address }) => address === BOOTSTRAP).length
      t.ok(count >= 3 && count <= news.length / 8, `${count} of ${news.length}`)
    },
  )

  t.test('asks a neighbour whom it knows', async (t) => {
    const around = await active(4, { target: 4 })
    await around.run(5_000)
    around.asked.length = 0
    await around.run(EXPLORE_INTERVAL * 3)
    t.ok(around.asked.length > 0)
  })

  t.test('does not add to dials that are under way', async (t) => {
    const around = await active(500, { target: 100 })
    let most = 0
    await around.run(EXPLORE_INTERVAL * 5, async (dial) => {
      most = Math.max(most, around.dials.length)
      if (around.clock.now() - dial.at > 9_000) await dial.refuse()
    })
    t.equal(most, MAX_DIALS)
  })
})

t.test('too many links', async (t) => {
  t.test('those who are told are chosen by lot, not more than are too many, every ten seconds', async (t) => {
    const around = new Surroundings({ target: 4 })
    const links = upTo(18).map((number) => around.up(`stranger ${number}`))
    await around.run(TEND_SOON)
    t.equal(new Set(around.relieved).size, 10, 'ten different ones')
    t.notSame(around.relieved, links.slice(0, 10))
    await around.run(10 * ENOUGH_INTERVAL)
    t.ok(around.relieved.length <= 10 * 12)
    t.equal(new Set(around.relieved).size, 18, 'nobody is spared for ever')
  })

  t.test('links of its own are not asked to go', async (t) => {
    const around = new Surroundings({ target: 4 })
    for (const number of upTo(20)) around.up(`friend ${number}`, 'outbound')
    around.up('stranger')
    await around.run(TEND_SOON)
    t.equal(around.relieved.length, 1)
  })
})

t.test('groups of addresses', async (t) => {
  t.test('no more than two outbound links to one', async (t) => {
    const around = new Surroundings({ target: 8 })
    await around.know(upTo(40), (number) => ({ host: `20.1.${number}.1`, port: 7_000 }))
    around.neighbourhood.activate()
    await around.run(EXPLORE_INTERVAL * 5)
    t.equal(around.links.size, 2)
  })

  t.test('any number to private ones', async (t) => {
    const around = new Surroundings({ target: 8 })
    await around.know(upTo(40), privateAddress)
    // Their source is on this machine, so its word counts for private addresses.
    for (const number of upTo(40)) around.neighbourhood.found(paperId(number), privateAddress(number))
    around.neighbourhood.activate()
    await around.run(10_000)
    t.equal(around.links.size, 8)
  })
})

t.test('a node that is found on the local network', async (t) => {
  t.test('is dialled soon', async (t) => {
    const around = await active(0)
    await around.run(30_000)
    around.neighbourhood.found(paperId(1), privateAddress(1))
    await around.run(TEND_SOON)
    t.same(around.history[0]?.address, privateAddress(1))
    t.equal(around.links.size, 1)
  })

  t.test('is left alone when there are enough links', async (t) => {
    const around = await active(0, { target: 2 })
    for (const number of upTo(2)) around.up(`friend ${number}`, 'outbound')
    around.neighbourhood.found(paperId(1), privateAddress(1))
    await around.run(TEND_INTERVAL)
    t.equal(around.history.length, 0)
  })
})

t.test('settled', async (t) => {
  const isSettled = async (around: Surroundings): Promise<boolean> => {
    let isOver = false
    void around.neighbourhood.settled().then(() => (isOver = true))
    await around.clock.advanceAsync(1)
    return isOver
  }

  t.test('when there are enough links', async (t) => {
    const around = await active(20, { target: 2 })
    t.equal(await isSettled(around), false)
    await around.run(5_000)
    t.equal(await isSettled(around), true)
  })

  t.test('when nobody else is known', async (t) => {
    t.equal(await isSettled(await active(0)), true)
  })

  t.test('not while somebody may still tell of others', async (t) => {
    const around = await active(0)
    around.up('somebody')
    around.isAsking = true
    t.equal(await isSettled(around), false)
    around.isAsking = false
    t.equal(await isSettled(around), true)
  })

  t.test('not while dials are under way', async (t) => {
    const around = await active(1)
    t.equal(await isSettled(around), false)
    await around.dials[0]!.refuse()
    await around.clock.advanceAsync(TEND_SOON)
    t.equal(await isSettled(around), true)
  })

  t.test('when the node looks for links no more', async (t) => {
    const around = await active(20)
    const settled = around.neighbourhood.settled()
    around.neighbourhood.deactivate()
    await t.resolves(settled)
  })
})

t.test('the end', async (t) => {
  t.test('nothing is left, in whatever state it comes', async (t) => {
    for (const ms of [0, 1, 400, 1_000, 5_000, EXPLORE_INTERVAL * 2]) {
      const around = await active(50, { target: 6 })
      await around.run(ms, (dial) => (around.links.size < 4 ? dial.answer() : Promise.resolve()))
      around.isAwake = false
      around.neighbourhood.deactivate()
      t.equal(around.clock.pendingTimers, 0, `after ${ms} ms`)
      const { length } = around.history
      for (const dial of [...around.dials]) await dial.refuse('aborted')
      for (const link of around.links) around.end(link, 'goodbye', 'us')
      around.neighbourhood.found(paperId(1), privateAddress(1))
      around.neighbourhood.wake(0)
      void around.neighbourhood.settled()
      t.equal(around.clock.pendingTimers, 0)
      await around.clock.advanceAsync(60_000)
      t.equal(around.history.length, length)
    }
  })

  t.test('a dial that succeeds after it is ended again', async (t) => {
    const around = await active(1)
    await around.clock.advanceAsync(1)
    const [dial] = around.dials
    around.isAwake = false
    around.neighbourhood.deactivate()
    const link = await dial!.answer()
    t.same(around.retired, [[link, 'goodbye']])
    t.equal(around.clock.pendingTimers, 0)
  })

  t.test('it can begin again, and lets go of what it made before', async (t) => {
    const around = await active(50, { target: 4 })
    await around.run(5_000)
    const [link] = around.links
    around.neighbourhood.deactivate()
    around.neighbourhood.activate()
    around.neighbourhood.activate()
    around.neighbourhood.onEnough(link!)
    await around.run(5_000)
    t.same(around.retired, [[link, 'enough']])
    t.equal(around.links.size, 4)
  })
})
