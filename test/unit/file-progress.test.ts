import t from 'tap'
import { type FileProgress, ProgressReport } from '../../lib/files/progress.ts'

t.test('progress is reported ten times a second at most, first and last in any case', async (t) => {
  let now = 1_000
  const seen: number[] = []
  const clock = { now: () => now, setTimer: () => ({ cancel: () => {} }) }
  const report = new ProgressReport(clock, ({ bytes }: FileProgress) => seen.push(bytes))
  const tell = (bytes: number, isLast = false): void => report.tell({ bytes, size: 9, sources: 1 }, isLast)
  tell(1)
  now += 99
  tell(2)
  now += 1
  tell(3)
  tell(4, true)
  // The clock was set back: it goes on.
  now -= 5_000
  tell(5)
  tell(6)
  t.strictSame(seen, [1, 3, 4, 5])
  new ProgressReport(clock, undefined).tell({ bytes: 1, size: 1, sources: 0 })
})
