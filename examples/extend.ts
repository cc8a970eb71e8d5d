// A node of your own: extend SecureNode and override the methods named like the events.
// Run it: node examples/extend.ts   (Node 22.18 or later; npx tsx examples/extend.ts on older ones)
import { type Json, type NodeConnection, SecureNode, type SignedMessage } from 'secure-node'

class WeatherStation extends SecureNode {
  readonly readings = new Map<string, Json>()

  override outboundNodeConnected(connection: NodeConnection): void {
    console.log(`connected with ${connection.id.slice(0, 8)} at ${connection.host}:${connection.port}`)
  }

  override nodeMessage(_connection: NodeConnection, data: Json, message: SignedMessage): void {
    if (message.type !== 'reading') return
    this.readings.set(message.from, data)
    console.log(`${message.from.slice(0, 8)} measured ${JSON.stringify(data)}`)
    if (this.readings.size === 2) void this.stop()
  }
}

// Three stations in a line: what the first one measures reaches the last one through the one in the middle.
const [north, middle, south] = Array.from({ length: 3 }, () => new WeatherStation('127.0.0.1', 0))
for (const station of [north, middle, south]) await station!.start()
await north!.connectWithNode('127.0.0.1', middle!.port)
await south!.connectWithNode('127.0.0.1', middle!.port)

await north!.sendToNodes({ celsius: -3.5 }, { type: 'reading' })
await middle!.sendToNodes({ celsius: 4 }, { type: 'reading' })
await south!.sendToNodes({ celsius: 11.25 }, { type: 'reading' })
