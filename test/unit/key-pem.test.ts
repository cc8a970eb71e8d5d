import { execFileSync, spawnSync } from 'node:child_process'
import { createCipheriv, createPrivateKey, generateKeyPairSync, randomBytes, scryptSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import t from 'tap'
import { integer, octetString, oid, sequence } from '../../lib/identity/der.ts'
import { checkPassword, decodeKey, encodeKey } from '../../lib/identity/key-pem.ts'
import { pkcs8Of } from '../../lib/identity/seed.ts'

// RFC 8032, 7.1, test 1.
const SEED = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex')
const ID = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'
const FILE = 'some/identity.pem'
const PASSWORD = 'correct horse'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
const needsOpenssl = hasOpenssl ? {} : { skip: 'there is no openssl command on this machine' }

interface Protection {
  readonly head?: string
  readonly password?: string
  readonly plain?: Uint8Array
  /** Of scrypt. As low as possible, unless a test says so: these tests open hundreds of files. */
  readonly cost?: number
  readonly kdf?: string
  readonly cipher?: string
}

function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/** A key file as ours, but with a password that costs next to nothing to try. */
function cheapFile(options: Protection = {}): string {
  const {
    head = `secure-node identity\nId: ${ID}\n`,
    password = PASSWORD,
    plain = pkcs8Of(SEED),
    cost = 2,
  } = options
  const { kdf = '1.3.6.1.4.1.11591.4.11', cipher: encryption = '2.16.840.1.101.3.4.1.42' } = options
  const [salt, iv] = [randomBytes(16), randomBytes(16)]
  const key = scryptSync(password, salt, 32, { N: cost, r: 8, p: 1, maxmem: 2 ** 27 })
  const cipher = createCipheriv('aes-256-cbc', key, iv)
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()])
  const derivation = sequence(oid(kdf), sequence(octetString(salt), integer(cost), integer(8), integer(1)))
  const parameters = sequence(derivation, sequence(oid(encryption), octetString(iv)))
  const algorithm = sequence(oid('1.2.840.113549.1.5.13'), parameters)
  return head + pem('ENCRYPTED PRIVATE KEY', sequence(algorithm, octetString(ciphertext)))
}

/** The code of the error that a text leads to, or the seed that was accepted in hexadecimal. */
function outcome(text: string, password?: string): string {
  try {
    return Buffer.from(decodeKey(text, FILE, password)).toString('hex')
  } catch (error) {
    return String((error as { code?: unknown }).code)
  }
}

t.test('a key without a password is a title, the ID and 48 bytes of PKCS#8', async (t) => {
  const text = await encodeKey(SEED)
  t.match(
    text,
    new RegExp(`^secure-node identity\nId: ${ID}\n-----BEGIN PRIVATE KEY-----\n[A-Za-z0-9+/]{64}\n-----END`),
  )
  t.ok(text.endsWith('-----END PRIVATE KEY-----\n'))
  t.same(Buffer.from(decodeKey(text, FILE)), SEED)
  t.same(createPrivateKey(text).export({ format: 'der', type: 'pkcs8' }).subarray(-32), SEED, 'node reads it')
})

t.test('a key with a password does not contain the seed, and opens with the password only', async (t) => {
  const text = await encodeKey(SEED, PASSWORD)
  t.match(text, new RegExp(`^secure-node identity\nId: ${ID}\n-----BEGIN ENCRYPTED PRIVATE KEY-----\n`))
  const der = Buffer.from(text.split('-----')[2]!, 'base64')
  t.equal(der.indexOf(SEED.subarray(0, 8)), -1)
  // scrypt with N = 2^14, r = 8, p = 5, and AES-256-CBC.
  t.ok(der.includes(Buffer.from('02024000020108020105', 'hex')))
  t.ok(der.includes(Buffer.from('060960864801650304012a0410', 'hex')))
  t.same(Buffer.from(decodeKey(text, FILE, PASSWORD)), SEED)
  t.ok(createPrivateKey({ key: text, passphrase: PASSWORD }), 'node reads it')
  t.throws(() => decodeKey(text, FILE), { code: 'key-password-missing' })
  t.throws(() => decodeKey(text, FILE, 'correct horsf'), { code: 'key-password-wrong' })
})

t.test('the same key and password never give the same text twice', async (t) => {
  t.not(await encodeKey(SEED, PASSWORD), await encodeKey(SEED, PASSWORD))
})

t.test('a seed of another length is refused without being quoted', async (t) => {
  for (const length of [0, 31, 33, 64]) {
    await t.rejects(encodeKey(new Uint8Array(length)), { code: 'invalid-argument' })
  }
})

