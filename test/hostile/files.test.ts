// Sources that lie, askers that want too much, offers that are traps: each costs what a limit says, and no more.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { FileExchange } from '../../lib/files/file-exchange.ts'
import type { FileRequest } from '../../lib/files/file-port.ts'
import { chunkCount, fileIdOf, hashChunk } from '../../lib/files/manifest.ts'
import {
  FILE_CHUNK_BYTES as CHUNK,
  FILE_TIMEOUT,
  MAX_FILE_BYTES,
  MAX_UPLOADS_PER_ASKER,
  MAX_WAITING_PER_ASKER,
} from '../../lib/limits/direct-limits.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { answered, FileNet, nodeId, someBytes } from '../fixtures/file-net.ts'

const [ALICE, BOB, MALLORY] = [nodeId('a'), nodeId('b'), nodeId('e')]
const BYTES = someBytes(5 * CHUNK + 9)
const HASHES = Buffer.concat(
  Array.from({ length: 6 }, (_, index) => hashChunk(BYTES.subarray(index * CHUNK, (index + 1) * CHUNK))),
)
const ID = fileIdOf(BYTES.length, HASHES)

const chunkAt = (index: number): Uint8Array => BYTES.subarray(index * CHUNK, (index + 1) * CHUNK)
const asked = ({ data }: FileRequest): number[] => (data as { chunks: number[] }).chunks

type Handler = (incoming: FileRequest) => Promise<unknown>

/** What an honest source would say. */
const honestInfo: Handler = async (incoming) => {
  await incoming.send({ chunk: CHUNK, size: BYTES.length }, { bytes: HASHES })
  await incoming.end()
}

const info = (data: unknown, ...parts: Uint8Array[]): Handler => {
  return async (incoming) => {
    for (const bytes of parts.length > 0 ? parts : [new Uint8Array()]) await incoming.send(data, { bytes })
    await incoming.end()
  }
}

