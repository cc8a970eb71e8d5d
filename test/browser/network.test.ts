// Pages and processes in one network: the pages by WebSockets, the processes by TLS.
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import { SKIP, startBrowser, TestPage } from '../fixtures/chromium.ts'
import { NodeProcess } from '../fixtures/node-process.ts'

/** Three processes in a line. */
async function startLine(t: Test): Promise<[NodeProcess, NodeProcess, NodeProcess]> {
  const program = await NodeProcess.compile(t)
  // Beside the program: a second call of testdir() would clear it away.
  const folder = dirname(program)
  const start = async (number: number): Promise<NodeProcess> => {
    const file = join(folder, `${number}.pem`)
    await Identity.generate().save(file)
    return NodeProcess.start(t, program, file, 0, { websocket: { port: 0 } })
  }
  const nodes = (await Promise.all([1, 2, 3].map(start))) as [NodeProcess, NodeProcess, NodeProcess]
  await Promise.all([nodes[0].connect(nodes[1]), nodes[1].connect(nodes[2])])
  return nodes
}

const enter = (page: TestPage, name: string, { webPort }: NodeProcess): Promise<string> =>
  page.do((side, [name, address]) => side.start(name, address), [name, `127.0.0.1:${webPort}`] as const)
const send = (page: TestPage, data: string): Promise<unknown> =>
  page.do(async ({ node }, data) => (await node!.sendToNodes(data)).peers, data)

t.test('two pages and three processes are one network', { skip: SKIP }, async (t) => {
  const nodes = await startLine(t)
  const [first, , last] = nodes
  const { url, newContext } = await startBrowser(t)
  const context = await newContext()
  // The second one has no Ed25519 of its own.
  const alice = await TestPage.open(context, url)
  const bob = await TestPage.open(context, url, { hasEd25519: false })
  const aliceId = await enter(alice, 'alice', first)
  const bobId = await enter(bob, 'bob', last)
  const everybody = [...nodes, alice, bob]

  t.test('what anybody says, all others get once', async (t) => {
    await send(alice, 'from a page')
    await send(bob, 'from a page without Ed25519')
    await nodes[1].send('from a process')
    await Promise.all(
      everybody.map((one) => one.until(() => one.messages.length === (one === nodes[1] ? 2 : one instanceof TestPage ? 2 : 3))), // prettier-ignore
    )
    // A message of later shows that no copy of an earlier one came after it.
    await nodes[1].send('the last one')
    const others = everybody.filter((one) => one !== nodes[1])
    await Promise.all(others.map((one) => one.until(() => one.messages.includes('the last one'))))
    const all = ['from a page', 'from a page without Ed25519', 'from a process', 'the last one']
    t.same(first.messages.toSorted(), all)
    t.same(last.messages.toSorted(), all)
    t.same(nodes[1].messages.toSorted(), all.slice(0, 2))
    t.same(alice.messages.toSorted(), all.slice(1))
    t.same(bob.messages.toSorted(), [all[0], ...all.slice(2)])
  })

  t.test('a page asks another one, through the network', async (t) => {
    const answer = await alice.do(async ({ node }, id) => (await node!.request(id, 'square', 12)).data, bobId)
    t.equal(answer, 144)
  })

  t.test('what is sealed for a page is read there, and nowhere else', async (t) => {
    await alice.do(
      async ({ node }, id) => (await node!.sendTo(id, 'for your eyes only', { seal: true })).way,
      bobId,
    )
    await bob.until(() => bob.messages.includes('for your eyes only'))
    t.notOk(nodes.some(({ messages }) => messages.includes('for your eyes only')))
  })

  t.test('what a page cannot do, it says', async (t) => {
    const codes = await alice.do(async ({ node, browser }) => {
      const calls = [
        () => node!.lookup(node!.id),
        () => node!.discover(),
        () => node!.peerBook,
        () => node!.sendToPeerBook('hello'),
        () => browser.Identity.load('alice.pem'),
        () => new browser.SecureNode(undefined, { status: { port: 0 } } as object),
        () => new browser.SecureNode(undefined, { lan: true } as object),
        () => new browser.SecureNode(undefined, { websocket: { port: 0 } } as object),
      ]
      const codes: string[] = []
      for (const call of calls) {
        try {
          await call()
          codes.push('done')
        } catch (error) {
          codes.push((error as { code: string }).code)
        }
      }
      return codes
    }, null)
    t.same(codes, [...Array<string>(4).fill('not-in-browsers'), 'key-unreadable', ...Array<string>(3).fill('not-in-browsers')]) // prettier-ignore
  })

  t.test('a page that is loaded again is the same node', async (t) => {
    await bob.goto(url)
    t.equal(await enter(bob, 'bob', last), bobId)
    await send(alice, 'welcome back')
    await bob.until(() => bob.messages.includes('welcome back'))
  })

  t.test('a page that forges is refused, and kept out; the others hear nothing of it', async (t) => {
    await alice.do((side) => {
      const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes)
      side.alter = (bytes) => {
        const at = text(bytes).indexOf('pay 1')
        if (at >= 0) bytes[at + 4] = '9'.charCodeAt(0)
        return bytes
      }
    }, null)
    await send(alice, 'pay 1')
    await alice.until(() => alice.downs.length > 0)
    t.same(alice.downs, ['bad-signature'])
    const refused = await alice.do(async ({ node }, address) => {
      try {
        return await node!.connectWithNode('127.0.0.1', address)
      } catch (error) {
        return (error as { code: string }).code
      }
    }, first.webPort)
    t.equal(refused, 'refused-by-peer')
    await nodes[1].send('and life goes on')
    await bob.until(() => bob.messages.includes('and life goes on'))
    t.notOk([...nodes, bob].some(({ messages }) => messages.some((data) => String(data).startsWith('pay'))))
    t.ok(aliceId)
  })
})