t.test('a password is 1 to 1,024 bytes of text, and no error quotes it', async (t) => {
  for (const good of ['a', ' ', 'ä', '密码', 'a'.repeat(1_024)]) t.doesNotThrow(() => checkPassword(good))
  const secret = 'hunter2'
  for (const bad of [
    '',
    'ä'.repeat(513),
    secret.repeat(200),
    `${secret}\0`,
    7_777,
    null,
    undefined,
    [secret],
    true,
  ]) {
    t.throws(() => checkPassword(bad), {
      code: 'invalid-option',
      message: /^option "password" must be a string/,
    })
    t.throws(() => checkPassword(bad), { message: /^((?!hunter2|7777).)*$/s })
  }
})

t.test('the longest password and one of many scripts open what they closed', async (t) => {
  for (const password of ['x'.repeat(1_024), 'pässwörd 密码 🔑 "\\\n']) {
    t.same(Buffer.from(decodeKey(cheapFile({ password }), FILE, password)), SEED)
  }
})

t.test('a password that is not needed is ignored', async (t) => {
  t.same(Buffer.from(decodeKey(await encodeKey(SEED), FILE, 'needless')), SEED)
})

t.test('500 wrong passwords are all called wrong, with an ID beside the key and without', async (t) => {
  for (const head of [undefined, '']) {
    const text = cheapFile(head === undefined ? {} : { head })
    const codes = new Set<string>()
    // One in 256 decrypts to a valid padding around noise, and fails elsewhere than the others.
    for (let i = 0; i < 500; i++) codes.add(outcome(text, `wrong ${i}`))
    t.same([...codes], ['key-password-wrong'])
    t.equal(outcome(text), 'key-password-missing')
    t.equal(outcome(text, PASSWORD), SEED.toString('hex'))
  }
})

t.test('a file cut off anywhere never gives another identity', async (t) => {
  for (const whole of [await encodeKey(SEED), cheapFile()]) {
    const codes = new Map<string, number>()
    for (let length = 0; length < whole.length - 1; length++) {
      const code = outcome(whole.slice(0, length), PASSWORD)
      codes.set(code, (codes.get(code) ?? 0) + 1)
    }
    t.equal(codes.get('key-not-a-key'), 'secure-node identity'.length, 'too short to be known as ours')
    t.same([...codes.keys()].sort(), ['key-corrupt', 'key-not-a-key'])
    t.equal(outcome(whole.slice(0, -1), PASSWORD), SEED.toString('hex'), 'the last newline is not needed')
  }
})

t.test('a flipped bit anywhere gives an error or the same identity', async (t) => {
  const allowed = ['key-corrupt', 'key-not-a-key', SEED.toString('hex')]
  t.strictSame(flipEach(await encodeKey(SEED)).sort(), [...allowed].sort())
  // In the ciphertext a flipped bit cannot be told from a wrong password.
  t.strictSame(flipEach(cheapFile()).sort(), [...allowed, 'key-password-wrong'].sort())
})

/** Every outcome of a text with one bit flipped. Bytes that are not ASCII become what a decoder makes of them. */
function flipEach(text: string): string[] {
  const outcomes = new Set<string>()
  for (let bit = 0; bit < text.length * 8; bit++) {
    const bytes = Buffer.from(text)
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    outcomes.add(outcome(new TextDecoder().decode(bytes), PASSWORD))
  }
  return [...outcomes]
}

t.test('a flipped bit of the seed is noticed through the ID, with a password as well', async (t) => {
  for (let byte = 0; byte < 32; byte++) {
    const seed = Buffer.from(SEED)
    seed[byte]! ^= 0x10
    const plain = pkcs8Of(seed)
    t.equal(outcome(`secure-node identity\nId: ${ID}\n${pem('PRIVATE KEY', plain)}`), 'key-corrupt')
    t.equal(outcome(cheapFile({ plain }), PASSWORD), 'key-corrupt')
  }
})

t.test('the line with the ID must be there, once or more, and name this key', async (t) => {
  const key = pem('PRIVATE KEY', pkcs8Of(SEED))
  const good = [`Id: ${ID}\n`, `Id:${ID} \n`, `Id: ${ID}\r\n`, `Id: ${ID}\nId: ${ID}\n`, 'my notes\n', '']
  for (const head of good) t.equal(outcome(head + key), SEED.toString('hex'), head)
  const zeros = '0'.repeat(64)
  const bad = [
    'secure-node identity\n',
    'Id:\n',
    `Id: ${zeros}\n`,
    `Id: ${ID}\nId: ${zeros}\n`,
    `Id: ${ID}0\n`,
  ]
  for (const head of [...bad, `Id: ${ID.toUpperCase()}\n`]) t.equal(outcome(head + key), 'key-corrupt', head)
  t.equal(outcome(`${key}Id: ${zeros}\n`), SEED.toString('hex'), 'what follows the key is not looked at')
})

