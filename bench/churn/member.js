// One node of the network that is shaken, in a process of its own. It tells the conductor what it sends, what it
// hears, and how many links it has at what time. Whoever kills it loses what it has not told yet: a fifth of a second.
import { SecureNode } from '../../dist/index.js'

/** Between two reports, in ms. */
const REPORT_INTERVAL = 200

const { port, key, book, bootstrap, target, rate } = JSON.parse(process.argv[2])
const node = new SecureNode('127.0.0.1', port, key, {
  net: 'churn',
  bootstrap: [bootstrap],
  peerBookFile: book,
  targetConnections: target,
})

let notes = empty()
function empty() {
  return { links: [], heard: [], sent: [] }
}

/** Ms since the epoch, with fractions: all processes share the machine's clock. */
const now = () => performance.timeOrigin + performance.now()

/** `[at, links, what]`: a link has come or gone. */
const note = (what) => notes.links.push([now(), node.allNodes.size, what])
node.on('outboundNodeConnected', () => note('made'))
node.on('inboundNodeConnected', () => note('taken'))
for (const event of ['outboundNodeDisconnected', 'inboundNodeDisconnected']) {
  node.on(event, (_connection, { code, by }) => note(`${code} by ${by}`))
}
/** `[sender, number, at]` */
node.on('nodeMessage', (_connection, { number }, { from }) => notes.heard.push([from, number, now()]))

let talking
let number = 0
async function say() {
  const at = now()
  const { id, peers } = await node.sendToNodes({ number: ++number })
  notes.sent.push([number, at, id, peers])
}

function report() {
  const told = notes
  notes = empty()
  // Where nobody hears it any more, the channel says so as well.
  process.send(told, () => {})
}

process.on('message', ({ order, ids }) => {
  if (order === 'talk') talking = setInterval(say, 1_000 / rate)
  if (order === 'hush') clearInterval(talking)
  if (order === 'explain') process.send({ explained: ids.map((id) => node.explain(id) ?? null) })
})
// A conductor that is gone must not leave its processes behind.
process.on('disconnect', () => process.exit())
await node.start()
process.send({ id: node.id, known: node.peerBook.size })
setInterval(report, REPORT_INTERVAL)
