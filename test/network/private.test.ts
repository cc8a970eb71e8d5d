// Messages that only their addressees can read, in a network whose nodes between steal, sign anew and change them.
import t, { type Test } from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import type { Json } from '../../lib/message/canonical.ts'
import type { SignedMessage } from '../../lib/message/message.ts'
import { encodeParcel, decodeParcel } from '../../lib/message/parcel.ts'
import type { NodeConnection } from '../../lib/node-connection.ts'
import type { SecureNodeOptions } from '../../lib/options/options.ts'
import { SecureNode } from '../../lib/secure-node.ts'
import { VirtualNetwork } from '../../lib/testing/index.ts'
import { encodeFrame, type Frame, Kind } from '../../lib/wire/frame.ts'
import { bytesOf, forge, textOf } from '../fixtures/documents.ts'

type Members = Record<string, Json | undefined>

/** A relay that keeps what it passes on, and signs what it likes. */
class Thief extends SecureNode {
  readonly stolen: Frame[] = []

  protected override receive(connection: NodeConnection, { kind, payload }: Frame): void {
    this.stolen.push({ kind, payload: payload.slice() })
    super.receive(connection, { kind, payload })
  }

  /** The last message that came by. */
  get loot(): { body: Record<string, Json>; attachment: Uint8Array | undefined; text: string } {
    const { kind, payload } = this.stolen.findLast(
      (frame) => frame.kind === Kind.message || frame.kind === Kind.parcel,
    )!
    const parcel = kind === Kind.parcel ? decodeParcel(payload)! : undefined
    const text = textOf(parcel?.document ?? payload)
    const { body } = JSON.parse(text) as { body: Record<string, Json> }
    return { body, attachment: parcel?.attachment, text: textOf(payload) }
  }

  /** Sends the loot under the thief's own name, with other members, to everybody but its author. */
  async resign(members: Members, attachment = this.loot.attachment): Promise<void> {
    const { body } = this.loot
    // Undefined members are dropped.
    const changed = JSON.parse(JSON.stringify({ ...body, from: this.id, ...members })) as Json
    this.pass(await forge(changed, this.identity), attachment, body['from'] as string)
  }

  pass(document: Uint8Array, attachment?: Uint8Array, except?: string): void {
    const frame =
      attachment === undefined
        ? encodeFrame(Kind.message, document)
        : encodeFrame(Kind.parcel, encodeParcel({ document, attachment }))
    for (const link of this.allNodes) if (link.id !== except) link.sendFrame(frame)
  }

  /** Answers a request, without the care that a node takes. */
  async reply(message: SignedMessage, data: Json): Promise<void> {
    const { type, from, id: re } = message
    await this.post({ op: 'answer', type, to: [from], re, data: { data } }, () => [...this.allNodes])
  }
}

interface Shown {
  readonly node: SecureNode
  readonly data: unknown
  readonly message: SignedMessage
}

/** Alice, a thief, bob and carol in a line: what alice tells the others goes through the thief. */
async function line(t: Test, options: SecureNodeOptions = {}) {
  const network = new VirtualNetwork({ seed: 31, signatures: 'real', node: { advertise: false, ...options } })
  t.teardown(() => network.stop())
  const alice = await network.addNode()
  const thief = await network.addNode({}, Thief)
  const [bob, carol] = (await network.addNodes(2)) as [SecureNode, SecureNode]
  await network.connect(thief, alice)
  await network.connect(bob, thief)
  await network.connect(carol, bob)
  const shown: Shown[] = []
  const refused: [SecureNode, string][] = []
  for (const node of [alice, thief, bob, carol]) {
    node.on('nodeMessage', (_link, data, message) => void shown.push({ node, data, message }))
    node.on('rejected', (_link, { code }) => void refused.push([node, code]))
  }
  return { network, alice, thief, bob, carol, shown, refused }
}

