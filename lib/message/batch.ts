import type { MessageId, NodeId } from '../wire/ids.ts'
import { MerkleTree, type Proof, rootOf } from './merkle.ts'

/** The place of a message among those that were signed together with it. */
export interface Place {
  readonly proof: Proof
  /** The root of the tree, in hexadecimal: what the signature is over, with the size. */
  readonly root: string
  /** Messages under the signature. */
  readonly size: number
  /** Names a signature and all that it is good or bad for: two places with one key have the same verdict. */
  keyOf(author: NodeId, signature: string): string
}

/** Messages that are signed together, by their IDs: 2 to 256 of one author. */
export class Batch {
  readonly ids: readonly MessageId[]
  /** Over the root and the size, in hexadecimal. */
  readonly signature: string
  #tree: MerkleTree | undefined
  #author: NodeId | undefined
  #key = ''

  constructor(ids: readonly MessageId[], signature: string, tree?: MerkleTree) {
    this.ids = ids
    this.signature = signature
    this.#tree = tree
  }

  get size(): number {
    return this.ids.length
  }

  /** As {@link Place.keyOf}. Its messages have one author, or are refused: so it is put together once. */
  keyOf(author: NodeId): string {
    if (author !== this.#author) {
      this.#author = author
      this.#key = keyOf(author, { root: this.tree.root, size: this.size }, this.signature)
    }
    return this.#key
  }

  /** Hashed when it is asked for: of what has come before, nobody asks. */
  get tree(): MerkleTree {
    return (this.#tree ??= new MerkleTree(this.ids))
  }
}

/** A place in a batch whose IDs are all known. */
export class BatchPlace implements Place {
  readonly batch: Batch
  readonly index: number

  constructor(batch: Batch, index: number) {
    this.batch = batch
    this.index = index
  }

  get proof(): Proof {
    return this.batch.tree.proof(this.index)
  }

  get root(): string {
    return this.batch.tree.root
  }

  get size(): number {
    return this.batch.size
  }

  keyOf(author: NodeId): string {
    return this.batch.keyOf(author)
  }
}

/** A place that a document claims: its proof leads to a root, which is good if its signature is. */
export class ProvenPlace implements Place {
  readonly proof: Proof
  readonly #id: MessageId
  #root: string | undefined

  constructor(id: MessageId, proof: Proof) {
    this.#id = id
    this.proof = proof
  }

  get root(): string {
    return (this.#root ??= rootOf(this.#id, this.proof))
  }

  get size(): number {
    return this.proof.size
  }

  keyOf(author: NodeId, signature: string): string {
    return keyOf(author, this, signature)
  }
}

function keyOf(author: NodeId, { root, size }: Pick<Place, 'root' | 'size'>, signature: string): string {
  return `${author}${root}${size}/${signature}`
}
