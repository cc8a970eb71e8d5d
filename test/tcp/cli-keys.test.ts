// The commands for keys, keygen and id; and what all commands have in common.
import { readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Identity } from '../../lib/index.ts'
import {
  areErrors,
  atTerminal,
  cli,
  type CliOptions,
  folderWithKey,
  hasTerminals,
  isError,
} from '../fixtures/cli.ts'

// Nearly all of the time goes into starting processes.
t.jobs = 4

const ID = /^[0-9a-f]{64}$/
const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/
const secret = (password: string): CliOptions['env'] => ({ SECURE_NODE_PASSWORD: password })

t.test('help, version and a wrong command line', async (t) => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  t.strictSame(await cli(['--version']), { code: 0, signal: null, stdout: `${version}\n`, stderr: '' })
  const help = await cli(['--help'])
  t.equal(help.code, 0)
  const commands = ['keygen', 'id', 'run', 'send', 'sign', 'verify', 'demo']
  for (const command of commands) t.match(help.stdout, new RegExp(`^  ${command} `, 'm'))
  t.notMatch(help.stdout, 'demo-member', 'what is hidden stays hidden')
  const nothing = await cli([])
  t.match(nothing, { code: 2, stdout: '', stderr: /^Usage: secure-node/ })
  await Promise.all(
    commands.map(async (command) => {
      const { code, stdout } = await cli([command, '--help'])
      t.equal(code, 0)
      t.match(
        stdout,
        new RegExp(`Examples:\n(  .*\n)*.*\\$ .*secure-node ${command}`),
        `${command} has examples`,
      )
    }),
  )
  await areErrors(t, [
    [cli(['keygenn']), 2, /unknown command 'keygenn' \(Did you mean keygen\?\)/],
    [cli(['id', '--jason', 'x']), 2, /unknown option '--jason' \(Did you mean --json\?\)/],
    [cli(['id']), 2, /missing required argument 'file'/],
    [cli(['id', 'a', 'b']), 2, /too many arguments/],
    [cli(['demo-member']), 2, /started by the demo alone/],
  ])
})

t.test('a stack is shown to those who ask for it', async (t) => {
  for (const result of [
    await cli(['--debug', 'verify', 'no-such-file']),
    await cli(['verify', 'no-such-file'], { env: { SECURE_NODE_DEBUG: '1' } }),
  ]) {
    t.equal(result.code, 1)
    t.match(
      result.stderr,
      /^secure-node: cannot read "no-such-file": there is no such file\n.* at .*caused by/s,
    )
  }
})

t.test('keygen makes a key file that only its owner can read', async (t) => {
  const cwd = t.testdir({})
  const { code, stdout, stderr } = await cli(['keygen', '--no-password'], { cwd })
  t.equal(code, 0)
  t.equal(stderr, '')
  const file = join(cwd, 'identity.pem')
  const { id, fingerprint } = await Identity.load(file)
  t.match(stdout, new RegExp(`^ID +${id}$`, 'm'))
  t.ok(stdout.includes(fingerprint))
  t.match(stdout, /no password: whoever can read the file/)
  if (process.platform !== 'win32') t.equal(statSync(file).mode & 0o777, 0o600)
})

t.test('keygen makes missing folders, for this user alone', async (t) => {
  const cwd = t.testdir({})
  const { code, stdout } = await cli(['keygen', '--json', 'x/y/z.pem'], { cwd, env: secret('correct horse') })
  t.equal(code, 0)
  const facts = JSON.parse(stdout)
  t.match(facts, { file: 'x/y/z.pem', id: ID, fingerprint: FINGERPRINT, protected: true })
  const { id } = await Identity.load(join(cwd, 'x/y/z.pem'), { password: 'correct horse' })
  t.equal(facts.id, id)
  await t.rejects(Identity.load(join(cwd, 'x/y/z.pem')), { code: 'key-password-missing' })
  if (process.platform === 'win32') return
  for (const folder of ['x', 'x/y']) t.equal(statSync(join(cwd, folder)).mode & 0o777, 0o700)
})

t.test('keygen never replaces a file unless it is told to', async (t) => {
  const { cwd, identity } = await folderWithKey(t)
  writeFileSync(join(cwd, 'notes.txt'), 'precious')
  symlinkSync('nowhere', join(cwd, 'link.pem'))
  const exists = /exists already and is left as it is; .*--force/
  const files = ['a.pem', 'notes.txt', 'link.pem', '.']
  await areErrors(
    t,
    files.map((file) => [cli(['keygen', '--no-password', file], { cwd }), 1, exists]),
  )
  t.equal((await Identity.load(join(cwd, 'a.pem'))).id, identity.id)
  t.equal(readFileSync(join(cwd, 'notes.txt'), 'utf8'), 'precious')
  t.equal((await cli(['keygen', '--no-password', '--force', 'a.pem'], { cwd })).code, 0)
  t.not((await Identity.load(join(cwd, 'a.pem'))).id, identity.id)
  isError(t, await cli(['keygen', '--no-password', '--force', '.'], { cwd }), 1, /not a regular file/)
})

