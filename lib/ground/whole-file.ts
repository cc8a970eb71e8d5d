/** Files that are either there as a whole or not at all, whenever the power fails. Node.js only. */
import type { FileHandle } from 'node:fs/promises'

// Asked of the process, not imported: a bundle for browsers then has no import that it cannot resolve.
const fs = process.getBuiltinModule('node:fs')
const path = process.getBuiltinModule('node:path')
const { randomBytes } = process.getBuiltinModule('node:crypto')
const { fileURLToPath } = process.getBuiltinModule('node:url')

/** The path that is meant; undefined for what cannot be one, such as the URL of another protocol. */
export function pathOf(file: string | URL): string | undefined {
  try {
    const name = file instanceof URL ? fileURLToPath(file) : file
    return typeof name === 'string' && name !== '' && !name.includes('\0') ? name : undefined
  } catch {
    return undefined
  }
}

/** The code of a system error, such as `ENOENT`. */
export function codeOf(cause: unknown): unknown {
  return (cause as { code?: unknown } | undefined)?.code
}

/**
 * Writes a file beside the target, has it on the disk, and then lets `publish` give it the target's name in one
 * step. It is gone afterwards in any case.
 *
 * @param check Looks at the file before anything is written to it, and throws if it will not do.
 */
export async function writeBeside(
  target: string,
  text: string,
  publish: (temporary: string) => Promise<void>,
  check?: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  const folder = path.dirname(target)
  // A short name of its own: the target's may be as long as the file system allows.
  const temporary = path.join(folder, `.secure-node-${randomBytes(8).toString('hex')}.tmp`)
  await createFile(temporary, text, check)
  try {
    await publish(temporary)
  } finally {
    await fs.promises.rm(temporary, { force: true })
  }
  await syncFolder(folder)
}

/** Creates a file that nobody else can read, whatever the umask, and has it on the disk when it returns. */
export async function createFile(
  name: string,
  text: string,
  check?: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = fs.constants
  const handle = await fs.promises.open(name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600)
  try {
    await check?.(handle)
    await handle.writeFile(text)
    await handle.sync()
  } catch (cause) {
    await handle.close()
    await fs.promises.rm(name, { force: true })
    throw cause
  }
  await handle.close()
}

/** Makes the name last through a power cut, where that is possible; the file is complete in any case. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await fs.promises.open(folder, 'r')
    await handle.sync().finally(() => handle.close())
  } catch {
    // Windows cannot open folders, and a folder may be writable without being readable.
  }
}
