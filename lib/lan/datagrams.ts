import { createSocket, type Socket, type SocketOptions } from 'node:dgram'
import { errorText } from '../ground/texts.ts'
import { LAN_GROUP_IPV4, LAN_GROUP_IPV6, LAN_LOOPBACK_PORTS, LAN_PORT } from '../limits/network-limits.ts'
import { RecentMap } from '../ground/recent-map.ts'
import type { Address } from '../wire/address.ts'
import { type Attachment, withZone } from './attachment.ts'
import { readAttachments } from './interfaces.ts'
import type { DatagramHandlers, Datagrams } from './lan.ts'

type Family = 'udp4' | 'udp6'

/** Failures that have been told; each is told once, not every 30 seconds. */
const MAX_TOLD = 64

/**
 * Beacons over UDP. One socket of each family hears what is called to the group, at a port that all nodes of this
 * machine share. What this node sends leaves from a socket of its own for each address, at any port: answers come
 * back there, which at the shared port would reach only one of the nodes.
 *
 * Its sockets do not keep the process alive: the node does, as long as it listens.
 */
export class UdpDatagrams implements Datagrams {
  readonly #port: number
  readonly #ears = new Map<Family, Socket>()
  readonly #mouths = new Map<string, Socket>()
  readonly #told = new RecentMap<string, true>(MAX_TOLD)
  #handlers: DatagramHandlers | undefined
  readonly #closing = new Set<Promise<void>>()

  /** @param port UDP port of the group. @default 31_811 */
  constructor(port: number = LAN_PORT) {
    this.#port = port
  }

  attachments(): readonly Attachment[] {
    return readAttachments()
  }

