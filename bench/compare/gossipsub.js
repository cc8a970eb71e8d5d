// libp2p with gossipsub: every message signed (StrictSign), links encrypted by Noise, streams by Yamux.
import { setTimeout as sleep } from 'node:timers/promises'
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

const TOPIC = 'bench'
/** So that no burst is dropped for its size: the others do not drop either. */
const ROOM = 256 * 1_024 * 1_024

export async function open({ onMessage }) {
  const node = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { maxConnections: 1_000, inboundConnectionThreshold: 1_000 },
    services: {
      identify: identify(),
      pubsub: gossipsub({
        globalSignaturePolicy: 'StrictSign',
        allowPublishToZeroTopicPeers: true,
        // Peers that share an address, as all do here, would be taken for one attacker, and heard no more.
        scoreParams: { IPColocationFactorWeight: 0 },
        maxInboundBufferSize: ROOM,
        maxInboundDataLength: ROOM,
        maxOutboundBufferSize: ROOM,
      }),
    },
  })
  const { pubsub } = node.services
  pubsub.addEventListener('gossipsub:message', ({ detail }) =>
    onMessage(JSON.parse(new TextDecoder().decode(detail.msg.data))),
  )
  pubsub.subscribe(TOPIC)
  return {
    address: Number(node.getMultiaddrs()[0].toString().split('/').at(4)),
    connect: (port) => node.dial(multiaddr(`/ip4/127.0.0.1/tcp/${port}`)),
    // The mesh is made at heartbeats, one a second. What a node publishes itself goes to all subscribers before that.
    settle: () => sleep(2_500),
    send: (data) => pubsub.publish(TOPIC, new TextEncoder().encode(JSON.stringify(data))),
    peers: () => pubsub.getSubscribers(TOPIC).length,
    close: () => node.stop(),
  }
}
