// The node of a page, among nodes that form a network: on the memory transport, without a browser.
import t, { type Test } from 'tap'
import { OverlayNode } from '../../lib/browser/overlay-node.ts'
import { Identity } from '../../lib/identity/identity.ts'
import type { SecureNodeOptions } from '../../lib/options/options.ts'
import { SecureNode } from '../../lib/secure-node.ts'
import { MemoryNetwork } from '../../lib/transport/memory.ts'
import type { Transport } from '../../lib/transport/transport.ts'
import { encodeFrame, Kind } from '../../lib/wire/frame.ts'
import { eventually } from '../fixtures/happenings.ts'

const HOST = '10.0.0.1'

/** As in a page. */
class PageNode extends OverlayNode {
  readonly heard: unknown[] = []

  override nodeMessage(...[, data]: Parameters<OverlayNode['nodeMessage']>): void {
    this.heard.push(data)
  }

  protected override call(): void {}
}

/** One that also says what no node says. */
class Listening extends SecureNode {
  readonly heard: unknown[] = []

  say(kind: number, payload: Uint8Array): void {
    this.write([...this.peers], encodeFrame(kind, payload))
  }

  override nodeMessage(...[, data]: Parameters<SecureNode['nodeMessage']>): void {
    this.heard.push(data)
  }
}

interface Stage {
  readonly network: MemoryNetwork
  readonly listen: (port: number, options?: SecureNodeOptions) => Promise<Listening>
  readonly page: (options?: SecureNodeOptions) => Promise<PageNode>
}

function stage(t: Test): Stage {
  const network = new MemoryNetwork()
  const times = { reconnectMin: 5, reconnectMax: 20 }
  const dialsOnly = (transport: Transport): Transport => ({
    name: 'page',
    dialsOnly: true,
    listen: () => Promise.reject(new Error('it must not be asked to')),
    dial: (host, port, options) => transport.dial(host, port, options),
  })
  return {
    network,
    async listen(port, options = {}) {
      const node = new Listening(HOST, port, Identity.generate(), {
        ...times,
        ...options,
        transport: network.transport(HOST),
      })
      t.teardown(() => node.stop())
      await node.start()
      return node
    },
    async page(options = {}) {
      const transport = dialsOnly(network.transport('10.0.0.2'))
      const node = new PageNode(
        'browser',
        0,
        Identity.generate(),
        { ...times, ...options, transport },
        undefined,
      )
      t.teardown(() => node.stop())
      await node.start()
      return node
    },
  }
}

const at = (port: number): string => `${HOST}:${port}`

t.test('it joins without listening, and says nowhere that it could be dialled', async (t) => {
  const { listen, page } = stage(t)
  const node = await listen(1)
  const visitor = await page()
  t.strictSame(await visitor.join(at(1)), { peers: 1, failures: [] })
  await eventually(() => node.nodesInbound.size === 1)
  t.equal(visitor.networkSize, 2)
  t.equal(typeof visitor.clockOffset, 'number')
  await visitor.sendToNodes('hello')
  await node.sendToNodes('hello yourself')
  await eventually(() => node.heard.length + visitor.heard.length === 2)
  t.same(node.peerBook.get(visitor.id)?.addresses ?? [], [])
})

t.test('it relays between the nodes that it is connected with', async (t) => {
  const { listen, page } = stage(t)
  const [one, other] = [await listen(1), await listen(2)]
  const visitor = await page()
  await visitor.join([at(1), at(2)])
  await eventually(() => visitor.nodesOutbound.size === 2)
  await one.sendToNodes('through a page')
  await eventually(() => other.heard.length === 1)
})

t.test('it stays connected with every address that it was given, the failed ones too', async (t) => {
  const { listen, page } = stage(t)
  const first = await listen(1)
  const visitor = await page()
  const { peers, failures } = await visitor.join([at(1), at(2)])
  t.equal(peers, 1)
  t.match(failures, [{ address: { host: HOST, port: 2 }, error: { code: 'connect-failed' } }])
  const late = await listen(2)
  await eventually(() => late.nodesInbound.size === 1)
  await first.stop()
  await eventually(() => visitor.allNodes.size === 1)
  const again = await listen(1)
  await eventually(() => again.nodesInbound.size === 1)
  await again.stop()
  const third = await listen(1)
  await eventually(() => third.nodesInbound.size === 1)
})

t.test('the option "bootstrap" is tried from the start on', async (t) => {
  const { listen, page } = stage(t)
  const visitor = await page({ bootstrap: [at(1)] })
  const node = await listen(1)
  await eventually(() => node.nodesInbound.size === 1)
  await visitor.stop()
  await visitor.start()
  await eventually(() => node.nodesInbound.size === 1 && visitor.allNodes.size === 1)
})

t.test('whom it disconnects and what it has left it does not dial again', async (t) => {
  const { listen, page } = stage(t)
  const node = await listen(1)
  const visitor = await page()
  await visitor.join(at(1))
  await visitor.disconnectWithNode([...visitor.allNodes][0]!)
  t.equal(visitor.allNodes.size, 0)
  await visitor.join(at(1))
  await visitor.leave()
  t.equal(visitor.allNodes.size, 0)
  await eventually(() => node.nodesInbound.size === 0)
  t.ok(visitor.isRunning)
})

t.test('joining fails with the reason of every address', async (t) => {
  const { page } = stage(t)
  const visitor = await page()
  await t.rejects(visitor.join([at(7), at(8)]), {
    code: 'join-failed',
    message: /10\.0\.0\.1:7.*10\.0\.0\.1:8/,
  })
  await t.rejects(visitor.join(), { code: 'not-in-browsers' })
  await t.rejects(visitor.join(at(7), { signal: AbortSignal.abort() }), { code: 'aborted' })
  await t.rejects(visitor.join('nowhere'), { code: 'invalid-argument' })
  await visitor.stop()
  await t.rejects(visitor.join(at(7)), { code: 'not-started' })
  await t.rejects(visitor.leave(), { code: 'not-started' })
})

t.test('who looks round the network sees it, and waits for nobody', async (t) => {
  const { listen, page } = stage(t)
  const node = await listen(1)
  const visitor = await page()
  await visitor.join(at(1))
  const map = await node.discover({ timeout: 20_000 })
  t.strictSame([...map.nodes.keys()].toSorted(), [node.id, visitor.id].toSorted())
  const { record, asked } = await node.lookup(Identity.generate().id)
  t.equal(record, undefined)
  t.equal(asked, 1, 'it has answered')
})

t.test('a peer that asks what no node asks is expelled; what nobody asked for is left alone', async (t) => {
  const { listen, page } = stage(t)
  const asks: readonly (readonly [kind: number, code: string])[] = [
    [Kind.question, 'bad-question'],
    [Kind.find, 'bad-lookup'],
  ]
  for (const [number, [kind, code]] of asks.entries()) {
    const node = await listen(number + 1)
    const visitor = await page()
    const reasons: string[] = []
    visitor.on('outboundNodeDisconnected', (_connection, reason) => reasons.push(reason.code))
    await visitor.join(at(number + 1))
    await eventually(() => node.nodesInbound.size === 1)
    for (const answer of [Kind.record, Kind.peers, Kind.enough, Kind.answer, Kind.found]) {
      node.say(answer, Uint8Array.of(1))
    }
    await node.sendToNodes('still here')
    await eventually(() => visitor.heard.length === 1)
    node.say(kind, Uint8Array.of(1))
    await eventually(() => reasons.length === 1)
    t.same(reasons, [code])
  }
})
