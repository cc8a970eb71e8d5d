import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { StatusFile } from '../../status/status-server.ts'
import { FAILED, Failure } from '../failure.ts'

/** What is served of the page's folder, and as what. Nothing else is: not what happens to lie there. */
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
}

/** The page, as it was built. They are read once, by name: no request can ask for any other file. */
export function readPage(folder: string): ReadonlyMap<string, StatusFile> {
  const page = join(folder, 'dist/watch')
  try {
    const names = readdirSync(page).filter((name) => Object.hasOwn(TYPES, extname(name)))
    const files = names.map((name): [string, StatusFile] => [
      name,
      { type: TYPES[extname(name)]!, body: readFileSync(join(page, name)) },
    ])
    return new Map(files)
  } catch (cause) {
    throw new Failure('the page is not there; build it with: npm run build', FAILED, { cause })
  }
}
