import t from 'tap'
import { connectFailed } from '../../lib/errors.ts'
import { Identity } from '../../lib/identity/identity.ts'
import { REACH_PAUSE, REACH_TIMEOUT } from '../../lib/limits/direct-limits.ts'
import { Reach, type ReachLink } from '../../lib/reach.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { type Address, formatAddress } from '../../lib/wire/address.ts'
import { eventually } from '../fixtures/happenings.ts'

const { id } = Identity.generate()
const at = (port: number): Address => ({ host: '10.0.0.1', port })

class Link implements ReachLink {
  readonly id = id
  isUp = true
  stays = 0
  stay(): void {
    this.stays++
  }
}

/** A world with one other node. */
class World {
  readonly clock = new ManualClock()
  readonly dialled: string[] = []
  known: Address[] = []
  found: Address[] = []
  /** Ports that answer. */
  open: number[] = []
  link: Link | undefined
  lookups = 0
  hasPeers = true
  isSilent = false
  readonly reach = new Reach<Link>({
    clock: this.clock,
    linkTo: () => this.link,
    addressesOf: () => this.known,
    lookup: async () => {
      this.lookups++
      return this.found
    },
    dial: (address, { signal, expect }) => this.#dial(address, signal, expect),
    hasPeers: () => this.hasPeers,
  })

  async #dial({ host, port }: Address, signal: AbortSignal, expect: string): Promise<Link> {
    await Promise.resolve()
    this.dialled.push(`${formatAddress(host, port)} ${expect === id ? 'expected' : 'any'}`)
    if (this.isSilent)
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    if (!this.open.includes(port)) throw connectFailed(formatAddress(host, port), new Error('refused'))
    return (this.link = new Link())
  }
}

t.test('a link that is there is the way', async (t) => {
  const world = new World()
  world.link = new Link()
  world.known = [at(1)]
  t.strictSame(await world.reach.to(id), { way: 'link', link: world.link })
  t.strictSame(world.dialled, [])
  t.equal(world.link.stays, 0)
  await world.reach.to(id, { connection: 'lasting' })
  t.equal(world.link.stays, 1)
})

t.test('else a known address, one after the other, and only the node that is meant', async (t) => {
  const world = new World()
  world.known = [at(1), at(2), at(3)]
  world.open = [2, 3]
  t.match(await world.reach.to(id), { way: 'address', link: Link })
  t.strictSame(world.dialled, ['10.0.0.1:1 expected', '10.0.0.1:2 expected'])
  t.equal(world.lookups, 0)
})

t.test('else an address that is looked up, without trying one twice', async (t) => {
  const world = new World()
  world.known = [at(1)]
  world.found = [at(1), at(4)]
  world.open = [4]
  t.match(await world.reach.to(id), { way: 'lookup', link: Link })
  t.strictSame(world.dialled, ['10.0.0.1:1 expected', '10.0.0.1:4 expected'])
})

t.test('else relays, and for a minute without another search', async (t) => {
  const world = new World()
  t.strictSame(await world.reach.to(id), { way: 'relay', link: undefined })
  t.strictSame(await world.reach.to(id), { way: 'relay', link: undefined })
  t.equal(world.lookups, 1)
  world.clock.advance(REACH_PAUSE + 1)
  await world.reach.to(id)
  t.equal(world.lookups, 2)
})

t.test('without a way and without a peer there is an error', async (t) => {
  const world = new World()
  world.hasPeers = false
  await t.rejects(world.reach.to(id), { code: 'unreachable' })
})

t.test('who wants relays alone has nobody dialled', async (t) => {
  const world = new World()
  world.known = [at(1)]
  world.open = [1]
  t.strictSame(await world.reach.to(id, { relay: true }), { way: 'relay', link: undefined })
  t.strictSame(world.dialled, [])
})

t.test('those who ask at the same time share one search', async (t) => {
  const world = new World()
  world.known = [at(1)]
  world.open = [1]
  const ways = await Promise.all([1, 2, 3].map(() => world.reach.to(id)))
  t.strictSame(
    ways.map(({ way }) => way),
    ['address', 'address', 'address'],
  )
  t.equal(world.dialled.length, 1)
})

t.test('a search has its time: then it is relays', async (t) => {
  const world = new World()
  world.known = [at(1), at(2)]
  world.isSilent = true
  const reaching = world.reach.to(id)
  await eventually(() => world.dialled.length > 0)
  world.clock.advance(REACH_TIMEOUT)
  t.strictSame(await reaching, { way: 'relay', link: undefined })
  t.equal(world.dialled.length, 1)
  t.equal(world.lookups, 0)
})

t.test('a link that comes up meanwhile, from the other side, is taken', async (t) => {
  const world = new World()
  world.known = [at(1), at(2)]
  const reaching = world.reach.to(id)
  world.link = new Link()
  t.match(await reaching, { link: world.link })
})

t.test('who gives up before it began finds nothing', async (t) => {
  const world = new World()
  await t.rejects(world.reach.to(id, { signal: AbortSignal.abort() }), { code: 'aborted' })
  t.equal(world.lookups, 0)
})

t.test('a link that is there is used also where no address is known', async (t) => {
  const world = new World()
  const { signal } = new AbortController()
  await t.rejects(world.reach.at(id, [], signal), { code: 'unreachable' })
  world.link = new Link()
  t.equal(await world.reach.at(id, [], signal), world.link)
  t.equal(await world.reach.at(id, [at(1)], signal), world.link)
  t.strictSame(world.dialled, [])
})

t.test('who gives up while it is searched gets nothing sent', async (t) => {
  const world = new World()
  world.known = [at(1)]
  world.open = [1]
  const ending = new AbortController()
  const reaching = world.reach.to(id, { signal: ending.signal })
  ending.abort()
  await t.rejects(reaching, { code: 'aborted' })
})