const endless = (data: unknown, bytes: Uint8Array): Handler => {
  return async (incoming) => {
    while (!incoming.signal.aborted) {
      await incoming.send(data, { bytes })
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

/** Sends the chunks that were asked for, as `change` alters them. */
const chunks = (change: (index: number, at: number) => readonly [unknown, Uint8Array][]): Handler => {
  return async (incoming) => {
    for (const [at, index] of asked(incoming).entries()) {
      for (const [data, bytes] of change(index, at)) await incoming.send(data, { bytes })
    }
    await incoming.end()
  }
}

const ROOM = { chunk: CHUNK, size: BYTES.length }
const lyingInfos: Record<string, Handler> = {
  'the hashes of another file': info(ROOM, Buffer.alloc(HASHES.length)),
  'another size': info({ ...ROOM, size: BYTES.length - 1 }, HASHES),
  'no size': info({}, HASHES),
  'no object': info(null, HASHES),
  'a size that is no number': info({ ...ROOM, size: '1' }, HASHES),
  'a negative size': info({ ...ROOM, size: -1 }),
  'a size that overflows': info({ ...ROOM, size: 2 ** 64 }, HASHES),
  'a size above the limit': info({ ...ROOM, size: MAX_FILE_BYTES + 1 }, HASHES),
  'another size of a chunk': info({ ...ROOM, chunk: 1 }, HASHES),
  'too few hashes': info(ROOM, HASHES.subarray(32)),
  'no hashes': info(ROOM),
  'nothing at all': (incoming) => incoming.end(),
  'too many hashes': info(ROOM, Buffer.concat([HASHES, HASHES])),
  'hashes once more': info(ROOM, HASHES, HASHES),
  'half a hash': info(ROOM, HASHES.subarray(0, 16)),
  'a trickle of hashes': info(
    { ...ROOM, size: MAX_FILE_BYTES },
    HASHES.subarray(0, 32),
    HASHES.subarray(0, 32),
  ),
  'hashes without end': endless({ ...ROOM, size: MAX_FILE_BYTES }, new Uint8Array(CHUNK)),
  'empty parts without end': endless({ ...ROOM, size: 0 }, new Uint8Array()),
}
const wrong = Uint8Array.from(chunkAt(0), (byte) => byte ^ 1)
const lyingChunks: Record<string, Handler> = {
  'wrong bytes': chunks((index) => [[{ index }, wrong]]),
  'one wrong chunk after a good one': chunks((index, at) => [[{ index }, at === 0 ? chunkAt(index) : wrong]]),
  'short chunks': chunks((index) => [[{ index }, chunkAt(index).subarray(1)]]),
  'long chunks': chunks((index) => [[{ index }, Buffer.concat([chunkAt(index), Buffer.alloc(1)])]]),
  'empty chunks': chunks((index) => [[{ index }, new Uint8Array()]]),
  'no numbers': chunks((index) => [[null, chunkAt(index)]]),
  'other numbers': chunks((index) => [[{ index: index + 1 }, chunkAt(index)]]),
  'chunks that were not asked for': chunks(() => [[{ index: 99 }, chunkAt(0)]]),
  'chunks twice': chunks((index) => [[{ index }, chunkAt(index)], [{ index }, chunkAt(index)]]), // prettier-ignore
  'one too many': async (incoming) => {
    for (const index of [...asked(incoming), 0]) await incoming.send({ index }, { bytes: chunkAt(index) })
    await incoming.end()
  },
  'one too few': async (incoming) => {
    for (const index of asked(incoming).slice(1)) await incoming.send({ index }, { bytes: chunkAt(index) })
    await incoming.end()
  },
  nothing: (incoming) => incoming.end(),
  'chunks without end': endless({ index: 0 }, chunkAt(0)),
}

/** A liar, an honest source, and somebody who downloads. */
function start(t: Test, lie: { info?: Handler; chunks?: Handler }) {
  const net = new FileNet()
  const folder = t.testdir({})
  const mallory = net.port(MALLORY)
  mallory.handle('file/info', lie.info ?? honestInfo)
  mallory.handle('file/chunks', lie.chunks ?? ((incoming) => incoming.fail('file-not-found', '')))
  const [alice, bob] = [new FileExchange(net.port(ALICE)), new FileExchange(net.port(BOB))]
  return { net, alice, bob, to: join(folder, 'copy'), folder }
}

const lies = [
  ...Object.entries(lyingInfos).map(
    ([name, handler]) => [`of a manifest: ${name}`, { info: handler }] as const,
  ),
  ...Object.entries(lyingChunks).map(
    ([name, handler]) => [`of chunks: ${name}`, { chunks: handler }] as const,
  ),
]

t.test('a source that lies is found out, and a download with an honest one succeeds', async (t) => {
  for (const [name, lie] of lies) {
    const { net, alice, bob, to, folder } = start(t, lie)
    await t.rejects(bob.download(ID, { from: [MALLORY], to }), { code: 'file-corrupt' }, name)
    t.notOk(existsSync(to), 'nothing of it gets the name of the file')
    await alice.share(BYTES)
    await bob.download(ID, { from: [MALLORY, ALICE], to })
    t.ok(readFileSync(to).equals(BYTES), `${name}: the file is good`)
    t.strictSame(readdirSync(folder), ['copy'])
    t.equal(net.open, 0, 'and nobody sends any more')
  }
})

t.test('a liar is not asked again in the same download', async (t) => {
  const { net, alice, bob, to } = start(t, { chunks: lyingChunks['wrong bytes']! })
  await alice.share(BYTES)
  const download = bob.download(ID, {
    from: [MALLORY, ALICE],
    to,
    onProgress: () => {
      if (net.asked.length > 6) t.equal(download.addSource(MALLORY), false)
    },
  })
  await download
  t.ok(net.asked.filter(({ to, type }) => to === MALLORY && type === 'file/chunks').length <= 2)
})

t.test('a size that is only claimed reserves nothing, in memory or on disk', async (t) => {
  const silent: Handler = async (incoming) => {
    await incoming.send({ ...ROOM, size: MAX_FILE_BYTES }, { bytes: new Uint8Array(CHUNK) })
    await new Promise(() => {})
  }
  const { net, bob, to, folder } = start(t, { info: silent })
  const before = process.memoryUsage().arrayBuffers
  const controller = new AbortController()
  const download = bob.download(ID, { from: [MALLORY], to, signal: controller.signal })
  while (net.mostParts === 0) await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  t.ok(process.memoryUsage().arrayBuffers - before < 4 * CHUNK)
  t.strictSame(readdirSync(folder), [])
  controller.abort()
  await t.rejects(download, { code: 'aborted' })
})

t.test('a file may be limited, also that of an offer', async (t) => {
  const { net, alice, bob, to, folder } = start(t, {})
  await alice.share(BYTES)
  const small = { from: [ALICE], to, maxSize: BYTES.length - 1 }
  await t.rejects(bob.download(ID, small), { code: 'file-corrupt', message: /are expected/ })
  bob.receive(() => to)
  for (const size of [BYTES.length - 1, BYTES.length + 1, 0]) {
    const offer = net.port(MALLORY)
    offer.handle('file/info', honestInfo)
    offer.handle(
      'file/chunks',
      chunks((index) => [[{ index }, chunkAt(index)]]),
    )
    const parts = offer.requestStream(BOB, 'file/offer', { id: ID, name: 'x', size })
    await t.rejects(readAll(parts), answered('file-corrupt'), `offered as ${size} bytes`)
    t.strictSame(readdirSync(folder), [])
  }
})

async function readAll(parts: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  for await (const _ of parts) count++
  return count
}

t.test('questions that make no sense are refused as what they are', async (t) => {
  const { net, alice, bob } = start(t, {})
  await alice.share(BYTES)
  bob.receive(() => t.fail('nobody is asked') as never)
  const port = net.port(MALLORY)
  const questions: [string, string, unknown, string][] = [
    ...[null, 5, [], {}, { id: 'x' }, { id: ID.toUpperCase() }, { id: ID, more: 1 }, { id: [ID] }].map(
      (data) => [ALICE, 'file/info', data, 'invalid-content'] as [string, string, unknown, string],
    ),
    [ALICE, 'file/info', { id: '0'.repeat(64) }, 'file-not-found'],
    [ALICE, 'file/chunks', { id: '0'.repeat(64), chunks: [0] }, 'file-not-found'],
    ...[[], [-1], [0.5], [6], [2 ** 53], [1e308], [null], ['0'], [0, 0], [1, 0], [0, 1, 2, 3, 4, 5, 6, 7, 8], 0, null, { 0: 0 }].map(
      (list) => [ALICE, 'file/chunks', { id: ID, chunks: list }, 'invalid-content'] as [string, string, unknown, string],
    ), // prettier-ignore
    ...[null, {}, { id: ID, name: 5, size: 1 }, { id: ID, name: 'x', size: -1 }, { id: ID, name: 'x', size: 2 ** 60 }, { id: 'x', name: 'x', size: 1 }, { id: ID, name: 'x', size: 1, to: '/etc' }].map(
      (data) => [BOB, 'file/offer', data, 'invalid-content'] as [string, string, unknown, string],
    ), // prettier-ignore
  ]
  for (const [to, type, data, code] of questions) {
    await t.rejects(
      readAll(port.requestStream(to, type, data)),
      answered(code),
      `${type} ${JSON.stringify(data)}`,
    )
  }
  t.strictSame(net.errors, [])
})

t.test('ten thousand requests at once take a few slots, and are refused', async (t) => {
  const { net, alice, folder } = start(t, {})
  // From a disk, which takes longer than to ask for it.
  writeFileSync(join(folder, 'file'), BYTES)
  await alice.share(join(folder, 'file'))
  const port = net.port(MALLORY)
  let overloads = 0
  let good = 0
  const one = async (): Promise<void> => {
    try {
      await readAll(port.requestStream(ALICE, 'file/chunks', { id: ID, chunks: [0] }))
      good++
    } catch (error) {
      if ((error as { answer?: { code: string } }).answer?.code === 'overload') overloads++
      else throw error
    }
  }
  await Promise.all(Array.from({ length: 10_000 }, one))
  t.equal(good + overloads, 10_000)
  t.ok(good >= MAX_UPLOADS_PER_ASKER + MAX_WAITING_PER_ASKER && good < 500, `${good} were answered`)
  t.ok(net.mostParts <= MAX_UPLOADS_PER_ASKER)
})

t.test('who asks and does not read loses its slots, and others get theirs', async (t) => {
  const clock = new ManualClock()
  const net = new FileNet()
  const inner = net.port(ALICE)
  // The first chunk is never taken.
  const alice = new FileExchange(
    {
      ...inner,
      handle: (type, handler) =>
        inner.handle(type, (incoming) =>
          handler(isFirst(incoming) ? { ...members(incoming), send: () => new Promise(() => {}) } : incoming),
        ),
    },
    { clock, maxUploads: 1, maxUploadsPerNode: 1 },
  )
  await alice.share(BYTES)
  const port = net.port(MALLORY)
  const first = readAll(port.requestStream(ALICE, 'file/chunks', { id: ID, chunks: [0] }))
  const second = readAll(port.requestStream(ALICE, 'file/chunks', { id: ID, chunks: [1] }))
  while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve))
  clock.advance(FILE_TIMEOUT)
  await t.rejects(first, answered('request-timeout'))
  t.equal(await second, 1)
})

const isFirst = (incoming: FileRequest): boolean => asked(incoming)[0] === 0

/** The members that a spread would lose. */
function members(incoming: FileRequest): FileRequest {
  return {
    data: incoming.data,
    from: incoming.from,
    signal: incoming.signal,
    isRequest: true,
    send: (data, options) => incoming.send(data, options),
    end: () => incoming.end(),
    fail: (code, text) => incoming.fail(code, text),
  }
}

t.test('ten thousand offers ask nobody more often than there are slots', async (t) => {
  const { net, bob } = start(t, {})
  let asks = 0
  bob.receive(() => {
    asks++
    return new Promise(() => {})
  })
  const port = net.port(MALLORY)
  const controller = new AbortController()
  const codes: unknown[] = []
  const offers = Array.from({ length: 10_000 }, () =>
    readAll(port.requestStream(BOB, 'file/offer', { id: ID, name: 'x', size: 1 }, controller)).catch(
      (error: unknown) => codes.push((error as { answer?: { code: string } }).answer?.code),
    ),
  )
  while (codes.length < 9_996) await new Promise((resolve) => setImmediate(resolve))
  t.equal(asks, 4)
  t.ok(codes.every((code) => code === 'overload'))
  controller.abort()
  await Promise.all(offers)
  t.equal(net.open, 0)
})

t.test('what is offered to one node is nothing for another', async (t) => {
  const { net, alice, bob, to } = start(t, {})
  const mallory = new FileExchange(net.port(MALLORY))
  let take!: (to: string) => void
  bob.receive(() => new Promise((resolve) => (take = resolve)))
  const offer = alice.offer(BOB, BYTES)
  while (!net.asked.some(({ type }) => type === 'file/offer'))
    await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  await t.rejects(mallory.download(ID, { from: [ALICE], to: `${to}-stolen` }), { code: 'file-not-found' })
  const stolen = net.port(nodeId('9')).requestStream(ALICE, 'file/chunks', { id: ID, chunks: [0] })
  await t.rejects(readAll(stolen), answered('file-not-found'))
  take(to)
  await offer
  t.ok(readFileSync(to).equals(BYTES))
})

t.test('the numbers of the protocol hold together', async (t) => {
  t.equal(chunkCount(MAX_FILE_BYTES) * 32, 16 * 1_024 * 1_024)
})
