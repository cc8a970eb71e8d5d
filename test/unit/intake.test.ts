import t from 'tap'
import { Deferred } from '../../lib/ground/deferred.ts'
import { MAX_VERIFICATION_BYTES } from '../../lib/limits/limits.ts'
import { Intake, type IntakeOptions } from '../../lib/relay/intake.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { Random } from '../../lib/testing/random.ts'
import { turns } from '../fixtures/channel-recorder.ts'

/** A message: `1` with the signature `a` is written `1a`. */
interface Arrival {
  readonly id: string
  readonly key: string
  readonly size: number
}

interface Verdict {
  readonly text: string
}

class Link {
  readonly name: string
  isPaused = false
  pauses = 0

  constructor(name: string) {
    this.name = name
  }

  pause(): void {
    this.isPaused = true
    this.pauses++
  }

  resume(): void {
    this.isPaused = false
  }
}

/** An intake whose verifications end when the test says so. */
class Desk {
  readonly clock = new ManualClock()
  readonly intake: Intake<Link, string, Arrival, Verdict>
  /** Texts that are refused before the signature. */
  readonly refused = new Set<string>()
  readonly judged: string[] = []
  /** `link text verdict`, in the order of conclusion. */
  readonly concluded: string[] = []
  /** Under verification, oldest first. */
  readonly flights: { text: string; verdict: Deferred<Verdict> }[] = []
  isBacklogged = false
  mostInFlight = 0
  onJudge: ((link: Link, text: string) => void) | undefined

  constructor(options: Partial<IntakeOptions> = {}) {
    this.intake = new Intake(
      {
        clock: this.clock,
        judge: (link, text) => this.#judge(link, text),
        verify: (arrival) => this.#verify(arrival),
        conclude: (link, { key }, { text }) => void this.concluded.push(`${link.name} ${key} ${text}`),
        isBacklogged: () => this.isBacklogged,
      },
      { maxVerifications: 64, messageRate: 1_000_000, ...options },
    )
  }

  receive(link: Link, ...texts: string[]): void {
    for (const text of texts) this.intake.receive(link, [text])
  }

  /** Ends the verification of a text; without one, the oldest. */
  async land(text?: string, verdict = 'ok'): Promise<void> {
    const index = text === undefined ? 0 : this.flights.findIndex((flight) => flight.text === text)
    this.flights.splice(index, 1)[0]!.verdict.resolve({ text: verdict })
    await turns(1)
  }

  async landAll(): Promise<void> {
    while (this.flights.length > 0) await this.land()
  }

  #judge(link: Link, text: string): Arrival | undefined {
    this.judged.push(text)
    this.onJudge?.(link, text)
    return this.refused.has(text) ? undefined : { id: text.slice(0, -1), key: text, size: text.length }
  }

  #verify({ key }: Arrival): Promise<Verdict> {
    const verdict = new Deferred<Verdict>()
    this.flights.push({ text: key, verdict })
    this.mostInFlight = Math.max(this.mostInFlight, this.flights.length)
    return verdict.promise
  }
}

const numbers = (from: number, to: number, signature = 'a'): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `${from + index}${signature}`)

t.test('what a link brings is judged at once, verified and concluded', async (t) => {
  const desk = new Desk()
  const link = new Link('L')
  desk.receive(link, '1a')
  t.same(desk.judged, ['1a'])
  t.equal(desk.intake.inFlight, 1)
  t.same(desk.concluded, [])
  await desk.land()
  t.same(desk.concluded, ['L 1a ok'])
  t.equal(desk.intake.inFlight, 0)
  t.equal(link.pauses, 0)
})

t.test('what is refused before the signature is not verified', async (t) => {
  const desk = new Desk()
  desk.refused.add('2a')
  desk.receive(new Link('L'), '1a', '2a', '3a')
  t.same(desk.judged, ['1a', '2a', '3a'])
  await desk.landAll()
  t.same(desk.concluded, ['L 1a ok', 'L 3a ok'])
})

