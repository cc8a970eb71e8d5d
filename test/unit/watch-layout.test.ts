// Where the nodes are: few of them without crossings, and the same network always alike.
import t from 'tap'
import { decodeHappening } from '../../lib/watch/page/decode.ts'
import { Layout } from '../../lib/watch/page/layout.ts'
import { EMPTY, type Picture } from '../../lib/watch/page/picture.ts'
import { reduce } from '../../lib/watch/page/reduce.ts'
import { crossings, untangle } from '../../lib/watch/page/untangle.ts'
import { FakeNetwork } from '../fixtures/fake-network.ts'

const pairs = (...links: string[]): { source: string; target: string; isLazy: boolean }[] =>
  links.map((link) => ({ source: link[0]!, target: link[1]!, isLazy: false }))
const square = ['a', 'b', 'c', 'd'].map((id, index) => ({ id, x: index % 2, y: Math.floor(index / 2) }))

function pictureOf(size: number): Picture {
  return reduce(EMPTY, new FakeNetwork(size).snapshots().map((event) => decodeHappening(event)!)) // prettier-ignore
}

t.test('links cross where they have no node in common and lie on both sides of each other', async (t) => {
  const places = new Map(square.map((spot) => [spot.id, spot]))
  t.equal(crossings(places, pairs('ad', 'bc')), 1)
  t.equal(crossings(places, pairs('ab', 'cd')), 0)
  t.equal(crossings(places, pairs('ab', 'bc', 'ac')), 0)
})

t.test('few nodes find places where no links cross, if there are any', async (t) => {
  const found = untangle(square, pairs('ad', 'bc', 'ab'))
  t.equal(crossings(found!, pairs('ad', 'bc', 'ab')), 0)
  t.equal(untangle(square, pairs('ab', 'cd')), undefined, 'what does not cross stays')
  const five = ['1', '2', '3', '4', '5'].map((id, index) => ({ id, x: (index * 2) % 5, y: (index * 3) % 5 }))
  const demo = pairs('12', '23', '34', '45', '24')
  const places = untangle(five, demo)
  t.equal(crossings(places ?? new Map(five.map((spot) => [spot.id, spot])), demo), 0)
})

t.test('the same network looks the same', async (t) => {
  const placesOf = (): unknown => {
    const layout = new Layout()
    layout.show(pictureOf(10))
    while (!layout.isResting) layout.step()
    return layout.spots.map(({ id, x, y }) => [id, Math.round(x), Math.round(y)])
  }
  t.strictSame(placesOf(), placesOf())
})

t.test('figures move nothing, and a node that comes back is where it was', async (t) => {
  const layout = new Layout()
  const picture = pictureOf(20)
  t.equal(layout.show(picture), true)
  const [id] = picture.nodes.keys()
  const changed = reduce(picture, [{ kind: 'figures', at: 1, node: id!, figures: { cache: 1 } }])
  t.equal(layout.show(changed), false)
  layout.settle()
  const { x, y } = layout.spot(id!)!
  layout.show(EMPTY)
  t.equal(layout.spots.length, 0)
  layout.show(picture)
  t.match(layout.spot(id!), { x, y })
})

t.test('nodes of a large network keep apart', async (t) => {
  const layout = new Layout()
  layout.show(pictureOf(100))
  while (!layout.isResting) layout.step()
  const { spots } = layout
  const near = spots.filter((one) => spots.some((other) => other !== one && Math.hypot(one.x - other.x, one.y - other.y) < 8)) // prettier-ignore
  t.ok(near.length < 5)
})
