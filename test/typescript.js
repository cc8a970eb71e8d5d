// Lets Node.js run TypeScript as it is: from 24 on it strips the types itself, before that esbuild does it, and writes
// `await using` in older words. Nobody checks the types here: `npm test` has done that before.
import { readFile } from 'node:fs/promises'
import { register } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { transform } from 'esbuild'

if (isMainThread && parseInt(process.versions.node) < 24) register(import.meta.url)

/** A hook of the module loader. */
export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context)
  const sourcefile = fileURLToPath(url)
  const { code } = await transform(await readFile(sourcefile, 'utf8'), {
    sourcefile,
    loader: 'ts',
    format: 'esm',
    target: 'node20.19',
    sourcemap: 'inline',
  })
  return { format: 'module', source: code, shortCircuit: true }
}
