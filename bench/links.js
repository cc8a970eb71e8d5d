// Thousands of links: what an idle one keeps, what time costs, and a broadcast to a thousand, some of which do not read.
// `npm run build:js && node bench/links.js [idle links] [links of the broadcast]`
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Node, SecureNode } from '../dist/index.js'

const file = fileURLToPath(import.meta.url)
/** Processes that connect; each listens at an address of its own, so that ports do not run out. */
const CHILDREN = 4
/** Connections that one of them opens at once. */
const BATCH = 20
/** Seconds over which the idle process is watched. */
const WATCH = 10
/** Messages between two looks at the memory of the sender. */
const PACE = 20

// All come from one machine here, and one process takes more than the default allows.
const LIMITS = {
  handshakeTimeout: 600_000,
  maxNewPerAddress: 1_000_000,
  maxPending: 1_000,
  maxConnections: 100_000,
}

/** Nodes that accept whatever is sent: so many that verify would take the processor from the one that is measured. */
const engine = { name: 'credulous', verify: async () => true }

function makeNode(kind, { host = '127.0.0.1', isHub = false } = {}) {
  if (kind === 'plain') return new Node(host, 0, LIMITS)
  return new SecureNode(host, 0, undefined, {
    ...LIMITS,
    messageRate: 1_000_000,
    encryption: kind !== 'signed-clear',
    ...(isHub ? {} : { engine, maxTraces: 1 }),
  })
}

/**
 * What a process keeps for each idle inbound connection, in bytes, and what it costs to open, to keep and to end them.
 * The first fifth is not counted: it fills what is there once.
 */
export async function idleLinks(kind, count) {
  const hub = await startHub(kind)
  const first = Math.ceil(count / 5)
  const groups = await startGroups(kind, hub.port)
  try {
    await spread(groups, first)
    const before = await hub.ask('measure')
    const began = performance.now()
    await spread(groups, count)
    const opening = performance.now() - began
    const after = await hub.ask('measure')
    const { cpu } = await hub.ask('watch')
    const stopping = await hub.ask('stop')
    const added = after.links - before.links
    const per = (key) => (after[key] - before[key]) / added
    return {
      links: after.links,
      rss: per('rss'),
      heap: per('heapUsed'),
      committed: per('heapTotal'),
      external: per('external'),
      accepted: (after.cpu - before.cpu) / added,
      opened: added / (opening / 1_000),
      idle: cpu,
      stop: stopping.ms,
    }
  } finally {
    await Promise.all([hub, ...groups].map((process) => process.end()))
  }
}

/**
 * A broadcast from one process to all links of it. `deaf` of the receivers read nothing at all, which must cost the
 * others nothing and the sender no more than its queue for each.
 */
export async function broadcast(kind, count, terms = {}) {
  const { messages = 500, deaf = 0, paced = false, size = 200 } = terms
  const hub = await startHub(kind)
  const groups = await startGroups(kind, hub.port)
  try {
    await spread(groups, count)
    for (const group of groups) await group.ask('deafen', deaf)
    await round(hub, groups, { messages: 50, paced, size })
    const began = performance.now()
    const sent = await round(hub, groups, { messages, paced, size })
    const rate = messages / ((performance.now() - began) / 1_000)
    return { ...sent, rate, perDelivery: (sent.cpu * 1_000) / (messages * count * (1 - deaf)) }
  } finally {
    await Promise.all([hub, ...groups].map((process) => process.end()))
  }
}

/** Sends messages, and waits until everybody who reads has got all of them. */
async function round(hub, groups, terms) {
  const heard = groups.map((group) => group.ask('hear', terms.messages))
  const sent = await hub.ask('broadcast', terms)
  await Promise.all(heard)
  return sent
}

async function startHub(kind) {
  const child = start(['hub', kind])
  const { port } = await child.ready
  return { ...child, port }
}

async function startGroups(kind, port) {
  const groups = Array.from({ length: CHILDREN }, (_, index) =>
    start(['group', kind, `127.0.0.${index + 2}`, String(port)]),
  )
  await Promise.all(groups.map(({ ready }) => ready))
  return groups
}

/** Lets the groups connect until there are `count` links together. */
async function spread(groups, count) {
  await Promise.all(groups.map((group) => group.ask('connect', Math.ceil(count / CHILDREN))))
}

/** A process that answers one question after the other. */
function start(args) {
  const child = fork(file, args, { execArgv: ['--expose-gc'] })
  const exited = once(child, 'exit').then(([code]) => {
    throw new Error(`the process "${args.join(' ')}" ended with ${code}`)
  })
  // Only of interest to who waits for an answer.
  exited.catch(() => {})
  const next = async () => {
    const [answer] = await Promise.race([once(child, 'message'), exited])
    return answer
  }
  return {
    ready: next(),
    ask(what, value) {
      child.send({ what, value })
      return next()
    },
    async end() {
      if (child.connected) child.disconnect()
      await exited.catch(() => {})
    },
  }
}

/** Milliseconds of processor time that this process has used. */
function cpuTime() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

