// Lets Node.js run TypeScript as it is: from 24 on it strips the types itself, before that esbuild does it, and writes
// `await using` in older words. Nobody checks the types here: `npm test` has done that before.
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { register } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'

if (isMainThread && parseInt(process.versions.node) < 24) register(import.meta.url)

/** What was made of each file, for the hundreds of processes that load it. */
const FOLDER = join(import.meta.dirname, '../.tap/typescript')

/** A hook of the module loader. */
export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context)
  return { format: 'module', source: await toJavaScript(fileURLToPath(url)), shortCircuit: true }
}

async function toJavaScript(sourcefile) {
  const { mtimeMs, size } = await stat(sourcefile)
  const mark = `\n// of ${mtimeMs}, ${size} bytes`
  const made = join(FOLDER, `${encodeURIComponent(sourcefile.slice(-150))}.js`)
  const kept = await readFile(made, 'utf8').catch(() => '')
  if (kept.endsWith(mark)) return kept
  const { transform } = await import('esbuild')
  const options = { sourcefile, loader: 'ts', format: 'esm', target: 'node20.19', sourcemap: 'inline' }
  const { code } = await transform(await readFile(sourcefile, 'utf8'), options)
  // Under another name first: nobody must read half of it.
  const part = `${made}.${process.pid}`
  await mkdir(FOLDER, { recursive: true })
  await writeFile(part, code + mark)
  await rename(part, made)
  return code
}
