import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import {
  type BoxProgress,
  openFileWithPassword,
  openWithPassword,
  sealFileWithPassword,
  sealWithPassword,
} from '../../lib/seal/password-box.ts'

const cheap = { cost: 14 }
const content = (length: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 7) % 253))
const posix = { skip: process.platform === 'win32' && 'Windows has no modes' }

t.test('what was sealed comes back, by path and by URL, whatever its length', async (t) => {
  for (const length of [0, 1, 65_535, 65_536, 65_537, 300_000]) {
    const dir = t.testdir({ plain: content(length) })
    await sealFileWithPassword(`${dir}/plain`, pathToFileURL(`${dir}/box`), 'secret', cheap)
    await openFileWithPassword(pathToFileURL(`${dir}/box`), `${dir}/again`, 'secret')
    t.ok(fs.readFileSync(`${dir}/again`).equals(content(length)), `${length} bytes`)
    t.strictSame(fs.readdirSync(dir).sort(), ['again', 'box', 'plain'])
  }
})

t.test('files and bytes have one format', async (t) => {
  const dir = t.testdir({
    plain: content(100_000),
    box: Buffer.from(await sealWithPassword(content(70_000), 'secret', cheap)),
  })
  await sealFileWithPassword(`${dir}/plain`, `${dir}/sealed`, 'secret', cheap)
  t.ok(content(100_000).equals(await openWithPassword(fs.readFileSync(`${dir}/sealed`), 'secret')))
  await openFileWithPassword(`${dir}/box`, `${dir}/opened`, 'secret')
  t.ok(fs.readFileSync(`${dir}/opened`).equals(content(70_000)))
})

t.test('nobody else can read the new files', posix, async (t) => {
  const dir = t.testdir({ plain: 'x' })
  const before = process.umask(0)
  t.teardown(() => process.umask(before))
  await sealFileWithPassword(`${dir}/plain`, `${dir}/box`, 'secret', cheap)
  await openFileWithPassword(`${dir}/box`, `${dir}/again`, 'secret')
  for (const name of ['box', 'again']) t.equal(fs.statSync(`${dir}/${name}`).mode & 0o777, 0o600)
})

t.test('progress is told after each chunk, up to the whole', async (t) => {
  const dir = t.testdir({ plain: content(150_000) })
  const heard: BoxProgress[] = []
  const onProgress = (progress: BoxProgress): unknown => heard.push(progress)
  await sealFileWithPassword(`${dir}/plain`, `${dir}/box`, 'secret', { ...cheap, onProgress })
  await openFileWithPassword(`${dir}/box`, `${dir}/again`, 'secret', { onProgress })
  const steps = [65_536, 131_072, 150_000].map((bytes) => ({ bytes, size: 150_000 }))
  t.strictSame(heard, [...steps, ...steps])
})

t.test('a file that exists is left alone, and so is a link to nowhere', async (t) => {
  const dir = t.testdir({ plain: 'x', box: 'precious', folder: {}, nowhere: t.fixture('symlink', 'missing') })
  for (const name of ['box', 'folder', 'nowhere', 'plain']) {
    await t.rejects(
      sealFileWithPassword(`${dir}/plain`, `${dir}/${name}`, 'secret', cheap),
      { code: 'file-unwritable', message: /exists already/ },
      name,
    )
  }
  t.equal(fs.readFileSync(`${dir}/box`, 'utf8'), 'precious')
  t.equal(fs.readFileSync(`${dir}/plain`, 'utf8'), 'x')
  t.strictSame(fs.readdirSync(dir).sort(), ['box', 'folder', 'nowhere', 'plain'])
})

t.test('a file that comes while it is sealed is left alone as well', async (t) => {
  const dir = t.testdir({ plain: 'x' })
  const onProgress = (): void => fs.writeFileSync(`${dir}/box`, 'precious')
  await t.rejects(sealFileWithPassword(`${dir}/plain`, `${dir}/box`, 'secret', { ...cheap, onProgress }), {
    code: 'file-unwritable',
    message: /exists already/,
  })
  t.equal(fs.readFileSync(`${dir}/box`, 'utf8'), 'precious')
  t.strictSame(fs.readdirSync(dir).sort(), ['box', 'plain'])
})

t.test('a disk without second names gets a copy that replaces nothing', async (t) => {
  const dir = t.testdir({ plain: 'x' })
  const noLinks = Object.assign(new Error('EPERM: injected'), { code: 'EPERM' })
  t.intercept(fs.promises, 'link', { value: () => Promise.reject(noLinks) })
  await sealFileWithPassword(`${dir}/plain`, `${dir}/box`, 'secret', cheap)
  const onProgress = (): void => fs.writeFileSync(`${dir}/again`, 'precious')
  await t.rejects(openFileWithPassword(`${dir}/box`, `${dir}/again`, 'secret', { onProgress }), {
    code: 'file-unwritable',
  })
  t.equal(fs.readFileSync(`${dir}/again`, 'utf8'), 'precious')
  t.equal(Buffer.from(await openWithPassword(fs.readFileSync(`${dir}/box`), 'secret')).toString(), 'x')
  t.strictSame(fs.readdirSync(dir).sort(), ['again', 'box', 'plain'])
})

