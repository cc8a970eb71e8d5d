import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, createPublicKey, verify } from 'node:crypto'
import fs from 'node:fs'
import { serialize } from 'node:v8'
import { inspect } from 'node:util'
import { createContext, runInContext } from 'node:vm'
import { build } from 'esbuild'
import t from 'tap'
import type { Engine } from '../../lib/identity/engine.ts'
import { Identity, secretSeed } from '../../lib/identity/identity.ts'

// RFC 8032, 7.1, tests 1 and 2.
const SEED = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex')
const ID = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'
const SEED_2 = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'
const ID_2 = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'
const SIGNATURE_2 =
  '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
  '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
// As a program without types would do it, which the compiler would object to.
const spread = (value: object): object => ({ ...value })
const inTemplate = (value: unknown): string => `<${value as string}>`
const fromHex = (text: string): Uint8Array => Buffer.from(text, 'hex')

t.test('an ID is the public key of RFC 8032 in hexadecimal', async (t) => {
  for (const [seed, id] of [
    [SEED, ID],
    [fromHex(SEED_2), ID_2],
  ] as const) {
    const identity = Identity.fromSeed(seed)
    t.equal(identity.id, id)
    t.equal(hex(identity.publicKey), id)
  }
})

t.test('a new identity is new each time', async (t) => {
  const ids = new Set(Array.from({ length: 100 }, () => Identity.generate().id))
  t.equal(ids.size, 100)
  for (const id of ids) t.match(id, /^[0-9a-f]{64}$/)
})

t.test('a seed makes the same identity each time, and what it was made of is copied', async (t) => {
  const identity = Identity.generate()
  const seed = secretSeed(identity)
  t.equal(Identity.fromSeed(seed).id, identity.id)
  const copied = Identity.fromSeed(seed)
  const signature = hex(await copied.sign(seed.subarray(0, 0)))
  const kept = hex(seed)
  seed.fill(0)
  t.equal(hex(secretSeed(copied)), kept)
  t.equal(hex(await copied.sign(seed.subarray(0, 0))), signature)
  secretSeed(copied).fill(0)
  copied.publicKey.fill(0)
  t.equal(hex(secretSeed(copied)), kept, 'what is handed out is a copy')
  t.equal(hex(copied.publicKey), copied.id)
})

t.test('a seed may be a Buffer, a part of a larger array, or of another realm', async (t) => {
  const part = Buffer.concat([Buffer.alloc(5), SEED, Buffer.alloc(5)]).subarray(5, 37)
  const foreign = runInContext('new Uint8Array(32)', createContext()) as Uint8Array
  foreign.set(SEED)
  for (const seed of [SEED, part, new Uint8Array(SEED), foreign]) t.equal(Identity.fromSeed(seed).id, ID)
})

t.test('what is no seed is refused without being quoted', async (t) => {
  const wrong: unknown[] = [
    SEED.subarray(1),
    Buffer.concat([SEED, SEED]),
    new Uint8Array(0),
    hex(SEED),
    [...SEED],
  ]
  const kinds: unknown[] = [
    undefined,
    null,
    32,
    {},
    SEED.buffer,
    new Uint32Array(32),
    new DataView(new ArrayBuffer(32)),
  ]
  for (const seed of [...wrong, ...kinds]) {
    t.throws(() => Identity.fromSeed(seed as Uint8Array), {
      code: 'invalid-argument',
      message: /^(?!.*9d61b1)(?!.*157).*the seed must be a Uint8Array of 32 bytes, got /,
    })
  }
})

t.test('signatures are those of RFC 8032', async (t) => {
  t.equal(hex(await Identity.fromSeed(fromHex(SEED_2)).sign(Uint8Array.of(0x72))), SIGNATURE_2)
  const identity = Identity.generate()
  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(identity.publicKey).toString('base64url') },
    format: 'jwk',
  })
  for (const length of [0, 1, 64, 10_000]) {
    const bytes = new Uint8Array(length).fill(length)
    t.ok(verify(null, bytes, key, await identity.sign(bytes)))
  }
})

t.test('only bytes are signed', async (t) => {
  const identity = Identity.generate()
  for (const value of ['text', [1], new ArrayBuffer(1), new Uint16Array(1), undefined, null, { length: 1 }]) {
    await t.rejects(identity.sign(value as Uint8Array), { code: 'invalid-argument' })
  }
})

