import { utf8 } from '../wire/bytes.ts'
import { encodeFrame, Kind } from '../wire/frame.ts'
import { encodeHello } from '../wire/hello.ts'

const NOTHING = new Uint8Array(0)
/** A pong that answers no ping, which nodes ignore. */
const MARK = encodeFrame(Kind.pong, new Uint8Array(8))

/** Its first bytes stand for a message that has begun: the node's own limit for frames in drips applies. */
export const MARK_HEAD = MARK.subarray(0, 4)
/** The rest of it: the message is complete, or is none. */
export const MARK_TAIL = MARK.subarray(4)
/** What the peer would have said to accept the node. */
export const WELCOME = encodeFrame(Kind.welcome, NOTHING)
/** A node that reads it ends the link with `bad-hello`. */
export const BAD_HELLO = encodeFrame(Kind.hello, utf8('{}'))
/** A node that reads it ends the link with `bad-payload`: no method of compression is named. */
export const BAD_PAYLOAD = encodeFrame(Kind.compressed, NOTHING)
/** A node that reads it ends the link with `frame-too-large`. */
export const TOO_LARGE = Uint8Array.of(0xff, 0xff, 0xff, 0xff)

/** What the peer would have said about itself; an empty host means: at the address where it is seen. */
export function helloFrame(net: string, id: string, port: number | undefined, now: number): Uint8Array {
  const listen = port === undefined ? [] : [{ host: '', port }]
  return encodeFrame(
    Kind.hello,
    encodeHello({ mode: 'plain', net, id, time: Math.floor(now), listen, caps: [] }),
  )
}
