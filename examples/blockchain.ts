// A blockchain to learn from: blocks are signed messages, each names its parent, the longest valid chain wins, and who
// was away catches up. There is no money in it. Run it: node examples/blockchain.ts
// (Node 22.18 or later; npx tsx examples/blockchain.ts on older ones)
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type Json, type NodeConnection, SecureNode, type SignedMessage } from 'secure-node'

interface Block {
  /** 1 for the first block, and one more than its parent. */
  readonly height: number
  /** Hash of the block before it: nothing in the past can be changed without changing every hash after it. */
  readonly parent: string
  readonly miner: string
  readonly text: string
  /** What the miner has searched for, until the hash began with enough zeros. */
  readonly nonce: number
}

const START = '0'.repeat(64)
/** What every hash must begin with: 4,096 trials on average, and a single one to check it. */
const PROOF = '000'
/** Blocks without a parent that are kept: it may still come. Whoever invents them must not fill the memory. */
const MAX_WAITING = 100

const hashOf = ({ height, parent, miner, text, nonce }: Block): string =>
  createHash('sha256')
    .update(JSON.stringify([height, parent, miner, text, nonce]))
    .digest('hex')

/** Anybody can send anything. */
function toBlock(data: Json): Block | undefined {
  const { height, parent, miner, text, nonce } = (data ?? {}) as { [K in keyof Block]?: unknown }
  const areTexts = typeof parent === 'string' && typeof miner === 'string' && typeof text === 'string'
  if (!areTexts || typeof height !== 'number' || typeof nonce !== 'number') return undefined
  return { height, parent, miner, text, nonce }
}

class Miner extends SecureNode {
  readonly name: string
  /** All valid blocks by their hashes, those of chains that have lost too. */
  readonly #blocks = new Map<string, Block>()
  readonly #waiting = new Map<string, Block>()
  #head = START

  constructor(name: string) {
    // What a node has heard in the last ten minutes it tells those who were not there.
    super('127.0.0.1', 0, undefined, { history: { maxAge: 600_000, maxBytes: 1_000_000 } })
    this.name = name
  }

  get height(): number {
    return this.#heightOf(this.#head)
  }

  /** The longest chain, from its first block to its last. */
  get chain(): Block[] {
    const chain: Block[] = []
    let block = this.#blocks.get(this.#head)
    for (; block !== undefined; block = this.#blocks.get(block.parent)) chain.unshift(block)
    return chain
  }

  /** Finds a block on top of the longest chain, and tells everybody. */
  async mine(text: string): Promise<void> {
    const work = { height: this.height + 1, parent: this.#head, miner: this.id, text }
    let nonce = 0
    while (!hashOf({ ...work, nonce }).startsWith(PROOF)) nonce++
    this.#log(`has found "${text}" after ${nonce + 1} trials`)
    this.#add({ ...work, nonce })
    await this.sendToNodes({ ...work, nonce }, { type: 'block' })
  }

  override nodeMessage(_connection: NodeConnection, data: Json, message: SignedMessage): void {
    const block = message.type === 'block' ? toBlock(data) : undefined
    // The signature says who has found it: nobody can pass off another one's block as his own.
    if (block === undefined || block.miner !== message.from) return
    this.#log(`hears of "${block.text}"${message.late ? ', late' : ''}`)
    this.#add(block)
  }

  #add(block: Block): void {
    const hash = hashOf(block)
    if (!hash.startsWith(PROOF) || this.#blocks.has(hash)) return
    if (block.parent !== START && !this.#blocks.has(block.parent)) {
      // Messages come in any order: what is younger may be here first.
      if (this.#waiting.size < MAX_WAITING) this.#waiting.set(hash, block)
      return
    }
    if (block.height !== this.#heightOf(block.parent) + 1) return
    this.#blocks.set(hash, block)
    if (block.height > this.height) this.#follow(hash, block)
    for (const [child, { parent }] of this.#waiting) if (parent === hash) this.#release(child)
  }

  #release(hash: string): void {
    const block = this.#waiting.get(hash)!
    this.#waiting.delete(hash)
    this.#add(block)
  }

  /** The longest chain wins: whoever has done the most work decides, and all see the same. */
  #follow(hash: string, block: Block): void {
    if (block.parent !== this.#head) this.#log('leaves its chain for a longer one')
    this.#head = hash
  }

  #heightOf(hash: string): number {
    return this.#blocks.get(hash)?.height ?? 0
  }

  #log(text: string): void {
    console.log(`  ${this.name} ${text}`)
  }
}

/** Waits until chains have so many blocks. */
async function reach(height: number, ...miners: Miner[]): Promise<void> {
  for (const miner of miners) while (miner.height < height) await once(miner, 'nodeMessage')
}

function show(...miners: Miner[]): void {
  for (const { name, chain } of miners) {
    console.log(`  ${name}: ${chain.map(({ text }) => text).join(' < ')}`)
  }
}

const alice = new Miner('Alice')
const bob = new Miner('Bob')
const carol = new Miner('Carol')
const miners = [alice, bob, carol]
for (const miner of miners) await miner.start()
await bob.connectWithNode('127.0.0.1', alice.port)
await carol.connectWithNode('127.0.0.1', bob.port)

console.log('1. A block is found, and all have it')
await alice.mine('first')
await reach(1, bob, carol)

console.log('2. Carol leaves; two blocks are found at the same time: the chain forks')
await carol.stop()
const heard = Promise.all([once(alice, 'nodeMessage'), once(bob, 'nodeMessage')])
await Promise.all([alice.mine("Alice's second"), bob.mine("Bob's second")])
await heard
show(alice, bob)

console.log('3. The next block decides which one stays')
await bob.mine('third')
await reach(3, alice)

console.log('4. Carol comes back, and catches up')
await carol.start()
await carol.connectWithNode('127.0.0.1', alice.port)
await reach(3, carol)
show(...miners)
await Promise.all(miners.map((miner) => miner.stop()))
