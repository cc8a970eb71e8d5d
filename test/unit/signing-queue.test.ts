import t from 'tap'
import { Deferred } from '../../lib/ground/deferred.ts'
import { defaultEngine } from '../../lib/identity/ed25519.ts'
import { Identity } from '../../lib/identity/identity.ts'
import { MAX_BATCH_BYTES, MAX_BATCH_MESSAGES, MAX_BATCHED_BODY_BYTES } from '../../lib/limits/limits.ts'
import { type Draft, prepare, type Unsigned } from '../../lib/message/draft.ts'
import { openMessage } from '../../lib/message/message.ts'
import { SigningQueue } from '../../lib/message/signing-queue.ts'
import { textOf } from '../fixtures/documents.ts'
import { eventually } from '../fixtures/happenings.ts'

/** A queue whose signer counts, and waits where the test says so. */
class Desk {
  signatures = 0
  gate: Promise<void> | undefined
  readonly identity: Identity
  readonly queue: SigningQueue
  readonly signed: Draft[] = []
  readonly failures: unknown[] = []

  constructor() {
    const engine = defaultEngine()
    this.identity = Identity.generate({
      name: engine.name,
      verify: (signature, bytes, key) => engine.verify(signature, bytes, key),
      signer: (seed) => {
        const signer = engine.signer(seed)
        const sign = (bytes: Uint8Array) => {
          this.signatures++
          return this.gate === undefined ? signer.sign(bytes) : this.gate.then(() => signer.sign(bytes))
        }
        return { publicKey: signer.publicKey, sign }
      },
    })
    this.queue = new SigningQueue(this.identity)
  }

  make(data: unknown): Unsigned {
    return prepare({ data }, this.identity)
  }

  add(data: unknown, onSigned: (draft: Draft) => void = () => {}): void {
    const done = (draft: Draft): void => {
      this.signed.push(draft)
      onSigned(draft)
    }
    this.queue.add(this.make(data), done, (error) => this.failures.push(error))
  }

  /** Numbers of messages under each signature, in order. */
  get groups(): number[] {
    const counts = new Map<string, number>()
    for (const { signature } of this.signed) counts.set(signature, (counts.get(signature) ?? 0) + 1)
    return [...counts.values()]
  }

