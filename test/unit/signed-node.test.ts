import t from 'tap'
import { defaultEngine, type Engine } from '../../lib/identity/ed25519.ts'
import { Identity } from '../../lib/identity/identity.ts'
import { encodeFrame, Kind } from '../../lib/wire/frame.ts'
import { bodyWith, forge, genuine } from '../fixtures/documents.ts'
import { Fleet, line } from '../fixtures/network.ts'
import { Stage } from '../fixtures/stage.ts'

/** What can be asked of an engine, by the label of what was signed. */
const PROOF = 'secure-node/1 hello-proof'
const MESSAGE = 'secure-node/1 message-sig'
const BATCH = 'secure-node/1 batch-sig'

/** An engine that counts what it is asked, and answers as it likes. */
class CountingEngine implements Engine {
  readonly name = 'node'
  readonly labels: string[] = []
  readonly #isGood: (label: string) => boolean | undefined

  constructor(isGood: (label: string) => boolean | undefined = () => undefined) {
    this.#isGood = isGood
  }

  verify(signature: Uint8Array, bytes: Uint8Array, publicKey: Uint8Array): boolean | Promise<boolean> {
    const label = Buffer.from(bytes).toString('latin1').split('\0')[0]!
    this.labels.push(label)
    return this.#isGood(label) ?? defaultEngine().verify(signature, bytes, publicKey)
  }

  signer(seed: Uint8Array): ReturnType<Engine['signer']> {
    return defaultEngine().signer(seed)
  }

  count(label: string): number {
    return this.labels.filter((other) => other === label).length
  }
}

t.test('the engine of the node verifies proofs and messages, each once', async (t) => {
  const fleet = new Fleet(t)
  const engines = [new CountingEngine(), new CountingEngine(), new CountingEngine()]
  for (const engine of engines) await fleet.join({ engine })
  await fleet.connect(line(3))
  t.strictSame(
    engines.map((engine) => engine.count(PROOF)),
    [1, 2, 1],
    'one for each end of a link',
  )
  const sent = await Promise.all([fleet.send(0, 'one'), fleet.send(0, 'two'), fleet.send(2, 'three')])
  await fleet.delivered(sent)
  await fleet.settle()
  t.strictSame(
    engines.map((engine) => engine.count(MESSAGE)),
    [1, 1, 0],
    'one for each message of others that was signed alone',
  )
  t.strictSame(
    engines.map((engine) => engine.count(BATCH)),
    [0, 1, 1],
    'one for those that were signed together',
  )
})

t.test('what the engine says about a proof counts', async (t) => {
  const fleet = new Fleet(t)
  const good = await fleet.join()
  const strict = await fleet.join({
    engine: new CountingEngine((label) => (label === PROOF ? false : undefined)),
  })
  const dial = good.node.connectWithNode(strict.host, strict.node.port)
  await fleet.run(t.rejects(dial, { code: 'refused-by-peer', message: /bad-proof/ }))
  t.equal(strict.node.allNodes.size, 0)
})

t.test('what the engine says about a message counts, also in the question who has forged it', async (t) => {
  const [relay, author] = [Identity.generate(), Identity.generate()]
  const engine = new CountingEngine()
  const stage = await Stage.start(t, { victim: { engine } })
  const attacker = await stage.attacker(t, { identity: relay })
  const before = engine.count(MESSAGE)
  attacker.channel.write(encodeFrame(Kind.message, await forge(await bodyWith(author, {}), relay)))
  t.equal(await attacker.closed(), 'forged-author')
  t.equal(engine.count(MESSAGE) - before, 2, 'it is not of its author, but of who brought it')

  const blind = await Stage.start(t, {
    victim: { engine: new CountingEngine((label) => (label === MESSAGE ? false : undefined)) },
  })
  const honest = await blind.attacker(t)
  honest.channel.write(encodeFrame(Kind.message, (await genuine(honest.identity, {})).bytes))
  t.equal(await honest.closed(), 'bad-signature')
})

t.test('an engine that takes everything for good is never asked about what strict-v1 forbids', async (t) => {
  const engine = new CountingEngine(() => true)
  const stage = await Stage.start(t, { victim: { engine } })
  const attacker = await stage.attacker(t)
  const { bytes } = await genuine(attacker.identity, {})
  const before = engine.count(MESSAGE)
  // S is not below the order of the base point.
  const document = Buffer.from(bytes)
    .toString()
    .replace(/[0-9a-f]{64}(?="\})/, 'ff'.repeat(32))
  attacker.say(Kind.message, document)
  t.equal(await attacker.closed(), 'bad-signature')
  t.equal(engine.count(MESSAGE), before)
})