t.test('what a thief signs in his own name, he has not sealed: nobody can open it', async (t) => {
  const { network, alice, thief, bob, carol, shown, refused } = await line(t)
  await network.run(alice.sendToNodes('the word is swordfish', { seal: [bob.id, carol.id] }))
  await network.settle()
  t.strictSame(
    shown.map(({ node, data }) => [node, data]),
    [
      [bob, 'the word is swordfish'],
      [carol, 'the word is swordfish'],
    ],
  )
  t.notMatch(thief.loot.text, /swordfish/)
  await network.run(thief.resign({}))
  await network.settle()
  t.equal(shown.length, 2)
  t.strictSame(refused, [
    [bob, 'unreadable'],
    [carol, 'unreadable'],
  ])
  t.equal(bob.allNodes.size, 2, 'who cannot open it blames nobody, and passes it on')
  t.strictSame(bob.stats().refused, { unreadable: 1 })
})

t.test('with any other member it is unreadable, or no message at all', async (t) => {
  const { network, alice, thief, bob, carol, shown, refused } = await line(t)
  await network.run(alice.sendToNodes('hush', { seal: [bob.id, carol.id], type: 'secret' }))
  await network.settle()
  const { seal, to, time, seq } = thief.loot.body as {
    seal: Record<string, Json>
    to: string[]
    time: number
    seq: number
  }
  const k = seal['k'] as string[]
  const changes: Members[] = [
    { to: [carol.id, bob.id] },
    { to: [carol.id, bob.id], seal: { ...seal, k: k.toReversed() } },
    { to: [bob.id], seal: { ...seal, k: k.slice(0, 1) } },
    { to: [bob.id], seal: { ...seal, k: k.slice(1) } },
    { type: 'public' },
    { seq: seq + 1 },
    { time: time + 1 },
    { exp: time + 60_000 },
    { re: 'ab'.repeat(32) },
    { seal: { ...seal, e: '00'.repeat(32) } },
    { seal: { ...seal, e: `01${'00'.repeat(31)}` } },
    { seal: { ...seal, m: '00'.repeat(32) } },
    { data: 'AAAA' },
    { data: '' },
    { data: 'no base64!' },
  ]
  for (const [index, change] of changes.entries())
    await network.run(thief.resign({ seq: seq + 2 + index, ...change }))
  await network.settle()
  t.strictSame(to, [bob.id, carol.id])
  t.equal(refused.filter(([node]) => node === bob).length, changes.length)
  t.ok(refused.every(([, code]) => code === 'unreadable'))
  t.equal(shown.length, 2, 'what was sealed for both, and nothing since')
  t.equal(bob.allNodes.size, 2)
})

t.test('without the seal, or with one that does not fit its addressees, the link ends', async (t) => {
  const { seal } = await (async () => {
    const { network, alice, thief, bob } = await line(t)
    await network.run(alice.sendToNodes('hush', { seal: [bob.id] }))
    await network.settle()
    return { seal: thief.loot.body['seal'] as Record<string, Json> }
  })()
  const odd: [string, Members][] = [
    ['two addressees, one key', { to: undefined }],
    ['no object', { seal: 'x' }],
    ['another version', { seal: { ...seal, v: 2 } }],
    ['no text', { data: { a: 1 } }],
    ['a key of another length', { seal: { ...seal, k: ['AAAA'] } }],
  ]
  for (const [name, members] of odd) {
    const { network, alice, thief, bob, shown, refused } = await line(t)
    await network.run(alice.sendToNodes('hush', { seal: [bob.id] }))
    await network.settle()
    await network.run(thief.resign(members))
    await network.settle()
    t.strictSame(refused, [[bob, 'bad-shape']], name)
    t.equal(shown.length, 1)
    t.equal(bob.allNodes.size, 1, 'the thief is gone')
  }
})

t.test('the ciphertext as a plain payload is a text like any other', async (t) => {
  const { network, alice, thief, bob, shown } = await line(t)
  await network.run(alice.sendToNodes('hush', { seal: [bob.id] }))
  await network.settle()
  await network.run(thief.resign({ seal: undefined }))
  await network.settle()
  t.match(shown.at(-1), { node: bob, message: { from: thief.id } })
  t.notOk(shown.at(-1)!.message.sealed, 'and nobody takes it for something that was sealed')
})