t.test('order', async (t) => {
  t.test('a link keeps its order although verifications end out of order', async (t) => {
    const desk = new Desk()
    desk.receive(new Link('L'), '1a', '2a', '3a', '4a')
    await desk.land('3a', 'bad')
    await desk.land('4a')
    await desk.land('2a')
    t.same(desk.concluded, [])
    await desk.land('1a')
    t.same(desk.concluded, ['L 1a ok', 'L 2a ok', 'L 3a bad', 'L 4a ok'])
  })

  t.test('one link does not wait for another', async (t) => {
    const desk = new Desk()
    desk.receive(new Link('L'), '1a')
    desk.receive(new Link('M'), '2a')
    await desk.land('2a')
    t.same(desk.concluded, ['M 2a ok'])
  })

  t.test('it holds for any order of events', async (t) => {
    const random = new Random(3)
    const desk = new Desk({ maxVerifications: 5 })
    const links = Array.from({ length: 6 }, (_, number) => new Link(`L${number}`))
    const sent = new Map(links.map(({ name }) => [name, [] as string[]]))
    for (let step = 0; step < 3_000; step++) {
      const link = links[random.below(links.length)]!
      // A link that is paused brings no more than the rest of what one read brought.
      const isHeard = random.below(3) === 0 || !link.isPaused
      if (isHeard) {
        const text = `${step}a`
        if (random.below(4) === 0) desk.refused.add(text)
        else sent.get(link.name)!.push(text)
        desk.receive(link, text)
      }
      if (desk.flights.length > 0 && random.below(2) === 0) {
        await desk.land(desk.flights[random.below(desk.flights.length)]!.text)
      }
    }
    await desk.landAll()
    for (const { name } of links) {
      const got = desk.concluded.filter((line) => line.startsWith(name)).map((line) => line.split(' ')[1])
      t.same(got, sent.get(name))
    }
    t.equal(desk.mostInFlight, 5)
    t.notOk(
      links.some(({ isPaused }) => isPaused),
      'all are read again',
    )
  })
})

t.test('at most so many are verified at once', async (t) => {
  t.test('the link that brings more is paused, and read again when it was taken up', async (t) => {
    const desk = new Desk({ maxVerifications: 3 })
    const link = new Link('L')
    desk.receive(link, ...numbers(1, 5))
    t.equal(desk.intake.inFlight, 3)
    t.same(desk.judged, numbers(1, 4), 'the next in line is judged, and waits for a place')
    t.equal(link.isPaused, true)
    await desk.land()
    t.same(desk.judged, numbers(1, 5))
    t.equal(desk.intake.inFlight, 3)
    t.equal(link.isPaused, true)
    await desk.land()
    t.same(desk.judged, numbers(1, 5))
    t.equal(link.isPaused, false)
    await desk.landAll()
    t.same(
      desk.concluded,
      numbers(1, 5).map((text) => `L ${text} ok`),
    )
  })

  t.test('a link is paused once, however much more it brings', async (t) => {
    const desk = new Desk({ maxVerifications: 1 })
    const link = new Link('L')
    desk.receive(link, ...numbers(1, 50))
    t.equal(link.pauses, 1)
    await desk.landAll()
    t.equal(link.isPaused, false)
    t.equal(desk.concluded.length, 50)
  })

  t.test('free places go round: no link waits for another to be finished', async (t) => {
    const desk = new Desk({ maxVerifications: 1 })
    const [greedy, modest, third] = [new Link('G'), new Link('M'), new Link('T')]
    desk.receive(greedy, ...numbers(1, 6))
    desk.receive(modest, ...numbers(11, 13))
    desk.receive(third, '21a')
    await desk.landAll()
    t.same(
      desk.concluded.map((line) => line[0]),
      ['G', 'G', 'M', 'T', 'G', 'M', 'G', 'M', 'G', 'G'],
    )
  })

  t.test('a place that a link does not need goes to the next one', async (t) => {
    const desk = new Desk({ maxVerifications: 1 })
    const [busy, refused, last] = [new Link('B'), new Link('R'), new Link('L')]
    desk.receive(busy, '1a')
    // What waits turns out to be duplicates: nothing of it is verified, so nothing of it ever lands.
    for (const text of numbers(2, 4)) desk.refused.add(text)
    desk.receive(refused, ...numbers(2, 4))
    desk.receive(last, '5a')
    t.equal(last.isPaused, true)
    await desk.land('1a')
    t.equal(refused.isPaused, false)
    t.equal(last.isPaused, false, 'or it would wait for ever')
    await desk.landAll()
    t.same(desk.concluded, ['B 1a ok', 'L 5a ok'])
  })

  t.test('nor does it stay with a link that is too fast for its rate', async (t) => {
    const desk = new Desk({ maxVerifications: 1, messageRate: 1 })
    const [fast, other] = [new Link('F'), new Link('O')]
    desk.receive(fast, '1a', '2a')
    desk.receive(other, '3a')
    await desk.land('1a')
    t.same(
      desk.flights.map(({ text }) => text),
      ['3a'],
    )
  })
})

