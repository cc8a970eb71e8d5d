// The processes of one measurement, and what they are told.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MEMBER = fileURLToPath(new URL('member.js', import.meta.url))
/** Some contestants need a newer Node than this package does; all run on the same one. */
export const NODE = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url))
/** Processes that start at once. */
const STARTING = 4
/** After this time a start or a delivery has failed, in ms. */
const TIMEOUT = 60_000

/** A process with a node of a contestant. */
export class Member {
  port = 0
  importMs = 0
  onProgress = () => {}
  #child
  #answers = new Map()
  #lastNumber = 0
  #received = withResolvers()
  #ended = withResolvers()

  static async start(contestant) {
    const member = new Member()
    member.#child = fork(MEMBER, [contestant], {
      execPath: NODE,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    member.#child.once('exit', (code) => member.#ended.reject(new Error(`${contestant} ended with ${code}`)))
    // Who waits for something else hears of it there.
    member.#ended.promise.catch(() => {})
    const [{ port, importMs }] = await member.orEnd(once(member.#child, 'message'))
    member.#child.on('message', (message) => member.#take(message))
    return Object.assign(member, { port, importMs })
  }

  /** What comes when it has got all that it expects. */
  get received() {
    return this.orEnd(this.#received.promise)
  }

  /** A promise that is not kept waiting by a process that has crashed. */
  orEnd(promise) {
    return Promise.race([promise, this.#ended.promise])
  }

  ask(command, args = {}) {
    const number = ++this.#lastNumber
    const answer = withResolvers()
    this.#answers.set(number, answer)
    this.tell(command, { ...args, number })
    return this.orEnd(answer.promise)
  }

  tell(command, args = {}) {
    if (this.#child.connected) this.#child.send({ command, ...args })
  }

  expect(count) {
    this.#received = withResolvers()
    return this.ask('expect', { count })
  }

  async stop() {
    this.tell('close')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 3_000)
    await this.#ended.promise.catch(() => {})
    clearTimeout(timer)
  }

  #take(message) {
    if (message.is === 'answer') this.#answers.get(message.number).resolve(message)
    else if (message.is === 'received') this.#received.resolve(message)
    else if (message.is === 'progress') this.onProgress(message.received)
  }
}

/**
 * Runs `body` with so many processes of a contestant, linked along `edges`: pairs of their numbers. The first of a
 * pair dials.
 */
export async function withCrew(contestant, size, edges, body) {
  const members = []
  try {
    while (members.length < size) {
      const some = Array.from({ length: Math.min(STARTING, size - members.length) }, () =>
        Member.start(contestant),
      )
      members.push(...(await Promise.all(some)))
    }
    for (const [from, to] of edges) await members[from].ask('connect', { port: members[to].port })
    const linksOf = (n) => edges.filter((edge) => edge.includes(n)).length
    const ready = members.map((member, n) => member.ask('ready', { peers: linksOf(n), isSettled: true }))
    await withTimeout(Promise.all(ready), 'not all links came up')
    return await body(members)
  } finally {
    await Promise.all(members.map((member) => member.stop()))
  }
}

/**
 * Sends `count` messages from one member to `sinks`. Returns what each of these has seen, what each has spent, and all
 * bytes that went over sockets.
 */
export async function deliver(source, sinks, { count, bytes, mode, rate }) {
  await Promise.all(sinks.map((sink) => sink.expect(count)))
  const progress = new Map(sinks.map((sink) => [sink, 0]))
  for (const sink of sinks) {
    sink.onProgress = (received) => {
      progress.set(sink, received)
      source.tell('confirm', { received: Math.min(...progress.values()) })
    }
  }
  const sent = source.ask('send', { count, bytes, mode, rate })
  const results = await withTimeout(
    Promise.all(sinks.map((sink) => sink.received)),
    'not everything was delivered',
  )
  await sent
  const spent = await Promise.all([source, ...sinks].map((member) => member.ask('spent')))
  const wire = spent.reduce((sum, { bytesIn }) => sum + bytesIn, 0)
  return { sourceCpu: spent[0].cpu / count, results, wire: wire / (count * sinks.length) }
}

function withTimeout(promise, what) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(what)), TIMEOUT)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

function withResolvers() {
  let resolve
  let reject
  const promise = new Promise((...functions) => ([resolve, reject] = functions))
  return { promise, resolve, reject }
}