t.test('what is damaged in its last chunk leaves nothing behind', async (t) => {
  const dir = t.testdir({ plain: content(150_000) })
  await sealFileWithPassword(`${dir}/plain`, `${dir}/box`, 'secret', cheap)
  const box = fs.readFileSync(`${dir}/box`)
  const cases: Record<string, Buffer> = {
    changed: Buffer.from(box).fill(0, box.length - 1),
    'cut off': box.subarray(0, box.length - 1),
    'cut between chunks': box.subarray(0, 90 + 2 * 65_552),
    longer: Buffer.concat([box, Buffer.of(0)]),
    'header alone': box.subarray(0, 90),
    'half a header': box.subarray(0, 40),
    empty: Buffer.of(),
    'something else': Buffer.from('hello'),
  }
  for (const [name, bytes] of Object.entries(cases)) {
    fs.writeFileSync(`${dir}/box`, bytes)
    await t.rejects(
      openFileWithPassword(`${dir}/box`, `${dir}/again`, 'secret'),
      { code: 'sealed-corrupt' },
      name,
    )
    t.strictSame(fs.readdirSync(dir).sort(), ['box', 'plain'], name)
  }
})

t.test('a wrong password leaves nothing behind, and is told before anything is written', async (t) => {
  const dir = t.testdir({ plain: 'x' })
  await sealFileWithPassword(`${dir}/plain`, `${dir}/box`, 'secret', cheap)
  await t.rejects(openFileWithPassword(`${dir}/box`, `${dir}/again`, 'Secret'), {
    code: 'sealed-password-wrong',
    message: /box"$/,
  })
  t.strictSame(fs.readdirSync(dir).sort(), ['box', 'plain'])
})

t.test('what cannot be read is named', async (t) => {
  const dir = t.testdir({ folder: {} })
  for (const name of ['missing', 'folder', 'folder/none']) {
    const unreadable = { code: 'file-unreadable', message: new RegExp(name) }
    await t.rejects(sealFileWithPassword(`${dir}/${name}`, `${dir}/box`, 'secret', cheap), unreadable, name)
    await t.rejects(openFileWithPassword(`${dir}/${name}`, `${dir}/box`, 'secret'), unreadable, name)
  }
  t.strictSame(fs.readdirSync(dir), ['folder'])
})

t.test('a folder that is missing, or cannot be written, is named', async (t) => {
  const dir = t.testdir({ plain: 'x' })
  await t.rejects(sealFileWithPassword(`${dir}/plain`, `${dir}/none/box`, 'secret', cheap), {
    code: 'file-unwritable',
    message: /its folder does not exist/,
  })
  await t.rejects(sealFileWithPassword(`${dir}/plain`, `${dir}/plain/box`, 'secret', cheap), {
    code: 'file-unwritable',
    message: /ENOTDIR/,
  })
  t.strictSame(fs.readdirSync(dir), ['plain'])
})

t.test('a disk that is full leaves nothing behind', async (t) => {
  const dir = t.testdir({ plain: content(150_000) })
  const { open } = fs.promises
  const full = Object.assign(new Error('ENOSPC: injected'), { code: 'ENOSPC' })
  t.intercept(fs.promises, 'open', {
    value: async (...given: Parameters<typeof open>) => {
      const handle = await open(...given)
      let writes = 0
      const writeFile = handle.writeFile.bind(handle)
      handle.writeFile = async (...data) => {
        if (++writes > 2) throw full
        await writeFile(...data)
      }
      return handle
    },
  })
  await t.rejects(sealFileWithPassword(`${dir}/plain`, `${dir}/box`, 'secret', cheap), {
    code: 'file-unwritable',
    message: /the disk is full/,
  })
  t.strictSame(fs.readdirSync(dir), ['plain'])
})

t.test('a file that changes while it is read makes no box', async (t) => {
  const dir = t.testdir({ plain: content(150_000) })
  const changes = {
    longer: () => fs.appendFileSync(`${dir}/plain`, 'more'),
    shorter: () => fs.truncateSync(`${dir}/plain`, 70_000),
    touched: () => fs.utimesSync(`${dir}/plain`, 1, 1),
  }
  for (const [name, onProgress] of Object.entries(changes)) {
    await t.rejects(
      sealFileWithPassword(`${dir}/plain`, `${dir}/box`, 'secret', { ...cheap, onProgress }),
      { code: 'file-unreadable', message: /it changed while it was read/ },
      name,
    )
    fs.writeFileSync(`${dir}/plain`, content(150_000))
  }
  t.strictSame(fs.readdirSync(dir), ['plain'])
})