t.test('copies', async (t) => {
  t.test('a second copy with the same signature shares the verdict', async (t) => {
    const desk = new Desk()
    desk.receive(new Link('L'), '1a')
    desk.receive(new Link('M'), '1a')
    desk.receive(new Link('N'), '1a')
    t.equal(desk.flights.length, 1)
    t.equal(desk.intake.inFlight, 1)
    await desk.land('1a', 'bad')
    t.same(desk.concluded, ['L 1a bad', 'M 1a bad', 'N 1a bad'])
  })

  t.test('one with another signature is judged alone', async (t) => {
    const desk = new Desk()
    desk.receive(new Link('L'), '1a')
    desk.receive(new Link('M'), '1b')
    t.equal(desk.flights.length, 2)
    await desk.land('1a', 'bad')
    t.same(desk.concluded, ['L 1a bad'])
    await desk.land('1b')
    t.same(desk.concluded, ['L 1a bad', 'M 1b ok'])
  })

  t.test('a copy that comes after the verdict is verified anew', async (t) => {
    const desk = new Desk()
    const link = new Link('L')
    desk.receive(link, '1a')
    await desk.land('1a', 'bad')
    desk.receive(link, '1a')
    await desk.land('1a')
    t.same(desk.concluded, ['L 1a bad', 'L 1a ok'])
  })
})

t.test('rate', async (t) => {
  t.test('a link that is faster is read more slowly, and nothing is lost', async (t) => {
    const desk = new Desk({ messageRate: 10 })
    const link = new Link('L')
    desk.receive(link, ...numbers(1, 15))
    t.equal(desk.judged.length, 10, 'a second is allowed at once')
    t.equal(link.isPaused, true)
    for (let count = 11; count <= 15; count++) {
      desk.clock.advance(99)
      t.equal(desk.judged.length, count - 1)
      desk.clock.advance(1)
      t.equal(desk.judged.length, count)
    }
    t.equal(link.isPaused, false)
    await desk.landAll()
    t.same(
      desk.concluded,
      numbers(1, 15).map((text) => `L ${text} ok`),
    )
    t.equal(desk.clock.pendingTimers, 0)
  })

  t.test('each link has a rate of its own', async (t) => {
    const desk = new Desk({ messageRate: 10 })
    const [fast, slow] = [new Link('F'), new Link('S')]
    desk.receive(fast, ...numbers(1, 20))
    desk.receive(slow, ...numbers(21, 30))
    t.equal(fast.isPaused, true)
    t.equal(slow.isPaused, false)
    t.equal(desk.judged.length, 20)
  })

  t.test('duplicates count: they cost work as well', async (t) => {
    const desk = new Desk({ messageRate: 10 })
    const link = new Link('L')
    for (const text of numbers(1, 20)) desk.refused.add(text)
    desk.receive(link, ...numbers(1, 20))
    t.equal(desk.judged.length, 10)
    t.equal(link.isPaused, true)
  })
})

