// One process of a measurement: a node of one contestant, which does what its parent tells it.
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { bytesIn, watchSockets } from './socket-bytes.js'

/** Messages sent and not reported as received: without such a bound, some contestants drop and others grow. */
const WINDOW = 2_048
/** The same in bytes: half of what a node of this project lets wait for a peer that does not read. */
const WINDOW_BYTES = 2_097_152
/** Messages of one burst: what an application sends without waiting in between. */
const BURST = 256
/** Messages of a fast sender between two turns of its event loop. */
const PER_TURN = 16
/** Before a message is due, a timer would be too late: it has 1 ms steps, and is late by as much. In ms. */
const SPIN = 3

watchSockets()
const startedAt = performance.now()
const { open } = await import(`./${process.argv[2]}.js`)
const importMs = performance.now() - startedAt

let received = 0
let firstAt = 0
let cpu = process.cpuUsage()
let bytesBefore = 0
let latencies = []
let wanted = Infinity
/** Messages that the slowest receiver has, and who waits for more of them. */
let confirmed = 0
let onConfirmed = () => {}

const node = await open({ onMessage })

function onMessage({ at }) {
  const now = microseconds()
  if (received++ === 0) firstAt = now
  latencies.push(now - at)
  if (received === wanted) {
    const seconds = (now - firstAt) / 1e6
    process.send({ is: 'received', seconds, cpu: cpuSince(), latencies, rss: process.memoryUsage.rss() })
  } else if (received % BURST === 0) process.send({ is: 'progress', received })
}

const commands = {
  connect: async ({ port }) => {
    await node.connect(port)
    return {}
  },
  ready: async ({ peers, isSettled }) => {
    while (node.peers() < peers) await sleep(5)
    if (isSettled) await node.settle?.()
    return {}
  },
  /** Counts from now on. */
  expect: async ({ count }) => {
    received = 0
    latencies = []
    wanted = count
    reset()
    return {}
  },
  confirm: async (news) => {
    confirmed = news.received
    onConfirmed()
    return undefined
  },
  send: async ({ count, bytes, mode, rate }) => {
    confirmed = 0
    reset()
    await senders[mode](count, bytes, rate)
    return {}
  },
  spent: async () => ({ cpu: cpuSince(), bytesIn: bytesIn() - bytesBefore }),
  close: async () => {
    await node.close()
    process.disconnect()
    return undefined
  },
}

const senders = {
  /** Many without waiting in between. */
  burst: async (count, bytes) => {
    for (let n = 0; n < count; n += BURST) {
      await room(n, bytes)
      const some = Array.from({ length: Math.min(BURST, count - n) }, (_, index) => n + index)
      await Promise.all(some.map((number) => node.send(payload(number, bytes))))
    }
  },
  /** One after the other, as fast as they go: each is on its way before the next is given. */
  paced: async (count, bytes) => {
    for (let n = 0; n < count; n++) {
      if (n % PER_TURN === 0) {
        await room(n, bytes)
        await turn()
      }
      await node.send(payload(n, bytes))
    }
  },
  /**
   * One after the other, so many a second. Their time counts from when they were due: a sender that falls behind would
   * otherwise hide how long they waited.
   */
  rate: async (count, bytes, rate) => {
    const start = microseconds()
    for (let n = 0; n < count; n++) {
      const due = start + (n * 1e6) / rate
      const wait = (due - microseconds()) / 1_000
      if (wait > SPIN) await sleep(wait - SPIN + 1)
      if (n % PER_TURN === 0) await turn()
      while (microseconds() < due) await turn()
      await node.send(payload(n, bytes, Math.floor(due)))
    }
  },
}

/** Resolves when one more may be sent. It does not spin: that would take a core from the receiver. */
async function room(sent, bytes) {
  const most = Math.min(WINDOW, Math.floor(WINDOW_BYTES / bytes))
  while (sent - confirmed > most) await new Promise((resolve) => (onConfirmed = resolve))
}

/** JSON of so many bytes. */
function payload(n, bytes, at = microseconds()) {
  const head = { at, n: 1_000_000 + n, text: '' }
  return { ...head, text: 'x'.repeat(bytes - JSON.stringify(head).length) }
}

/** All processes of a machine read the same clock. */
function microseconds() {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e6 + Math.floor(nanoseconds / 1_000)
}

function reset() {
  cpu = process.cpuUsage()
  bytesBefore = bytesIn()
}

function cpuSince() {
  const { user, system } = process.cpuUsage(cpu)
  return user + system
}

process.on('message', async ({ number, command, ...args }) => {
  const answer = await commands[command](args)
  if (answer !== undefined) process.send({ is: 'answer', number, ...answer })
})
process.send({ is: 'open', port: node.address, importMs })
