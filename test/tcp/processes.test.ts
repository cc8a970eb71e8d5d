// Nodes in processes of their own, over TLS: what becomes of a network when one of them dies.
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import { NodeProcess } from '../fixtures/node-process.ts'

const OPTIONS = { reconnectMin: 20, reconnectMax: 200 }

/** A ring of four processes; each dials the next one, and keeps the link. */
async function startRing(
  t: Test,
  program: string,
  options = {},
): Promise<{ nodes: NodeProcess[]; keys: string[] }> {
  const directory = t.testdir()
  const keys = await Promise.all(
    [0, 1, 2, 3].map(async (number) => {
      const file = join(directory, `${number}.pem`)
      await Identity.generate().save(file)
      return file
    }),
  )
  const nodes = await Promise.all(
    keys.map((key) => NodeProcess.start(t, program, key, 0, { ...OPTIONS, ...options })),
  )
  await Promise.all(nodes.map((node, number) => node.connect(nodes[(number + 1) % 4]!)))
  await Promise.all(nodes.map((node) => node.until(() => node.ups.length === 2)))
  return { nodes, keys }
}

const everybody = (nodes: readonly NodeProcess[], data: string): Promise<unknown> =>
  Promise.all(nodes.map((node) => node.until(() => node.messages.includes(data))))

t.test('processes', async (t) => {
  const program = await NodeProcess.compile(t)

  t.test('one that is killed is missed once, nothing else is lost, and it is welcome again', async (t) => {
    const { nodes, keys } = await startRing(t, program)
    const [first, victim, third, fourth] = nodes as [NodeProcess, NodeProcess, NodeProcess, NodeProcess]
    await first.send('before')
    await everybody([victim, third, fourth], 'before')

    // In the middle of traffic: it has messages that it did not relay yet.
    const sends = Array.from({ length: 50 }, (_, number) => first.send(`while ${number}`))
    await victim.signal('SIGKILL')
    await Promise.all(sends)
    await Promise.all([first.until(() => first.downs.length > 0), third.until(() => third.downs.length > 0)])
    await first.send('without it')
    await third.send('also the other way')
    await everybody([third, fourth], 'without it')
    await everybody([first, fourth], 'also the other way')

    const reborn = await NodeProcess.start(t, program, keys[1]!, victim.port, OPTIONS)
    t.equal(reborn.id, victim.id)
    // The first one dials it again by itself; the link to the third was its own.
    await reborn.until(() => reborn.ups.includes(first.id))
    await reborn.connect(third)
    await first.send('welcome back')
    await reborn.send('here I am')
    await everybody([reborn, third, fourth], 'welcome back')
    await everybody([first, third, fourth], 'here I am')

    t.same(first.downs, [`${victim.id} lost`])
    t.same(third.downs, [`${victim.id} lost`])
    t.same(fourth.downs, [])
    const flow = Array.from({ length: 50 }, (_, number) => `while ${number}`)
    const common = [...flow, 'without it', 'welcome back', 'here I am']
    t.same(third.messages.toSorted(), ['before', ...common].toSorted())
    t.same(
      third.messages.filter((data) => data.startsWith('while')),
      flow,
      'in the order in which they were sent',
    )
    t.same(fourth.messages.toSorted(), ['before', 'also the other way', ...common].toSorted())
    t.same(reborn.messages, ['welcome back'], 'what it missed is history')
    await Promise.all([first, reborn, third, fourth].map((node) => node.stop()))
  })

  t.test('one that freezes is given up after a while, and comes back when it thaws', async (t) => {
    const { nodes } = await startRing(t, program, { pingInterval: 500, pingTimeout: 2_500 })
    const [first, victim, third, fourth] = nodes as [NodeProcess, NodeProcess, NodeProcess, NodeProcess]
    await victim.signal('SIGSTOP')
    await Promise.all([first.until(() => first.downs.length > 0), third.until(() => third.downs.length > 0)])
    t.same(first.downs, [`${victim.id} timeout`])
    t.same(third.downs, [`${victim.id} timeout`])
    await first.send('without it')
    await everybody([third, fourth], 'without it')
    await victim.signal('SIGCONT')
    await Promise.all([first.until(() => first.ups.length > 2), third.until(() => third.ups.length > 2)])
    await fourth.send('all together')
    await everybody([first, victim, third], 'all together')
    t.equal(victim.messages.filter((data) => data === 'all together').length, 1)
    await Promise.all(nodes.map((node) => node.stop()))
  })
})