t.test('keygen says what to do when it cannot ask, and what is in its way', async (t) => {
  const cwd = t.testdir({ file: '' })
  const noTerminal = /no terminal to ask for a password; set SECURE_NODE_PASSWORD, or give --no-password/
  await areErrors(t, [
    [cli(['keygen'], { cwd }), 2, noTerminal],
    [cli(['keygen'], { cwd, input: 'secret\nsecret\n' }), 2, noTerminal],
    [cli(['keygen'], { cwd, env: secret('') }), 2, noTerminal],
    [cli(['keygen'], { cwd, env: secret('x'.repeat(1_025)) }), 2, /"password" must be a string/],
    [cli(['keygen', '--no-password', 'file/a.pem'], { cwd }), 1, /is not a folder/],
  ])
})

t.test('id shows whose key a file holds', async (t) => {
  const { cwd, identity } = await folderWithKey(t)
  const { id, fingerprint } = identity
  await identity.save(join(cwd, 'locked.pem'), { password: 'sesame' })
  const text = await cli(['id', 'a.pem'], { cwd })
  t.match(text.stdout, id)
  t.ok(text.stdout.includes(fingerprint))
  const json = async (file: string, env?: CliOptions['env']): Promise<unknown> =>
    JSON.parse((await cli(['id', '--json', file], { cwd, ...(env && { env }) })).stdout)
  const [open, opened, closed] = await Promise.all([
    json('a.pem'),
    json('locked.pem', secret('sesame')),
    json('locked.pem'),
  ])
  t.strictSame(open, { file: 'a.pem', id, fingerprint, checked: true })
  t.strictSame(opened, { file: 'locked.pem', id, fingerprint, checked: true })
  t.strictSame(closed, { file: 'locked.pem', id, fingerprint, checked: false })
  t.match((await cli(['id', 'locked.pem'], { cwd })).stdout, /not checked/)
  isError(t, await cli(['id', 'locked.pem'], { cwd, env: secret('wrong') }), 1, /password does not open/)
})

t.test('id refuses what is no key', async (t) => {
  const { cwd, identity } = await folderWithKey(t)
  await identity.save(join(cwd, 'locked.pem'), { password: 'sesame' })
  const other = Identity.generate().id
  const write = (name: string, text: string): void => writeFileSync(join(cwd, name), text, { mode: 0o600 })
  write('claims.pem', readFileSync(join(cwd, 'a.pem'), 'utf8').replace(identity.id, other))
  write('silent.pem', readFileSync(join(cwd, 'locked.pem'), 'utf8').replace(/^Id:.*\n/m, ''))
  await areErrors(t, [
    [cli(['id', 'nothing.pem'], { cwd }), 1, /there is no key file "nothing.pem"; .*keygen/],
    [cli(['id', 'claims.pem'], { cwd }), 1, /damaged/],
    [cli(['id', 'silent.pem'], { cwd }), 1, /protected by a password; set SECURE_NODE_PASSWORD/],
    [cli(['id', '.'], { cwd }), 1, /not a regular file/],
    [cli(['id', ''], { cwd }), 2, /a path/],
  ])
})

t.test(
  'a password is asked for at a terminal',
  { skip: !hasTerminals && 'no Python with pty' },
  async (t) => {
    const cwd = t.testdir({})
    const question = 'Password for the new key (Enter for none): '
    const made = await atTerminal(
      ['keygen', 'a.pem'],
      [
        [question, 'alpha\r'],
        ['again: ', 'beta\r'],
        [question, 'sesä!\u007fmx\u001b[Dy\r'],
        ['again: ', 'wrong\u0015sesämxy\r'],
      ],
      { cwd },
    )
    t.equal(made.code, 0)
    t.match(made.screen, /The two are not the same/)
    t.notMatch(made.screen, /alpha|beta|ses|wrong/, 'nothing that was typed is shown')
    const { id } = await Identity.load(join(cwd, 'a.pem'), { password: 'sesämxy' })
    const ask = 'Password of "a.pem" (Enter to show the ID unchecked): '
    const shown = await atTerminal(
      ['id', 'a.pem'],
      [
        [ask, 'wrong\r'],
        [ask, 'sesämxy\r'],
      ],
      { cwd },
    )
    t.equal(shown.code, 0)
    t.match(shown.screen, /That is not the password/)
    t.match(shown.screen, id)
    t.notMatch(shown.screen, /not checked/)
    const unchecked = await atTerminal(['id', 'a.pem'], [[ask, '\r']], { cwd })
    t.match(unchecked, { code: 0, screen: /not checked/ })
    const interrupted = await atTerminal(['id', 'a.pem'], [[ask, 'ses\u0003']], { cwd })
    t.match(interrupted, { code: 130, screen: /no password was given/ })
    const three = Array.from({ length: 3 }, () => [ask, 'wrong\r'] as const)
    t.match(await atTerminal(['id', 'a.pem'], three, { cwd }), { code: 1, screen: /does not open/ })
    const none = await atTerminal(['keygen', 'b.pem'], [[question, '\r']], { cwd })
    t.match(none, { code: 0, screen: /no password/ })
    t.match(none.screen, '\u001b[31m', 'with colours')
    const plain = await atTerminal(['id', 'b.pem'], [], { cwd, env: { NO_COLOR: '1' } })
    t.notMatch(plain.screen, '\u001b', 'or without')
  },
)