  async open(attachments: readonly Attachment[], handlers: DatagramHandlers): Promise<void> {
    this.#handlers = handlers
    const keys = new Set(attachments.map(({ key }) => key))
    for (const [key, socket] of this.#mouths) if (!keys.has(key)) this.#close(this.#mouths, key, socket)
    // One ear for all interfaces of a family: IPv4 gives each of several ears at one port what any of them joined.
    for (const family of ['udp4', 'udp6'] as const) {
      if (attachments.some((attachment) => isGrouped(attachment) && familyOf(attachment) === family)) {
        await this.#openEar(family)
      }
    }
    for (const attachment of attachments) {
      // Each time: a cable that is pulled out takes the membership with it.
      if (isGrouped(attachment)) this.#join(attachment)
      if (!this.#mouths.has(attachment.key)) await this.#openMouth(attachment)
    }
  }

  send(bytes: Uint8Array, through: Attachment, to?: Address): void {
    const socket = this.#mouths.get(through.key)
    if (socket === undefined) return
    // With a callback, a failure is one datagram that got lost, and not an event that would end the process.
    for (const { host, port } of to === undefined ? this.#groupOf(through) : [to]) {
      socket.send(bytes, port, host, (error) => {
        if (error === null) return
        this.#tell(`cannot send from ${withZone(through)}: ${errorText(error)}`)
        // Opened anew next time: the interface may have gone and come back.
        if (to === undefined) this.#close(this.#mouths, through.key, socket)
      })
    }
  }

  async close(): Promise<void> {
    this.#handlers = undefined
    for (const [family, socket] of this.#ears) this.#close(this.#ears, family, socket)
    for (const [key, socket] of this.#mouths) this.#close(this.#mouths, key, socket)
    await Promise.all(this.#closing)
  }

  /** Where everybody hears it. The zone chooses the interface: link-local groups exist on each of them. */
  #groupOf(attachment: Attachment): Address[] {
    if (!attachment.isIpv6) return [{ host: LAN_GROUP_IPV4, port: this.#port }]
    if (isGrouped(attachment)) return [{ host: `${LAN_GROUP_IPV6}%${attachment.zone}`, port: this.#port }]
    return this.#loopbackPorts().map((port) => ({ host: attachment.address, port }))
  }

  #loopbackPorts(): number[] {
    return Array.from({ length: LAN_LOOPBACK_PORTS }, (_, number) => this.#port + 1 + number)
  }

  /** Hears the group: at its address, where the platform allows that, so that nothing else is heard there. */
  async #openEar(family: Family): Promise<void> {
    if (this.#ears.has(family)) return
    const isBindable = family === 'udp4' && process.platform !== 'win32'
    const host = isBindable ? LAN_GROUP_IPV4 : family === 'udp4' ? '0.0.0.0' : '::'
    try {
      const socket = await this.#bind({ type: family, reuseAddr: true }, host, this.#port)
      this.#keep(this.#ears, family, socket)
      socket.setMulticastLoopback(true)
    } catch (error) {
      this.#tell(`cannot listen at UDP port ${this.#port}: ${errorText(error)}`)
    }
  }

  #join(attachment: Attachment): void {
    const { address, zone, isIpv6 } = attachment
    try {
      const ear = this.#ears.get(familyOf(attachment))
      if (isIpv6) ear?.addMembership(LAN_GROUP_IPV6, `::%${zone}`)
      else ear?.addMembership(LAN_GROUP_IPV4, address)
    } catch (error) {
      // It is a member already.
      if ((error as { code?: unknown }).code === 'EADDRINUSE') return
      this.#tell(`no multicast at ${withZone(attachment)}: ${errorText(error)}`)
    }
  }

  async #openMouth(attachment: Attachment): Promise<void> {
    const { key, address, zone, isIpv6 } = attachment
    try {
      // Bound to the address, so that the source which others see is in their subnet: they look at nothing else.
      const socket = isGrouped(attachment)
        ? await this.#bind({ type: familyOf(attachment) }, withZone(attachment), 0)
        : await this.#bindFirst(attachment)
      this.#keep(this.#mouths, key, socket)
      // An answer to a forged source must not leave the network either, nor what is called.
      socket.setTTL(1)
      if (!isGrouped(attachment)) return
      socket.setMulticastTTL(1)
      socket.setMulticastLoopback(true)
      socket.setMulticastInterface(isIpv6 ? `::%${zone}` : address)
    } catch (error) {
      this.#tell(`cannot send from ${withZone(attachment)}: ${errorText(error)}`)
    }
  }

  /** The first free one of the ports that stand in for a group; any other if there is none, to be answered at. */
  async #bindFirst({ address }: Attachment): Promise<Socket> {
    for (const port of this.#loopbackPorts()) {
      try {
        return await this.#bind({ type: 'udp6' }, address, port)
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'EADDRINUSE') throw error
      }
    }
    return this.#bind({ type: 'udp6' }, address, 0)
  }

  /** @throws the platform's error, such as `EADDRINUSE` */
  #bind(options: SocketOptions, address: string, port: number): Promise<Socket> {
    // `ipv6Only`: an IPv4 source must not come in as `::ffff:…` by the other door, where no subnet knows it.
    const socket = createSocket({ ...options, ipv6Only: options.type === 'udp6' })
    socket.unref()
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        socket.close()
        reject(error)
      }
      socket.once('error', fail)
      // `exclusive`: otherwise the workers of a cluster would have one socket together, and each hear a part.
      socket.bind({ address, port, exclusive: true }, () => {
        socket.off('error', fail)
        resolve(socket)
      })
    })
  }

  /** Listens to a socket that is open, for as long as it is. */
  #keep<K>(sockets: Map<K, Socket>, key: K, socket: Socket): void {
    sockets.set(key, socket)
    socket.on('message', (bytes, { address, port }) => {
      this.#handlers?.received(bytes, { host: address, port })
    })
    socket.on('error', (error) => {
      this.#tell(errorText(error))
      this.#close(sockets, key, socket)
    })
  }

  #close<K>(sockets: Map<K, Socket>, key: K, socket: Socket): void {
    // An error of what it was just sending may come when another has taken its place.
    if (sockets.get(key) !== socket) return
    sockets.delete(key)
    const closing = new Promise<void>((resolve) => socket.close(resolve)).then(() => {
      this.#closing.delete(closing)
    })
    this.#closing.add(closing)
  }

  #tell(text: string): void {
    if (this.#told.get(text) === true) return
    this.#told.set(text, true)
    this.#handlers?.failed(text)
  }
}

function familyOf({ isIpv6 }: Attachment): Family {
  return isIpv6 ? 'udp6' : 'udp4'
}

/** Whether there is a group on it. Linux has no IPv6 multicast on its loopback interface. */
function isGrouped({ isIpv6, isLoopback }: Attachment): boolean {
  return !(isIpv6 && isLoopback)
}