t.test('line ends of Windows and spaces after lines do no harm', async (t) => {
  for (const end of ['\r\n', ' \n', '\t\r\n']) {
    t.equal(outcome((await encodeKey(SEED)).replaceAll('\n', end)), SEED.toString('hex'))
  }
})

t.test('damaged base64 and damaged structure are called damaged', async (t) => {
  const der = pkcs8Of(SEED)
  const good = pem('PRIVATE KEY', der)
  const line = good.split('\n')[1]!
  const bodies = [
    '',
    '=',
    'AA',
    `${line}=`,
    `${line}====`,
    `!${line.slice(1)}`,
    line.slice(4),
    `${line}AAAA`,
    `-${line}`,
  ]
  for (const body of bodies) t.equal(outcome(good.replace(line, body)), 'key-corrupt', body)
  t.equal(
    outcome(pem('PRIVATE KEY', Buffer.concat([der, Buffer.from([0])]))),
    'key-corrupt',
    'bytes after the key',
  )
  t.equal(outcome(pem('PRIVATE KEY', randomBytes(48).fill(0x31, 0, 1))), 'key-corrupt')
  t.equal(outcome(pem('PRIVATE KEY', sequence())), 'key-corrupt')
  t.equal(outcome(pem('PRIVATE KEY', sequence(octetString(new Uint8Array(300))))), 'key-corrupt')
  t.equal(outcome(pem('ENCRYPTED PRIVATE KEY', sequence()), PASSWORD), 'key-corrupt')
  t.equal(outcome(good.replace('END PRIVATE', 'END PUBLIC')), 'key-corrupt')
  t.equal(outcome(good.replace('-----END PRIVATE KEY-----', '')), 'key-corrupt')
})

t.test('a text without a key is not a key, and neither are two keys', async (t) => {
  const key = pem('PRIVATE KEY', pkcs8Of(SEED))
  for (const text of [
    '',
    '\n',
    'hello\n',
    '\0\u0001',
    `  ${key}`,
    'ssh-ed25519 AAAAC3Nza me@here\n',
    'BEGIN PRIVATE KEY',
  ]) {
    t.equal(outcome(text), 'key-not-a-key', JSON.stringify(text))
  }
  t.throws(() => decodeKey(key + key, FILE), { code: 'key-not-a-key', message: /more than the one/ })
})

t.test('keys of other kinds and forms are refused with what to do', async (t) => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1_024 })
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const pkcs8 = { format: 'pem', type: 'pkcs8' } as const
  const cases: readonly [string | Buffer, RegExp][] = [
    [
      rsa.privateKey.export(pkcs8),
      /private key of type "rsa"; make an Ed25519 key with: npx secure-node keygen/,
    ],
    [rsa.privateKey.export({ format: 'pem', type: 'pkcs1' }), /of type "RSA"; make/],
    [
      rsa.publicKey.export({ format: 'pem', type: 'spki' }),
      /holds a public key; give the file with the private key/,
    ],
    [ec.export(pkcs8), /of type "ec"/],
    [ec.export({ format: 'pem', type: 'sec1' }), /of type "EC"; make/],
    [generateKeyPairSync('x25519').privateKey.export(pkcs8), /of type "x25519"/],
    [generateKeyPairSync('ed448').privateKey.export(pkcs8), /of type "ed448"/],
    [pem('CERTIFICATE', sequence()), /holds a certificate/],
    [pem('OPENSSH PRIVATE KEY', sequence()), /in the format of OpenSSH, not in PKCS#8; make/],
    [pem('EC PARAMETERS', sequence()) + pem('EC PRIVATE KEY', sequence()), /of type "EC"; make/],
    [pem('', sequence()), /of type ""/],
    ['ssh-ed25519 AAAA me@here', /public key of OpenSSH/],
    [
      pem('PRIVATE KEY', sequence(integer(0), sequence(oid('1.3.101.199')), octetString(SEED))),
      /of an unknown type/,
    ],
  ]
  for (const [text, message] of cases) {
    t.throws(() => decodeKey(String(text), FILE), { code: 'key-not-a-key', message })
  }
  const encrypted = { ...pkcs8, cipher: 'aes-256-cbc', passphrase: PASSWORD }
  t.throws(() => decodeKey(String(ec.export(encrypted)), FILE, PASSWORD), { message: /of type "ec"/ })
})

