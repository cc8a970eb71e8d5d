import t from 'tap'
import type { Draft } from '../../lib/message/draft.ts'
import type { RelayTap } from '../../lib/relay/relay-tap.ts'
import type { StatusEvent } from '../../lib/status/status-event.ts'
import type { LinkEars, WatchedLink, WatchedPort, WatchedStats } from '../../lib/status/status-port.ts'
import { StatusReporter } from '../../lib/status/status-reporter.ts'
import {
  FIGURES_INTERVAL,
  GRAPH_INTERVAL,
  MAX_TOLD_MESSAGES,
  MAX_TOLD_REFUSALS,
} from '../../lib/limits/status-limits.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'

type Link = { -readonly [K in keyof WatchedLink]: WatchedLink[K] }
type Counts = { -readonly [K in keyof WatchedStats]: WatchedStats[K] }

const linkTo = (id: string): Link => ({
  id,
  host: '127.0.0.1',
  port: 1,
  direction: 'outbound',
  connectedAt: 5,
  latency: undefined,
  encrypted: true,
  isTemporary: false,
  closeReason: undefined,
  stats: { bytesIn: 0, bytesOut: 0 },
})

const draftOf = (body: object): Draft =>
  ({
    id: 'm',
    body: { from: 'author', type: 'chat', data: { text: 'hi' }, ...body },
    bytes: Buffer.alloc(210),
  }) as unknown as Draft

function setUp(preview?: number) {
  const clock = new ManualClock()
  const links = new Set<Link>()
  const stats: Counts = {
    sent: 0,
    received: 0,
    bytesIn: 0,
    bytesOut: 0,
    relayed: 0,
    duplicates: 0,
    refused: {},
    messageIds: 0,
  }
  const hooks: { tap: RelayTap<Link> | undefined; ears: LinkEars<Link> | undefined } = {
    tap: undefined,
    ears: undefined,
  }
  const state = { tree: 'eager' as 'eager' | 'lazy', discoveries: 0 }
  const port: WatchedPort<Link, Counts> = {
    id: 'me',
    net: 'default',
    clock,
    cacheLimit: 100,
    place: () => ({ host: '127.0.0.1', port: 10_001 }),
    startedAt: () => undefined,
    stats: () => ({ ...stats }),
    links: () => links,
    via: () => 'tls',
    treeOf: () => ({ tree: state.tree, peerTree: 'eager' }),
    networkSize: () => 3,
    peerBook: () => 2,
    tap: (tap) => (hooks.tap = tap),
    listen: (ears) => {
      hooks.ears = ears
      return () => (hooks.ears = undefined)
    },
    discover: () =>
      state.discoveries++ === 1 ? Promise.reject(new Error('not now')) : Promise.resolve(state.discoveries),
    send: () => Promise.resolve({ id: 'sent', peers: 1 }),
  }
  const reporter = new StatusReporter(port, preview)
  const told: StatusEvent[] = []
  const watch = (): (() => void) => reporter.watch((event) => told.push(event))
  const kinds = (): string[] => told.splice(0).map(({ kind }) => kind)
  return { clock, links, stats, hooks, state, reporter, told, watch, kinds }
}

t.test('while nobody watches, the node is not asked to do anything', async (t) => {
  const { clock, hooks, watch } = setUp()
  t.strictSame(hooks, { tap: undefined, ears: undefined })
  const end = watch()
  t.type(hooks.tap, 'function')
  end()
  t.strictSame(hooks, { tap: undefined, ears: undefined })
  t.equal(clock.pendingTimers, 0)
})

t.test('one watches at a time, and who ends late takes nothing from the next', async (t) => {
  const { hooks, watch, reporter } = setUp()
  const end = watch()
  const others: StatusEvent[] = []
  reporter.watch((event) => others.push(event))
  end()
  hooks.tap!(draftOf({}), undefined, 'sent', [])
  t.equal(others.length, 1)
})

t.test('a message is told with its way, its size, and its beginning', async (t) => {
  const { clock, hooks, told, watch } = setUp()
  watch()
  const [from, ...to] = ['b', 'c', 'd'].map(linkTo)
  hooks.tap!(draftOf({ to: ['me', 'you'] }), from, 'delivered', to)
  t.strictSame(JSON.parse(JSON.stringify(told)), [
    {
      kind: 'message',
      id: 'm',
      author: 'author',
      type: 'chat',
      size: 210,
      verdict: 'delivered',
      from: 'b',
      to: ['c', 'd'],
      sentTo: 2,
      addressees: 2,
      preview: '{"text":"hi"}',
      at: clock.now(),
      node: 'me',
    },
  ])
})

t.test('what is sealed stays so, and what is not to be shown is not', async (t) => {
  const { hooks, told, watch } = setUp()
  watch()
  hooks.tap!(draftOf({ data: 'secret', seal: {} }), undefined, 'sent', [])
  t.match(told, [{ sealed: true, preview: undefined }])
  const blind = setUp(0)
  blind.watch()
  blind.hooks.tap!(draftOf({ data: 'secret' }), undefined, 'sent', [])
  t.match(blind.told, [{ sealed: undefined, preview: undefined }])
  t.notMatch(JSON.stringify([told, blind.told]), 'secret')
})

