// The limit: what one Ed25519 verification costs when nothing else is done for a message.
// `node bench/verify.js` compares the ways to use several cores for it.
import { fork } from 'node:child_process'
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'

const file = fileURLToPath(import.meta.url)
const verifyInPool = promisify(verify)
const { publicKey, privateKey } = generateKeyPairSync('ed25519')
// As long as what a message signs: a label and a hash.
const items = Array.from({ length: 256 }, (_, n) => Buffer.alloc(58, n))
const ITEM_BYTES = 58
const SIGNATURE_BYTES = 64

/**
 * Verifies `count` signatures with `inFlight` at once; 1 means on the main thread. Beside a signer, another process
 * signs all the while, as the sender of messages does: on machines whose cores share their units, that alone makes
 * each verification dearer.
 */
async function bareVerify(count, { inFlight, besideSigner = false }) {
  const signer = besideSigner ? fork(file, ['sign']) : undefined
  if (signer !== undefined) await once(signer, 'message')
  const signatures = items.map((item) => sign(null, item, privateKey))
  const one = (n) => [null, items[n % items.length], publicKey, signatures[n % items.length]]
  const startCpu = process.cpuUsage()
  const start = process.hrtime.bigint()
  if (inFlight === 1) for (let n = 0; n < count; n++) verify(...one(n))
  else {
    let next = 0
    const worker = async () => {
      while (next < count) await verifyInPool(...one(next++))
    }
    await Promise.all(Array.from({ length: inFlight }, worker))
  }
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  const { user, system } = process.cpuUsage(startCpu)
  signer?.kill()
  return { rate: count / seconds, cpu: (user + system) / count }
}

/** Signs `count` times on the main thread. */
function bareSign(count) {
  const startCpu = process.cpuUsage()
  const start = process.hrtime.bigint()
  for (let n = 0; n < count; n++) sign(null, items[n % items.length], privateKey)
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  const { user, system } = process.cpuUsage(startCpu)
  return { rate: count / seconds, cpu: (user + system) / count }
}

/** The signing process. */
function signForever() {
  process.send('ready')
  for (;;) sign(null, items[0], privateKey)
}

/** Ways to verify `count` signatures, with `work()` before each of them: what the main thread does for a message. */
function ways(workers) {
  const signatures = items.map((item) => sign(null, item, privateKey))
  const item = (n) => items[n % items.length]
  const signature = (n) => signatures[n % items.length]
  const check = (isGood) => {
    if (!isGood) throw new Error('a good signature was refused')
  }

  const here = (count, work) => {
    for (let n = 0; n < count; n++) {
      work()
      check(verify(null, item(n), publicKey, signature(n)))
    }
  }

  const pool = (inFlight) => (count, work) =>
    new Promise((resolve) => {
      let [next, done] = [0, 0]
      const begin = () => {
        const n = next++
        work()
        verify(null, item(n), publicKey, signature(n), (_, isGood) => {
          check(isGood)
          if (++done === count) resolve()
          else if (next < count) begin()
        })
      }
      for (let n = 0; n < inFlight; n++) begin()
    })

  // Two batches are on their way to each worker, so that it never waits for the main thread.
  const inWorkers = (used, batch) => async (count, work) => {
    let next = 0
    const serve = async (worker) => {
      while (next < count) {
        const size = Math.min(batch, count - next)
        const bytes = new Uint8Array(size * (SIGNATURE_BYTES + ITEM_BYTES))
        for (let at = 0; at < bytes.length; at += SIGNATURE_BYTES + ITEM_BYTES, next++) {
          work()
          bytes.set(signature(next), at)
          bytes.set(item(next), at + SIGNATURE_BYTES)
        }
        check((await worker.verify(bytes)).every((isGood) => isGood === 1))
      }
    }
    const chosen = workers.slice(0, used)
    await Promise.all([...chosen, ...chosen].map(serve))
  }

  return {
    'main thread': here,
    'pool, 1 in flight': pool(1),
    'pool, 4 in flight': pool(4),
    'pool, 16 in flight': pool(16),
    'pool, 64 in flight': pool(64),
    '1 worker, batches of 1': inWorkers(1, 1),
    '1 worker, batches of 16': inWorkers(1, 16),
    '1 worker, batches of 64': inWorkers(1, 64),
    '2 workers, batches of 1': inWorkers(2, 1),
    '2 workers, batches of 16': inWorkers(2, 16),
    '2 workers, batches of 64': inWorkers(2, 64),
  }
}

