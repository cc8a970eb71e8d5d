import t from 'tap'
import { World } from '../fixtures/world.ts'
t.test('many', async (t) => {
  const world = new World(t)
  const [a, b] = [await world.start({ id: 'a' }), await world.start({ id: 'b' })]
  await world.connect(a, b)
  let n = 0
  b.on('nodeMessage', () => n++)
  for (let i = 0; i < 300_000; i++) void a.sendToNodes('x')
  await world.pass(100)
  t.equal(n, 300_000)
})