t.test('of a flood, so many are told one by one, and the others counted', async (t) => {
  const { clock, hooks, told, watch } = setUp()
  watch()
  for (let at = 0; at < MAX_TOLD_MESSAGES + 30; at++) hooks.tap!(draftOf({}), undefined, 'sent', [])
  const refusal = { code: 'stale', id: undefined, from: undefined, type: undefined } as const
  for (let at = 0; at < MAX_TOLD_REFUSALS + 3; at++) hooks.ears!.refused(linkTo('b'), refusal)
  t.equal(told.length, MAX_TOLD_MESSAGES + MAX_TOLD_REFUSALS)
  clock.advance(FIGURES_INTERVAL)
  t.match(told.at(-1), { kind: 'figures', figures: { skipped: 33 } })
  hooks.tap!(draftOf({}), undefined, 'sent', [])
  t.match(told.at(-1), { kind: 'message' }, 'a second later, they are told again')
})

t.test('links come up and end once, whether an event tells it or not', async (t) => {
  const { clock, links, hooks, told, watch, kinds } = setUp()
  const [early, lasting, brief] = [linkTo('a'), linkTo('b'), linkTo('c')]
  links.add(early)
  watch()
  links.add(lasting)
  hooks.ears!.up(lasting)
  t.match(told, [{ kind: 'link', isNew: true, peer: 'b', via: 'tls', tree: 'eager', encrypted: true }])
  kinds()
  links.add(brief)
  brief.isTemporary = true
  clock.advance(FIGURES_INTERVAL)
  t.match(told, [{ kind: 'link', isNew: true, peer: 'c', temporary: true }, { figures: { links: 3 } }])
  kinds()
  links.delete(lasting)
  lasting.closeReason = { code: 'goodbye', by: 'peer', text: '' }
  hooks.ears!.down(lasting)
  hooks.ears!.down(lasting)
  links.delete(early)
  links.delete(brief)
  clock.advance(FIGURES_INTERVAL)
  t.match(told, [
    { kind: 'unlink', peer: 'b', code: 'goodbye', by: 'peer' },
    { kind: 'unlink', peer: 'a', code: 'lost', by: 'network' },
    { kind: 'unlink', peer: 'c' },
    { kind: 'figures' },
  ])
})

t.test('of a link, what has changed is told', async (t) => {
  const { clock, links, state, told, watch, reporter } = setUp()
  const link = linkTo('a')
  links.add(link)
  watch()
  clock.advance(FIGURES_INTERVAL)
  t.strictSame(told.splice(0).length, 1, 'nothing has')
  link.stats = { bytesIn: 500, bytesOut: 0 }
  link.latency = { last: 1.5 }
  state.tree = 'lazy'
  clock.advance(FIGURES_INTERVAL)
  const change = { kind: 'link', peer: 'a', latency: 1.5, tree: 'lazy', bytesIn: 500, inRate: 500 }
  t.strictSame(told.splice(0)[0], { ...change, at: clock.now(), node: 'me' })
  t.match(reporter.status().links, [{ peer: 'a', inRate: 500, outRate: 0 }])
  clock.advance(FIGURES_INTERVAL)
  t.match(told[0], { kind: 'link', peer: 'a', inRate: 0 })
})

t.test('figures are rates, whatever the clock does', async (t) => {
  const { clock, stats, told, watch } = setUp()
  watch()
  Object.assign(stats, { received: 10, bytesIn: 4_000, refused: { stale: 2, 'bad-json': 1 }, messageIds: 7 })
  clock.advance(FIGURES_INTERVAL)
  t.match(told, [
    {
      kind: 'figures',
      figures: {
        received: 10,
        sent: 0,
        refused: 3,
        bytesIn: 4_000,
        cache: 7,
        cacheLimit: 100,
        peerBook: 2,
        networkSize: 3,
      },
    },
  ])
  Object.assign(stats, { received: 5 })
  clock.advance(FIGURES_INTERVAL)
  t.match(told[1], { figures: { received: 0 } }, 'never below 0')
})

t.test('the node tells that it has gone, and what it is when it comes back', async (t) => {
  const { reporter, watch, kinds } = setUp()
  reporter.changed('stopped')
  watch()
  reporter.name = 'node 1'
  reporter.changed('stopped')
  reporter.changed('started')
  t.strictSame(kinds(), ['gone', 'snapshot'])
  t.match(reporter.status(), { node: 'me', name: 'node 1', uptime: 0, version: 1 })
})

t.test('the network is asked once for all who want to know within 10 s', async (t) => {
  const { clock, state, reporter } = setUp()
  t.strictSame(await Promise.all([reporter.graph(), reporter.graph()]), [1, 1])
  clock.advance(GRAPH_INTERVAL - 1)
  t.equal(await reporter.graph(), 1)
  clock.advance(1)
  await t.rejects(reporter.graph(), { message: 'not now' })
  t.equal(await reporter.graph(), 3, 'a failure is not kept')
  t.equal(state.discoveries, 3)
})
