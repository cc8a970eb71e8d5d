// The processes of the network that is shaken, and what they have told.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Identity } from '../../dist/index.js'
import { Life } from './life.js'

const MEMBER = fileURLToPath(new URL('member.js', import.meta.url))
/** Ports that no system gives to outgoing connections: that of a killed node must be free when it comes back. */
const [FIRST_PORT, LAST_PORT] = [20_000, 30_000]
/** Processes that start at once: each takes a core for some tenths of a second. */
const BATCH = 4

/** One node: its key, port and file, which stay the same, and its lives, one after the other. */
class Member {
  /** What it has done, from one start to the next. */
  lives = []
  #terms
  #child
  #isUp = false

  /** @param terms what the program is told */
  constructor(terms) {
    this.#terms = terms
  }

  get life() {
    return this.lives.at(-1)
  }

  /** Whether its node listens. */
  get isUp() {
    return this.#isUp
  }

  /** Starts the process; resolves when its node listens. */
  async start() {
    const child = fork(MEMBER, [JSON.stringify(this.#terms)], { execArgv: [] })
    this.#child = child
    // Orders to one that has just died are lost with it.
    child.on('error', () => {})
    const life = new Life()
    child.on('message', (told) => life.note(told))
    child.once('exit', () => {
      life.end()
      this.#isUp = false
    })
    const failure = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`a node could not start: ${signal ?? `exit code ${code}`}`)
    })
    // It ends at some time, as all do.
    failure.catch(() => {})
    const [introduction] = await Promise.race([once(child, 'message'), failure])
    life.begin(introduction)
    this.lives.push(life)
    this.#isUp = true
  }

  /** Ends it without a word. */
  async kill() {
    const child = this.#child
    this.#isUp = false
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  tell(order) {
    this.#child.send({ order })
  }

  /** What it remembers of some messages. */
  async explain(ids) {
    const child = this.#child
    child.send({ order: 'explain', ids })
    for (;;) {
      const [{ explained }] = await once(child, 'message')
      if (explained !== undefined) return explained
    }
  }

  end() {
    if (this.#child.connected) this.#child.disconnect()
  }
}

/**
 * Makes the members of a network and starts them. Each is told one address: that of some other one, so that none of
 * them is special.
 */
export async function gather({ nodes, senders, rate, target, folder, random }) {
  const ports = await freePorts(nodes)
  const crew = []
  for (const [number, port] of ports.entries()) {
    const key = join(folder, `${number}.pem`)
    await Identity.generate().save(key)
    const other = number === 0 ? 1 : Math.floor(random() * number)
    const bootstrap = `127.0.0.1:${ports[other]}`
    const terms = { port, key, bootstrap, target, book: join(folder, `${number}.json`) }
    crew.push(new Member(number < senders ? { ...terms, rate } : terms))
  }
  for (let at = 0; at < nodes; at += BATCH) {
    await Promise.all(crew.slice(at, at + BATCH).map((member) => member.start()))
  }
  return crew
}

async function freePorts(count) {
  const ports = []
  let port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT - 10 * count))
  for (; ports.length < count && port < LAST_PORT; port++) if (await isFree(port)) ports.push(port)
  return ports
}

async function isFree(port) {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}