t.test('an engine can be chosen', async (t) => {
  const asked: string[] = []
  const engine: Engine = {
    name: 'tweetnacl',
    verify: () => false,
    signer: (seed) => {
      asked.push(hex(seed))
      return { publicKey: fromHex(ID), sign: async () => new Uint8Array(64).fill(1) }
    },
  }
  const identity = Identity.fromSeed(SEED, engine)
  t.same(asked, [hex(SEED)])
  t.equal(identity.id, ID)
  t.equal(hex(await identity.sign(new Uint8Array(1))), '01'.repeat(64))
  identity.publicKey.fill(0)
  t.equal(hex(identity.publicKey), ID, 'a copy, although this engine has a Buffer')
  Identity.generate(engine)
  t.match(asked[1], /^[0-9a-f]{64}$/)
})

t.test('a fingerprint is the hash of the key, as ssh prints it', async (t) => {
  const hash = createHash('sha256').update(fromHex(ID)).digest('base64').replace(/=+$/, '')
  t.equal(Identity.fromSeed(SEED).fingerprint, `SHA256:${hash}`)
  t.match(Identity.generate().fingerprint, /^SHA256:[A-Za-z0-9+/]{43}$/)
})

t.test('numbers of messages only grow, whatever the clock does', async (t) => {
  const identity = Identity.generate()
  const now = 1_764_000_000_000
  t.equal(identity.nextSeq(now), now * 1_000)
  t.equal(identity.nextSeq(now), now * 1_000 + 1)
  t.equal(identity.nextSeq(now - 60_000), now * 1_000 + 2, 'the clock went back')
  t.equal(identity.nextSeq(0), now * 1_000 + 3)
  t.equal(identity.nextSeq(now + 1), (now + 1) * 1_000)
  t.equal(identity.nextSeq(now + 1.0015), (now + 1) * 1_000 + 1, 'whole numbers only')
  const seqs = Array.from({ length: 5_000 }, () => identity.nextSeq(now))
  t.ok(seqs.every((seq, index) => Number.isSafeInteger(seq) && (index === 0 || seq > seqs[index - 1]!)))
  t.equal(Identity.generate().nextSeq(0), 1, 'the first number is positive')
})

t.test('a time that is none changes nothing', async (t) => {
  const identity = Identity.generate()
  t.equal(identity.nextSeq(5), 5_000)
  for (const now of [
    NaN,
    Infinity,
    -Infinity,
    -1,
    9_007_199_254_741,
    Number.MAX_SAFE_INTEGER,
    'x',
    undefined,
    {},
  ]) {
    t.throws(() => identity.nextSeq(now as number), { code: 'invalid-argument' }, inspect(now))
  }
  t.equal(identity.nextSeq(5), 5_001)
  t.equal(identity.nextSeq(9_007_199_254_740), 9_007_199_254_740_000)
  while (identity.nextSeq(0) < Number.MAX_SAFE_INTEGER);
  t.throws(() => identity.nextSeq(0), { code: 'invalid-argument' }, 'there is no larger number')
})

t.test('an identity cannot be changed', async (t) => {
  const identity = Identity.fromSeed(SEED)
  t.throws(() => Object.assign(identity, { id: ID_2 }), TypeError)
  t.throws(() => Object.assign(identity, { sign: () => undefined }), TypeError)
  t.throws(() => Object.assign(identity, { publicKey: new Uint8Array(32) }), TypeError)
  t.equal(identity.id, ID)
})

t.test('nothing that prints or copies an identity shows its seed', async (t) => {
  const identity = Identity.fromSeed(SEED)
  await identity.sign(SEED)
  const everything = { showHidden: true, depth: Infinity, getters: true, showProxy: true }
  const shown = {
    string: String(identity),
    template: inTemplate(identity),
    joined: [identity, identity].join(),
    json: JSON.stringify({ identity, list: [identity] }),
    inspected: inspect(identity),
    inspectedDeeply: inspect({ a: { b: { c: [identity] } } }, everything),
    inspectedRaw: inspect(identity, { ...everything, customInspect: false }),
    inspectedProxy: inspect(new Proxy(identity, {}), everything),
    cloned: inspect(structuredClone(identity), everything),
    spread: inspect(spread(identity), everything),
    assigned: inspect(Object.assign({}, identity), everything),
    keys: inspect(Reflect.ownKeys(identity)),
    descriptors: inspect(Object.getOwnPropertyDescriptors(identity), everything),
    serialized: serialize(identity).toString('latin1'),
  }
  for (const [how, text] of Object.entries(shown)) {
    if (how !== 'keys') t.match(text, ID, how)
    t.notMatch(text.toLowerCase(), /9d61b19d|9d, ?0?x?61|nwgxne|157, ?97|9d 61 b1/, how)
    t.notOk(text.includes(SEED.subarray(0, 6).toString('latin1')), how)
  }
  t.equal(shown.string, `Identity ${ID}`)
  t.equal(shown.template, `<Identity ${ID}>`)
  t.equal(shown.inspected, `Identity ${ID}`)
  t.equal(shown.json, `{"identity":"${ID}","list":["${ID}"]}`)
  t.same(spread(identity), { id: ID })
  t.same(Reflect.ownKeys(identity), ['id'])
})

