import { runInNewContext } from 'node:vm'
import { type } from 'arktype'
import t, { type Test } from 'tap'
import * as v from 'valibot'
import { z } from 'zod'
import { MAX_ISSUE_CHARACTERS, MAX_SHOWN_ISSUES } from '../../lib/limits/limits.ts'
import { deepFreeze } from '../../lib/message/canonical.ts'
import { type Checked, checkValue, isSchema, type Schema } from '../../lib/typing/standard-schema.ts'

/** A schema that answers whatever it is told to. */
const answering = (result: unknown): Schema => ({
  '~standard': { version: 1, vendor: 'test', validate: () => result as never },
})
const throwing = (error: unknown): Schema => ({
  '~standard': {
    version: 1,
    vendor: 'test',
    validate() {
      throw error
    },
  },
})
const refusing = (...issues: unknown[]): Schema => answering({ issues })

function issuesOf(t: Test, checked: Checked | Promise<Checked>): string {
  if (checked instanceof Promise || checked.ok) return (t.fail('it fits'), '')
  return checked.issues
}

/** The same in three libraries. */
const libraries: Record<string, { chat: Schema; since: Schema; slow: Schema }> = {
  zod: {
    chat: z.object({ text: z.string(), tags: z.array(z.string()).optional() }),
    since: z.string().transform((text) => new Date(text)),
    slow: z.string().refine(async (text) => text === 'good'),
  },
  valibot: {
    chat: v.object({ text: v.string(), tags: v.optional(v.array(v.string())) }),
    since: v.pipe(
      v.string(),
      v.transform((text) => new Date(text)),
    ),
    slow: v.pipeAsync(
      v.string(),
      v.checkAsync(async (text) => text === 'good'),
    ),
  },
  arktype: {
    chat: type({ text: 'string', 'tags?': 'string[]' }),
    since: type('string').pipe((text) => new Date(text)),
    // It has none that wait.
    slow: answering(Promise.resolve({ issues: [] })),
  },
}

for (const [name, { chat, since, slow }] of Object.entries(libraries)) {
  t.test(`${name} makes schemas that work, also with frozen values`, async (t) => {
    for (const schema of [chat, since, slow]) t.ok(isSchema(schema))
    const good = deepFreeze({ text: 'hi', tags: ['a', 'b'] })
    t.strictSame(checkValue(chat, good), { ok: true, value: good })
    t.match(issuesOf(t, checkValue(chat, deepFreeze({ text: 5 }))), /^data\.text: .*string/)
    t.match(issuesOf(t, checkValue(chat, deepFreeze({ text: 'hi', tags: ['a', 5] }))), /^data\.tags\[1\]: /)
    for (const bad of [null, 5, 'text', [], {}]) t.not(issuesOf(t, checkValue(chat, bad)), '')
  })
  t.test(`${name} makes something else of a value`, async (t) => {
    t.strictSame(checkValue(since, '2026-01-01'), { ok: true, value: new Date('2026-01-01') })
  })
  t.test(`${name} may take its time`, async (t) => {
    const checked = checkValue(slow, 'bad')
    t.type(checked, Promise)
    t.match(await checked, { ok: false })
    if (name !== 'arktype') t.strictSame(await checkValue(slow, 'good'), { ok: true, value: 'good' })
  })
}

t.test('a schema is recognised by its mark, its version and its method', async (t) => {
  const validate = () => ({ value: 1 })
  t.ok(isSchema({ '~standard': { version: 1, vendor: 'test', validate } }))
  t.ok(isSchema(Object.assign(() => {}, { '~standard': { version: 1, validate } })))
  const others = [
    undefined,
    null,
    5,
    'text',
    {},
    [],
    String,
    { validate },
    { '~standard': null },
    { '~standard': 1 },
    { '~standard': { validate } },
    { '~standard': { version: 2, validate } },
    { '~standard': { version: '1', validate } },
    { '~standard': { version: 1 } },
    { '~standard': { version: 1, validate: {} } },
  ]
  for (const other of others) t.notOk(isSchema(other))
})

t.test('a value counts where there is one, whatever it is', async (t) => {
  for (const value of [undefined, null, 0, '', false, { issues: [] }]) {
    t.strictSame(checkValue(answering({ value }), 'given'), { ok: true, value })
    t.strictSame(checkValue(answering({ value, issues: undefined }), 'given'), { ok: true, value })
  }
})

t.test('issues mean that it does not fit, even none, even beside a value', async (t) => {
  t.equal(issuesOf(t, checkValue(refusing(), 1)), 'its schema gave no reason')
  t.match(issuesOf(t, checkValue(answering({ value: 1, issues: [] }), 1)), /no reason/)
  for (const issues of [null, 0, '', false, {}, 'text']) {
    t.match(issuesOf(t, checkValue(answering({ value: 1, issues }), 1)), /no list/)
  }
})

