// The commands for documents: sign and verify.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openMessage } from '../../lib/index.ts'
import { MAX_MESSAGE_BYTES } from '../../lib/limits/limits.ts'
import { areErrors, cli, type CliOptions, type Finished, folderWithKey, isError } from '../fixtures/cli.ts'
import { bodyTexts, documentIn, signTexts } from '../fixtures/hand-batched.ts'
import { ALICE } from '../fixtures/hand-signed.ts'

// Nearly all of the time goes into starting processes.
t.jobs = 4

const secret = (password: string): CliOptions['env'] => ({ SECURE_NODE_PASSWORD: password })

t.test('what is signed can be verified, here and by the library', async (t) => {
  const { cwd, identity } = await folderWithKey(t)
  writeFileSync(join(cwd, 'order.json'), '{ "pay": 10,\n "to": "Bob" }\n')
  const args = ['sign', '--key', 'a.pem', '--net', 'market', '--type', 'order']
  const signed = await cli([...args, 'order.json'], { cwd })
  t.match(signed, { code: 0, stderr: '' })
  const verdict = await openMessage(signed.stdout.trimEnd(), { net: 'market' })
  const expected = { ok: true, message: { from: identity.id, type: 'order', data: { pay: 10, to: 'Bob' } } }
  t.match(verdict, expected)
  writeFileSync(join(cwd, 'signed.json'), signed.stdout)
  const text = await cli(['verify', '--net', 'market', 'signed.json'], { cwd })
  t.equal(text.code, 0)
  t.match(text.stdout, /^The signature is good\.\n/)
  for (const part of [identity.id, identity.fingerprint, '{"pay":10,"to":"Bob"}', 'market', 'order']) {
    t.ok(text.stdout.includes(part), part)
  }
  t.notMatch(text.stdout, '\u001b', 'no colours in a pipe')
  const json = await cli(['verify', '--json'], { input: signed.stdout })
  t.match(JSON.parse(json.stdout), {
    ok: true,
    from: identity.id,
    fingerprint: identity.fingerprint,
    net: 'market',
    data: { pay: 10, to: 'Bob' },
  })
})

t.test('sign takes text, stdin, and a key with a password', async (t) => {
  const { cwd, identity } = await folderWithKey(t)
  await identity.save(join(cwd, 'locked.pem'), { password: 'sesame' })
  const dataOf = async (input: string, ...args: string[]): Promise<unknown> => {
    const { stdout } = await cli(['sign', '--key', 'a.pem', ...args], { cwd, input })
    const verdict = await openMessage(stdout.trimEnd())
    return verdict.ok && verdict.message.data
  }
  t.strictSame(await dataOf('[1,2]'), [1, 2])
  t.strictSame(await dataOf('hello\n\n', '--text'), { text: 'hello\n' }, 'one line end is not signed')
  t.strictSame(await dataOf('hello\r\n', '--text', '-'), { text: 'hello' })
  t.strictSame(await dataOf('', '--text'), { text: '' })
  const locked = { cwd, input: '1' }
  isError(t, await cli(['sign', '--key', 'locked.pem'], locked), 1, /protected by a password/)
  t.equal((await cli(['sign', '--key', 'locked.pem'], { ...locked, env: secret('sesame') })).code, 0)
})

t.test('sign refuses what it cannot sign', async (t) => {
  const { cwd } = await folderWithKey(t)
  const sign = (input: string | Uint8Array, ...args: string[]): Promise<Finished> =>
    cli(['sign', '--key', 'a.pem', ...args], { cwd, input })
  await areErrors(t, [
    [sign('not json'), 1, /the input \(give --text to sign text\) is not JSON/],
    [sign('{"a":'), 1, /is not JSON/],
    [sign(Uint8Array.of(0x22, 0xff, 0x22)), 1, /not UTF-8/],
    [sign('{"__proto__":1}'), 1, /"__proto__" is not allowed/],
    [sign('x'.repeat(MAX_MESSAGE_BYTES), '--text'), 1, /the limit is 262144/],
    [sign('x'.repeat(3 * MAX_MESSAGE_BYTES), '--text'), 1, /too large/],
    [sign('1', '--net', 'two words'), 2, /net must be a name/],
    [sign('1', '--type', ''), 2, /type must be a name/],
    [cli(['sign', '--key', 'a.pem', 'nothing.json'], { cwd }), 1, /there is no such file/],
    [cli(['sign'], { cwd, input: '1' }), 2, /required option '--key <file>'/],
  ])
})

t.test('verify refuses everything that is not as it was signed', async (t) => {
  const { cwd } = await folderWithKey(t)
  const { stdout } = await cli(['sign', '--key', 'a.pem'], { cwd, input: '{"pay":10}' })
  const document = stdout.trimEnd()
  const verify = (input: string | Uint8Array, ...args: string[]): Promise<Finished> =>
    cli(['verify', ...args], { input })
  t.equal((await verify(`${document}\r\n`)).code, 0)
  t.equal((await verify(document)).code, 0)
  const cases: [RegExp, string | Uint8Array][] = [
    [/bad-signature/, document.replace('10', '99')],
    [/not-canonical/, `${document}\n\n`],
    [/not-canonical/, JSON.stringify(JSON.parse(document), undefined, 2)],
    [/bad-shape/, '{"pay":10}'],
    [/bad-json/, ''],
    [/too-large/, 'x'.repeat(3 * MAX_MESSAGE_BYTES)],
  ]
  await areErrors(
    t,
    cases.map(([reason, input]) => [verify(input), 1, reason]),
  )
  await areErrors(t, [
    [verify(document, '--net', 'other'), 1, /wrong-net: it belongs to another network/],
    [verify(document, '--max-age', '0.001'), 1, /stale: it is older than --max-age/],
  ])
  t.equal((await verify(document, '--max-age', '60', '--net', 'default')).code, 0)
  await areErrors(t, [
    [verify(document, '--max-age', 'old'), 2, /must be seconds, above 0/],
    [cli(['verify', '.'], { cwd }), 1, /it is a folder/],
  ])
  const json = await verify(document.replace('10', '99'), '--json')
  t.match(json, { code: 1, stderr: '' })
  t.match(JSON.parse(json.stdout), { ok: false, code: 'bad-signature', reason: String })
})

t.test('a document cannot steer the terminal that it is shown on', async (t) => {
  const { cwd } = await folderWithKey(t)
  const evil = 'a\u001b[2Jb\u009b31mc\u202ed\u2028e'
  const signed = await cli(['sign', '--key', 'a.pem', '--text'], { cwd, input: evil })
  for (const args of [['verify'], ['verify', '--json']]) {
    const { code, stdout } = await cli(args, { input: signed.stdout })
    t.equal(code, 0)
    t.notMatch(stdout, /[\u001b\u009b\u202e\u2028]/)
    const line = stdout.trimEnd().split('\n').at(-1)!
    const { data = { text: '' }, text = data.text } = JSON.parse(line)
    t.equal(text, evil, 'and nothing of it is lost')
  }
})

t.test('a message of a burst can be verified alone', async (t) => {
  const document = documentIn(signTexts(bodyTexts(7, { data: { order: 7 } })), 3)
  const json = await cli(['verify', '--json'], { input: document })
  t.match(JSON.parse(json.stdout), { ok: true, from: ALICE.id, data: { order: 7 } })
  const text = await cli(['verify'], { input: `${document}\n` })
  t.match(text, { code: 0, stdout: /^The signature is good\.\n/ })
  const moved = document.replace('"index":3', '"index":2')
  isError(t, await cli(['verify'], { input: moved }), 1, /bad-signature/)
})
