// Hyperswarm's streams with our signed messages on top: what signing alone costs there.
import { Identity, openMessage, signMessage } from '../../dist/message/index.js'
import { open as openStreams } from './secret-stream.js'

export function open({ onMessage }) {
  const identity = Identity.generate()
  return openStreams({
    onMessage,
    encode: async (data) => Buffer.from(await signMessage({ data }, identity)),
    decode: async (bytes) => {
      const verdict = await openMessage(bytes)
      if (!verdict.ok) throw new Error(`refused: ${verdict.code}`)
      return verdict.message.data
    },
  })
}
