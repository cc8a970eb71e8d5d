// A network of processes that forms itself while some of them are killed and started again. This is a short run of a
// program that can be run for longer by hand: bench/churn.js.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { collect, ROOT } from '../fixtures/programs.ts'

const NODES = 12
const SECONDS = 10

/** What it says with --json, as far as it is looked at. */
interface Report {
  readonly kills: number
  readonly alone: number
  readonly messages: number
  readonly due: number
  readonly lost: number
  readonly repeated: number
  readonly late: { readonly p50: number; readonly p99: number; readonly max: number }
  readonly made: number
}

t.setTimeout(120_000)

t.test('every message reaches every process that is there for it, whoever dies meanwhile', async (t) => {
  const sizes = { nodes: NODES, senders: 3, seconds: SECONDS, pause: 1.4, away: 1, seed: 1 }
  const args = Object.entries(sizes).flatMap(([name, value]) => [`--${name}`, String(value)])
  const child = spawn(process.execPath, [join(ROOT, 'bench/churn.js'), '--json', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Without what the test runner adds to its own processes.
    env: { PATH: process.env['PATH'] },
  })
  t.teardown(() => child.kill('SIGKILL'))
  const output = collect(child)
  const [code] = (await once(child, 'close')) as [number | null]
  t.equal(code, 0, output.stderr)
  const { kills, alone, messages, due, lost, repeated, late, made } = JSON.parse(output.stdout) as Report
  t.strictSame({ lost, repeated }, { lost: 0, repeated: 0 })
  t.equal(alone, 0, 'everybody who was restarted has found the network again')
  t.ok(kills >= 5, `${kills} kills`)
  t.ok(
    due >= messages * 3,
    `${due} deliveries of ${messages} messages were due: to the other senders at least`,
  )
  t.comment(`late by ${late.p50} ms (p50), ${late.p99} (p99), ${late.max} (max); ${made} links made again`)
})