t.test(
  'addressed to somebody else, it cannot be opened by that one, nor by whom it was sealed for',
  async (t) => {
    const { network, alice, thief, bob, carol, shown, refused } = await line(t)
    await network.run(alice.sendToNodes('for bob alone', { seal: [bob.id] }))
    await network.settle()
    t.strictSame(
      shown.map(({ node }) => node),
      [bob],
    )
    await network.run(thief.resign({ to: [carol.id] }))
    await network.settle()
    t.strictSame(refused, [[carol, 'unreadable']])
    t.equal(shown.length, 1, 'bob has passed it on, and looked no further')

    // The same document with another addressee, and the author’s own signature.
    const changed = thief.loot.text.replaceAll(bob.id, carol.id)
    thief.pass(bytesOf(changed), undefined, alice.id)
    await network.settle()
    t.strictSame(refused.at(-1), [bob, 'bad-signature'])
    t.equal(shown.length, 1)
  },
)

t.test('nothing is sealed for a key that belongs to nobody, and such a message passes no node', async (t) => {
  const { network, alice, thief, bob, refused } = await line(t)
  for (const nobody of [`01${'00'.repeat(31)}`, '00'.repeat(32), `ec${'ff'.repeat(30)}7f`]) {
    await t.rejects(alice.sendToNodes('x', { seal: [nobody] }), { code: 'invalid-argument' })
    await t.rejects(alice.sendTo(nobody, 'x', { seal: true }), { code: 'invalid-argument' })
    await t.rejects(alice.request(nobody, 'x', 1, { seal: true }), { code: 'invalid-argument' })
  }
  await network.run(alice.sendToNodes('hush', { seal: [bob.id] }))
  await network.settle()
  await network.run(thief.resign({ to: [`01${'00'.repeat(31)}`] }))
  await network.settle()
  t.strictSame(refused, [[bob, 'bad-key']])
})

t.test('sixty-four can read the same message, and nobody can be the sixty-fifth', async (t) => {
  const { network, alice, thief, bob, carol, shown } = await line(t)
  const others = Array.from({ length: 62 }, () => Identity.generate().id)
  const bytes = Uint8Array.from({ length: 100_000 }, (_, at) => at % 7)
  await network.run(alice.sendToNodes({ for: 64 }, { seal: [bob.id, ...others, carol.id], bytes }))
  await network.settle()
  t.strictSame(
    shown.map(({ node, data }) => [node, data]),
    [
      [bob, { for: 64 }],
      [carol, { for: 64 }],
    ],
  )
  t.ok(shown.every(({ message }) => message.sealed && Buffer.from(message.bytes!).equals(bytes)))
  t.equal(thief.loot.attachment?.length, 102_400 + 16, 'its length is told in steps alone')
  await t.rejects(alice.sendToNodes(1, { seal: [bob.id, carol.id, ...others, alice.id] }), {
    code: 'invalid-argument',
  })
})

t.test('sealed attachments', async (t) => {
  t.test('are as private as the rest, and cannot be exchanged', async (t) => {
    const { network, alice, thief, bob, shown, refused } = await line(t)
    await network.run(alice.sendToNodes(1, { seal: [bob.id], bytes: bytesOf('first'.repeat(20)) }))
    await network.settle()
    const first = thief.loot
    t.notMatch(first.text, /firstfirst/)
    await network.run(alice.sendToNodes(2, { seal: [bob.id], bytes: bytesOf('other'.repeat(20)) }))
    await network.settle()
    t.strictSame(
      shown.map(({ data, message }) => [data, textOf(message.bytes!)]),
      [
        [1, 'first'.repeat(20)],
        [2, 'other'.repeat(20)],
      ],
    )
    // In the thief's name, with the hash of what he puts beside it.
    await network.run(thief.resign({ bytes: first.body['bytes']! }, first.attachment))
    await network.settle()
    t.strictSame(refused, [[bob, 'unreadable']])
    t.equal(shown.length, 2)
  })

  t.test('may be all there is, and empty', async (t) => {
    const { network, alice, bob, shown } = await line(t)
    await network.run(alice.sendTo(bob.id, Uint8Array.of(1, 2, 3), { seal: true }))
    await network.run(alice.sendTo(bob.id, 'none', { seal: true, bytes: new Uint8Array(0) }))
    await network.settle()
    t.match(shown, [
      { node: bob, data: null, message: { sealed: true, bytes: Uint8Array.of(1, 2, 3) } },
      { node: bob, data: 'none', message: { sealed: true, bytes: new Uint8Array(0) } },
    ])
  })
})

