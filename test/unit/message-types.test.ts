import { type } from 'arktype'
import t from 'tap'
import * as v from 'valibot'
import { z } from 'zod'
import { deepFreeze, type Json } from '../../lib/message/canonical.ts'
import { MessageTypes } from '../../lib/typing/message-types.ts'
import type { Schema } from '../../lib/typing/standard-schema.ts'
import type { TypeMap } from '../../lib/typing/type-map.ts'

const chat = z.object({ text: z.string() })
const types = new MessageTypes({
  chat,
  add: { request: z.object({ n: z.number() }), answer: z.number() },
  since: z.string().transform((text) => new Date(text)),
})
const schema = (validate: (value: unknown) => unknown): Schema => ({
  '~standard': { version: 1, vendor: 'test', validate: validate as never },
})

t.test('a schema is for messages and requests, and one for answers is for those', async (t) => {
  const known = ['chat message', 'chat request', 'add message', 'add request', 'add answer']
  for (const name of ['chat', 'add', 'other']) {
    for (const kind of ['message', 'request', 'answer'] as const) {
      t.equal(types.has(name, kind), known.includes(`${name} ${kind}`), `${name} ${kind}`)
    }
  }
})

t.test('what fits may be signed, what does not may not', async (t) => {
  t.strictSame(types.checkOut('chat', 'message', { text: 'hi' }), { data: { text: 'hi' } })
  t.strictSame(types.checkOut('add', 'request', { n: 41 }), { data: { n: 41 } })
  t.strictSame(types.checkOut('add', 'answer', 42), { data: 42 })
  t.throws(() => types.checkOut('chat', 'message', { text: 5 }), {
    code: 'invalid-content',
    message: /^a message of type "chat" does not fit its schema: data\.text: .*string/,
    cause: undefined,
  })
  t.throws(() => types.checkOut('add', 'request', {}), { message: /^a request of type "add" .*: data\.n: / })
  t.throws(() => types.checkOut('add', 'answer', '42'), { message: /^an answer of type "add" .*: data: / })
})

t.test('a plain message in the shape of a request cannot slip past its schema', async (t) => {
  t.throws(() => types.checkOut('add', 'message', 'anything'), { code: 'invalid-content' })
  t.match(types.checkIn('add', 'message', 'anything'), { ok: false })
  t.match(types.checkIn('chat', 'request', 'anything'), { ok: false })
})

t.test('types that are not in the map may hold anything', async (t) => {
  const data = { any: ['thing'] }
  for (const all of [types, new MessageTypes(undefined), new MessageTypes({})]) {
    const out = all.checkOut('other', 'message', data)
    t.equal((out as { data: unknown }).data, data, 'the very same')
    t.strictSame(all.checkIn('other', 'answer', data), { ok: true, value: data })
  }
  t.strictSame(types.checkIn('chat', 'answer', data), { ok: true, value: data })
})

t.test('what every object has is no type', async (t) => {
  const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf']
  for (const all of [types, new MessageTypes(undefined)]) {
    for (const name of names) {
      t.equal(all.has(name, 'message'), false, name)
      t.strictSame(all.checkIn(name, 'message', 'data'), { ok: true, value: 'data' })
    }
  }
  const own = new MessageTypes({ constructor: chat })
  t.ok(own.has('constructor', 'message'), 'unless the map says so')
})

t.test('what is signed is what was given, and handlers get what the schema makes of it', async (t) => {
  t.strictSame(types.checkOut('since', 'message', '2026-01-01'), { data: '2026-01-01' })
  t.strictSame(types.checkIn('since', 'message', '2026-01-01'), { ok: true, value: new Date('2026-01-01') })
  // A schema that adds a default: it is added where it arrives.
  const coloured = new MessageTypes({ dot: z.object({ colour: z.string().default('red') }) })
  t.strictSame(coloured.checkOut('dot', 'message', {}), { data: {} })
  t.strictSame(coloured.checkIn('dot', 'message', {}), { ok: true, value: { colour: 'red' } })
})

t.test('what was checked is a copy, and nobody changes it afterwards', async (t) => {
  let reads = 0
  const data = {
    get text() {
      return reads++ === 0 ? 'hi' : 5
    },
  }
  t.strictSame(types.checkOut('chat', 'message', data), { data: { text: 'hi' } })
  t.equal(reads, 1)
  const mutable = { list: ['a'] }
  const slow = new MessageTypes({ slow: schema((value) => Promise.resolve({ value })) })
  const pending = slow.checkOut('slow', 'message', mutable)
  t.type(pending, Promise)
  mutable.list.push('b')
  t.strictSame(await pending, { data: { list: ['a'] } })
})

t.test('what no JSON can hold is refused before the schema sees it', async (t) => {
  const anything = new MessageTypes({ any: z.any(), date: z.date() })
  t.throws(() => anything.checkOut('any', 'message', { n: NaN }), {
    code: 'invalid-payload',
    message: /^data\.n /,
  })
  t.throws(() => anything.checkOut('date', 'message', new Date()), { code: 'invalid-payload' })
  t.throws(() => anything.checkOut('any', 'message', undefined), { code: 'invalid-payload' })
})

t.test('data with a method then is not run', async (t) => {
  let wasRun = false
  const then = (): void => void (wasRun = true)
  await types.checkOut('other', 'message', { then })
  t.equal(wasRun, false)
})

t.test('a schema may change what it is given, and changes nothing that is signed', async (t) => {
  const vandal = new MessageTypes({
    chat: schema((value) => {
      ;(value as { inner: { text: string } }).inner.text = 'changed'
      return { value }
    }),
  })
  const data = deepFreeze({ inner: { text: 'hi' }, list: [1, { a: null }] })
  const changed = { ...data, inner: { text: 'changed' } }
  t.strictSame(vandal.checkIn('chat', 'message', data), { ok: true, value: changed })
  t.strictSame(vandal.checkOut('chat', 'message', data), { data })
  t.equal(data.inner.text, 'hi')
})

