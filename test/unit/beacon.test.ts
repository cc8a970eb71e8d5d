import t from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import { BEACON_WINDOW, MAX_BEACON_BYTES } from '../../lib/limits/network-limits.ts'
import type { Json } from '../../lib/message/canonical.ts'
import { makeStatement } from '../../lib/message/statement.ts'
import { type Beacon, isGenuineBeacon, makeBeacon, readBeacon } from '../../lib/lan/beacon.ts'
import { Random } from '../../lib/testing/random.ts'

const NOW = Date.UTC(2026, 0, 1)
const LABEL = 'secure-node/1 beacon\0'
const alice = Identity.generate()
const bob = Identity.generate()
const sign = (bytes: Uint8Array): Promise<Uint8Array> => alice.sign(bytes)
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const plain: Beacon = { ask: true, id: alice.id, net: 'default', port: 4_000, time: NOW }
const make = (fields: Partial<Beacon> = {}): Promise<Uint8Array> => makeBeacon({ ...plain, ...fields }, sign)

const body: Record<string, Json> = { ask: 1, id: alice.id, net: 'default', port: '04000', time: NOW, v: 1 }
/** Signed, whatever it says. */
async function forge(fields: Record<string, Json | undefined>, label = LABEL): Promise<Uint8Array> {
  const entries = Object.entries({ ...body, ...fields }).filter(([, value]) => value !== undefined)
  return bytesOf((await makeStatement(label, Object.fromEntries(entries) as Json, sign)).text)
}

const codeOf = (bytes: Uint8Array, now = NOW): string => {
  const result = readBeacon(bytes, 'default', now)
  return result.ok ? 'ok' : result.code
}

t.test('a beacon says who is there, in which network, and at which port', async (t) => {
  for (const fields of [{}, { ask: false }, { port: 1 }, { port: 65_535 }, { time: NOW - 5 }]) {
    const result = readBeacon(await make(fields), 'default', NOW)
    t.match(result, { ok: true, draft: { ...plain, ...fields } })
    t.ok(result.ok && (await isGenuineBeacon(result.draft)))
  }
})