t.test('requests that are sealed', async (t) => {
  t.test('are answered sealed, with their attachments, failures too', async (t) => {
    const { network, alice, thief, carol } = await line(t)
    carol.handle('secret', async (incoming) => {
      if (incoming.data === 'fail') await incoming.fail('not-for-you', 'swordfish')
      else await incoming.respond('swordfish', { bytes: incoming.bytes! })
    })
    const answer = await network.run(
      alice.request(carol.id, 'secret', 'swordfish?', { seal: true, bytes: bytesOf('swordfish') }),
    )
    t.match(answer, { data: 'swordfish', from: carol.id })
    t.equal(textOf(answer.bytes!), 'swordfish')
    await t.rejects(network.run(alice.request(carol.id, 'secret', 'fail', { seal: true })), {
      code: 'request-failed',
      answer: { code: 'not-for-you', text: 'swordfish' },
    })
    const seen = thief.stolen.map(({ payload }) => textOf(payload)).join('')
    t.match(seen, /"op":"ask"/)
    t.match(seen, /"op":"answer"/)
    t.notMatch(seen, /swordfish/)
  })

  t.test('are streamed sealed', async (t) => {
    const { network, alice, thief, carol } = await line(t)
    carol.handle('secret', async function* () {
      for (let number = 0; number < 20; number++) yield `swordfish ${number}`
    })
    const parts: Json[] = []
    await network.run(
      (async () => {
        for await (const { data } of alice.requestStream(carol.id, 'secret', null, { seal: true }))
          parts.push(data)
      })(),
    )
    t.equal(parts.length, 20)
    t.notMatch(thief.stolen.map(({ payload }) => textOf(payload)).join(''), /swordfish/)
  })

  t.test('are not passed on: the handler hears of it, the asker that there is no answer', async (t) => {
    const { network, alice, bob, carol } = await line(t)
    const errors: unknown[] = []
    bob.on('handlerError', (error) => void errors.push(error))
    bob.handle('secret', (incoming) => incoming.bounce(carol.id))
    carol.handle('secret', () => 'never')
    await t.rejects(network.run(alice.request(bob.id, 'secret', 'hush', { seal: true })), {
      code: 'request-failed',
      answer: { code: 'handler-error' },
    })
    t.match(errors, [{ code: 'invalid-argument', message: /sealed/ }])
  })

  t.test('are not answered in the clear, nor by a thief', async (t) => {
    const { network, alice, thief, bob } = await line(t)
    bob.handle('secret', () => new Promise(() => {}))
    const heard: SignedMessage[] = []
    thief.handle('secret', ({ message }) => {
      heard.push(message)
      return new Promise(() => {})
    })
    const asked = alice.request(thief.id, 'secret', 'hush', { seal: true, timeout: 5_000 })
    asked.catch(() => {})
    await network.until(() => heard.length === 1)
    await network.run(thief.reply(heard[0]!, 'in the clear'))
    await t.rejects(network.run(asked), { code: 'request-timeout' })

    const other = alice.request(bob.id, 'secret', 'hush', { seal: true, timeout: 5_000 })
    other.catch(() => {})
    await network.settle()
    t.equal(thief.loot.body['op'], 'ask')
    // As if he had asked himself: the handler would answer him, if it could be opened.
    await network.run(thief.resign({}))
    await t.rejects(network.run(other), { code: 'request-timeout' })
    t.strictSame(bob.stats().refused, { unreadable: 1 })
  })
})

t.test('who was away reads later what was sealed for him, and nobody else does', async (t) => {
  const { network, alice, thief, bob, carol, shown, refused } = await line(t, {
    history: { maxAge: 3_600_000 },
  })
  await network.run(carol.disconnectWithNode([...carol.allNodes][0]!))
  const bytes = bytesOf('swordfish'.repeat(100))
  await network.run(alice.sendToNodes('swordfish', { seal: [carol.id], bytes }))
  await network.run(alice.stop())
  await network.advance(400_000)
  await network.connect(carol, bob)
  await network.until(() => shown.length > 0)
  await network.advance(300_000)
  t.match(shown, [{ node: carol, data: 'swordfish', message: { late: true, sealed: true, from: alice.id } }])
  t.equal(shown.length, 1)
  t.ok(Buffer.from(shown[0]!.message.bytes!).equals(bytes))
  t.strictSame(refused, [])
  t.notMatch(thief.stolen.map(({ payload }) => textOf(payload)).join(''), /swordfish/)
})