  get contents(): unknown[] {
    return this.signed.map(({ body }) => body.data)
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at)
/** Data whose body has so many bytes. */
function sized(desk: Desk, bytes: number): string {
  return 'a'.repeat(bytes - desk.make('').bodyBytes.length)
}

t.test('what is sent in one turn has one signature', async (t) => {
  const desk = new Desk()
  for (const data of upTo(50)) desk.add(data)
  t.equal(desk.signatures, 0, 'not before the turn is over')
  await desk.queue.settled()
  t.equal(desk.signatures, 1)
  t.same(desk.contents, upTo(50), 'in order')
  t.same(desk.groups, [50])
  for (const [index, draft] of desk.signed.entries()) {
    t.match(draft.place?.proof, { index, size: 50 })
    const verdict = await openMessage(textOf(draft.bytes))
    t.match(verdict, { ok: true, message: { id: draft.id, data: index, document: textOf(draft.bytes) } })
  }
})

t.test('a lone message is signed for itself', async (t) => {
  const desk = new Desk()
  for (const data of [1, 2]) {
    desk.add(data)
    await desk.queue.settled()
  }
  t.same(desk.groups, [1, 1])
  for (const draft of desk.signed) {
    t.equal(draft.place, undefined)
    t.notMatch(textOf(draft.bytes), '"proof"')
    t.match(await openMessage(draft.bytes), { ok: true })
  }
})

t.test('two are a batch', async (t) => {
  const desk = new Desk()
  desk.add(1)
  desk.add(2)
  await desk.queue.settled()
  t.same(desk.groups, [2])
})

t.test('more than one signature may be of are signed in parts', async (t) => {
  const desk = new Desk()
  for (const data of upTo(2 * MAX_BATCH_MESSAGES + 1)) desk.add(data)
  await desk.queue.settled()
  t.same(desk.groups, [MAX_BATCH_MESSAGES, MAX_BATCH_MESSAGES, 1])
  t.same(desk.contents, upTo(2 * MAX_BATCH_MESSAGES + 1))
  t.equal(desk.signed.at(-1)!.place, undefined, 'the last one is alone')
})

t.test('bodies of more bytes than one signature may be of are signed in parts', async (t) => {
  const desk = new Desk()
  const data = sized(desk, MAX_BATCHED_BODY_BYTES)
  const fitting = MAX_BATCH_BYTES / MAX_BATCHED_BODY_BYTES
  for (let count = 0; count < 2 * fitting + 3; count++) desk.add(data)
  await desk.queue.settled()
  t.same(desk.groups, [fitting, fitting, 3])
})

t.test('a large body is signed for itself, in its turn', async (t) => {
  const desk = new Desk()
  const large = sized(desk, MAX_BATCHED_BODY_BYTES + 1)
  const list = [1, 2, large, 3, 4, 5, large, large, 6]
  for (const data of list) desk.add(data)
  await desk.queue.settled()
  t.same(desk.groups, [2, 1, 3, 1, 1, 1])
  t.same(desk.contents, list)
})

t.test('what comes while a signature is made waits for the next one', async (t) => {
  const desk = new Desk()
  const gate = new Deferred<void>()
  desk.gate = gate.promise
  desk.add('first')
  await eventually(() => desk.signatures === 1)
  for (const data of upTo(3)) {
    desk.add(data)
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.equal(desk.signatures, 1, 'one at a time')
  gate.resolve()
  await desk.queue.settled()
  t.same(desk.groups, [1, 3])
  t.same(desk.contents, ['first', 0, 1, 2])
})

t.test('what is sent by those who are told comes next', async (t) => {
  const desk = new Desk()
  desk.add('ping', () => desk.add('pong'))
  desk.add('pang')
  await desk.queue.settled()
  t.same(desk.contents, ['ping', 'pang', 'pong'])
  t.same(desk.groups, [2, 1])
})

t.test('a failure reaches those that wait for this signature, and nobody else', async (t) => {
  const desk = new Desk()
  const gate = new Deferred<void>()
  desk.gate = gate.promise
  for (const data of upTo(3)) desk.add(data)
  await eventually(() => desk.signatures === 1)
  desk.add('later')
  desk.gate = undefined
  const failure = new Error('no card in the reader')
  gate.reject(failure)
  await desk.queue.settled()
  t.same(desk.failures, [failure, failure, failure])
  t.same(desk.contents, ['later'])
  desk.add('and on')
  await desk.queue.settled()
  t.same(desk.contents, ['later', 'and on'])
})

t.test('settled', async (t) => {
  t.test('at once where nothing waits', async (t) => {
    await t.resolves(new Desk().queue.settled())
  })

  t.test('not before the last one is handed over', async (t) => {
    const desk = new Desk()
    const gate = new Deferred<void>()
    desk.gate = gate.promise
    for (const data of upTo(MAX_BATCH_MESSAGES + 2)) desk.add(data)
    let isSettled = false
    const settled = desk.queue.settled().then(() => (isSettled = true))
    await new Promise((resolve) => setImmediate(resolve))
    t.equal(isSettled, false)
    gate.resolve()
    await settled
    t.equal(desk.signed.length, MAX_BATCH_MESSAGES + 2)
  })
})

t.test('the numbers of a burst rise in its order', async (t) => {
  const desk = new Desk()
  for (const data of upTo(20)) desk.add(data)
  await desk.queue.settled()
  const numbers = desk.signed.map(({ body }) => body.seq)
  t.same(
    numbers,
    [...numbers].sort((a, b) => a - b),
  )
  t.equal(new Set(numbers).size, 20)
})