t.test('its form is the one that is documented', async (t) => {
  const text = textOf(await make())
  t.match(text, /^\{"body":\{"ask":1,"id":"[0-9a-f]{64}","net":"default","port":"04000","time":1767225600000,"v":1\},"sig":"[0-9a-f]{128}"\}$/) // prettier-ignore
  t.match(textOf(await make({ ask: false })), /^\{"body":\{"ask":0,/)
  t.equal(text, textOf(await forge({})))
  t.notMatch(text, /host|address|127\.0/, 'no address: that is where it came from')
})

t.test('all beacons of a network have one size, so no answer is larger than its question', async (t) => {
  const random = new Random(5)
  for (const net of ['a', 'default', 'n'.repeat(64)]) {
    const sizes = new Set<number>()
    for (let number = 0; number < 50; number++) {
      const time = 1e12 + random.below(9e12)
      const bytes = await makeBeacon(
        { ask: random.next() < 0.5, id: bob.id, net, port: 1 + random.below(65_535), time },
        sign,
      )
      t.match(readBeacon(bytes, net, time), { ok: true })
      sizes.add(bytes.length)
    }
    t.equal(sizes.size, 1, net)
    t.ok(Math.max(...sizes) <= MAX_BEACON_BYTES)
  }
  t.equal((await make({ net: 'n'.repeat(64) })).length, 342, 'the longest')
})

t.test('what would have another size is none', async (t) => {
  for (const port of ['4000', '004000', 4_000, '04 00', '+4000', '0x400', '-4000', '4e003', '']) {
    t.equal(codeOf(await forge({ port })), 'bad-shape', JSON.stringify(port))
  }
  for (const time of [0, 1, 999_999_999_999, 1e13, 1e15, -1e12, 1.5e12 + 0.5, '1767225600000', null]) {
    t.equal(codeOf(await forge({ time })), 'bad-shape', JSON.stringify(time))
  }
  for (const ask of [true, false, 2, -1, '1', null, 10, 0.5]) {
    t.equal(codeOf(await forge({ ask })), 'bad-shape', JSON.stringify(ask))
  }
})

t.test('every key is there, of its type, and no other', async (t) => {
  for (const key of Object.keys(body)) {
    t.equal(codeOf(await forge({ [key]: undefined })), 'bad-shape', `without ${key}`)
    for (const value of [null, [], {}, true, 'text', 17]) {
      t.equal(
        codeOf(await forge({ [key]: value })),
        key === 'net' && value === 'text' ? 'wrong-net' : 'bad-shape',
      )
    }
  }
  t.equal(codeOf(await forge({ host: '10.0.0.1' })), 'bad-shape')
  t.equal(codeOf(await forge({ v: 2 })), 'bad-shape')
  for (const port of ['00000', '65536', '99999']) t.equal(codeOf(await forge({ port })), 'bad-shape', port)
  for (const id of [alice.id.toUpperCase(), alice.id.slice(2), `${alice.id}00`]) {
    t.equal(codeOf(await forge({ id })), 'bad-shape', id)
  }
  for (const value of [[], 'text', 1, null, [body]]) {
    t.equal(codeOf(bytesOf((await makeStatement(LABEL, value as Json, sign)).text)), 'bad-shape')
  }
})

t.test('a beacon of another network is none', async (t) => {
  t.equal(codeOf(await make({ net: 'other' })), 'wrong-net')
  t.match(readBeacon(await make({ net: 'other' }), 'other', NOW), { ok: true })
  t.equal(codeOf(await forge({ net: '' })), 'bad-shape')
  t.equal(codeOf(await forge({ net: 'n'.repeat(65) })), 'bad-shape')
})

t.test('a key that everybody can sign for is nobody', async (t) => {
  t.equal(codeOf(await forge({ id: `01${'0'.repeat(62)}` })), 'bad-key')
  t.equal(codeOf(await forge({ id: '0'.repeat(64) })), 'bad-key')
})

t.test('it holds for a minute, either way', async (t) => {
  const bytes = await make()
  t.equal(codeOf(bytes, NOW + BEACON_WINDOW), 'ok')
  t.equal(codeOf(bytes, NOW + BEACON_WINDOW + 1), 'stale')
  t.equal(codeOf(bytes, NOW - BEACON_WINDOW), 'ok')
  t.equal(codeOf(bytes, NOW - BEACON_WINDOW - 1), 'early')
})

t.test('only who has the key can make one', async (t) => {
  const isGood = async (bytes: Uint8Array): Promise<boolean> => {
    const result = readBeacon(bytes, 'default', NOW)
    return result.ok && isGenuineBeacon(result.draft)
  }
  t.equal(await isGood(await make()), true)
  t.equal(await isGood(await make({ id: bob.id })), false, 'in the name of another')
  t.equal(await isGood(await forge({}, 'secure-node/1 record\0')), false, 'signed for something else')
  const text = textOf(await make())
  t.equal(await isGood(bytesOf(text.replace('"port":"04000"', '"port":"04001"'))), false, 'with another port')
  t.equal(await isGood(bytesOf(text.replace('"ask":1', '"ask":0'))), false, 'an answer made of a question')
  t.equal(await isGood(bytesOf(text.replace(/"sig":"./, '"sig":"0'))), text.includes('"sig":"0'))
})

t.test('the engine that is given is asked', async (t) => {
  const result = readBeacon(await make(), 'default', NOW)
  let asked = 0
  const engine = {
    name: 'node' as const,
    verify: () => asked++ < 0,
    signer: () => t.fail('nothing to sign') as never,
  }
  t.ok(result.ok && !(await isGenuineBeacon(result.draft, engine)))
  t.equal(asked, 1)
})

t.test('bytes that are no statement get a code', async (t) => {
  const text = textOf(await make())
  const cases: [string, Uint8Array][] = [
    ['too-large', new Uint8Array(MAX_BEACON_BYTES + 1)],
    ['bad-json', new Uint8Array(0)],
    ['bad-json', bytesOf('hello')],
    ['bad-json', bytesOf(text.slice(0, -1))],
    ['not-canonical', bytesOf(` ${text}`)],
    ['not-canonical', bytesOf(text.replace('"ask":1', '"ask":1.0'))],
    ['bad-shape', bytesOf('[]')],
    ['bad-shape', bytesOf('{}')],
    ['bad-utf8', Uint8Array.of(0x22, 0xff, 0x22)],
    ['too-deep', bytesOf('['.repeat(100) + ']'.repeat(100))],
  ]
  for (const [code, bytes] of cases) t.equal(codeOf(bytes), code)
})

t.test('no change of a byte is taken for genuine, and none throws', async (t) => {
  const bytes = await make()
  const random = new Random(11)
  for (let round = 0; round < 2_000; round++) {
    const copy = bytes.slice(0, random.next() < 0.1 ? random.below(bytes.length) : undefined)
    if (copy.length > 0) copy[random.below(copy.length)]! ^= 1 + random.below(255)
    const result = readBeacon(copy, 'default', NOW)
    if (result.ok && (await isGenuineBeacon(result.draft))) t.fail(textOf(copy))
  }
})
