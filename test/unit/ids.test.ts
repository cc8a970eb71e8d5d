import t from 'tap'
import { isHex32 } from '../../lib/wire/ids.ts'
t.test('x', t => { t.ok(isHex32('0'.repeat(64))); t.end() })
