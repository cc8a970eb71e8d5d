import t from 'tap'
import { Deferred } from '../../lib/ground/deferred.ts'
import { Identity } from '../../lib/identity/identity.ts'
import { Inbox } from '../../lib/inbox.ts'
import { MAX_WAITING_MESSAGES } from '../../lib/limits/limits.ts'
import { type MessageFields, signMessage } from '../../lib/message/draft.ts'
import { openMessage, type SignedMessage } from '../../lib/message/message.ts'
import type { ContentVerdict } from '../../lib/typing/message-types.ts'
import { eventually } from '../fixtures/happenings.ts'

const alice = Identity.generate()

async function message(fields: Partial<MessageFields> = {}): Promise<SignedMessage> {
  const verdict = await openMessage(await signMessage({ data: null, ...fields }, alice))
  if (!verdict.ok) throw new Error(verdict.code)
  return verdict.message
}

/** An inbox that writes down what it does. */
function bench() {
  const log: string[] = []
  const state = {
    log,
    woken: 0,
    isOpen: true,
    isShown: true,
    verdict: undefined as ContentVerdict | Promise<ContentVerdict> | undefined,
    inbox: undefined as unknown as Inbox<string>,
  }
  const name = ({ data, type }: SignedMessage): string => `${type} ${JSON.stringify(data)}`
  state.inbox = new Inbox<string>({
    open: (given) => (state.isOpen ? given : undefined),
    check: (_type, data) => state.verdict ?? { ok: true, value: data },
    call: (link, given) => void log.push(`call ${link} ${name(given)}`),
    show: (link, given, data) => {
      log.push(`show ${link} ${name(given)} as ${JSON.stringify(data)}`)
      return state.isShown
    },
    delivered: (given) => void log.push(`delivered ${name(given)}`),
    refuse: (link, given, code, why) => void log.push(`refuse ${link} ${name(given)} ${code} ${why}`),
    wake: () => {
      state.woken++
    },
  })
  return state
}

t.test('what needs neither disk nor time is shown at once', async (t) => {
  const { inbox, log } = bench()
  inbox.take('link', await message({ data: 1 }), undefined)
  t.strictSame(log, ['show link message 1 as 1', 'delivered message 1'])
})

t.test('what its type makes of it is what is shown', async (t) => {
  const state = bench()
  state.verdict = { ok: true, value: 'made of it' }
  state.inbox.take('link', await message({ data: 1 }), undefined)
  t.equal(state.log[0], 'show link message 1 as "made of it"')
})

t.test('what is not on the disk waits, and all that comes after it', async (t) => {
  const { inbox, log } = bench()
  const kept = new Deferred<void>()
  inbox.take('link', await message({ data: 1 }), kept.promise)
  inbox.take('link', await message({ data: 2 }), undefined)
  t.strictSame(log, [])
  kept.resolve()
  await inbox.settled()
  t.strictSame(
    log.filter((line) => line.startsWith('show')),
    ['show link message 1 as 1', 'show link message 2 as 2'],
  )
  inbox.take('link', await message({ data: 3 }), undefined)
  await eventually(() => log.includes('show link message 3 as 3'))
})

t.test('a check that takes its time keeps the order', async (t) => {
  const state = bench()
  const slow = new Deferred<ContentVerdict>()
  state.verdict = slow.promise
  state.inbox.take('link', await message({ data: 1 }), undefined)
  state.verdict = Promise.resolve({ ok: true, value: 'fast' })
  state.inbox.take('link', await message({ data: 2 }), undefined)
  slow.resolve({ ok: true, value: 'slow' })
  await state.inbox.settled()
  t.match(state.log[0], /as "slow"/)
  t.match(state.log[2], /as "fast"/)
})

t.test('what the application does not allow is refused, and not told again', async (t) => {
  const state = bench()
  state.verdict = { ok: false, issues: 'text: expected a string' }
  state.inbox.take('link', await message({ data: 1 }), undefined)
  t.strictSame(state.log, [
    'refuse link message 1 invalid-content text: expected a string',
    'delivered message 1',
  ])
})

t.test('what cannot be opened is refused', async (t) => {
  const state = bench()
  state.isOpen = false
  state.inbox.take('link', await message({ data: 1 }), undefined)
  t.strictSame(state.log, ['refuse link message 1 unreadable ', 'delivered message 1'])
})

t.test('a message of a request goes its own way, unchecked and at once', async (t) => {
  const state = bench()
  state.verdict = { ok: false, issues: 'never asked' }
  state.inbox.take(
    'link',
    await message({ data: 1, op: 'ask', to: [alice.id], type: 'add' }),
    new Deferred<void>().promise,
  )
  t.strictSame(state.log, ['call link add 1'])
})

t.test('it is full when too many wait, and says when there is room again', async (t) => {
  const state = bench()
  const kept = new Deferred<void>()
  const one = await message({ data: 1 })
  for (let count = 1; count < MAX_WAITING_MESSAGES; count++) state.inbox.take('link', one, kept.promise)
  t.notOk(state.inbox.isFull)
  state.inbox.take('link', one, kept.promise)
  t.ok(state.inbox.isFull)
  kept.resolve()
  await state.inbox.settled()
  t.notOk(state.inbox.isFull)
  t.equal(state.woken, 1)
})

t.test('what could not be shown any more is not done', async (t) => {
  const state = bench()
  state.isShown = false
  state.inbox.take('link', await message({ data: 1 }), undefined)
  t.strictSame(state.log, ['show link message 1 as 1'])
})
