// The limit: what one Ed25519 verification costs when nothing else is done.
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { promisify } from 'node:util'

const verifyInPool = promisify(verify)

/** Verifies `count` signatures with `inFlight` at once; 1 means on the main thread. */
export async function bareVerify(count, inFlight) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  // As long as what a message signs: a label and a hash.
  const items = Array.from({ length: 256 }, (_, n) => Buffer.alloc(58, n))
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
  return { rate: count / seconds, receiver: (user + system) / count }
}
