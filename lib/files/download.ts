import type { Clock } from '../ground/clock.ts'
import { Deferred } from '../ground/deferred.ts'
import { aborted, fileCorrupt, fileNotFound, SecureNodeError } from '../errors.ts'
import { errorText } from '../ground/texts.ts'
import {
  FILE_ASKS_PER_SOURCE,
  FILE_LOOK_INTERVAL,
  FILE_RETRY,
  MAX_CHUNKS_PER_ASK,
  MAX_FILE_FAILURES,
  MAX_FILE_OVERLOADS,
  MAX_FILE_SOURCES,
  MAX_MANIFEST_ASKS,
} from '../limits/direct-limits.ts'
import { ChunkPlan } from './chunk-plan.ts'
import type { FilePort } from './file-port.ts'
import { chunkCount, chunkLength, type Manifest } from './manifest.ts'
import type { PartFile } from './part-file.ts'
import type { ProgressReport } from './progress.ts'
import { askChunks, askManifest, type AskOptions, type SizeRange, SourceLied } from './source-answers.ts'

/** A file that was downloaded. */
export interface Downloaded {
  readonly id: string
  /** Where it is. */
  readonly path: string
  /** Bytes. */
  readonly size: number
}

/** What a download is about. */
export interface DownloadTerms {
  readonly id: string
  readonly file: PartFile
  readonly report: ProgressReport
  /** Bytes that the file may have. */
  readonly sizes: SizeRange
  /** How long a source may bring nothing, in ms. */
  readonly timeout: number
  readonly signal: AbortSignal | undefined
}

/** A node that is asked for chunks. */
interface Source {
  readonly id: string
  /** Chunks that it has brought. */
  brought: number
}

/**
 * Brings a file together from all of its sources at once. A source that fails is asked again after a pause, and left
 * when it fails again and again, does not have the file, or lies; its chunks are asked of the others.
 */
export class DownloadRun {
  readonly #port: FilePort
  readonly #clock: Clock
  readonly #terms: DownloadTerms
  readonly #active = new Map<string, Source>()
  readonly #liars = new Set<string>()
  /** Why sources were left. */
  readonly #reasons = new Map<string, string>()
  readonly #tasks: Promise<void>[] = []
  /** Aborted when it has failed. */
  readonly #failure = new AbortController()
  /** Aborted when nothing is to be asked any more. */
  readonly #asking = new AbortController()
  /** Aborted when the manifest is known, or nothing is to be asked any more. */
  readonly #learning = new AbortController()
  readonly #planned = new Deferred<ChunkPlan>()
  readonly #complete = new Deferred<undefined>()
  #changed = new Deferred<undefined>()
  #manifest: Manifest | undefined
  #learners = 0
  #bytes = 0

  constructor(port: FilePort, clock: Clock, terms: DownloadTerms) {
    this.#port = port
    this.#clock = clock
    this.#terms = terms
    // They may fail before anybody waits for them.
    this.#planned.promise.catch(() => {})
    this.#complete.promise.catch(() => {})
  }

