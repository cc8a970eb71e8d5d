/** What a pipe tells its owner. */
export interface PipeHandlers {
  /** A message arrived, whole and in order. */
  onMessage(message: Uint8Array): void
  /** What waited to be sent is (nearly) gone. */
  onDrain(): void
  /** The pipe is gone. Called once, last of all; with the error if one ended it. */
  onClose(error?: Error): void
}

/** Whole messages, as WebSockets carry them, to and from one remote end. Nothing of them is secret or proven. */
export interface MessagePipe {
  readonly remoteHost: string
  readonly remotePort: number
  /** Bytes handed to `send` that have not left this process yet. */
  readonly queuedBytes: number
  /** Who hears of it from now on: the handshake first, then the channel. */
  handlers: PipeHandlers | undefined
  send(message: Uint8Array): void
  /** Messages that are there already may still come. */
  pause(): void
  resume(): void
  /** Sends what is queued, then closes. */
  end(): void
  /** Closes at once, because of this error if there is one. */
  destroy(error?: Error): void
}
