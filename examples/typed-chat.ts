// A chat whose messages have types: Zod says what they are, TypeScript knows it, and what does not fit reaches nobody.
//   node examples/typed-chat.ts                           two nodes in one program, which ends by itself
//   node examples/typed-chat.ts alice 10001               one node; then another one that connects to it:
//   node examples/typed-chat.ts bob 10002 127.0.0.1:10001
// (Node 22.18 or later; npx tsx examples/typed-chat.ts on older ones. It needs: npm install zod)
import { createInterface } from 'node:readline'
import { SecureNode } from 'secure-node'
import { z } from 'zod'

/** Remote text, without what moves the cursor or hides text. */
const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '�')

const types = {
  // Handlers get what a schema makes of a message: here, texts that can be printed as they are.
  chat: z.object({
    name: z.string().max(40).transform(printable),
    text: z.string().max(500).transform(printable),
  }),
  who: { request: z.null(), answer: z.object({ name: z.string().max(40).transform(printable) }) },
}

function chatNode(name: string, port: number): SecureNode<typeof types> {
  const node = new SecureNode('127.0.0.1', port, undefined, { types })
  node.handle('chat', ({ data, from }) =>
    console.log(`[${name}] ${data.name} (${from.slice(0, 8)}): ${data.text}`),
  )
  node.handle('who', () => ({ name }))
  node.on('rejected', (_connection, { code, id }) =>
    console.log(`[${name}] refused a message: ${code}, ${id?.slice(0, 8)}`),
  )
  return node
}

/** Two nodes in one program. */
async function demo(): Promise<void> {
  const alice = chatNode('Alice', 0)
  const bob = chatNode('Bob', 0)
  // A node that knows nothing of the types can send whatever it likes.
  const mallory = new SecureNode('127.0.0.1', 0)
  for (const node of [alice, bob, mallory]) await node.start()
  await bob.connectWithNode('127.0.0.1', alice.port)
  await mallory.connectWithNode('127.0.0.1', bob.port)

  // With a text in the place of `null`, or without a `text`, these lines would not compile.
  const { data } = await alice.request(bob.id, 'who', null)
  console.log(`[Alice] ${bob.id.slice(0, 8)} is ${data.name}`)
  const heard = new Promise((resolve) => bob.once('nodeMessage', resolve))
  await alice.sendToNodes({ name: 'Alice', text: `Hello ${data.name}!` }, { type: 'chat' })
  await heard

  const refused = new Promise((resolve) => bob.once('rejected', resolve))
  await mallory.sendToNodes({ name: 'Mallory', text: 42 }, { type: 'chat' })
  await refused

  // What comes from a form or a file is checked when the program runs, before anything is signed.
  const typed = JSON.parse('{"name":"Alice"}') as { name: string; text: string }
  const refusal = alice.sendToNodes(typed, { type: 'chat' })
  await refusal.catch((error: unknown) => console.log(`[Alice] ${String(error)}`))
  await Promise.all([alice.stop(), bob.stop(), mallory.stop()])
}

async function chat(name: string, port: number, peer: string | undefined): Promise<void> {
  const node = chatNode(name, port)
  await node.start()
  console.log(`* you are ${name} at 127.0.0.1:${node.port}; end with Ctrl-D`)
  if (peer !== undefined) await node.join([peer])
  const lines = createInterface({ input: process.stdin })
  for await (const text of lines) if (text !== '') await node.sendToNodes({ name, text }, { type: 'chat' })
  await node.stop()
}

const [name, port = '0', peer] = process.argv.slice(2)
await (name === undefined ? demo() : chat(name, Number(port), peer))
