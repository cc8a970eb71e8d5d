import t from 'tap'
import * as errors from '../../lib/errors.ts'
import { errorText, quote } from '../../lib/ground/texts.ts'

const CAUSE = Object.assign(new Error('the cause'), { code: 'EIO' })
const withCode = (code: string) => Object.assign(new Error('raw text'), { code })

/** Every factory, with arguments like those it gets. `cause`: whether it passes one on. */
const SAMPLES: [error: errors.SecureNodeError, code: errors.ErrorCode, text: string, hasCause?: true][] = [
  [errors.invalidOption('net', 'a name', ''), 'invalid-option', 'option "net" must be a name, got ""'],
  [
    errors.unknownOption('a', ['b', 'c']),
    'invalid-option',
    'option "a" is not known here; the options are b, c',
  ],
  [errors.invalidArgument('port', 'an integer', 1.5), 'invalid-argument', 'port must be an integer, got 1.5'],
  [errors.invalidPayload('data.a[0]', 'no'), 'invalid-payload', 'data.a[0] cannot be sent: no'],
  [
    errors.messageTooLarge(9, 8),
    'message-too-large',
    'the message has 9 bytes, the limit is 8; send it in parts',
  ],
  [errors.keyMissing('a.pem', CAUSE), 'key-missing', 'there is no key file "a.pem"; make one with: npx secure-node keygen a.pem', true], // prettier-ignore
  [errors.keyNotAFile('a'), 'key-not-a-file', '"a" is not a regular file; give the path of a key file'],
  [errors.keyUnreadable('a', CAUSE), 'key-unreadable', 'the key file "a" cannot be read: the cause', true],
  [errors.keyUnprotected('a', '644'), 'key-unprotected', 'the key file "a" can be read or changed by others (mode 644); protect it with: chmod 600 a'], // prettier-ignore
  [errors.keyForeignOwner('a'), 'key-unprotected', 'the key file "a" belongs to another user; make it yours with chown'], // prettier-ignore
  [
    errors.keyExists('a'),
    'key-exists',
    '"a" exists already and is left as it is; remove it or choose another name',
  ],
  [errors.keyNotAKey('a', 'it is RSA'), 'key-not-a-key', '"a" is not an Ed25519 key file: it is RSA'],
  [
    errors.keyCorrupt('a', 'x', CAUSE),
    'key-corrupt',
    'the key file "a" is damaged: x; restore it from a backup',
    true,
  ],
  [errors.keyPasswordMissing('a'), 'key-password-missing', 'the key file "a" is protected by a password; give the option "password" or set SECURE_NODE_PASSWORD'], // prettier-ignore
  [
    errors.keyPasswordWrong('a', CAUSE),
    'key-password-wrong',
    'the password does not open the key file "a"',
    true,
  ],
  [
    errors.keyWriteFailed('a', CAUSE),
    'key-write-failed',
    'the key file "a" cannot be written: the cause',
    true,
  ],
  [
    errors.engineUnavailable('x', 'no'),
    'engine-unavailable',
    'the signature engine "x" is not available here: no',
  ],
  [errors.alreadyStarted(), 'already-started', 'the node is started already; call stop() first'],
  [errors.notStarted('sending'), 'not-started', 'sending needs a running node; await start() first (a stopped node sends nothing)'], // prettier-ignore
  [errors.listenFailed('h', 1, CAUSE), 'listen-failed', 'cannot listen on h:1: the cause', true],
  [errors.connectFailed('h:1', CAUSE), 'connect-failed', 'cannot connect to h:1: the cause', true],
  [errors.connectTimeout('h:1', 5), 'connect-timeout', 'no connection to h:1 within 5 ms'],
  [errors.handshakeFailed('h:1', 'no', CAUSE), 'handshake-failed', 'the handshake with h:1 failed: no', true],
  [errors.refusedByPeer('h:1', 'banned', ''), 'refused-by-peer', 'h:1 refused the connection: banned'],
  [
    errors.refusedByPeer('h:1', 'banned', 'why'),
    'refused-by-peer',
    'h:1 refused the connection: banned (why)',
  ],
  [errors.identityMismatch('h:1', 'a', 'b'), 'identity-mismatch', 'expected node a at h:1, found b'],
  [errors.selfConnection('h:1'), 'self-connection', 'h:1 is this node itself'],
  [errors.tooManyConnections(3), 'too-many-connections', 'this node has 3 connections already (option "maxConnections")'], // prettier-ignore
  [errors.reconnectStopped('h:1', 2, CAUSE), 'reconnect-stopped', 'gave up on h:1 after 2 trials, as nodeReconnectionError asked', true], // prettier-ignore
  [errors.connectionClosed('lost'), 'connection-closed', 'the connection is closed: lost'],
  [
    errors.notAnIdentity(5),
    'invalid-argument',
    'keyFile must be the path of a key file or an Identity, got 5',
  ],
  [errors.overload(7), 'overload', 'all 7 message IDs of the option "maxMessageIds" are in use; send less, or raise it'], // prettier-ignore
  [errors.tooManyPings(), 'overload', 'too many pings wait for their answer; wait for one before the next'],
  [errors.aborted('it', CAUSE), 'aborted', 'it was ended before it was done', true],
  [
    errors.peerBookUnreadable('a', 'no', CAUSE),
    'peer-book-unreadable',
    'the peer book "a" cannot be used: no',
    true,
  ],
  [
    errors.peerBookUnwritable('a', CAUSE),
    'peer-book-unwritable',
    'the peer book "a" cannot be written: the cause',
    true,
  ],
  [
    errors.tooManySearches(5),
    'overload',
    'every discovery asks the whole network; the next one is possible in 5 ms',
  ],
  [errors.unreachable('ab'), 'unreachable', 'there is no way to node ab: no link, no address that answers, and no peer to relay'], // prettier-ignore
  [errors.tooManyLookups(5), 'overload', '5 lookups are under way; wait for one before the next'],
  [errors.invalidContent('chat', 'answer', 'text: no', CAUSE), 'invalid-content', 'an answer of type "chat" does not fit its schema: text: no', true], // prettier-ignore
  [errors.requestTimeout('add', 'ab', 5), 'request-timeout', 'node ab did not answer the request "add" within 5 ms'], // prettier-ignore
  [errors.requestFailed('ab', { code: 'no', text: 'why' }), 'request-failed', 'node ab answered no: why'],
  [errors.requestBroken('ab', 'why'), 'request-failed', 'node ab broke the rules of an answer: why'],
  [errors.tooManyRequests(5), 'overload', '5 requests wait for their answer; wait for one before the next'],
  [errors.historyUnavailable('the package', CAUSE), 'history-unavailable', 'a history needs the package (the cause)', true], // prettier-ignore
  [errors.historyUnreadable('a', 'no', CAUSE), 'history-unreadable', 'the history in "a" cannot be used: no', true], // prettier-ignore
  [errors.historyUnwritable('a', CAUSE), 'history-unwritable', 'the history in "a" cannot be written: the cause', true], // prettier-ignore
  [errors.fileUnreadable('a', CAUSE), 'file-unreadable', 'the file "a" cannot be shared: the cause', true],
  [errors.fileNotRead('a', CAUSE), 'file-unreadable', 'the file "a" cannot be read: the cause', true],
  [errors.notInBrowsers('it'), 'not-in-browsers', 'it needs Node.js; a page cannot do that'],
  [errors.transportUnavailable('hyperswarm', 'hyperdht', CAUSE), 'transport-unavailable', 'the transport hyperswarm needs the package hyperdht (the cause); install it with: npm install hyperdht', true], // prettier-ignore
  [errors.fileUnwritable('a', CAUSE), 'file-unwritable', 'the file "a" cannot be written: the cause', true],
  [errors.fileNotShared('ab'), 'file-not-found', 'the file ab is not shared here; share it first, or offer its path'], // prettier-ignore
  [errors.fileNotFound('ab', 'why'), 'file-not-found', 'no source has the file ab: why'],
  [errors.fileCorrupt('ab', 'why'), 'file-corrupt', 'a source of the file ab sent something else, and no other is left: why'], // prettier-ignore
  [errors.sealedCorrupt('the box', 'why'), 'sealed-corrupt', 'the box cannot be opened: why'],
  [errors.sealedPasswordWrong('the box'), 'sealed-password-wrong', 'the password does not open the box'],
]