async function measure(node) {
  // Several times: what ended in one collection is freed by the next, and pages go back later.
  for (let round = 0; round < 5; round++) {
    globalThis.gc()
    await sleep(100)
  }
  return { ...process.memoryUsage(), links: node.allNodes.size, cpu: cpuTime() }
}

/** Lets the young generation grow to its full size: how far it does is up to how busy a process is, not to its links. */
function growYoung() {
  let kept = []
  for (let round = 0; round < 20; round++) kept = Array.from({ length: 200_000 }, (_, index) => ({ index }))
  return kept.length
}

/** The process that is measured: it accepts all connections. */
async function hub(kind) {
  growYoung()
  const node = makeNode(kind, { isHub: true })
  await node.start()
  const answers = {
    async measure() {
      // The first pings go out within two seconds; a link that had none is not quite idle yet.
      await sleep(3_000)
      return measure(node)
    },
    async watch() {
      const began = cpuTime()
      await sleep(WATCH * 1_000)
      return { cpu: (cpuTime() - began) / WATCH }
    },
    /** Paced: each message in a turn of its own, so that none shares a write with the next. */
    async broadcast({ messages, paced, size }) {
      const payload = { text: 'x'.repeat(size - 20) }
      globalThis.gc()
      const base = process.memoryUsage.rss()
      const cpu = cpuTime()
      let peak = base
      for (let sent = 1; sent <= messages; sent++) {
        await node.sendToNodes(payload)
        if (paced) await turn()
        if (sent % PACE === 0) peak = Math.max(peak, process.memoryUsage.rss())
      }
      // The writes of the last turn.
      await turn()
      return { cpu: cpuTime() - cpu, growth: peak - base, links: node.allNodes.size }
    },
    async stop() {
      const began = performance.now()
      await node.stop()
      return { ms: performance.now() - began }
    },
  }
  serve(answers, { port: node.port }, () => node.stop())
}

/** A process that holds many nodes, each with one connection: two of one node would be merged. */
async function group(kind, host, port) {
  const nodes = []
  let deaf = 0
  let missing = 0
  let whenHeard
  const open = async () => {
    const node = makeNode(kind, { host })
    nodes.push(node)
    node.on('nodeMessage', () => {
      if (--missing === 0) whenHeard({})
    })
    await node.start()
    await node.connectWithNode('127.0.0.1', Number(port), { timeout: 600_000 })
  }
  const answers = {
    async connect(count) {
      while (nodes.length < count) {
        await Promise.all(Array.from({ length: Math.min(BATCH, count - nodes.length) }, open))
      }
      return {}
    },
    deafen(share) {
      deaf = Math.round(nodes.length * share)
      for (const node of nodes.slice(0, deaf)) for (const link of node.allNodes) link.pause()
      return {}
    },
    hear(messages) {
      missing += (nodes.length - deaf) * messages
      return new Promise((resolve) => (whenHeard = resolve))
    },
  }
  // Nodes that are all at an end in one turn would do nothing but say goodbye to each other.
  serve(answers, {}, () => process.exit())
}

function serve(answers, greeting, end) {
  process.on('message', ({ what, value }) => {
    void Promise.resolve(answers[what](value)).then((answer) => process.send?.(answer))
  })
  process.on('disconnect', () => void end())
  process.send(greeting)
}

const BROADCASTS = {
  'a burst': {},
  'one message a turn': { paced: true, messages: 100 },
  // What these do not read fills the system's buffers first, and then their queues of 4 MiB at most.
  'a burst of 4 KB, a tenth of the receivers deaf': { deaf: 0.1, size: 4_000, messages: 600 },
}

async function main(idle, links) {
  const kib = (bytes) => `${(bytes / 1_024).toFixed(1)}`
  for (const kind of ['signed', 'signed-clear', 'plain']) {
    const figures = await idleLinks(kind, idle)
    console.log(
      `${kind}: ${figures.links} idle links: ${kib(figures.rss)} KiB resident each, ` +
        `${kib(figures.heap)} heap, ${kib(figures.external)} external; ` +
        `${figures.accepted.toFixed(2)} ms CPU to accept one, ${figures.opened.toFixed(0)} opened/s, ` +
        `${figures.idle.toFixed(1)} ms CPU a second while idle, stopped in ${figures.stop.toFixed(0)} ms`,
    )
    for (const [name, terms] of Object.entries(BROADCASTS)) {
      const sent = await broadcast(kind, links, terms)
      console.log(
        `${kind}: ${name} to ${links} links: ${sent.rate.toFixed(0)} messages/s, ` +
          `${sent.perDelivery.toFixed(2)} µs CPU of the sender per delivery, ` +
          `memory +${(sent.growth / 1_048_576).toFixed(0)} MiB at most, ${sent.links} links left`,
      )
    }
  }
}

const [role, ...args] = process.argv[1] === file ? process.argv.slice(2) : []
if (role === 'hub') await hub(...args)
else if (role === 'group') await group(...args)
else if (process.argv[1] === file) await main(Number(role ?? 10_000), Number(args[0] ?? 1_000))
