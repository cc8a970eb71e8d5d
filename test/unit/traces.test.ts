import t from 'tap'
import { type Explanation, Traces } from '../../lib/relay/traces.ts'
import type { MessageId } from '../../lib/wire/ids.ts'

const idOf = (number: number): MessageId => number.toString(16).padStart(64, '0') as MessageId
const ID = idOf(1)

type Fields = Partial<Parameters<Traces['record']>[0]>

function record(traces: Traces, fields: Fields = {}, relayedTo: string[] = []): void {
  const defaults = { id: ID, firstSeen: 1_000, via: 'peer', from: 'author', type: 'chat' }
  traces.record({ ...defaults, verdict: 'delivered', ...fields }, relayedTo)
}

const verdictOf = (traces: Traces, id = ID): Explanation['verdict'] | undefined => traces.explain(id)?.verdict

t.test('what was recorded can be explained', async (t) => {
  const traces = new Traces(10)
  record(traces, {}, ['one', 'two'])
  t.same(traces.explain(ID), {
    id: ID,
    firstSeen: 1_000,
    via: 'peer',
    from: 'author',
    type: 'chat',
    verdict: 'delivered',
    relayedTo: ['one', 'two'],
    relays: 2,
    duplicates: 0,
  })
})

t.test('what was never seen cannot', async (t) => {
  t.equal(new Traces(10).explain(ID), undefined)
})

t.test('further copies are counted', async (t) => {
  const traces = new Traces(10)
  record(traces)
  traces.duplicate(ID)
  traces.duplicate(ID)
  traces.duplicate(idOf(2))
  t.equal(traces.explain(ID)?.duplicates, 2)
  t.equal(traces.explain(idOf(2)), undefined, 'a copy of what is forgotten makes no trace')
})

t.test('of many peers 64 are named and all are counted', async (t) => {
  const traces = new Traces(10)
  const peers = Array.from({ length: 100 }, (_, number) => `peer ${number}`)
  record(traces, {}, peers)
  t.same(traces.explain(ID)?.relayedTo, peers.slice(0, 64))
  t.equal(traces.explain(ID)?.relays, 100)
})

t.test(
  'a genuine copy replaces the verdict on a broken one, and keeps when the first was seen',
  async (t) => {
    const traces = new Traces(10)
    record(traces, { verdict: 'bad-signature', via: 'liar', firstSeen: 1_000 })
    record(traces, { verdict: 'delivered', via: 'friend', firstSeen: 2_000 }, ['one'])
    t.match(traces.explain(ID), { verdict: 'delivered', via: 'friend', firstSeen: 1_000, relays: 1 })
  },
)

t.test('one refusal replaces another', async (t) => {
  const traces = new Traces(10)
  record(traces, { verdict: 'early' })
  record(traces, { verdict: 'stale' })
  t.equal(verdictOf(traces), 'stale')
})

t.test('no refusal of a later copy hides what became of the message', async (t) => {
  for (const verdict of ['sent', 'delivered', 'relayed'] as const) {
    const traces = new Traces(10)
    record(traces, { verdict, via: 'friend' }, ['one', 'two'])
    // A broken copy judged after the genuine one; a replay that comes when the ID is forgotten.
    record(traces, { verdict: 'bad-signature', via: 'liar', from: 'somebody' })
    record(traces, { verdict: 'stale', via: 'liar' })
    t.match(traces.explain(ID), { verdict, via: 'friend', from: 'author', relays: 2, firstSeen: 1_000 })
  }
})

t.test('it is bounded, and the newest half is always there', async (t) => {
  const traces = new Traces(100)
  for (let number = 0; number < 1_000; number++) record(traces, { id: idOf(number) })
  const remembered = Array.from({ length: 1_000 }, (_, number) => verdictOf(traces, idOf(number)))
  t.ok(remembered.filter((verdict) => verdict !== undefined).length <= 100)
  t.notOk(remembered.slice(-50).includes(undefined))
})

t.test('changing an explanation changes nothing', async (t) => {
  const traces = new Traces(10)
  record(traces, {}, ['one'])
  const explanation = traces.explain(ID) as unknown as { verdict: string; relayedTo: string[] }
  explanation.verdict = 'forged'
  explanation.relayedTo.push('forged')
  t.equal(verdictOf(traces), 'delivered')
  t.same(traces.explain(ID)?.relayedTo, ['one'])
})
