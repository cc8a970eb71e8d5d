import { writeHex } from '../wire/hex.ts'
import { sha256Hex } from './digest.ts'

// Merkle trees as in RFC 9162, section 2.1. Leaves and nodes are hashed with different first bytes: without them,
// a node could be passed off as a leaf, and a signature over the root would cover messages that nobody has signed.
// Hashes are held in hexadecimal: as they travel in documents, and four times as fast here as arrays of bytes.

const LEAF = 0x00
const NODE = 0x01
const HASH_BYTES = 32
/** Hexadecimal digits of a hash. */
export const HASH_DIGITS = 2 * HASH_BYTES

/** Where a leaf stands in a tree, and the hashes that lead from it to the root. */
export interface Proof {
  /** Its place among the leaves, from 0. */
  readonly index: number
  /** The hashes beside the way to the root, the lowest first, in hexadecimal. */
  readonly path: string
  /** Leaves of the tree. */
  readonly size: number
}

/** The tree over some entries, each of 32 bytes in hexadecimal. There must be at least one. */
export class MerkleTree {
  /** The leaves first, the root last. A node without a sibling stands on the next level as it is. */
  readonly #levels: readonly string[][]

  constructor(entries: readonly string[]) {
    const levels = [entries.map(leafHash)]
    for (let level = levels[0]!; level.length > 1; levels.push(level)) level = parents(level)
    this.#levels = levels
  }

  /** The hash that stands for all of them, in hexadecimal. */
  get root(): string {
    return this.#levels.at(-1)![0]!
  }

  /** The way from a leaf to the root. */
  proof(index: number): Proof {
    let path = ''
    let at = index
    for (const level of this.#levels) {
      path += level[at ^ 1] ?? ''
      at >>>= 1
    }
    return { index, path, size: this.#levels[0]!.length }
  }
}

/** Hashes that a proof must have: none for a level on which the node has no sibling. */
export function pathLength(index: number, size: number): number {
  let length = 0
  for (let at = index, width = size; width > 1; at >>>= 1, width = (width + 1) >>> 1) {
    if ((at ^ 1) < width) length++
  }
  return length
}

/** The root that a proof leads to. The path must have as many hashes as {@link pathLength} says. */
export function rootOf(entry: string, { index, path, size }: Proof): string {
  let hash = leafHash(entry)
  let used = 0
  for (let at = index, width = size; width > 1; at >>>= 1, width = (width + 1) >>> 1) {
    if ((at ^ 1) >= width) continue
    const sibling = path.slice(used, (used += HASH_DIGITS))
    hash = at % 2 === 0 ? nodeHash(hash, sibling) : nodeHash(sibling, hash)
  }
  return hash
}

function parents(level: readonly string[]): string[] {
  const above: string[] = []
  for (let at = 0; at < level.length; at += 2) {
    const right = level[at + 1]
    above.push(right === undefined ? level[at]! : nodeHash(level[at]!, right))
  }
  return above
}

// One array for all: they are hashed at once, one after another.
const leaf = new Uint8Array(1 + HASH_BYTES).fill(LEAF)
const node = new Uint8Array(1 + 2 * HASH_BYTES).fill(NODE)

function leafHash(entry: string): string {
  writeHex(leaf, 1, entry)
  return sha256Hex(leaf)
}

function nodeHash(left: string, right: string): string {
  writeHex(node, 1, left)
  writeHex(node, 1 + HASH_BYTES, right)
  return sha256Hex(node)
}
