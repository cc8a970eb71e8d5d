// A network that forms itself. Start one program; each of the others is told one address, of any that is there:
//   node examples/join.ts 10001
//   node examples/join.ts 10002 127.0.0.1:10001
//   node examples/join.ts 10003 127.0.0.1:10002
// Then end one of them with Ctrl-C: the others go on. (Node 22.18 or later; npx tsx examples/join.ts on older ones.)
import { SecureNode } from 'secure-node'

const [port = '0', bootstrap] = process.argv.slice(2)
const node = new SecureNode('127.0.0.1', Number(port))
const short = (id: string): string => id.slice(0, 8)

node.on('outboundNodeConnected', ({ id, host, port }) => console.log(`found ${short(id)} at ${host}:${port}`))
node.on('inboundNodeConnected', ({ id }) => console.log(`found by ${short(id)}`))
node.on('nodeMessage', (_connection, data, { from }) =>
  console.log(`${short(from)} says ${JSON.stringify(data)}`),
)

await node.start()
console.log(`${short(node.id)} listens at 127.0.0.1:${node.port}; end with Ctrl-C`)
if (bootstrap !== undefined) {
  const { peers } = await node.join([bootstrap])
  console.log(`joined, links: ${peers}`)
  await node.sendToNodes({ text: 'hello, I am new here' })
}

process.once('SIGINT', () => {
  // A goodbye, so that nobody looks for this node any more.
  void node.leave().then(() => node.stop())
})