  /** Asks one more node. @returns false if it is asked already, has lied, or comes too late */
  addSource(id: string): boolean {
    if (this.#isOver() || this.#active.has(id) || this.#liars.has(id)) return false
    if (this.#active.size >= MAX_FILE_SOURCES) return false
    const source = { id, brought: 0 }
    this.#active.set(id, source)
    this.#tasks.push(this.#work(source))
    return true
  }

  /** Does it all. */
  async run(from: readonly string[]): Promise<Downloaded> {
    const { id, file, signal } = this.#terms
    const abort = (): void => this.fail(aborted('the download', signal?.reason))
    signal?.addEventListener('abort', abort, { once: true })
    try {
      if (signal?.aborted === true) throw aborted('the download', signal.reason)
      await file.check()
      for (const source of from) this.addSource(source)
      await this.#complete.promise
      await this.#settle()
      const manifest = this.#manifest!
      await file.finish(manifest, this.#failure.signal)
      this.#tell(true)
      return { id, path: file.path, size: manifest.size }
    } catch (error) {
      this.fail(error)
      // Nobody writes any more when the caller hears of it, or it could not begin again at once.
      await this.#settle()
      await file.close()
      await file.discardIfEmpty()
      throw error
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  /** Ends it; harmless when it is over. */
  fail(error: unknown): void {
    this.#failure.abort(error)
    this.#planned.reject(error)
    this.#complete.reject(error)
    this.#stopAsking()
  }

  #isOver(): boolean {
    return this.#asking.signal.aborted
  }

  #isLearnt(): boolean {
    return this.#learning.signal.aborted
  }

  #stopAsking(): void {
    this.#asking.abort(aborted('the asking'))
    this.#learning.abort(aborted('the asking'))
  }

  async #settle(): Promise<void> {
    this.#stopAsking()
    await Promise.all(this.#tasks)
  }

  /** Asks one source as long as it makes sense. Never fails. */
  async #work(source: Source): Promise<void> {
    let failures = 0
    while (!this.#isOver()) {
      const before = source.brought
      try {
        if (this.#manifest === undefined) await this.#learn(source)
        await this.#bring(source, await this.#planned.promise)
        return
      } catch (error) {
        if (this.#isOver()) return
        failures = source.brought > before ? 1 : failures + 1
        if (failures >= triesOf(error)) return this.#leave(source, error)
        await this.#wait(this.#asking.signal, FILE_RETRY * 2 ** (failures - 1))
      }
    }
  }

  #leave({ id }: Source, error: unknown): void {
    this.#active.delete(id)
    this.#reasons.set(id, errorText(error))
    if (error instanceof SourceLied) this.#liars.add(id)
    if (this.#active.size > 0) return
    const why = [...this.#reasons].map(([source, reason]) => `${source.slice(0, 8)} ${reason}`).join('; ')
    this.fail((this.#liars.size > 0 ? fileCorrupt : fileNotFound)(this.#terms.id, why))
  }

  /** Finds out what the file consists of. A few sources are asked at once, so that a dead one costs no time. */
  async #learn(source: Source): Promise<void> {
    while (this.#learners >= MAX_MANIFEST_ASKS && !this.#isLearnt()) {
      await this.#changed.promise
    }
    if (this.#isLearnt()) return
    this.#learners++
    try {
      const { id, sizes } = this.#terms
      const manifest = await askManifest(source.id, id, sizes, this.#ask(this.#learning.signal))
      if (this.#isLearnt()) return
      this.#manifest = manifest
      this.#learning.abort(aborted('the asking'))
      this.#tasks.push(this.#begin(manifest))
    } catch (error) {
      // Another one was faster, and this one was told to stop.
      if (!this.#isLearnt()) throw error
    } finally {
      this.#learners--
      this.#notify()
    }
  }

  /** Looks at what is there already. */
  async #begin(manifest: Manifest): Promise<void> {
    try {
      const plan = new ChunkPlan(chunkCount(manifest.size))
      await this.#terms.file.open(manifest, (index) => this.#count(plan, index), this.#failure.signal)
      this.#tell(true)
      this.#planned.resolve(plan)
      if (plan.isDone) this.#complete.resolve(undefined)
    } catch (error) {
      this.fail(error)
    }
  }

  /** Asks a source for chunks, several times at once; ends when all are there, or with its first failure. */
  async #bring(source: Source, plan: ChunkPlan): Promise<void> {
    const round = new AbortController()
    const signal = AbortSignal.any([this.#asking.signal, round.signal])
    const lanes = Array.from({ length: FILE_ASKS_PER_SOURCE }, () =>
      this.#askOn(source, plan, signal).catch((error: unknown) => round.abort(error)),
    )
    await Promise.all(lanes)
    round.signal.throwIfAborted()
  }

  /** One request after the other. */
  async #askOn(source: Source, plan: ChunkPlan, signal: AbortSignal): Promise<void> {
    while (!plan.isDone && !signal.aborted) {
      const chunks = plan.take(source.id, this.#portion(plan), this.#clock.now())
      if (chunks.length === 0) {
        await this.#wait(signal, FILE_LOOK_INTERVAL, this.#changed.promise)
        continue
      }
      try {
        await this.#fetch(source, plan, chunks, signal)
      } finally {
        plan.giveBack(source.id, chunks)
        this.#notify()
      }
    }
  }

  async #fetch(
    source: Source,
    plan: ChunkPlan,
    chunks: readonly number[],
    signal: AbortSignal,
  ): Promise<void> {
    for await (const { index, bytes } of askChunks(source.id, this.#manifest!, chunks, this.#ask(signal))) {
      source.brought++
      plan.heard(source.id, this.#clock.now())
      // It was asked of somebody else as well, who was faster.
      if (!plan.has(index)) await this.#keep(plan, index, bytes)
      if (index !== chunks.at(-1) && chunks.every((chunk) => plan.has(chunk))) return
    }
  }

  async #keep(plan: ChunkPlan, index: number, bytes: Uint8Array): Promise<void> {
    try {
      await this.#terms.file.write(index, bytes)
      this.#count(plan, index)
    } catch (error) {
      // The disk's fault, or that of who hears of the progress, and not the source's.
      this.fail(error)
      throw error
    }
    if (plan.isDone) this.#complete.resolve(undefined)
  }

  #count(plan: ChunkPlan, index: number): void {
    if (!plan.done(index)) return
    this.#bytes += chunkLength(this.#manifest!.size, index)
    this.#tell(false)
  }

  #tell(isLast: boolean): void {
    const { size } = this.#manifest!
    this.#terms.report.tell({ bytes: this.#bytes, size, sources: this.#active.size }, isLast)
  }

  /** Fewer towards the end, so that all sources are busy until then. */
  #portion({ left }: ChunkPlan): number {
    const share = Math.ceil(left / (2 * FILE_ASKS_PER_SOURCE * this.#active.size))
    return Math.max(1, Math.min(MAX_CHUNKS_PER_ASK, share))
  }

  #ask(signal: AbortSignal): AskOptions {
    return { port: this.#port, clock: this.#clock, signal, timeout: this.#terms.timeout }
  }

  /** Chunks may be missing again, or somebody else may be asked for the manifest. */
  #notify(): void {
    this.#changed.resolve(undefined)
    this.#changed = new Deferred()
  }

  /** Resolves after a time, or before that when the signal is aborted or something else has happened. */
  async #wait(signal: AbortSignal, ms: number, sooner?: Promise<unknown>): Promise<void> {
    const over = new Deferred<undefined>()
    const stop = (): void => over.resolve(undefined)
    const timer = this.#clock.setTimer(stop, ms)
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    void sooner?.then(stop)
    await over.promise
    timer.cancel()
    signal.removeEventListener('abort', stop)
  }
}

/** After how many failures in a row a source is left. */
function triesOf(error: unknown): number {
  if (error instanceof SourceLied) return 1
  if (!(error instanceof SecureNodeError)) return MAX_FILE_FAILURES
  const code = error.answer?.code ?? error.code
  if (code === 'overload') return MAX_FILE_OVERLOADS
  // To ask again would give the same answer, and silence has cost enough time already.
  return ['file-not-found', 'no-handler', 'invalid-content', 'invalid-argument', 'request-timeout'].includes(
    code,
  )
    ? 1
    : MAX_FILE_FAILURES
}
