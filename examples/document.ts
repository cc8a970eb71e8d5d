// Signing and verifying a document without any network: who said what can be proven to anyone, later.
// Run it: node examples/document.ts   (Node 22.18 or later; npx tsx examples/document.ts on older ones)
import { Identity, openMessage, signMessage } from 'secure-node/message'

const alice = Identity.generate()
const document = await signMessage({ type: 'receipt', data: { item: 'bicycle', paid: 120 } }, alice)
console.log(document)

// A stored document may be of any age, hence no window; in a network, old messages are refused.
const verdict = await openMessage(document, { window: false })
if (verdict.ok) console.log(`${verdict.message.from} said`, verdict.message.data)

const forged = document.replace('"paid":120', '"paid":12')
console.log('altered:', await openMessage(forged, { window: false }))
