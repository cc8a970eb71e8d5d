import t from 'tap'
import { Gate, type Visit } from '../../lib/status/gate.ts'
import { Token } from '../../lib/status/token.ts'

const TEXT = 'a-token-of-the-test'
const token = new Token(TEXT)
const gate = new Gate('127.0.0.1', token)

const visit = (fields: Partial<Visit>): Visit => ({
  method: 'GET',
  host: '127.0.0.1:9470',
  authorization: undefined,
  token: undefined,
  ...fields,
})

t.test('a token is itself and nothing else, whatever the length', async (t) => {
  t.ok(token.is(TEXT))
  for (const other of ['', 'a', TEXT.slice(0, -1), `${TEXT}x`, TEXT.toUpperCase(), 'x'.repeat(100_000)]) {
    t.notOk(token.is(other))
  }
})

t.test('a token that is made is long, and another one each time', async (t) => {
  const made = new Token()
  t.match(made.text, /^[A-Za-z0-9_-]{43}$/)
  t.ok(made.is(made.text))
  t.not(made.text, new Token().text)
})

t.test('the token is shown in the header, or to read in the address', async (t) => {
  for (const authorization of [`Bearer ${TEXT}`, `bearer ${TEXT}`, `BEARER  ${TEXT}`]) {
    t.equal(gate.refuseToken(visit({ authorization })), undefined, authorization)
  }
  t.equal(gate.refuseToken(visit({ token: TEXT })), undefined)
  t.equal(gate.refuseToken(visit({ method: 'POST', authorization: `Bearer ${TEXT}` })), undefined)
})

t.test('without it, nothing is told', async (t) => {
  const refused: Partial<Visit>[] = [
    {},
    { authorization: TEXT },
    { authorization: `Basic ${TEXT}` },
    { authorization: 'Bearer ' },
    { authorization: `Bearer ${TEXT} x` },
    { authorization: 'Bearer wrong' },
    { token: '' },
    { token: 'wrong' },
    // What a form of another site could send.
    { method: 'POST', token: TEXT },
    // The header counts: who shows a wrong one is not let in by the address.
    { authorization: 'Bearer wrong', token: TEXT },
  ]
  for (const fields of refused) {
    const reply = gate.refuseToken(visit(fields))
    t.match(reply, { status: 401, headers: { 'WWW-Authenticate': 'Bearer' } }, JSON.stringify(fields))
    t.notMatch(String(reply?.body), TEXT)
  }
})

t.test('it is called by an address, by localhost, or by its own name', async (t) => {
  const named = new Gate('Node.Example', token)
  for (const host of [
    '127.0.0.1',
    '127.0.0.1:9470',
    'localhost:1',
    'LOCALHOST',
    '[::1]:9470',
    '10.0.0.5:80',
  ]) {
    t.equal(gate.refuseHost(visit({ host })), undefined, host)
    t.equal(named.refuseHost(visit({ host })), undefined, host)
  }
  t.equal(named.refuseHost(visit({ host: 'node.example:9470' })), undefined)
  const foreign = [
    undefined,
    '',
    'evil.example',
    'evil.example:9470',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
  ]
  for (const host of [
    ...foreign,
    '127.0.0.1@evil.example',
    'localhost:9470:1',
    '[evil]',
    '[::1',
    '127.0.0.1:x',
  ]) {
    t.match(gate.refuseHost(visit({ host })), { status: 403 }, String(host))
  }
  t.match(gate.refuseHost(visit({ host: 'node.example' })), { status: 403 })
})