t.test('schemas of ArkType that remove members work with what was signed', async (t) => {
  const strict = new MessageTypes({ chat: type({ '+': 'delete', text: 'string', colour: 'string = "red"' }) })
  const data = deepFreeze({ text: 'hi', extra: [1] })
  t.strictSame(strict.checkIn('chat', 'message', data), { ok: true, value: { text: 'hi', colour: 'red' } })
  t.strictSame(strict.checkOut('chat', 'message', data), { data: { text: 'hi', extra: [1] } })
})

t.test('a handler may change what it is given, whoever made the schema', async (t) => {
  const list = { zod: z.array(z.string()), valibot: v.array(v.string()), arktype: type('string[]') }
  for (const [name, schema] of Object.entries<Schema>(list)) {
    const verdict = await new MessageTypes({ list: schema }).checkIn('list', 'message', deepFreeze(['a']))
    t.ok(verdict.ok, name)
    if (!verdict.ok) continue
    ;(verdict.value as string[]).push('b')
    t.strictSame(verdict.value, ['a', 'b'], name)
  }
})

t.test('as much as a message can hold is checked without complaint', async (t) => {
  const lists = new MessageTypes({ list: z.array(z.number()) })
  const list = new Array<number>(130_000).fill(1)
  t.match(lists.checkIn('list', 'message', list), { ok: true })
  const texts = new Array<string>(130_000).fill('')
  t.match(lists.checkIn('list', 'message', texts), { ok: false, issues: /; and 129997 more$/ })
})

t.test('a schema that throws or rejects is told of here, and only counts there', async (t) => {
  const error = new Error('the database is gone')
  const failing = new MessageTypes({
    now: schema(() => {
      throw error
    }),
    later: schema(() => Promise.reject(error)),
  })
  const expected = {
    code: 'invalid-content',
    message: /its schema threw: the database is gone$/,
    cause: error,
  }
  t.throws(() => failing.checkOut('now', 'message', 1), expected)
  await t.rejects(Promise.resolve(failing.checkOut('later', 'message', 1)), expected)
  const verdict = { ok: false, issues: 'its schema threw: the database is gone' }
  t.match(failing.checkIn('now', 'message', 1), verdict)
  t.match(await failing.checkIn('later', 'message', 1), verdict)
})

t.test('nonsense from a schema lets nothing pass', async (t) => {
  for (const nonsense of [undefined, true, {}, 'fine']) {
    for (const result of [nonsense, Promise.resolve(nonsense)]) {
      const odd = new MessageTypes({ chat: schema(() => result) })
      t.match(await odd.checkIn('chat', 'message', 'data'), { ok: false, issues: /^its schema gave/ })
      await t.rejects(async () => odd.checkOut('chat', 'message', 'data'), { code: 'invalid-content' })
    }
  }
})

t.test('schemas of different libraries stand side by side', async (t) => {
  const mixed = new MessageTypes({
    zod: z.object({ a: z.string() }),
    valibot: v.object({ a: v.string() }),
    arktype: type({ a: 'string' }),
    both: { request: v.string(), answer: type('string') },
  })
  for (const name of ['zod', 'valibot', 'arktype']) {
    const data: Json = deepFreeze({ a: 'text' })
    t.strictSame(mixed.checkIn(name, 'message', data), { ok: true, value: data }, name)
    t.match(mixed.checkIn(name, 'message', deepFreeze({ a: 1 })), { ok: false, issues: /^data\.a: / }, name)
  }
  t.match(mixed.checkIn('both', 'request', 1), { ok: false })
  t.match(mixed.checkIn('both', 'answer', 1), { ok: false })
})

t.test('a bad map is refused, with the rule', async (t) => {
  const refused = (map: unknown, message: RegExp): void => {
    t.throws(() => new MessageTypes(map as TypeMap), { code: 'invalid-option', message })
  }
  const objects = /^option "types" must be an object of schemas/
  for (const map of [null, 5, 'chat', [], [chat], () => {}, new Map([['chat', chat]]), new Date()]) {
    refused(map, objects)
  }
  for (const name of ['', ' ', 'a b', '~', 'ä', '\u001b[2J', 'a'.repeat(65)]) {
    refused({ [name]: chat }, /^option "types" must be an object with names like .*, got "/)
  }
  refused(JSON.parse('{"__proto__":{"request":1}}'), /names like/)
  const entry = /^option "types\.chat" must be a Standard Schema of version 1, or \{ request, answer \}/
  const bad = [
    undefined,
    null,
    5,
    String,
    {},
    { request: chat },
    { answer: chat },
    { request: chat, answer: {} },
    { request: {}, answer: chat },
    { request: chat, answer: chat, message: chat },
    { '~standard': { ...chat['~standard'], version: 2 } },
    [chat, chat],
  ]
  for (const value of bad) refused({ chat: value }, entry)
})

t.test('a map is taken as it is at the start', async (t) => {
  const map: Record<string, Schema> = { chat }
  const taken = new MessageTypes(map)
  map['chat'] = z.any()
  map['other'] = z.never()
  t.match(taken.checkIn('chat', 'message', 5), { ok: false })
  t.match(taken.checkIn('other', 'message', 5), { ok: true })
})

t.test('a map may be a module, or come from elsewhere', async (t) => {
  t.ok(new MessageTypes(Object.assign(Object.create(null) as TypeMap, { chat })).has('chat', 'message'))
  t.ok(new MessageTypes(Object.freeze({ chat })).has('chat', 'message'))
})