t.test('each error has its code, a text that states value and rule, and its cause', async (t) => {
  for (const [error, code, text, hasCause] of SAMPLES) {
    t.ok(error instanceof errors.SecureNodeError && error instanceof Error, code)
    t.strictSame([error.code, error.message, error.name], [code, text, 'SecureNodeError'])
    t.equal(Object.hasOwn(error, 'cause'), hasCause === true, 'no cause is not an undefined one')
    t.equal(error.cause, hasCause ? CAUSE : undefined)
  }
})

t.test('a failure to join has the reason of every address', async (t) => {
  const one = errors.connectFailed('h:1', CAUSE)
  t.match(errors.joinFailed([['h:1', one]]), {
    code: 'join-failed',
    message: 'nobody was found at the address: cannot connect to h:1: the cause',
  })
  const both = errors.joinFailed([
    ['h:1', one],
    ['h:2', new Error('no')],
  ])
  t.equal(
    both.message,
    'nobody was found at any of the 2 addresses: cannot connect to h:1: the cause; h:2: no',
  )
  t.strictSame((both.cause as AggregateError).errors[0], one)
})

t.test('texts are in lower case and end without a full stop', async (t) => {
  for (const [{ message }] of SAMPLES) t.match(message, /^[a-z\d"].*[^.!]$/)
})

t.test('every factory is among the samples', async (t) => {
  const helpers = ['SecureNodeError']
  const factories = Object.keys(errors).filter((name) => !helpers.includes(name))
  // Two of them are there twice: refused with and without a text.
  // And one has a test of its own.
  t.equal(SAMPLES.length, factories.length + 1 - 1, factories.join(' '))
})

t.test('common failures of the platform are explained', async (t) => {
  const hints: [error: errors.SecureNodeError, hint: RegExp][] = [
    [errors.listenFailed('h', 1, withCode('EADDRINUSE')), /another program uses this port/],
    [errors.listenFailed('h', 1, withCode('EACCES')), /below 1024/],
    [errors.listenFailed('h', 1, withCode('EADDRNOTAVAIL')), /no such address/],
    [errors.listenFailed('h', 1, withCode('EOTHER')), /raw text$/],
    [errors.connectFailed('h:1', withCode('ECONNREFUSED')), /nothing listens there/],
    [errors.connectFailed('h:1', withCode('ENOTFOUND')), /host name is not known/],
    [errors.connectFailed('h:1', withCode('EAI_AGAIN')), /host name is not known/],
    [errors.connectFailed('h:1', withCode('EHOSTUNREACH')), /cannot be reached/],
    [errors.connectFailed('h:1', withCode('ENETUNREACH')), /cannot be reached/],
    [errors.connectFailed('h:1', withCode('EPIPE')), /raw text$/],
  ]
  for (const [error, hint] of hints) t.match(error.message, hint)
})

t.test('a cause may be anything that was thrown', async (t) => {
  for (const cause of [null, 'text', 5, {}, Symbol('s')]) {
    t.type(errors.listenFailed('h', 1, cause).message, 'string')
    t.equal(errors.connectFailed('h:1', cause).cause, cause)
  }
  t.equal(errorText(new Error('an error')), 'an error')
  t.equal(errorText('a text'), 'a text')
  t.equal(errorText(undefined), 'undefined')
})

t.test('what cannot become a text is a cause too', async (t) => {
  const odd = [Object.create(null), { toString: () => { throw new Error('no') } }] // prettier-ignore
  for (const cause of odd) t.type(errorText(cause), 'string')
})

t.test('a value in a text is short, on one line, and moves no cursor', async (t) => {
  const values: [value: unknown, text: string][] = [
    ['a\n\u001b[2J"', '"a\\n\\u001b[2J\\""'],
    ['x'.repeat(300), `"${'x'.repeat(200)}…"`],
    [undefined, 'undefined'],
    [null, 'null'],
    [true, 'true'],
    [-0.5, '-0.5'],
    [12n, '12n'],
    [Symbol('s'), 'Symbol(s)'],
    [() => 'secret', 'a function'],
    [[1, 2, 3], 'an array of 3'],
    [{ secret: 1 }, 'an object'],
    [new Date(0), 'an object'],
    ['\ud800', '"\\ud800"'],
  ]
  for (const [value, text] of values) t.equal(quote(value), text)
})

t.test('no value in a text forges a line or turns its direction', async (t) => {
  for (const code of [0x0a, 0x1b, 0x7f, 0x85, 0x9b, 0xad, 0x200b, 0x2028, 0x2029, 0x202e, 0xfeff, 0xe0041]) {
    const value = `a${String.fromCodePoint(code)}b`
    for (const text of [quote(value), quote(Symbol(value))]) {
      t.equal(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text), false, code.toString(16))
    }
  }
  t.equal(quote('a\u009bb'), '"a\\u{9b}b"')
})
