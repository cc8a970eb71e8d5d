// A network of processes on TCP that is shaken: nodes are killed without a word and started again, while others send
// a steady broadcast. Does every message reach every node that was there for it?
//   node bench/churn.js --nodes 20 --seconds 60 --seed 1
// Exit code 1 if one was lost or came twice. A node counts for a message if it was up, with a link at least, from 2 s
// before the message was sent until 5 s after.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { gather } from './churn/crew.js'
import { AFTER, BEFORE, judge } from './churn/verdict.js'

/** Losses that are looked into. */
const MAX_EXPLAINED = 5
/** How long the network may take to form, in ms. */
const FORM_TIMEOUT = 30_000

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '20' },
    // Nodes that send, and are never killed.
    senders: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '60' },
    // Of each sender, in messages a second.
    rate: { type: 'string', default: '2.5' },
    // Between two kills, in seconds.
    pause: { type: 'string', default: '1' },
    // How long a node stays away, in seconds, at most.
    away: { type: 'string', default: '2' },
    // Links that each node looks for.
    target: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const NAMES = ['nodes', 'senders', 'seconds', 'rate', 'pause', 'away', 'target', 'seed']
const [nodes, senders, seconds, rate, pause, away, target, seed] = NAMES.map((name) => Number(values[name]))

const random = numbers(seed)
const folder = await mkdtemp(join(tmpdir(), 'churn-'))
const crew = await gather({ nodes, senders, rate, target, folder, random })
try {
  const formed = await form()
  const churnedAt = Date.now()
  const kills = await shake()
  const { lost, ...verdict } = judge(crew, churnedAt)
  const result = { nodes, senders, seconds, seed, formed, kills, ...verdict, lost: lost.length }
  console.log(values.json ? JSON.stringify(result) : describe(result))
  for (const loss of lost.slice(0, MAX_EXPLAINED)) console.error(await explain(loss))
  if (lost.length > 0 || verdict.repeated > 0) process.exitCode = 1
} finally {
  for (const member of crew) member.end()
  await rm(folder, { recursive: true })
}

/** Waits until everybody has a link or two; resolves with how many links each has. */
async function form() {
  const wanted = Math.min(2, nodes - 1)
  const until = Date.now() + FORM_TIMEOUT
  const counts = () => crew.map(({ life }) => life.linkCount)
  while (Math.min(...counts()) < wanted && Date.now() < until) await delay(100)
  return counts().sort((a, b) => a - b)
}

/** Kills and restarts nodes by lot while the senders send; resolves with how many. */
async function shake() {
  const talkers = crew.slice(0, senders)
  // So that the first message counts as well.
  await delay(BEFORE)
  for (const talker of talkers) talker.tell('talk')
  const end = Date.now() + seconds * 1_000
  const returns = []
  for (;;) {
    await delay(Math.min(pause * 1_000, end - Date.now()))
    if (Date.now() >= end) break
    const victims = crew.slice(senders).filter(({ isUp }) => isUp)
    const victim = victims[Math.floor(random() * victims.length)]
    const absence = random() * away * 1_000
    if (victim === undefined) continue
    await victim.kill()
    returns.push(delay(absence).then(() => victim.start()))
  }
  for (const talker of talkers) talker.tell('hush')
  await Promise.all(returns)
  // The last message has its time as well, and its report.
  await delay(AFTER + 1_000)
  return returns.length
}

/** What the nodes that are there know of a message that somebody did not get. */
async function explain({ message, author, life }) {
  const lines = [
    `${name(life.id)} did not get ${name(message.id)}, sent by ${name(author.id)} at ${message.at} to ${message.peers} peers`,
    `  its links: ${life.links.map(([at, count, what]) => `${Math.round(at - message.at)} ms: ${count}, ${what}`).join('; ')}`,
  ]
  for (const member of crew.filter(({ isUp }) => isUp)) {
    const [known] = await member.explain([message.id])
    const told = known
      ? `${known.verdict} after ${Math.round(known.firstSeen - message.at)} ms, via ${name(known.via)}, to ${known.relayedTo.map(name).join(' ')}`
      : 'knows nothing'
    lines.push(`  ${name(member.life.id)} ${told}`)
  }
  return lines.join('\n')
}

function name(id) {
  return id.slice(0, 8)
}

function describe(result) {
  const {
    formed,
    kills,
    messages,
    lonely,
    due,
    lost,
    repeated,
    late,
    join: found,
    alone,
    withBook,
    made,
    ends,
  } = result
  const reasons = Object.entries(ends)
    .sort(([, a], [, b]) => b - a)
    .map(([what, count]) => `${count} ${what}`)
  return [
    `${nodes} processes, ${senders} of them sending, ${seconds} s, seed ${seed}; Node ${process.version}`,
    `links when it began: ${formed.join(' ')}`,
    `killed and restarted ${kills} times; ${withBook} knew others from their file`,
    `back in the network after ${found.p50} ms (p50), ${found.p99} (p99), ${found.max} (max); ${alone} not at all`,
    `${messages} messages, ${lonely} of them by a sender without a link`,
    `${due} deliveries were due: ${lost} lost, ${repeated} came twice`,
    `late by ${late.p50} ms (p50), ${late.p99} (p99), ${late.max} (max)`,
    `${made} links were made again; ends of links: ${reasons.join(', ')}`,
  ].join('\n')
}

/** Numbers from 0 to below 1 that depend on the seed alone (xorshift32). */
function numbers(start) {
  let state = (start * 2_654_435_761) >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 2 ** 32
  }
}
