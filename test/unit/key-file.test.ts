import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { readKeyFile, writeKeyFile } from '../../lib/identity/key-file.ts'

const SEED = new Uint8Array(32).fill(7)
const OTHER = new Uint8Array(32).fill(8)
const isRoot = process.getuid?.() === 0
const isWindows = process.platform === 'win32'
const posix = isWindows ? { skip: 'Windows has no file modes' } : {}
const posixUser = isRoot ? { skip: 'root may open everything, so nothing is refused' } : posix
const posixRoot = isRoot ? posix : { skip: 'only root can give a file away' }

const modeOf = (file: string): number => fs.lstatSync(file).mode & 0o777
/** Two scrypts would cost a second and prove nothing here: these tests are about files. */
const write = (file: string, seed = SEED): Promise<void> => writeKeyFile(file, seed)

/** A system error, as `node:fs` throws them. */
function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code })
}

t.test('what was written is read again, by path and by URL, with a password and without', async (t) => {
  const dir = t.testdir({})
  await writeKeyFile(`${dir}/plain.pem`, SEED)
  await writeKeyFile(pathToFileURL(`${dir}/closed.pem`), OTHER, { password: 'secret' })
  t.same(readKeyFile(pathToFileURL(`${dir}/plain.pem`)), SEED)
  t.same(readKeyFile(`${dir}/closed.pem`, 'secret'), OTHER)
  t.throws(() => readKeyFile(`${dir}/closed.pem`), { code: 'key-password-missing' })
  t.throws(() => readKeyFile(`${dir}/closed.pem`, 'Secret'), { code: 'key-password-wrong' })
  t.same(fs.readdirSync(dir).sort(), ['closed.pem', 'plain.pem'])
})

t.test('the seed that is handed out belongs to the caller', async (t) => {
  const dir = t.testdir({})
  await write(`${dir}/key`)
  readKeyFile(`${dir}/key`).fill(0)
  t.same(readKeyFile(`${dir}/key`), SEED)
})

t.test('a relative path is that of the folder at the time of the call', async (t) => {
  const dir = t.testdir({ a: {}, b: {} })
  const before = process.cwd()
  t.teardown(() => process.chdir(before))
  process.chdir(`${dir}/a`)
  const written = write('key')
  process.chdir(`${dir}/b`)
  await written
  t.same(fs.readdirSync(`${dir}/a`), ['key'])
  t.same(fs.readdirSync(`${dir}/b`), [])
})

t.test('what is no path is refused', async (t) => {
  const paths: unknown[] = [
    '',
    'a\0b',
    undefined,
    null,
    5,
    {},
    Buffer.from('key'),
    new URL('https://example.org/key'),
  ]
  for (const path of [...paths, new URL('file:///a%00b'), new URL('file:///a%2Fb')]) {
    t.throws(() => readKeyFile(path as string), { code: 'invalid-argument' }, String(path))
    await t.rejects(writeKeyFile(path as string, SEED), { code: 'invalid-argument' }, String(path))
  }
})

t.test('options that are misspelt or wrong write nothing', async (t) => {
  const dir = t.testdir({})
  const wrong: unknown[] = [
    { pasword: 'secret' },
    { password: '' },
    { password: undefined },
    { password: 5 },
    { overwrite: 'yes' },
    { overwrite: null },
  ]
  for (const options of wrong) {
    await t.rejects(writeKeyFile(`${dir}/key`, SEED, options as { password: string }), {
      code: 'invalid-option',
    })
  }
  await t.rejects(writeKeyFile(`${dir}/key`, SEED.subarray(1)), { code: 'invalid-argument' })
  t.throws(() => readKeyFile(`${dir}/key`, ''), { code: 'invalid-option' })
  t.same(fs.readdirSync(dir), [])
})