t.test('what is relayed piles up', async (t) => {
  /** Of 32 KiB: two pass at once, and then two a second. */
  const large = (...texts: string[]): string[] => texts.map((text) => text.padStart(32 * 1_024, '0'))

  t.test('new messages trickle, until the peers have read', async (t) => {
    const desk = new Desk()
    const link = new Link('L')
    desk.isBacklogged = true
    desk.receive(link, ...large('1a', '2a', '3a', '4a', '5a', '6a'))
    t.equal(desk.intake.inFlight, 2)
    t.equal(link.isPaused, true)
    desk.intake.wake()
    t.equal(desk.intake.inFlight, 2, 'waking changes nothing while it still piles up')
    desk.clock.advance(490)
    t.equal(desk.intake.inFlight, 3, 'the third one on credit')
    desk.clock.advance(20)
    t.equal(desk.intake.inFlight, 4)
    desk.isBacklogged = false
    desk.intake.wake()
    t.equal(desk.intake.inFlight, 6)
    t.equal(link.isPaused, false)
    t.equal(desk.clock.pendingTimers, 0)
  })

  t.test('it never stops: in a cycle all could wait for each other', async (t) => {
    const desk = new Desk()
    const link = new Link('L')
    desk.isBacklogged = true
    desk.receive(link, ...large('1a', '2a', '3a', '4a', '5a', '6a'))
    desk.clock.advance(2_100)
    t.equal(desk.intake.inFlight, 6)
    t.equal(link.isPaused, false)
  })

  t.test('copies are taken at once: they make no work for anybody', async (t) => {
    const desk = new Desk()
    const link = new Link('L')
    for (const copy of numbers(2, 99)) desk.refused.add(copy)
    desk.isBacklogged = true
    desk.receive(link, ...numbers(1, 99))
    t.equal(desk.judged.length, 99)
    t.equal(link.isPaused, false)
  })

  t.test('a place that becomes free does not end the wait', async (t) => {
    const desk = new Desk()
    const [early, late] = [new Link('E'), new Link('L')]
    desk.receive(early, '1a')
    desk.isBacklogged = true
    desk.receive(late, ...large('2a', '3a', '4a'))
    await desk.land('1a')
    t.same(desk.intake.inFlight, 2)
    t.equal(late.isPaused, true)
  })

  t.test('a link that is dropped meanwhile takes nothing more', async (t) => {
    const desk = new Desk()
    const link = new Link('L')
    desk.isBacklogged = true
    desk.receive(link, ...large('1a', '2a', '3a', '4a'))
    t.equal(desk.intake.drop(link).length, 3, 'two that are verified, and one that waits for it')
    desk.clock.advance(10_000)
    t.equal(desk.judged.length, 3)
  })
})

t.test('a link that is dropped', async (t) => {
  t.test('what it brought and is not concluded is forgotten, and returned', async (t) => {
    const desk = new Desk({ maxVerifications: 2 })
    const link = new Link('L')
    desk.receive(link, '1a', '2a', '3a')
    t.same(desk.intake.drop(link), [
      { id: '1', key: '1a', size: 2 },
      { id: '2', key: '2a', size: 2 },
      { id: '3', key: '3a', size: 2 },
    ])
    await desk.landAll()
    t.same(desk.concluded, [])
    t.same(desk.judged, ['1a', '2a', '3a'])
  })

  t.test('what it brings later is not looked at', async (t) => {
    const desk = new Desk()
    const link = new Link('L')
    desk.intake.drop(link)
    desk.receive(link, '1a')
    t.same(desk.judged, [])
    t.equal(desk.intake.inFlight, 0)
  })

  t.test('it can be dropped while a message of it is being judged', async (t) => {
    const desk = new Desk()
    const link = new Link('L')
    desk.onJudge = (from, text) => {
      if (text === '2a') desk.intake.drop(from)
    }
    desk.refused.add('2a')
    desk.receive(link, '1a', '2a', '3a')
    t.same(desk.judged, ['1a', '2a'])
    await desk.landAll()
    t.same(desk.concluded, [])
  })

  t.test('others that share a verification with it keep their verdict', async (t) => {
    const desk = new Desk()
    const [bad, good] = [new Link('B'), new Link('G')]
    desk.receive(bad, '1a')
    desk.receive(good, '1a')
    desk.intake.drop(bad)
    await desk.land('1a')
    t.same(desk.concluded, ['G 1a ok'])
  })

  t.test('its waiting messages take no place', async (t) => {
    const desk = new Desk({ maxVerifications: 1 })
    const [bad, good] = [new Link('B'), new Link('G')]
    desk.receive(good, '1a')
    desk.receive(bad, '2a')
    desk.receive(good, '3a')
    desk.intake.drop(bad)
    await desk.landAll()
    t.same(desk.concluded, ['G 1a ok', 'G 3a ok'])
  })
})

