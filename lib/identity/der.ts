/**
 * DER (ITU-T X.690), writing only: as much as a private key (RFC 5958) and a certificate (RFC 5280) need.
 * There is no parser on purpose. What strangers send is read by OpenSSL, never by code of this package.
 */
import { invalidArgument } from '../errors.ts'

const BOOLEAN = 0x01
const INTEGER = 0x02
const BIT_STRING = 0x03
const OCTET_STRING = 0x04
const NULL = 0x05
const OBJECT_IDENTIFIER = 0x06
const UTF8_STRING = 0x0c
const SEQUENCE = 0x30
const SET = 0x31
const UTC_TIME = 0x17
const GENERALIZED_TIME = 0x18
const EXPLICIT = 0xa0

/** `SEQUENCE` of elements that are encoded already, in the order given. */
export function sequence(...elements: readonly Uint8Array[]): Uint8Array {
  return element(SEQUENCE, concat(elements))
}

/**
 * `SET OF` elements that are encoded already. Their order is ours: DER wants them sorted by their bytes
 * (X.690, 11.6), and a reader may refuse a set that is not.
 */
export function set(...elements: readonly Uint8Array[]): Uint8Array {
  return element(SET, concat([...elements].sort(compareBytes)))
}

/**
 * `INTEGER`, 0 or positive.
 *
 * @throws SecureNodeError `invalid-argument` for a negative number, a fraction, or a number above 2^53 - 1
 */
export function integer(value: number | bigint): Uint8Array {
  if (value < 0 || (typeof value === 'number' && !Number.isSafeInteger(value))) {
    throw invalidArgument('an INTEGER', 'a whole number of 0 or more (a bigint above 2^53 - 1)', value)
  }
  const hex = value.toString(16)
  const bytes = fromHex(hex.length % 2 === 0 ? hex : `0${hex}`)
  // A leading 1 bit would be read as a minus sign: a zero byte goes before it, and only then (X.690, 8.3.2).
  return element(INTEGER, bytes[0]! < 0x80 ? bytes : concat([Uint8Array.of(0), bytes]))
}

/** `BOOLEAN`; DER spells true as ff. */
export function boolean(value: boolean): Uint8Array {
  return element(BOOLEAN, Uint8Array.of(value ? 0xff : 0))
}

/** `NULL`. */
export function nothing(): Uint8Array {
  return element(NULL, new Uint8Array(0))
}

/** `OCTET STRING`. */
export function octetString(bytes: Uint8Array): Uint8Array {
  return element(OCTET_STRING, bytes)
}

/** `BIT STRING` of whole bytes: keys and signatures have no unused bits. */
export function bitString(bytes: Uint8Array): Uint8Array {
  return element(BIT_STRING, concat([Uint8Array.of(0), bytes]))
}

/** `UTF8String`. */
export function utf8String(text: string): Uint8Array {
  return element(UTF8_STRING, new TextEncoder().encode(text))
}

/**
 * `OBJECT IDENTIFIER` in dotted form, such as `1.3.101.112`.
 *
 * @throws SecureNodeError `invalid-argument` for what is no object identifier: a first number above 2, a
 *   second above 39 under 0 and 1, fewer than two numbers, leading zeros
 */
export function oid(dotted: string): Uint8Array {
  const arcs = /^[0-2](\.(0|[1-9]\d{0,14}))+$/.test(dotted) ? dotted.split('.').map(Number) : []
  const [first = 3, second = 0, ...rest] = arcs
  if (first > 2 || (first < 2 && second > 39)) {
    throw invalidArgument('an OBJECT IDENTIFIER', 'numbers with dots between them', dotted)
  }
  return element(OBJECT_IDENTIFIER, concat([first * 40 + second, ...rest].map(base128)))
}

/**
 * `[number] EXPLICIT`: a tag around elements that are encoded already.
 *
 * @param number 0 to 30: larger ones take another form that nothing here needs
 * @throws SecureNodeError `invalid-argument` for another number
 */
export function explicit(number: number, ...elements: readonly Uint8Array[]): Uint8Array {
  if (!Number.isInteger(number) || number < 0 || number > 30) {
    throw invalidArgument('a context tag', 'a whole number from 0 to 30', number)
  }
  return element(EXPLICIT | number, concat(elements))
}

/**
 * `UTCTime` in whole seconds. Its year has two digits: 1950 to 2049 (RFC 5280, 4.1.2.5.1).
 *
 * @throws SecureNodeError `invalid-argument` for another year
 */
export function utcTime(date: Date): Uint8Array {
  const year = date.getUTCFullYear()
  if (!(year >= 1950 && year <= 2049)) throw invalidArgument('a UTCTime', 'of the years 1950 to 2049', year)
  return element(UTC_TIME, new TextEncoder().encode(digits(date).slice(2)))
}

/**
 * `GeneralizedTime` in whole seconds. Certificates use it from 2050 on and nowhere else (RFC 5280, 4.1.2.5).
 *
 * @throws SecureNodeError `invalid-argument` for a year outside 0 to 9999
 */
export function generalizedTime(date: Date): Uint8Array {
  const year = date.getUTCFullYear()
  if (!(year >= 0 && year <= 9999)) throw invalidArgument('a GeneralizedTime', 'of the years 0 to 9999', year)
  return element(GENERALIZED_TIME, new TextEncoder().encode(digits(date)))
}

/** `YYYYMMDDhhmmssZ`, which is toISOString without its punctuation and its milliseconds. */
function digits(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace(/\D/g, '')}Z`
}

/** Tag, length in its shortest form (X.690, 10.1), content. */
function element(tag: number, content: Uint8Array): Uint8Array {
  return concat([Uint8Array.of(tag), lengthOf(content.length), content])
}

function lengthOf(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length)
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 0x100)) bytes.unshift(rest % 0x100)
  return Uint8Array.of(0x80 | bytes.length, ...bytes)
}

/** Seven bits a byte, the most significant first; every byte but the last has its top bit set. */
function base128(value: number): Uint8Array {
  const bytes = [value % 0x80]
  // Divided, not shifted: shifting works on 32 bits and would cut larger numbers without a word.
  for (let rest = Math.floor(value / 0x80); rest > 0; rest = Math.floor(rest / 0x80)) {
    bytes.unshift(0x80 | (rest % 0x80))
  }
  return Uint8Array.from(bytes)
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    if (left[index] !== right[index]) return left[index]! - right[index]!
  }
  return left.length - right.length
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}
