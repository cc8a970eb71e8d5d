// A chat for the terminal. Start one, then others that connect to it:
//   node examples/chat.ts alice 10001
//   node examples/chat.ts bob 10002 127.0.0.1:10001
//   node examples/chat.ts carol 10003 127.0.0.1:10002
// Carol and Alice read each other through Bob. (Node 22.18 or later; npx tsx examples/chat.ts on older ones.)
import { createInterface } from 'node:readline'
import { type Json, type NodeConnection, SecureNode, type SignedMessage } from 'secure-node'

const [name = 'someone', port = '0', peer] = process.argv.slice(2)

/** Remote text, without what moves the cursor or hides text. */
const printable = (text: string): string => text.slice(0, 500).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '�')

class Chat extends SecureNode {
  override nodeMessage(_connection: NodeConnection, data: Json, message: SignedMessage): void {
    const { name, text } = data as { name?: unknown; text?: unknown }
    if (typeof name !== 'string' || typeof text !== 'string') return
    // Names are claims; the key behind them is not.
    console.log(`${printable(name)} (${message.from.slice(0, 8)}): ${printable(text)}`)
  }

  override inboundNodeConnected(connection: NodeConnection): void {
    console.log(`* ${connection.id.slice(0, 8)} joined`)
  }
}

const chat = new Chat('127.0.0.1', Number(port))
await chat.start()
console.log(`* you are ${name} (${chat.id.slice(0, 8)}) at 127.0.0.1:${chat.port}; end with Ctrl-D`)
if (peer !== undefined) {
  const [host = '', remotePort] = peer.split(':')
  await chat.connectWithNode(host, Number(remotePort), { reconnect: true })
}

const lines = createInterface({ input: process.stdin })
for await (const text of lines) if (text !== '') await chat.sendToNodes({ name, text })
await chat.stop()
