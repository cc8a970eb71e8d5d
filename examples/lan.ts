// Nodes on one local network that find each other: no address is typed. In several terminals, or on several machines:
//   node examples/lan.ts alice
//   node examples/lan.ts bob
//   node examples/lan.ts carol
// Further arguments are the name of a network of your own, and the host to listen at (127.0.0.1 for this machine
// alone). End with Ctrl-C. (Node 22.18 or later; npx tsx examples/lan.ts on older ones.)
import { SecureNode } from 'secure-node'

const [name = 'someone', net = 'default', host = '0.0.0.0'] = process.argv.slice(2)
const node = new SecureNode(host, 0, undefined, { lan: true, net })

const greet = (): void => void node.sendToNodes({ text: `${name} is here` })
// Each new link may lead to somebody who has not heard it yet.
node.on('outboundNodeConnected', greet)
node.on('inboundNodeConnected', greet)

const heard = new Set<string>()
node.on('nodeMessage', (_connection, data, { from }) => {
  if (heard.has(from)) return
  heard.add(from)
  console.log(`${from.slice(0, 8)} says ${JSON.stringify(data)}`)
})

await node.start()
console.log(`${name} looks for others in the network "${net}"; end with Ctrl-C`)
process.once('SIGINT', () => void node.leave().then(() => node.stop()))
