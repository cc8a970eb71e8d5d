// The limit: what one Ed25519 verification costs when nothing else is done for a message.
import { fork } from 'node:child_process'
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const file = fileURLToPath(import.meta.url)
const verifyInPool = promisify(verify)
const { publicKey, privateKey } = generateKeyPairSync('ed25519')
// As long as what a message signs: a label and a hash.
const items = Array.from({ length: 256 }, (_, n) => Buffer.alloc(58, n))

/**
 * Verifies `count` signatures with `inFlight` at once; 1 means on the main thread. Beside a signer, another process
 * signs all the while, as the sender of messages does: on machines whose cores share their units, that alone makes
 * each verification dearer.
 */
export async function bareVerify(count, { inFlight, besideSigner = false }) {
  const signer = besideSigner ? fork(file) : undefined
  if (signer !== undefined) await once(signer, 'message')
  const signatures = items.map((item) => sign(null, item, privateKey))
  const one = (n) => [null, items[n % items.length], publicKey, signatures[n % items.length]]
  const startCpu = process.cpuUsage()
  const start = process.hrtime.bigint()
  if (inFlight === 1) for (let n = 0; n < count; n++) verify(...one(n))
  else {
    let next = 0
    const worker = async () => {
      while (next < count) await verifyInPool(...one(next++))
    }
    await Promise.all(Array.from({ length: inFlight }, worker))
  }
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  const { user, system } = process.cpuUsage(startCpu)
  signer?.kill()
  return { rate: count / seconds, receiver: (user + system) / count }
}

/** The signing process. */
function signForever() {
  process.send('ready')
  for (;;) sign(null, items[0], privateKey)
}

if (process.argv[1] === file) signForever()
