/** Node.js only: the one file of the history that touches a disk, and loads a package to do so. */
import { historyUnavailable, historyUnreadable, historyUnwritable } from '../errors.ts'
import { codeOf } from '../ground/whole-file.ts'
import { type KeyedDatabase, KeyedStore } from './keyed-store.ts'

/** What is used of a LevelDB database. */
export interface LevelDatabase extends KeyedDatabase {
  open(): Promise<void>
}

/** What makes databases. */
export interface LevelModule {
  readonly ClassicLevel: new (
    folder: string,
    options: { keyEncoding: 'view'; valueEncoding: 'view' },
  ) => LevelDatabase
}

/** Files of a database that nothing was written to yet: a process may die at any time. */
const EMPTY_DATABASE = /^(LOCK|LOG|LOG\.old|MANIFEST-\d+|\d+\.dbtmp)$/
const NEED = 'the package classic-level for its folder; install it with: npm install classic-level'
const ENCODINGS = { keyEncoding: 'view', valueEncoding: 'view' } as const

/**
 * A history on disk, in LevelDB (the package classic-level). A batch is there as a whole or not at all, however the
 * process ends. What the operating system has not written yet when the power fails is lost.
 */
export class LevelStore extends KeyedStore {
  readonly #folder: string
  readonly #load: () => Promise<LevelModule>
  #module: LevelModule | undefined

  /** @param load Where LevelDB comes from. @default the package classic-level, when `open` is called */
  constructor(folder: string, load: () => Promise<LevelModule> = loadClassicLevel) {
    super()
    this.#folder = folder
    this.#load = load
  }

  protected async prepare(): Promise<void> {
    try {
      this.#module = await this.#load()
    } catch (cause) {
      throw historyUnavailable(NEED, cause)
    }
    await this.#prepareFolder()
  }

  protected async openDatabase(): Promise<KeyedDatabase> {
    const database = new this.#module!.ClassicLevel(this.#folder, ENCODINGS)
    await database.open()
    return database
  }

  protected unreadable(why: string, cause?: unknown): Error {
    return historyUnreadable(this.#folder, why, cause)
  }

  protected unwritable(cause: unknown): Error {
    return historyUnwritable(this.#folder, cause)
  }

  protected explain(cause: unknown): string {
    const inner = (cause as { cause?: unknown } | undefined)?.cause ?? cause
    const isLocked = codeOf(inner) === 'LEVEL_LOCKED'
    return isLocked ? 'it is in use, by another process or another node of this one' : String(inner)
  }

  /** Makes the folder, for this user's eyes alone, and looks what is in it. */
  async #prepareFolder(): Promise<void> {
    const fs = process.getBuiltinModule('node:fs/promises')
    let names: string[]
    try {
      await fs.mkdir(this.#folder, { recursive: true, mode: 0o700 })
      names = await fs.readdir(this.#folder)
    } catch (cause) {
      const isFile = codeOf(cause) === 'EEXIST' || codeOf(cause) === 'ENOTDIR'
      throw isFile ? this.unreadable('it is not a folder', cause) : this.unwritable(cause)
    }
    // LevelDB would take it for a new one, and clear away files that it does not expect there.
    if (!names.includes('CURRENT') && !names.every((name) => EMPTY_DATABASE.test(name))) {
      throw this.unreadable('other files are there, or the file CURRENT is missing')
    }
  }
}

/** Only here: who keeps no history on disk does not need the package. */
function loadClassicLevel(): Promise<LevelModule> {
  return import('classic-level')
}