t.test('nobody but the user can read a new file, whatever the umask', posix, async (t) => {
  const dir = t.testdir({})
  // Setting the mask is the one safe way to learn it.
  const before = process.umask(0)
  t.teardown(() => process.umask(before))
  for (const mask of [0, 0o022, 0o077]) {
    process.umask(mask)
    const file = `${dir}/${mask}`
    await write(file)
    t.equal(modeOf(file), 0o600)
    await writeKeyFile(file, SEED, { overwrite: true })
    t.equal(modeOf(file), 0o600)
  }
})

t.test('a file that exists is left alone, and so is a link, even to nowhere', async (t) => {
  const link = (target: string) => t.fixture('symlink', target)
  const dir = t.testdir({ key: 'precious', folder: {}, link: link('key'), nowhere: link('missing') })
  for (const name of ['key', 'folder', 'link', 'nowhere']) {
    await t.rejects(write(`${dir}/${name}`), { code: 'key-exists' }, name)
  }
  t.equal(fs.readFileSync(`${dir}/key`, 'utf8'), 'precious')
  t.same(fs.readdirSync(dir).sort(), ['folder', 'key', 'link', 'nowhere'])
})

t.test('of many writers of one name one wins, and its file is whole', async (t) => {
  const dir = t.testdir({})
  const seeds = Array.from({ length: 16 }, (_, index) => new Uint8Array(32).fill(index))
  const results = await Promise.allSettled(seeds.map((seed) => write(`${dir}/key`, seed)))
  const winners = results.flatMap((result, index) => (result.status === 'fulfilled' ? [index] : []))
  t.equal(winners.length, 1)
  for (const result of results)
    if (result.status === 'rejected') t.match(result.reason, { code: 'key-exists' })
  t.same(readKeyFile(`${dir}/key`), seeds[winners[0]!])
  t.same(fs.readdirSync(dir), ['key'])
})

t.test('the name appears only when the file is complete', async (t) => {
  const dir = t.testdir({})
  const { link } = fs.promises
  const seen: unknown[] = []
  t.intercept(fs.promises, 'link', {
    value: async (from: string, to: string) => {
      seen.push(fs.existsSync(to), dirname(from) === dirname(to), readKeyFile(from))
      await link(from, to)
    },
  })
  await write(`${dir}/key`)
  t.same(seen, [false, true, SEED])
})

t.test('overwriting replaces the file in one step', async (t) => {
  const dir = t.testdir({ key: 'old' })
  await writeKeyFile(`${dir}/key`, SEED, { overwrite: true })
  t.same(readKeyFile(`${dir}/key`), SEED)
  await writeKeyFile(`${dir}/new`, OTHER, { overwrite: true })
  t.same(readKeyFile(`${dir}/new`), OTHER)
  await t.rejects(writeKeyFile(`${dir}/new`, SEED, { overwrite: false }), { code: 'key-exists' })
  t.same(fs.readdirSync(dir).sort(), ['key', 'new'])
})

t.test('overwriting replaces a link, not what it points at, and never a folder', posix, async (t) => {
  const dir = t.testdir({ target: 'precious', link: t.fixture('symlink', 'target'), folder: {} })
  await writeKeyFile(`${dir}/link`, SEED, { overwrite: true })
  t.equal(fs.readFileSync(`${dir}/target`, 'utf8'), 'precious')
  t.ok(fs.lstatSync(`${dir}/link`).isFile())
  await t.rejects(writeKeyFile(`${dir}/folder`, SEED, { overwrite: true }), { code: 'key-not-a-file' })
  t.same(fs.readdirSync(dir).sort(), ['folder', 'link', 'target'])
})

