import { fromHex } from '../wire/hex.ts'
import { utf8 } from '../wire/bytes.ts'

/** A signature that passes the strict check, and what the equation says about it. */
export interface KnownAnswer {
  readonly publicKey: Uint8Array
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
  readonly isGood: boolean
}

const RFC_KEY = fromHex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c')
const RFC_SIGNATURE = fromHex(
  '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
    '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
)
/** A key that is the sum of an ordinary point and one of order 8. Its owner can make signatures like these. */
const MIXED_KEY = fromHex('c9e6e3f90087812767b1894ab2e28dc46aa342139d6e420574af52bfd59ac329')

/**
 * What an engine is asked before it is trusted. A platform's Ed25519 comes from elsewhere and changes with it;
 * one that judged the last three in its own way would, at any stranger's wish, part this node from all others.
 */
export const KNOWN_ANSWERS: readonly KnownAnswer[] = [
  // RFC 8032, 7.1, test 2; and the same for another message.
  { publicKey: RFC_KEY, bytes: Uint8Array.of(0x72), signature: RFC_SIGNATURE, isGood: true },
  { publicKey: RFC_KEY, bytes: Uint8Array.of(0x73), signature: RFC_SIGNATURE, isGood: false },
  // Key and R of mixed order: the equation holds.
  {
    publicKey: MIXED_KEY,
    bytes: utf8('class 3: key and R of mixed order 2'),
    signature: fromHex(
      '0e36fe98abd5e5792c33a80737fa98fc9d47c6cc3b6a0a8c7cc23c099cb62cc0' +
        '87af6fe72f92814b3fe6f60a3bdbabf604732b5d8c281c9b0710169b409d2e09',
    ),
    isGood: true,
  },
  // The equation holds only when both sides are multiplied by the cofactor 8.
  {
    publicKey: MIXED_KEY,
    bytes: utf8('class 4: good only with the cofactor 0'),
    signature: fromHex(
      '7533f26976b83aecf412cc1d861f3ec3f78e61c2b1ecfc7ac13d534d20f6d820' +
        '9458f660400ad4d1eeb221ffbcf3feacad1d0a3b378099819bef96acf17d1700',
    ),
    isGood: false,
  },
  // The equation holds only when the challenge k is reduced mod L before the key is multiplied by it.
  {
    publicKey: fromHex('c959d442983e2f93de863c2ed5559f7c099693f1015c9486e32c247fd82d8fe1'),
    bytes: utf8('reduced challenge 0 2'),
    signature: fromHex(
      'a2b6f08e255ab1efbb5b39c33d1bdd5c75ebab11d519eb44749bb7ee7d7c6023' +
        '982eb768d5cdd6dd943ef3eefd605f07290f72c695cce5433fc765ee0b70f70d',
    ),
    isGood: true,
  },
]
