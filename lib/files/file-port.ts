import type { Json } from '../message/canonical.ts'

/** An answer to a request for a file, or one part of it. */
export interface FileAnswer {
  readonly data: Json
  readonly bytes?: Uint8Array
  /** Who answered. */
  readonly from: string
}

/** A request of another node. */
export interface FileRequest {
  readonly data: Json
  /** Who asks. */
  readonly from: string
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal
  /** Whether it can be answered at all; a plain message of the same type cannot. */
  readonly isRequest: boolean
  /** Sends one part of the answer; resolves when the next one may follow. */
  send(data: unknown, options?: { bytes?: Uint8Array }): Promise<unknown>
  /** There are no more parts. */
  end(): Promise<unknown>
  /** Answers why there is no answer, or no more of it. */
  fail(code: string, text: string): Promise<unknown>
}

/** What the exchange of files needs of its node: requests whose answers have many parts, and nothing else. */
export interface FilePort {
  handle(type: string, handler: (incoming: FileRequest) => unknown): void
  unhandle?(type: string): unknown
  /** Asks one node. The iterator throws what went wrong; whoever leaves it early tells the other node to stop. */
  requestStream(
    nodeId: string,
    type: string,
    data: unknown,
    options?: { timeout?: number; signal?: AbortSignal },
  ): AsyncIterable<FileAnswer>
}

/** Asks for the size of a file and the hashes of its chunks. */
export const INFO = 'file/info'
/** Asks for some chunks of a file. */
export const CHUNKS = 'file/chunks'
/** Asks a node to take a file. */
export const OFFER = 'file/offer'

/** What has to be said instead of an answer. */
export interface Refusal {
  readonly code: string
  readonly text: string
}

/** Says it, to whoever still listens. Never fails. */
export async function sayWhy(incoming: FileRequest, { code, text }: Refusal): Promise<void> {
  try {
    if (!incoming.signal.aborted) await incoming.fail(code, text)
  } catch {
    // The way to the asker is gone, and whoever is gone needs no reason.
  }
}