t.test('a result that is none does not let anything pass', async (t) => {
  for (const result of [undefined, null, true, 1, 'fine', {}, [], Object.create(null)]) {
    t.match(issuesOf(t, checkValue(answering(result), 1)), /^its schema gave /)
    const later = await checkValue(answering(Promise.resolve(result)), 1)
    t.match(issuesOf(t, later), /^its schema gave /)
  }
})

t.test('what a schema throws is kept as the cause, whatever it is', async (t) => {
  const error = new TypeError('cannot read it')
  t.strictSame(checkValue(throwing(error), 1), {
    ok: false,
    issues: 'its schema threw: cannot read it',
    cause: error,
  })
  const odd = [
    'text',
    undefined,
    Symbol('s'),
    Object.create(null),
    Object.assign(new Error(), { message: 5 }),
    {
      toString() {
        throw new Error('again')
      },
    },
    Object.defineProperty(new Error(), 'message', {
      get() {
        throw new Error('again')
      },
    }),
  ]
  for (const cause of odd) {
    const checked = checkValue(throwing(cause), 1)
    t.match(checked, { ok: false, issues: /^its schema threw: / })
    t.equal((checked as { cause: unknown }).cause, cause)
    // eslint accepts errors alone as reasons; schemas need not.
    const rejecting: PromiseLike<never> = { then: (_, reject) => (reject?.(cause), rejecting) }
    t.match(await checkValue(answering(rejecting), 1), { ok: false, issues: /^its schema threw: /, cause })
  }
})

t.test('getters that throw are no way out either', async (t) => {
  const trap = (name: string, base: object = {}): object =>
    Object.defineProperty(base, name, {
      get() {
        throw new Error('a trap')
      },
    })
  const results = [
    trap('issues'),
    trap('value', { issues: undefined }),
    trap('then'),
    { issues: [trap('message')] },
    { issues: [trap('path', { message: 'a' })] },
    { issues: [{ message: 'a', path: [trap('key')] }] },
  ]
  for (const result of results)
    t.equal(issuesOf(t, checkValue(answering(result), 1)), 'its schema threw: a trap')
  for (const result of results) {
    const later = await checkValue(answering(Promise.resolve().then(() => result)), 1)
    t.equal(issuesOf(t, later), 'its schema threw: a trap')
  }
})

t.test('a promise of another realm is one, and what comes back is one of ours', async (t) => {
  const foreign = runInNewContext('Promise.resolve({ value: 7 })') as unknown
  t.notOk(foreign instanceof Promise)
  const checked = checkValue(answering(foreign), 1)
  t.ok(checked instanceof Promise)
  t.strictSame(await checked, { ok: true, value: 7 })
})

t.test('the first issues are told, with their paths', async (t) => {
  const path = (...steps: unknown[]) => issuesOf(t, checkValue(refusing({ message: 'no', path: steps }), 1))
  t.equal(path(), 'data: no')
  t.equal(path('a', 0, 'b'), 'data.a[0].b: no')
  t.equal(path({ key: 'a' }, { key: 0 }), 'data.a[0]: no')
  t.equal(path('a b', ''), 'data["a b"][""]: no')
  t.equal(path(Symbol('s'), null, {}), 'data[?][?][?]: no')
  t.match(path(...new Array<string>(100).fill('a')), /^data(\.a){32}…: no$/)
  t.equal(issuesOf(t, checkValue(refusing({ message: 'no', path: 'a' }), 1)), 'data: no')
  const many = Array.from({ length: 10 }, (_, index) => ({ message: `no ${index}`, path: [index] }))
  t.equal(
    issuesOf(t, checkValue(refusing(...many), 1)),
    `data[0]: no 0; data[1]: no 1; data[2]: no 2; and ${10 - MAX_SHOWN_ISSUES} more`,
  )
  for (const odd of [undefined, null, 5, 'text', {}, { message: 5 }, { message: '' }]) {
    t.equal(issuesOf(t, checkValue(refusing(odd), 1)), 'data: it does not fit')
  }
})

t.test('what a stranger has sent does nothing in the text of an issue', async (t) => {
  const evil = '\u001b[2J\n\u202egood\u2028\u0085\ud800'
  const text = issuesOf(t, checkValue(refusing({ message: `got ${evil}`, path: [evil] }), 1))
  t.notMatch(text, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
  t.match(text, /: got \\u\{1b\}\[2J\\u\{a\}\\u\{202e\}good/)
  const long = issuesOf(
    t,
    checkValue(refusing({ message: '\u001b'.repeat(1_000), path: [evil.repeat(100)] }), 1),
  )
  t.ok(long.length < 8 * (MAX_ISSUE_CHARACTERS + 200), 'it is cut')
  const thrown = issuesOf(t, checkValue(throwing(new Error(evil)), 1))
  t.notMatch(thrown, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
  // Half of a character that has two units.
  const half = issuesOf(t, checkValue(refusing({ message: `${'a'.repeat(MAX_ISSUE_CHARACTERS - 1)}😀` }), 1))
  t.ok(half.isWellFormed())
})