/** A worker that verifies batches: signatures and items one after the other. */
function startWorker() {
  const source = `
    const { parentPort, workerData: key } = require('node:worker_threads')
    const { verify } = require('node:crypto')
    parentPort.on('message', (bytes) => {
      const verdicts = []
      for (let at = 0; at < bytes.length; at += ${SIGNATURE_BYTES + ITEM_BYTES}) {
        const end = at + ${SIGNATURE_BYTES}
        const isGood = verify(null, bytes.subarray(end, end + ${ITEM_BYTES}), key, bytes.subarray(at, end))
        verdicts.push(Number(isGood))
      }
      parentPort.postMessage(Uint8Array.from(verdicts))
    })`
  const worker = new Worker(source, { eval: true, workerData: publicKey })
  const waiting = []
  worker.on('message', (verdicts) => waiting.shift()(verdicts))
  return {
    stop: () => worker.terminate(),
    verify: (bytes) =>
      new Promise((resolve) => {
        waiting.push(resolve)
        worker.postMessage(bytes, [bytes.buffer])
      }),
  }
}

/** Keeps the main thread busy for so many microseconds. */
function spin(microseconds) {
  const end = performance.now() + microseconds / 1_000
  while (performance.now() < end);
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]

/** CPU and time per verification, in µs: medians of rounds in which the ways take turns. */
async function compare(cases, { rounds, count, work }) {
  const results = new Map(Object.keys(cases).map((name) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const [name, run] of Object.entries(cases)) {
      const startCpu = process.cpuUsage()
      const start = performance.now()
      await run(count, work)
      const { user, system } = process.cpuUsage(startCpu)
      const time = (1_000 * (performance.now() - start)) / count
      // The first round warms up.
      if (round > 0) results.get(name).push({ cpu: (user + system) / count, time })
    }
  }
  return results
}

/** How long a lone verification takes, one every 10 ms: in µs, from the call to the verdict. */
async function lone(cases, count) {
  const times = new Map(Object.keys(cases).map((name) => [name, []]))
  for (let n = 0; n < count; n++) {
    for (const [name, run] of Object.entries(cases)) {
      await new Promise((resolve) => setTimeout(resolve, 10))
      const start = performance.now()
      await run(1, () => undefined)
      times.get(name).push(1_000 * (performance.now() - start))
    }
  }
  return times
}

async function printComparison() {
  const rounds = Number(process.env.ROUNDS ?? 7)
  const count = Number(process.env.COUNT ?? 2_048)
  const workers = [startWorker(), startWorker()]
  const cases = ways(workers)
  console.log(`Node ${process.version}, ${availableParallelism()} cores, µs per verification,`)
  console.log(`medians (and least CPU) of ${rounds} rounds of ${count}\n`)
  for (const microseconds of [0, 25]) {
    console.log(`with ${microseconds} µs of other work on the main thread for each`)
    const results = await compare(cases, { rounds, count, work: () => spin(microseconds) })
    for (const [name, figures] of results) {
      const cpu = figures.map((figure) => figure.cpu)
      const time = median(figures.map((figure) => figure.time))
      const cells = [median(cpu).toFixed(1), `(${Math.min(...cpu).toFixed(1)})`, time.toFixed(1)]
      console.log(
        `  ${name.padEnd(24)} CPU ${cells[0].padStart(6)} ${cells[1].padStart(8)}  time ${cells[2]}`,
      )
    }
  }
  const names = ['main thread', 'pool, 1 in flight', '1 worker, batches of 1']
  console.log('\na lone one every 10 ms, from the call to the verdict')
  for (const [name, times] of await lone(Object.fromEntries(names.map((name) => [name, cases[name]])), 100)) {
    console.log(`  ${name.padEnd(24)} median ${median(times).toFixed(0)} µs`)
  }
  await Promise.all(workers.map((worker) => worker.stop()))
}

/** What `npm run bench` asks for, in a process of its own. */
async function printBare({ count, isSigning = false, ...how }) {
  console.log(JSON.stringify(isSigning ? bareSign(count) : await bareVerify(count, how)))
}

if (process.argv[1] === file) {
  const [what, how] = process.argv.slice(2)
  if (what === 'sign') signForever()
  else await (what === 'bare' ? printBare(JSON.parse(how)) : printComparison())
}