t.test('what is no regular file is not read, and not waited for', posix, async (t) => {
  const dir = t.testdir({ folder: {} })
  execFileSync('mkfifo', [`${dir}/pipe`])
  for (const from of ['pipe', 'folder']) {
    const refused = { code: 'file-unreadable', message: /not a regular file/ }
    await t.rejects(sealFileWithPassword(`${dir}/${from}`, `${dir}/box`, 'secret', cheap), refused, from)
    await t.rejects(openFileWithPassword(`${dir}/${from}`, `${dir}/plain`, 'secret'), refused, from)
  }
  t.strictSame(fs.readdirSync(dir).sort(), ['folder', 'pipe'])
})

t.test('a signal or a function that is none is refused before anything is done', async (t) => {
  const dir = t.testdir({ plain: 'x', box: Buffer.from(await sealWithPassword(content(1), 'secret', cheap)) })
  for (const wrong of [
    { signal: 'stop' },
    { signal: null },
    { signal: {} },
    { onProgress: 5 },
    { onProgress: null },
  ]) {
    const options = wrong as object
    await t.rejects(sealFileWithPassword(`${dir}/plain`, `${dir}/new`, 'secret', { ...cheap, ...options }), {
      code: 'invalid-argument',
    })
    await t.rejects(openFileWithPassword(`${dir}/box`, `${dir}/new`, 'secret', options), {
      code: 'invalid-argument',
    })
  }
  t.strictSame(fs.readdirSync(dir).sort(), ['box', 'plain'])
})

t.test('a signal ends it, before, in the middle and at the end', async (t) => {
  const dir = t.testdir({ plain: content(150_000) })
  const reason = new Error('enough')
  for (const chunks of [0, 1, 3]) {
    const abort = new AbortController()
    let heard = 0
    const onProgress = (): void => {
      if (++heard === chunks) abort.abort(reason)
    }
    if (chunks === 0) abort.abort(reason)
    const options = { ...cheap, signal: abort.signal, onProgress }
    await t.rejects(sealFileWithPassword(`${dir}/plain`, `${dir}/box`, 'secret', options), {
      code: 'aborted',
      cause: reason,
    })
    t.equal(heard, chunks)
  }
  t.strictSame(fs.readdirSync(dir), ['plain'])
})

t.test('what hears of the progress may throw: that ends it, as it is', async (t) => {
  const dir = t.testdir({ plain: 'x' })
  // The second looks like an error of the disk on which the box is.
  for (const wrong of [new TypeError('not mine'), Object.assign(new Error('a log'), { code: 'ENOSPC' })]) {
    const onProgress = (): never => {
      throw wrong
    }
    const sealing = sealFileWithPassword(`${dir}/plain`, `${dir}/box`, 'secret', { ...cheap, onProgress })
    t.equal(
      await sealing.then(
        () => 'sealed',
        (cause: unknown) => cause,
      ),
      wrong,
    )
  }
  t.strictSame(fs.readdirSync(dir), ['plain'])
})

t.test('paths and options that are none write nothing', async (t) => {
  const dir = t.testdir({ plain: 'x' })
  for (const path of ['', 'a\0b', undefined, null, 5, new URL('https://example.org/')]) {
    const invalid = { code: 'invalid-argument' }
    await t.rejects(sealFileWithPassword(path as string, `${dir}/box`, 'secret', cheap), invalid)
    await t.rejects(sealFileWithPassword(`${dir}/plain`, path as string, 'secret', cheap), invalid)
    await t.rejects(openFileWithPassword(path as string, `${dir}/box`, 'secret'), invalid)
  }
  await t.rejects(sealFileWithPassword(`${dir}/plain`, `${dir}/box`, ''), { code: 'invalid-argument' })
  const wrong = { code: 'invalid-option' }
  await t.rejects(
    sealFileWithPassword(`${dir}/plain`, `${dir}/box`, 'x', { overwrite: true } as never),
    wrong,
  )
  await t.rejects(openFileWithPassword(`${dir}/plain`, `${dir}/box`, 'x', { cost: 14 } as never), wrong)
  t.strictSame(fs.readdirSync(dir), ['plain'])
})

t.test('a relative path is that of the folder at the time of the call', async (t) => {
  const dir = t.testdir({ a: { plain: 'x' }, b: {} })
  const before = process.cwd()
  t.teardown(() => process.chdir(before))
  process.chdir(`${dir}/a`)
  const sealing = sealFileWithPassword('plain', 'box', 'secret', cheap)
  process.chdir(`${dir}/b`)
  await sealing
  t.strictSame(fs.readdirSync(`${dir}/a`).sort(), ['box', 'plain'])
  t.strictSame(fs.readdirSync(`${dir}/b`), [])
})
