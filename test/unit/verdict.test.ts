import t from 'tap'
import { type IgnoreCode, isReject, type RejectCode, type VerdictCode } from '../../lib/message/verdict.ts'

// As objects, so that the compiler finds a code that is missing here.
const REJECT: Record<RejectCode, true> = {
  'too-large': true,
  'too-deep': true,
  'bad-utf8': true,
  'bad-json': true,
  'not-canonical': true,
  'bad-shape': true,
  'bad-key': true,
  'wrong-net': true,
  'bad-signature': true,
  'forged-author': true,
  'bad-attachment': true,
}
const IGNORE: Record<IgnoreCode, true> = {
  stale: true,
  early: true,
  expired: true,
  'before-start': true,
  'cloned-key': true,
  overload: true,
  unreadable: true,
  'invalid-content': true,
}

t.test('what every correct node refuses costs the link', (t) => {
  for (const code of Object.keys(REJECT)) t.ok(isReject(code as VerdictCode), code)
  t.end()
})

t.test('what depends on the time, the place or the load costs nobody anything', (t) => {
  for (const code of Object.keys(IGNORE)) t.notOk(isReject(code as VerdictCode), code)
  t.end()
})

t.test('no code is both', (t) => {
  t.same(
    Object.keys(REJECT).filter((code) => code in IGNORE),
    [],
  )
  t.end()
})