t.test('a folder that is missing is named and not made', async (t) => {
  const dir = t.testdir({ file: 'x' })
  await t.rejects(write(`${dir}/no/such/key`), {
    code: 'key-write-failed',
    message: /no\/such" does not exist; make it first/,
  })
  await t.rejects(write(`${dir}/file/key`), { code: 'key-write-failed', message: /file" is not a folder/ })
  t.same(fs.readdirSync(dir), ['file'])
})

t.test('a name that is too long fails, and a name as long as possible does not', posix, async (t) => {
  const dir = t.testdir({})
  await write(`${dir}/${'n'.repeat(255)}`)
  await t.rejects(write(`${dir}/${'n'.repeat(256)}`), { code: 'key-write-failed', message: /ENAMETOOLONG/ })
  t.equal(fs.readdirSync(dir).length, 1)
})

t.test('a folder without permission to write fails', posixUser, async (t) => {
  const dir = t.testdir({ closed: {} })
  fs.chmodSync(`${dir}/closed`, 0o500)
  await t.rejects(write(`${dir}/closed/key`), { code: 'key-write-failed', message: /EACCES/ })
})

t.test('where hard links are missing nothing is overwritten either', async (t) => {
  const dir = t.testdir({ old: 'precious' })
  t.intercept(fs.promises, 'link', { value: () => Promise.reject(systemError('EPERM')) })
  await write(`${dir}/key`)
  t.same(readKeyFile(`${dir}/key`), SEED)
  if (!isWindows) t.equal(modeOf(`${dir}/key`), 0o600)
  await t.rejects(write(`${dir}/key`, OTHER), { code: 'key-exists' })
  await t.rejects(write(`${dir}/old`), { code: 'key-exists' })
  t.same(readKeyFile(`${dir}/key`), SEED)
  t.equal(fs.readFileSync(`${dir}/old`, 'utf8'), 'precious')
  t.same(fs.readdirSync(dir).sort(), ['key', 'old'])
})

t.test('whatever step fails, no file is left behind and an old one stays', async (t) => {
  const { open } = fs.promises
  for (const step of ['stat', 'writeFile', 'sync'] as const) {
    for (const canLink of [true, false]) {
      await t.test(`${step} fails, links ${canLink ? 'work' : 'are missing'}`, async (t) => {
        const dir = t.testdir({ old: 'precious' })
        // Without links it is the second file that fails, the one that has the name already.
        let opened = canLink ? 1 : 0
        t.intercept(fs.promises, 'open', {
          value: async (...args: Parameters<typeof open>) => {
            const handle = await open(...args)
            if (opened++ === 1) Object.assign(handle, { [step]: () => Promise.reject(systemError('ENOSPC')) })
            return handle
          },
        })
        if (!canLink) t.intercept(fs.promises, 'link', { value: () => Promise.reject(systemError('EPERM')) })
        await t.rejects(write(`${dir}/key`), {
          code: 'key-write-failed',
          message: /ENOSPC/,
          cause: { code: 'ENOSPC' },
        })
        await t.rejects(write(`${dir}/old`), { code: 'key-exists' })
        t.same(fs.readdirSync(dir), ['old'])
        t.equal(fs.readFileSync(`${dir}/old`, 'utf8'), 'precious')
      })
    }
  }
  await t.test('the rename fails', async (t) => {
    const dir = t.testdir({ old: 'precious' })
    t.intercept(fs.promises, 'rename', { value: () => Promise.reject(systemError('EIO')) })
    const written = writeKeyFile(`${dir}/old`, SEED, { overwrite: true })
    await t.rejects(written, { code: 'key-write-failed', message: /EIO/ })
    t.same(fs.readdirSync(dir), ['old'])
  })
})

t.test('a drive that gives every file the same open mode gets no key', posix, async (t) => {
  const dir = t.testdir({})
  const { open } = fs.promises
  t.intercept(fs.promises, 'open', {
    value: async (path: string, flags: number) => {
      const handle = await open(path, flags)
      await handle.chmod(0o777)
      return handle
    },
  })
  await t.rejects(write(`${dir}/key`), { code: 'key-write-failed', message: /no file permissions/ })
  t.same(fs.readdirSync(dir), [])
})

t.test('a folder that cannot be synced does not fail the write', async (t) => {
  const dir = t.testdir({})
  const { open } = fs.promises
  t.intercept(fs.promises, 'open', {
    value: (...args: Parameters<typeof open>) =>
      args[0] === dir ? Promise.reject(systemError('EACCES')) : open(...args),
  })
  await write(`${dir}/key`)
  t.same(readKeyFile(`${dir}/key`), SEED)
})

t.test('a file that others can read or change is refused with its mode', posix, async (t) => {
  const dir = t.testdir({})
  await write(`${dir}/key`)
  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o660, 0o644, 0o777, 0o610, 0o601]) {
    fs.chmodSync(`${dir}/key`, mode)
    const message = new RegExp(`\\(mode ${mode.toString(8)}\\); protect it with: chmod 600`)
    t.throws(() => readKeyFile(`${dir}/key`), { code: 'key-unprotected', message })
  }
  for (const mode of [0o600, 0o400, 0o700]) {
    fs.chmodSync(`${dir}/key`, mode)
    t.same(readKeyFile(`${dir}/key`), SEED)
  }
})

