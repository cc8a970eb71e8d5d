// A large file between real processes: several sources at once, and one of them dies in the middle.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { bundleProgram } from '../fixtures/bundle.ts'
import { FileProcess, hashFile, makeFile } from '../fixtures/file-process.ts'

const SIZE = 200_000_000
/** Bytes by which the memory of the downloader may grow: less than the file, however large that is. */
const MAX_GROWTH = 150 * 2 ** 20

t.test('200 MB come whole from three processes of which one is killed, in little memory', async (t) => {
  const home = t.testdir()
  const program = await bundleProgram(
    t,
    join(import.meta.dirname, '../fixtures/file-process.ts'),
    'files.mjs',
  )
  const path = join(home, 'original')
  const to = join(home, 'copy')
  await makeFile(path, SIZE)
  const hash = await hashFile(path)
  const start = (): FileProcess => {
    const child = new FileProcess(program)
    t.teardown(() => child.kill())
    return child
  }

  const [bareSource, bareCopier] = [start(), start()]
  const bare = await bareCopier.copy(await bareSource.serve(path), to)
  await Promise.all([bareSource.kill(), bareCopier.kill()])
  t.equal(await hashFile(to), hash, 'the bare copy is the same')
  await rm(to)

  const sources = [start(), start(), start()] as const
  const downloader = start()
  const places = await Promise.all(sources.map((source) => source.share(path)))
  const [victim] = sources
  const coming = downloader.download(victim.file, places, to)
  await downloader.until(() => downloader.bytes > SIZE / 3)
  await victim.kill()
  t.ok(downloader.bytes < SIZE, 'it was killed in the middle')
  const report = await coming

  t.equal(await hashFile(to), hash, 'the file is the same')
  t.ok(report.growth < MAX_GROWTH, `memory grew by ${Math.round(report.growth / 2 ** 20)} MiB`)
  // How fast a busy machine is says nothing about what is right.
  t.comment(`${(report.seconds / bare.seconds).toFixed(2)} times as long as a bare TLS copy`)
})
