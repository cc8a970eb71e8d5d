import t from 'tap'
import * as der from '../../lib/identity/der.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytes = (text: string): Uint8Array => Buffer.from(text, 'hex')
const refused = { code: 'invalid-argument' }

t.test('a length takes its shortest form', async (t) => {
  const head = (length: number): string => hex(der.octetString(new Uint8Array(length))).slice(0, -2 * length)
  t.equal(hex(der.octetString(new Uint8Array(0))), '0400')
  t.equal(head(1), '0401')
  t.equal(head(127), '047f')
  t.equal(head(128), '048180')
  t.equal(head(255), '0481ff')
  t.equal(head(256), '04820100')
  t.equal(head(65_535), '0482ffff')
  t.equal(head(65_536), '0483010000')
})

t.test('an integer is never read as a negative one, and never longer than it has to be', async (t) => {
  const cases: readonly [number | bigint, string][] = [
    [0, '020100'],
    [0n, '020100'],
    [1, '020101'],
    [127, '02017f'],
    [128, '02020080'],
    [255, '020200ff'],
    [256, '02020100'],
    [16_384, '02024000'],
    [32_767, '02027fff'],
    [32_768, '0203008000'],
    [2 ** 32, '02050100000000'],
    [2 ** 53 - 1, '02071fffffffffffff'],
    [2n ** 64n - 1n, '020900ffffffffffffffff'],
  ]
  for (const [value, text] of cases) t.equal(hex(der.integer(value)), text, String(value))
})

t.test('an integer that has no exact or no allowed form is refused', async (t) => {
  for (const value of [-1, -1n, 0.5, NaN, Infinity, 2 ** 53]) t.throws(() => der.integer(value), refused)
})

t.test('object identifiers have the bytes that the standards print', async (t) => {
  const cases: readonly [string, string][] = [
    ['1.3.101.112', '06032b6570'],
    ['1.2.840.113549.1.5.13', '06092a864886f70d01050d'],
    ['1.3.6.1.4.1.11591.4.11', '06092b06010401da47040b'],
    ['2.16.840.1.101.3.4.1.42', '060960864801650304012a'],
    ['2.5.4.3', '0603550403'],
    ['0.0', '060100'],
    ['0.39', '060127'],
    ['1.0', '060128'],
    ['2.999.3', '0603883703'],
    ['2.5.4294967296', '0606559080808000'],
  ]
  for (const [dotted, text] of cases) t.equal(hex(der.oid(dotted)), text, dotted)
})

t.test('what is no object identifier is refused', async (t) => {
  const cases = [
    '',
    '1',
    '1.',
    '.1',
    '3.1',
    '0.40',
    '1.40',
    '1.2.-3',
    '1.2.03',
    '1.2.x',
    '1..2',
    ' 1.2',
    '1.2\n',
  ]
  for (const dotted of cases) t.throws(() => der.oid(dotted), refused, JSON.stringify(dotted))
})

t.test('sequences keep their order and sets are sorted by their bytes', async (t) => {
  const [one, two, long] = [der.integer(1), der.integer(2), der.octetString(bytes('00'))]
  t.equal(hex(der.sequence()), '3000')
  t.equal(hex(der.sequence(two, one)), '3006020102020101')
  t.equal(hex(der.set(long, two, one)), '3109020101020102040100')
  // The same start: the shorter one goes first. No element of real DER begins another, so raw bytes do here.
  t.equal(hex(der.set(bytes('0500aa'), bytes('0500'))), '310505000500aa')
  const given = [two, one]
  der.set(...given)
  t.same(given, [two, one], 'the arguments are left alone')
})

t.test('strings, bits, booleans and tags', async (t) => {
  t.equal(hex(der.bitString(bytes('a1b2'))), '030300a1b2')
  t.equal(hex(der.utf8String('né')), '0c036ec3a9')
  t.equal(hex(der.boolean(true)), '0101ff')
  t.equal(hex(der.boolean(false)), '010100')
  t.equal(hex(der.nothing()), '0500')
  t.equal(hex(der.explicit(0, der.integer(2))), 'a003020102')
  t.equal(hex(der.explicit(3, der.sequence())), 'a3023000')
  t.equal(hex(der.explicit(30)), 'be00')
  for (const number of [-1, 31, 0.5, NaN]) t.throws(() => der.explicit(number), refused)
})

t.test('times are in UTC and in whole seconds', async (t) => {
  const text = (element: Uint8Array): string => Buffer.from(element.subarray(2)).toString()
  const date = new Date('2026-01-02T03:04:05.678Z')
  t.equal(hex(der.utcTime(date)).slice(0, 4), '170d')
  t.equal(text(der.utcTime(date)), '260102030405Z')
  t.equal(text(der.utcTime(new Date('1950-01-01T00:00:00Z'))), '500101000000Z')
  t.equal(text(der.utcTime(new Date('2049-12-31T23:59:59.999Z'))), '491231235959Z')
  t.equal(hex(der.generalizedTime(date)).slice(0, 4), '180f')
  t.equal(text(der.generalizedTime(date)), '20260102030405Z')
  t.equal(text(der.generalizedTime(new Date('9999-12-31T23:59:59Z'))), '99991231235959Z')
})

t.test('a year that a time cannot say is refused', async (t) => {
  for (const text of ['1949-12-31T23:59:59Z', '2050-01-01T00:00:00Z', 'never']) {
    t.throws(() => der.utcTime(new Date(text)), refused, text)
  }
  for (const text of ['-000001-01-01T00:00:00Z', '+010000-01-01T00:00:00Z', 'never']) {
    t.throws(() => der.generalizedTime(new Date(text)), refused, text)
  }
})