t.test('nobody is told to lock up a file that holds no key', posix, async (t) => {
  const dir = t.testdir({
    notes: 'my notes',
    cut: 'secure-node identity\n',
    certificate: '-----BEGIN CERTIFICATE-----\n',
  })
  for (const name of fs.readdirSync(dir)) fs.chmodSync(`${dir}/${name}`, 0o644)
  t.throws(() => readKeyFile(`${dir}/notes`), { code: 'key-not-a-key' })
  t.throws(() => readKeyFile(`${dir}/certificate`), { code: 'key-not-a-key' })
  t.throws(() => readKeyFile(`${dir}/cut`), { code: 'key-corrupt' })
})

t.test('a link is followed, and the mode is that of the file', posix, async (t) => {
  const dir = t.testdir({ link: t.fixture('symlink', 'key') })
  await write(`${dir}/key`)
  t.same(readKeyFile(`${dir}/link`), SEED)
  fs.chmodSync(`${dir}/key`, 0o644)
  t.throws(() => readKeyFile(`${dir}/link`), { code: 'key-unprotected' })
})

t.test("another user's file is refused", posixRoot, async (t) => {
  const dir = t.testdir({})
  await write(`${dir}/key`)
  fs.chownSync(`${dir}/key`, 12_345, 0)
  t.throws(() => readKeyFile(`${dir}/key`), { code: 'key-unprotected', message: /belongs to another user/ })
})

t.test('a file without permission to read is unreadable', posixUser, async (t) => {
  const dir = t.testdir({})
  await write(`${dir}/key`)
  fs.chmodSync(`${dir}/key`, 0)
  t.throws(() => readKeyFile(`${dir}/key`), { code: 'key-unreadable', message: /EACCES/ })
})

t.test('a failure of the disk is unreadable', async (t) => {
  const dir = t.testdir({})
  await write(`${dir}/key`)
  for (const name of ['openSync', 'fstatSync', 'readSync'] as const) {
    await t.test(`${name} fails`, async (t) => {
      t.intercept(fs, name, {
        value: () => {
          throw systemError('EIO')
        },
      })
      t.throws(() => readKeyFile(`${dir}/key`), {
        code: 'key-unreadable',
        message: /EIO/,
        cause: { code: 'EIO' },
      })
    })
  }
})

t.test('a file that is missing is told how to make', async (t) => {
  const dir = t.testdir({ file: 'x', nowhere: t.fixture('symlink', 'missing') })
  for (const name of ['key', 'no/such/key', 'file/key', 'nowhere']) {
    const message = /there is no key file .*; make one with: npx secure-node keygen/
    t.throws(() => readKeyFile(`${dir}/${name}`), { code: 'key-missing', message }, name)
  }
})

t.test(
  'folders, FIFOs, devices and sockets are no files, and opening them does not wait',
  posix,
  async (t) => {
    const dir = t.testdir({ folder: {} })
    execFileSync('mkfifo', ['-m', '600', `${dir}/fifo`])
    for (const file of [`${dir}/folder`, `${dir}/fifo`, '/dev/null', '/dev/zero']) {
      t.throws(() => readKeyFile(file), { code: 'key-not-a-file' }, basename(file))
    }
    const short = fs.mkdtempSync(join(tmpdir(), 'secure-node-'))
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(`${short}/socket`, resolve))
    t.throws(() => readKeyFile(`${short}/socket`), { code: 'key-not-a-file' })
    await new Promise((resolve) => server.close(resolve))
    fs.rmdirSync(short)
  },
)

