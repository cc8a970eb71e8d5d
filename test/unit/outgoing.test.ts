import t from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import { decodeBatch } from '../../lib/message/batch-frame.ts'
import {
  type BatchedDraft,
  type Draft,
  type MessageFields,
  prepare,
  signAlone,
  signTogether,
} from '../../lib/message/draft.ts'
import { entriesOf, readIncoming } from '../../lib/relay/incoming.ts'
import { Outgoing } from '../../lib/relay/outgoing.ts'
import { framePayload, Kind } from '../../lib/wire/frame.ts'

const author = Identity.generate()
/** Batch messages of an author, one for each list of fields. */
const sign = (...list: Partial<MessageFields>[]): Promise<BatchedDraft[]> =>
  signTogether(
    list.map((fields) => prepare({ data: 1, ...fields }, author)),
    author,
  )
const some = (count: number): Promise<BatchedDraft[]> =>
  sign(...Array.from({ length: count }, (_, data) => ({ data })))
const single = (): Promise<Draft> => signAlone(prepare({ data: 'alone' }, author), author)

/** Links are letters; what is written is told as `links: IDs`. */
class Desk {
  readonly frames: { links: readonly string[]; frame: Uint8Array }[] = []
  readonly outgoing = new Outgoing<string>((links, frame) => void this.frames.push({ links, frame }))

  get kinds(): number[] {
    return this.frames.map(({ frame }) => frame[4]!)
  }

  /** IDs in each frame. */
  get ids(): (readonly string[])[] {
    return this.frames.map(({ frame }) => {
      const payload = framePayload(frame)
      if (frame[4] !== Kind.batch) {
        const result = readIncoming({ kind: frame[4]!, payload }, 'default')
        return result.ok ? [result.incoming.id] : []
      }
      return entriesOf({ kind: Kind.batch, payload })!.map(({ parcel, index }) => parcel.batch.ids[index]!)
    })
  }
}
const idsOf = (drafts: readonly Draft[]): string[] => drafts.map(({ id }) => id)
const AB = ['a', 'b'] as const

t.test('messages of a batch that go the same way leave in one frame, after this turn', async (t) => {
  const [desk, drafts] = [new Desk(), await some(5)]
  for (const draft of drafts) desk.outgoing.add([...AB], draft)
  t.same(desk.frames, [], 'the next one may follow')
  await Promise.resolve()
  t.same(desk.kinds, [Kind.batch])
  t.same(desk.frames[0]!.links, AB)
  t.same(desk.ids, [idsOf(drafts)])
  const { batch } = decodeBatch(framePayload(desk.frames[0]!.frame))!
  t.equal(batch.tree.root, drafts[0]!.place.root)
  t.equal(batch.signature, drafts[0]!.signature)
})

t.test('those that do not go this way are their IDs in the frame', async (t) => {
  const [desk, drafts] = [new Desk(), await some(5)]
  for (const at of [1, 3]) desk.outgoing.add(AB, drafts[at]!)
  desk.outgoing.flush()
  t.same(desk.ids, [[drafts[1]!.id, drafts[3]!.id]])
  t.same(decodeBatch(framePayload(desk.frames[0]!.frame))!.batch.ids, idsOf(drafts))
  await Promise.resolve()
  t.equal(desk.frames.length, 1, 'and they are not written again')
})

t.test('one that is alone leaves as its document', async (t) => {
  const [desk, drafts] = [new Desk(), await some(3)]
  desk.outgoing.add(AB, drafts[1]!)
  await Promise.resolve()
  t.same(desk.kinds, [Kind.message])
  t.same(Buffer.from(framePayload(desk.frames[0]!.frame)), Buffer.from(drafts[1]!.bytes))
})

t.test('what was signed for itself leaves at once, as it came', async (t) => {
  const [desk, draft] = [new Desk(), await single()]
  desk.outgoing.add(AB, draft)
  t.same(desk.kinds, [Kind.message])
  const frame = desk.frames[0]!.frame.slice()
  desk.outgoing.add(AB, draft, frame)
  t.equal(desk.frames[1]!.frame, frame, 'the very bytes')
})

t.test('order', async (t) => {
  t.test('what goes another way ends the frame', async (t) => {
    const [desk, drafts] = [new Desk(), await some(6)]
    const ways = [AB, AB, ['a'], ['a'], ['b', 'a'], AB]
    for (const [at, links] of ways.entries()) desk.outgoing.add(links, drafts[at]!)
    await Promise.resolve()
    t.same(desk.kinds, [Kind.batch, Kind.batch, Kind.message, Kind.message])
    t.same(desk.ids.flat(), idsOf(drafts))
  })

  t.test('so does another batch', async (t) => {
    const [desk, first, second] = [new Desk(), await some(2), await some(2)]
    for (const draft of [...first, ...second, first[0]!]) desk.outgoing.add(AB, draft)
    await Promise.resolve()
    t.same(desk.ids, [idsOf(first), idsOf(second), [first[0]!.id]])
  })

  t.test('and a message that was signed for itself, or has an attachment', async (t) => {
    const [desk, lone] = [new Desk(), await single()]
    const drafts = await sign(
      { data: 1 },
      { data: 2 },
      { bytes: Uint8Array.of(1, 2, 3) },
      { data: 3 },
      { data: 4 },
    )
    for (const draft of [...drafts, lone]) desk.outgoing.add(AB, draft)
    await Promise.resolve()
    t.same(desk.kinds, [Kind.batch, Kind.parcel, Kind.batch, Kind.message])
    t.same(desk.ids.flat(), idsOf([...drafts, lone]))
  })
})

t.test('nothing is written to nobody', async (t) => {
  const [desk, drafts] = [new Desk(), await some(2)]
  for (const draft of drafts) desk.outgoing.add([], draft)
  desk.outgoing.add([], await single())
  desk.outgoing.flush()
  await Promise.resolve()
  t.same(desk.frames, [])
})

t.test('the largest batch leaves in one frame', async (t) => {
  const [desk, drafts] = [new Desk(), await some(256)]
  for (const draft of drafts) desk.outgoing.add(AB, draft)
  await Promise.resolve()
  t.equal(desk.frames.length, 1)
  t.same(desk.ids, [idsOf(drafts)])
})