t.test(
  'large messages are verified a few at a time, so that they do not pile up behind its back',
  async (t) => {
    const large = (name: string): string => `${name.repeat(MAX_VERIFICATION_BYTES / 2)}a`
    const desk = new Desk()
    const [first, second] = [new Link('L'), new Link('M')]
    desk.receive(first, large('1'), large('2'), '3a')
    t.equal(desk.intake.inFlight, 1, 'two of them are more than the limit')
    t.ok(first.isPaused)
    desk.receive(second, large('4'))
    desk.receive(second, large('5'))
    t.ok(second.isPaused, 'the limit is for all links together')
    await desk.land()
    t.equal(desk.concluded.length, 1)
    t.equal(desk.intake.inFlight, 2, 'the next one, and a small one that fits beside it')
    await desk.landAll()
    desk.clock.advance(60_000)
    await desk.landAll()
    t.equal(desk.concluded.length, 5)
    t.notOk(first.isPaused || second.isPaused)

    t.test('a single one may be larger than the limit', async (t) => {
      desk.receive(first, large('6') + large('7'))
      t.equal(desk.intake.inFlight, 1)
      await desk.landAll()
      t.equal(desk.concluded.length, 6)
    })

    t.test('what a link loses that was caught cheating makes room for others', async (t) => {
      desk.receive(first, large('8'))
      desk.receive(second, large('9'))
      t.ok(second.isPaused)
      desk.intake.drop(first)
      await turns(1)
      t.notOk(second.isPaused)
      t.equal(desk.intake.inFlight, 2)
      await desk.landAll()
      t.equal(desk.concluded.length, 7)
    })
  },
)

t.test('messages whose signature is one', async (t) => {
  /** An intake of messages with the key in front of the dash: `a-1` and `a-2` have one signature. */
  function batches(options: Partial<IntakeOptions> = {}) {
    const clock = new ManualClock()
    const concluded: string[] = []
    const known = new Set<string>()
    const flights = new Map<string, Deferred<Verdict>>()
    const intake = new Intake<Link, string, Arrival, Verdict>(
      {
        clock,
        judge: (_link, id) => ({ id, key: id.split('-')[0]!, size: 1 }),
        verify: ({ key }) => {
          if (known.has(key)) return { text: 'known' }
          const flight = flights.get(key) ?? new Deferred<Verdict>()
          flights.set(key, flight)
          return flight.promise
        },
        conclude: (link, { id }, { text }) => void concluded.push(`${link.name} ${id} ${text}`),
        isBacklogged: () => false,
      },
      { maxVerifications: 2, messageRate: 1_000_000, ...options },
    )
    const land = async (key: string): Promise<void> => {
      flights.get(key)!.resolve({ text: 'ok' })
      flights.delete(key)
      await turns(1)
    }
    return { intake, concluded, known, land }
  }

  t.test('take one place under verification', async (t) => {
    const { intake, concluded, land } = batches()
    const link = new Link('L')
    intake.receive(link, ['a-1', 'a-2', 'a-3', 'a-4'])
    t.equal(intake.inFlight, 1)
    t.equal(link.isPaused, false)
    intake.receive(link, ['b-1', 'c-1', 'c-2'])
    t.equal(intake.inFlight, 2)
    t.equal(link.isPaused, true, 'a third signature waits')
    await land('a')
    t.same(concluded, ['L a-1 ok', 'L a-2 ok', 'L a-3 ok', 'L a-4 ok'])
    await land('b')
    await land('c')
    t.same(concluded.slice(4), ['L b-1 ok', 'L c-1 ok', 'L c-2 ok'])
    t.equal(link.isPaused, false)
    t.equal(intake.inFlight, 0)
  })

  t.test('are concluded at once where it is known, but not before what came before them', async (t) => {
    const { intake, concluded, known, land } = batches()
    const [link, other] = [new Link('L'), new Link('M')]
    known.add('k')
    intake.receive(link, ['k-1', 'a-1', 'k-2'])
    t.same(concluded, ['L k-1 known'])
    intake.receive(other, ['k-3'])
    t.same(concluded, ['L k-1 known', 'M k-3 known'])
    await land('a')
    t.same(concluded.slice(2), ['L a-1 ok', 'L k-2 known'])
    t.equal(intake.inFlight, 0)
  })

  t.test('are all forgotten with the link that brought them', async (t) => {
    const { intake, concluded, land } = batches()
    const link = new Link('L')
    intake.receive(link, ['a-1', 'a-2', 'b-1', 'c-1', 'c-2'])
    t.same(
      intake.drop(link).map(({ id }) => id),
      ['a-1', 'a-2', 'b-1', 'c-1'],
    )
    await land('a')
    await land('b')
    t.same(concluded, [])
  })
})
