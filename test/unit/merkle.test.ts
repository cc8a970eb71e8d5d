import { concatBytes, hexToBytes, bytesToHex } from '@noble/hashes/utils.js'
import { sha256 } from '@noble/hashes/sha2.js'
import t from 'tap'
import { MAX_BATCH_MESSAGES } from '../../lib/limits/limits.ts'
import { HASH_DIGITS, MerkleTree, pathLength, rootOf } from '../../lib/message/merkle.ts'
import { Random } from '../../lib/testing/random.ts'
import { leafHash, naivePath, naiveRoot, nodeHash } from '../fixtures/hand-batched.ts'

const ENTRIES = Array.from({ length: MAX_BATCH_MESSAGES + 44 }, (_, at) =>
  sha256(Uint8Array.of(at >>> 8, at)),
)
const HEX = ENTRIES.map((entry) => bytesToHex(entry))
/** All of the small ones, those around every power of two, and some of the others. */
const SIZES = Array.from({ length: MAX_BATCH_MESSAGES }, (_, at) => at + 1).filter(
  (size) =>
    size <= 20 ||
    (size & (size - 1)) === 0 ||
    ((size + 1) & size) === 0 ||
    size % 2 ** 6 === 1 ||
    size % 37 === 0,
)

/** The indexes of a tree that are looked at: all of a small one, and the ends and some others of a large one. */
function indexesOf(size: number): number[] {
  const all = Array.from({ length: size }, (_, at) => at)
  return size <= 33 ? all : all.filter((at) => at < 2 || at > size - 3 || at % 29 === 0 || at === size >>> 1)
}

t.test('leaves and nodes are hashed as RFC 9162 says, with different first bytes', (t) => {
  // Written down, so that the two implementations cannot be wrong together.
  const [zero, one] = ['00'.repeat(32), 'ff'.repeat(32)]
  const leaf = (entry: string): string => bytesToHex(sha256(hexToBytes(`00${entry}`)))
  t.equal(new MerkleTree([zero]).root, leaf(zero))
  t.equal(leaf(zero), '7f9c9e31ac8256ca2f258583df262dbc7d6f68f2a03043d5c99a4ae5a7396ce9')
  t.equal(new MerkleTree([zero, one]).root, bytesToHex(sha256(hexToBytes(`01${leaf(zero)}${leaf(one)}`))))
  t.end()
})

t.test('the root is that of the recursive definition, for trees of 1 to 256 leaves', (t) => {
  for (const size of SIZES) {
    t.equal(new MerkleTree(HEX.slice(0, size)).root, bytesToHex(naiveRoot(ENTRIES.slice(0, size))), `${size}`)
  }
  t.end()
})

t.test('the paths are those of the recursive definition, and lead to the root', (t) => {
  for (const size of SIZES) {
    const entries = ENTRIES.slice(0, size)
    const tree = new MerkleTree(HEX.slice(0, size))
    const wrong = indexesOf(size).filter((index) => {
      const proof = tree.proof(index)
      const path = bytesToHex(concatBytes(...naivePath(index, entries)))
      const isSame = proof.index === index && proof.size === size && proof.path === path
      const isLong = proof.path.length === pathLength(index, size) * HASH_DIGITS
      return !isSame || !isLong || rootOf(HEX[index]!, proof) !== tree.root
    })
    t.same(wrong, [], `${size} leaves`)
  }
  t.end()
})

t.test('the length of a path is known from the place alone', (t) => {
  t.equal(pathLength(0, 1), 0)
  t.same(
    [0, 1, 2].map((index) => pathLength(index, 3)),
    [2, 2, 1],
  )
  t.same(
    [0, 4, 5, 6].map((index) => pathLength(index, 7)),
    [3, 3, 3, 2],
  )
  t.same(
    [0, 128, 255].map((index) => pathLength(index, 256)),
    [8, 8, 8],
  )
  t.equal(pathLength(256, 257), 1, 'alone on its side')
  for (const size of SIZES) {
    for (const index of indexesOf(size)) {
      const count = naivePath(index, ENTRIES.slice(0, size)).length
      if (pathLength(index, size) !== count) t.fail(`${index} of ${size}`)
    }
  }
  t.end()
})

t.test('nothing but the right entry at the right place leads to the root', (t) => {
  const random = new Random(7)
  for (const size of [2, 3, 5, 8, 13, 100, 255, 256]) {
    const tree = new MerkleTree(HEX.slice(0, size))
    const index = random.below(size)
    const proof = tree.proof(index)
    const entry = HEX[index]!
    t.equal(rootOf(entry, proof), tree.root)
    t.not(rootOf(HEX[(index + 1) % size]!, proof), tree.root, 'another entry')
    for (let at = 0; at < proof.path.length; at += 13) {
      const digit = proof.path[at] === '0' ? '1' : '0'
      const path = proof.path.slice(0, at) + digit + proof.path.slice(at + 1)
      if (rootOf(entry, { ...proof, path }) === tree.root) t.fail(`digit ${at} of the path does not matter`)
    }
    const others = indexesOf(size).filter(
      (other) => other !== index && pathLength(other, size) === pathLength(index, size),
    )
    for (const other of others) {
      if (rootOf(entry, { ...proof, index: other }) === tree.root) t.fail(`${index} passes for ${other}`)
    }
  }
  t.end()
})

t.test('a node is no leaf: the hashes of two leaves are not an entry', (t) => {
  const [a, b, c, d] = ENTRIES as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  const root = new MerkleTree(HEX.slice(0, 4)).root
  const [left, right] = [nodeHash(leafHash(a), leafHash(b)), nodeHash(leafHash(c), leafHash(d))]
  t.equal(bytesToHex(nodeHash(left, right)), root)
  t.not(new MerkleTree([bytesToHex(left), bytesToHex(right)]).root, root)
  t.not(rootOf(bytesToHex(left), { index: 0, path: bytesToHex(right), size: 2 }), root)
  t.end()
})

t.test('trees do not share anything: one can be hashed in the middle of another', (t) => {
  const first = new MerkleTree(HEX.slice(0, 5))
  const root = first.root
  new MerkleTree(HEX.slice(100, 200))
  t.equal(first.root, root)
  t.equal(rootOf(HEX[4]!, first.proof(4)), root)
  t.end()
})

t.test('the same entry twice has two places', (t) => {
  const tree = new MerkleTree([HEX[0]!, HEX[1]!, HEX[0]!])
  t.equal(rootOf(HEX[0]!, tree.proof(0)), tree.root)
  t.equal(rootOf(HEX[0]!, tree.proof(2)), tree.root)
  t.end()
})