t.test('the seed is given for an identity only, not for what looks like one', async (t) => {
  const identity = Identity.fromSeed(SEED)
  t.same(Buffer.from(secretSeed(identity)), SEED)
  const others: unknown[] = [
    spread(identity),
    Object.create(identity),
    new Proxy(identity, {}),
    structuredClone(identity),
  ]
  for (const other of [...others, {}, ID]) {
    t.throws(() => secretSeed(other as Identity), { code: 'invalid-argument', message: /^(?!.*9d61b1)/ })
  }
})

t.test('a saved identity is loaded again', async (t) => {
  const dir = t.testdir({})
  const identity = Identity.generate()
  await identity.save(`${dir}/key`)
  const loaded = await Identity.load(`${dir}/key`)
  t.equal(loaded.id, identity.id)
  const bytes = Uint8Array.of(1, 2, 3)
  t.equal(hex(await loaded.sign(bytes)), hex(await identity.sign(bytes)))
  await t.rejects(identity.save(`${dir}/key`), { code: 'key-exists' })
  await Identity.fromSeed(SEED).save(`${dir}/key`, { overwrite: true })
  t.equal((await Identity.load(`${dir}/key`)).id, ID)
  await t.rejects(Identity.load(`${dir}/missing`), { code: 'key-missing' })
})

t.test('a saved identity with a password is loaded with the password only', async (t) => {
  const dir = t.testdir({})
  await Identity.fromSeed(SEED).save(`${dir}/key`, { password: 'secret' })
  t.equal((await Identity.load(`${dir}/key`, { password: 'secret' })).id, ID)
  await t.rejects(Identity.load(`${dir}/key`), { code: 'key-password-missing' })
  await t.rejects(Identity.load(`${dir}/key`, { password: undefined }), { code: 'key-password-missing' })
  await t.rejects(Identity.load(`${dir}/key`, { password: 'Secret' }), { code: 'key-password-wrong' })
  await t.rejects(Identity.load(`${dir}/key`, { password: '' }), { code: 'invalid-option' })
})

t.test('misspelt options are refused before a file is touched', async (t) => {
  const dir = t.testdir({})
  const options = { pasword: 'secret' } as { password?: string }
  await t.rejects(Identity.generate().save(`${dir}/key`, options), {
    code: 'invalid-option',
    message: /"pasword"/,
  })
  await t.rejects(Identity.load(`${dir}/key`, options), { code: 'invalid-option', message: /"pasword"/ })
  t.same(fs.readdirSync(dir), [])
})

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
const needsOpenssl = hasOpenssl ? {} : { skip: 'there is no openssl command on this machine' }

t.test('a key of openssl is an identity', needsOpenssl, async (t) => {
  const dir = t.testdir({})
  execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', `${dir}/key`], { stdio: 'pipe' })
  fs.chmodSync(`${dir}/key`, 0o600)
  const spki = execFileSync('openssl', ['pkey', '-in', `${dir}/key`, '-pubout', '-outform', 'DER'], {
    stdio: 'pipe',
  })
  t.equal((await Identity.load(`${dir}/key`)).id, hex(spki.subarray(-32)))
})

t.test('a bundle for browsers needs nothing of Node.js, and says so about key files', async (t) => {
  const contents = "export * from './identity.ts'"
  const result = await build({
    stdin: { contents, resolveDir: new URL('../../lib/identity', import.meta.url).pathname, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'bundle',
    platform: 'browser',
    logLevel: 'silent',
  })
  t.same(result.warnings, [])
  const context = createContext({ crypto: globalThis.crypto, TextEncoder, btoa })
  runInContext(result.outputFiles[0]!.text, context)
  const run = (code: string): unknown => runInContext(code, context)
  t.equal(run(`bundle.Identity.fromSeed(Uint8Array.from([${SEED.join()}])).id`), ID)
  t.match(run('bundle.Identity.generate().fingerprint'), /^SHA256:.{43}$/)
  const failure = (code: string): unknown =>
    run(`${code}.then(() => 'none', (error) => error.code + ' ' + error.message)`)
  t.match(
    await failure("bundle.Identity.load('key')"),
    /^key-unreadable .* key files need Node.js; .*fromSeed/,
  )
  t.match(
    await failure("bundle.Identity.generate().save('key')"),
    /^key-write-failed .* key files need Node.js/,
  )
})
