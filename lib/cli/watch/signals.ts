import { INTERRUPTED } from '../failure.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Does some work until a signal comes; then it is told to end. A second Ctrl-C does not wait for that. */
export async function untilSignal<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const end = new AbortController()
  const onSignal = (signal: NodeJS.Signals): void => {
    if (end.signal.aborted && signal === 'SIGINT') process.exit(INTERRUPTED)
    end.abort()
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  try {
    return await work(end.signal)
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal)
  }
}

/** Resolves when it is told to end. */
export async function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
