import fs from 'node:fs'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { codeOf, createFile, pathOf, writeBeside } from '../../lib/ground/whole-file.ts'

const isWindows = process.platform === 'win32'

t.test('a path is a text or a "file:" URL, and nothing else', async (t) => {
  t.equal(pathOf('a/b'), 'a/b')
  t.equal(pathOf(pathToFileURL('/a b')), isWindows ? pathOf(pathToFileURL('/a b')) : '/a b')
  for (const wrong of [
    '',
    'a\0b',
    new URL('https://example.org/a'),
    new URL('file:///a%00b'),
    5,
    null,
    undefined,
  ]) {
    t.equal(pathOf(wrong as string), undefined, String(wrong))
  }
})

t.test('whatever was thrown may be asked for its code', async (t) => {
  t.equal(codeOf(Object.assign(new Error('x'), { code: 'EIO' })), 'EIO')
  for (const thrown of [undefined, null, 'text', {}]) t.equal(codeOf(thrown), undefined)
})

t.test('a file is created for its owner alone, and never over another', async (t) => {
  const dir = t.testdir({ old: 'precious' })
  const mask = process.umask(0)
  t.teardown(() => process.umask(mask))
  await createFile(`${dir}/new`, 'text')
  t.equal(fs.readFileSync(`${dir}/new`, 'utf8'), 'text')
  if (!isWindows) t.equal(fs.statSync(`${dir}/new`).mode & 0o777, 0o600)
  await t.rejects(createFile(`${dir}/old`, 'text'), { code: 'EEXIST' })
  t.equal(fs.readFileSync(`${dir}/old`, 'utf8'), 'precious')
})

t.test('a check is made before anything is written, and leaves nothing where it fails', async (t) => {
  const dir = t.testdir({})
  const sizes: number[] = []
  await createFile(`${dir}/a`, 'text', async (handle) => void sizes.push((await handle.stat()).size))
  t.strictSame(sizes, [0])
  const refuse = () => Promise.reject(new Error('not here'))
  await t.rejects(createFile(`${dir}/b`, 'text', refuse), { message: 'not here' })
  await t.rejects(
    writeBeside(`${dir}/b`, 'text', () => Promise.resolve(), refuse),
    { message: 'not here' },
  )
  t.strictSame(fs.readdirSync(dir), ['a'])
})

t.test('what is published was written whole, and the file beside is gone in any case', async (t) => {
  const dir = t.testdir({ file: 'old' })
  let seen = ''
  await writeBeside(`${dir}/file`, 'new', async (temporary) => {
    seen = fs.readFileSync(temporary, 'utf8')
    await fs.promises.rename(temporary, `${dir}/file`)
  })
  t.equal(seen, 'new')
  t.equal(fs.readFileSync(`${dir}/file`, 'utf8'), 'new')
  const fail = () => Promise.reject(new Error('no'))
  await t.rejects(writeBeside(`${dir}/file`, 'newer', fail), { message: 'no' })
  t.equal(fs.readFileSync(`${dir}/file`, 'utf8'), 'new')
  t.strictSame(fs.readdirSync(dir), ['file'])
})