t.test(
  'descriptors are closed whatever the outcome',
  { skip: !fs.existsSync('/proc/self/fd') },
  async (t) => {
    const dir = t.testdir({ junk: 'x', folder: {} })
    await write(`${dir}/key`)
    fs.chmodSync(`${dir}/junk`, 0o600)
    const count = (): number => fs.readdirSync('/proc/self/fd').length
    const before = count()
    for (let round = 0; round < 20; round++) {
      readKeyFile(`${dir}/key`)
      for (const name of ['junk', 'folder', 'missing']) t.throws(() => readKeyFile(`${dir}/${name}`))
      await t.rejects(write(`${dir}/key`), { code: 'key-exists' })
    }
    t.equal(count(), before)
  },
)

t.test('at most 16 KiB are read, also from a file that has no size or grows', async (t) => {
  const dir = t.testdir({})
  await write(`${dir}/key`)
  const key = fs.readFileSync(`${dir}/key`, 'utf8')
  const put = (text: string): void => fs.writeFileSync(`${dir}/key`, text, { mode: 0o600 })
  put(key.padEnd(16_384, '\n'))
  t.same(readKeyFile(`${dir}/key`), SEED)
  put(key.padEnd(16_385, '\n'))
  t.throws(() => readKeyFile(`${dir}/key`), { code: 'key-not-a-key', message: /larger than 16384 bytes/ })
  const { fstatSync } = fs
  t.intercept(fs, 'fstatSync', { value: (fd: number) => Object.assign(fstatSync(fd), { size: 0 }) })
  t.throws(() => readKeyFile(`${dir}/key`), { code: 'key-not-a-key', message: /larger than 16384 bytes/ })
})

t.test('a file that arrives a byte at a time is read to its end', async (t) => {
  const dir = t.testdir({})
  await write(`${dir}/key`)
  const { readSync } = fs
  t.intercept(fs, 'readSync', {
    value: (fd: number, bytes: Uint8Array, offset: number) => readSync(fd, bytes, offset, 1, null),
  })
  t.same(readKeyFile(`${dir}/key`), SEED)
})

t.test('an editor of Windows does no harm, and bytes that are no text are no key', async (t) => {
  const dir = t.testdir({})
  await write(`${dir}/key`)
  const text = fs.readFileSync(`${dir}/key`, 'utf8').replaceAll('\n', '\r\n')
  const put = (data: string | Uint8Array): void => fs.writeFileSync(`${dir}/key`, data)
  put(`\uFEFF${text}`)
  t.same(readKeyFile(`${dir}/key`), SEED)
  put(Buffer.from(text, 'utf16le'))
  t.throws(() => readKeyFile(`${dir}/key`), { code: 'key-not-a-key' })
  put(Uint8Array.from({ length: 256 }, (_, index) => index))
  t.throws(() => readKeyFile(`${dir}/key`), { code: 'key-not-a-key' })
})

// Asked for its usage, it exits at once; where it is missing there is an error and no status.
const hasSsh = spawnSync('ssh-keygen', ['-?']).error === undefined
const needsSsh = hasSsh ? {} : { skip: 'there is no ssh-keygen on this machine' }

t.test('a key of ssh-keygen is refused with what to do', needsSsh, async (t) => {
  const dir = t.testdir({})
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', `${dir}/key`])
  t.throws(() => readKeyFile(`${dir}/key`), { code: 'key-not-a-key', message: /format of OpenSSH/ })
  if (!isWindows) fs.chmodSync(`${dir}/key.pub`, 0o600)
  t.throws(() => readKeyFile(`${dir}/key.pub`), { code: 'key-not-a-key', message: /public key of OpenSSH/ })
})