t.test('a key of PKCS#8 version 2 is read or refused for what it is, but not called damaged', async (t) => {
  const [head, tail] = ['3051020101300506032b657004220420', `812100${ID}`].map((text) =>
    Buffer.from(text, 'hex'),
  )
  const text = pem('PRIVATE KEY', Buffer.concat([head!, SEED, tail!]))
  t.match(outcome(text), /^key-not-a-key$|^9d61b19d/)
})

t.test('encryption that OpenSSL cannot undo is not blamed on the password', async (t) => {
  const files = {
    'scrypt beyond the 32 MiB of OpenSSL': cheapFile({ head: '', cost: 2 ** 15 }),
    'an unknown key derivation': cheapFile({ head: '', kdf: '1.3.6.1.4.1.11591.4.99' }),
    'an unknown cipher': cheapFile({ head: '', cipher: '2.16.840.1.101.3.4.1.99' }),
  }
  for (const [name, text] of Object.entries(files)) {
    t.throws(
      () => decodeKey(text, FILE, PASSWORD),
      { code: 'key-not-a-key', message: /openssl pkcs8 -topk8/ },
      name,
    )
  }
  t.equal(outcome(cheapFile({ cost: 2 ** 15 }), PASSWORD), 'key-corrupt', 'we never write such a file')
})

t.test('errors name the file and neither the password nor the seed', async (t) => {
  const secrets = /hunter2|9d61b19d|nWGxne/
  const texts = [
    await encodeKey(SEED),
    (await encodeKey(SEED)).replace(ID, '0'.repeat(64)),
    cheapFile(),
    'hunter2',
  ]
  for (const text of texts.flatMap((text) => [text, text.slice(0, -40)])) {
    try {
      decodeKey(text, FILE, 'hunter2')
    } catch (error) {
      t.match((error as Error).message, FILE)
      t.notMatch((error as Error).message, secrets)
      t.match((error as Error).message, /^[^A-Z]/)
    }
  }
})

t.test('openssl reads what we write', needsOpenssl, async (t) => {
  const dir = t.testdir({ plain: await encodeKey(SEED), closed: await encodeKey(SEED, PASSWORD) })
  const show = (...args: string[]): string => {
    const text = execFileSync('openssl', ['pkey', '-noout', '-text', ...args], {
      encoding: 'utf8',
      stdio: 'pipe',
    })
    return text.replace(/[\s:]/g, '')
  }
  for (const text of [
    show('-in', `${dir}/plain`),
    show('-in', `${dir}/closed`, '-passin', `pass:${PASSWORD}`),
  ]) {
    t.match(text, SEED.toString('hex'))
    t.match(text, ID)
  }
  t.throws(() => show('-in', `${dir}/closed`, '-passin', 'pass:wrong'))
})

t.test('we read what openssl writes', needsOpenssl, async (t) => {
  const dir = t.testdir({ key: '' })
  const openssl = (...args: string[]): string =>
    execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' })
  const plain = openssl('genpkey', '-algorithm', 'ed25519')
  const seed = Buffer.from(plain.split('\n')[1]!, 'base64').subarray(-32).toString('hex')
  t.equal(outcome(plain), seed)
  writeFileSync(`${dir}/key`, plain)
  const password = ['-passout', `pass:${PASSWORD}`]
  const scrypt = ['-scrypt', '-scrypt_N', '16384', '-scrypt_r', '8', '-scrypt_p', '5', '-v2', 'aes-256-cbc']
  const files = [
    openssl('pkey', '-in', `${dir}/key`, '-aes256', ...password),
    openssl('pkcs8', '-topk8', '-in', `${dir}/key`, ...password),
    openssl('pkcs8', '-topk8', '-in', `${dir}/key`, ...scrypt, ...password),
  ]
  for (const text of files) {
    t.equal(outcome(text, PASSWORD), seed)
    t.equal(outcome(text), 'key-password-missing')
    t.equal(outcome(text, 'wrong'), 'key-password-wrong')
  }
  const fresh = openssl('genpkey', '-algorithm', 'ed25519', '-aes256', '-pass', `pass:${PASSWORD}`)
  t.match(outcome(fresh, PASSWORD), /^[0-9a-f]{64}$/)
})
