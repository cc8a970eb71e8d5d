import type { CloseCode, CloseReason } from '../wire/close-code.ts'
import { type Frame, Kind } from '../wire/frame.ts'
import { decodeHello, type Hello, type Mode, proofBytes, type Role } from '../wire/hello.ts'
import type { NodeId } from '../wire/ids.ts'

/** What a handshake needs of its connection. */
export interface HandshakePort {
  readonly role: Role
  /** This end: what the remote hello is held against. */
  readonly self: { readonly id: string; readonly net: string; readonly mode: Mode }
  /** The payload of this end's hello. */
  readonly hello: Uint8Array
  /** The ID that the transport has proven, if it proves one. */
  readonly provenId: NodeId | undefined
  /** The ID that must be found at the other end, if one was asked for. */
  readonly expectedId: string | undefined
  send(kind: number, payload: Uint8Array): void
  /** Signs with the identity of this node; only asked for in `signed` mode. */
  sign(bytes: Uint8Array): Promise<Uint8Array>
  /** Whether the node of this ID has signed these bytes. */
  verify(signature: Uint8Array, bytes: Uint8Array, id: string): Promise<boolean>
  /** Whether the node wants this peer; otherwise, why not. */
  admit(hello: Hello): CloseReason | undefined | Promise<CloseReason | undefined>
  /** Both ends have accepted each other. */
  done(hello: Hello): void
  fail(code: CloseCode, text: string): void
}

const EMPTY = new Uint8Array(0)
/** Frames that may wait while a signature is checked: proof, welcome and a margin. */
const MAX_WAITING = 4

/**
 * Hello, proof and welcome of one link. Each end says hello at once, and proves its ID where the transport does
 * not. The initiator, once it has accepted the other end, says welcome; the responder answers with its own. So
 * the responder is up when it says welcome and the initiator when it hears it: what either sends after that is
 * never too early.
 */
export class Handshake {
  readonly #port: HandshakePort
  readonly #waiting: Frame[] = []
  #awaits: 'hello' | 'proof' | 'welcome' | 'nothing' = 'hello'
  #isBusy = false
  #hello: Hello | undefined
  #remoteHello: Uint8Array = EMPTY

  constructor(port: HandshakePort) {
    this.#port = port
  }

  get isOver(): boolean {
    return this.#awaits === 'nothing'
  }

  /** The ID in the remote hello, proven or not yet. */
  get claimedId(): string | undefined {
    return this.#hello?.id
  }

  start(): void {
    this.#port.send(Kind.hello, this.#port.hello)
  }

  /** The link ended: whatever is still under way has no effect any more. */
  stop(): void {
    this.#awaits = 'nothing'
    this.#waiting.length = 0
  }

  /** Frames are taken one after the other, also while the one before is still being verified. */
  receive(frame: Frame): void {
    if (this.isOver) return
    if (this.#waiting.length >= MAX_WAITING) {
      this.#fail('unexpected-frame', 'too many frames before the welcome')
      return
    }
    this.#waiting.push(frame)
    if (!this.#isBusy) void this.#advance()
  }

  async #advance(): Promise<void> {
    this.#isBusy = true
    for (let frame = this.#waiting.shift(); frame !== undefined; frame = this.#waiting.shift()) {
      // Only a step that has to wait gives up the turn: what needs no waiting is done before `receive` returns.
      const step = this.#step(frame)
      if (step !== undefined) await step
    }
    this.#isBusy = false
  }

  #step(frame: Frame): Promise<void> | undefined {
    if (frame.kind === Kind.hello && this.#awaits === 'hello') return this.#onHello(frame.payload)
    if (frame.kind === Kind.proof && this.#awaits === 'proof') return this.#onProof(frame.payload)
    if (frame.kind === Kind.welcome && this.#awaits === 'welcome') return this.#onWelcome()
    const awaited = this.#awaits
    if (awaited !== 'nothing') this.#fail('unexpected-frame', `kind ${frame.kind} instead of ${awaited}`)
    return undefined
  }

  #onHello(payload: Uint8Array): Promise<void> | undefined {
    const result = decodeHello(payload)
    if (!result.ok) return this.#fail(result.code, '')
    const { hello } = result
    const { self, provenId, expectedId } = this.#port
    if (hello.net !== self.net)
      return this.#fail('wrong-net', `one end is in the network "${self.net}", the other in "${hello.net}"`)
    if (hello.mode !== self.mode)
      return this.#fail('wrong-mode', `one end speaks ${self.mode} messages, the other ${hello.mode} ones`)
    if (hello.id === self.id) return this.#fail('self-connection', 'both ends have the same ID')
    if (provenId !== undefined && provenId !== hello.id)
      return this.#fail('bad-proof', 'another key than the hello')
    if (expectedId !== undefined && expectedId !== hello.id) return this.#fail('identity-mismatch', hello.id)
    // The same text as the channel's, where it has one: not two of them for as long as the link is up.
    this.#hello = provenId === undefined ? hello : { ...hello, id: provenId }
    this.#remoteHello = new Uint8Array(payload)
    return self.mode === 'signed' && provenId === undefined ? this.#sendProof() : this.#admit(this.#hello)
  }

  async #sendProof(): Promise<void> {
    this.#awaits = 'proof'
    try {
      const signature = await this.#port.sign(this.#proofBytes(this.#port.role))
      if (!this.isOver) this.#port.send(Kind.proof, signature)
    } catch {
      // A signer may be a subclass's own: what it throws must not end the process.
      if (!this.isOver) this.#fail('bad-proof', 'this node cannot prove its ID')
    }
  }

  async #onProof(signature: Uint8Array): Promise<void> {
    const hello = this.#hello!
    const remoteRole = this.#port.role === 'initiator' ? 'responder' : 'initiator'
    const isGood = await this.#isProof(signature, this.#proofBytes(remoteRole), hello.id)
    if (this.isOver) return
    if (isGood) await this.#admit(hello)
    else this.#fail('bad-proof', 'the signature is not of the key in the hello')
  }

  /** As with the signer, what a subclass's own verifier throws must not end the process. */
  async #isProof(signature: Uint8Array, bytes: Uint8Array, id: string): Promise<boolean> {
    try {
      return await this.#port.verify(signature, bytes, id)
    } catch {
      return false
    }
  }

  #proofBytes(role: Role): Uint8Array {
    const isInitiator = this.#port.role === 'initiator'
    const [first, second] = isInitiator
      ? [this.#port.hello, this.#remoteHello]
      : [this.#remoteHello, this.#port.hello]
    return proofBytes(role, first, second)
  }

  #admit(hello: Hello): Promise<void> | undefined {
    this.#awaits = 'welcome'
    const verdict = this.#port.admit(hello)
    if (verdict instanceof Promise) return verdict.then((reason) => this.#onVerdict(reason))
    this.#onVerdict(verdict)
    return undefined
  }

  #onVerdict(reason: CloseReason | undefined): void {
    if (this.isOver) return
    if (reason !== undefined) this.#fail(reason.code, reason.text)
    else if (this.#port.role === 'initiator') this.#port.send(Kind.welcome, EMPTY)
  }

  #onWelcome(): undefined {
    this.#awaits = 'nothing'
    // Said last by the responder: when the initiator hears it, both ends are up, and may send at once.
    if (this.#port.role === 'responder') this.#port.send(Kind.welcome, EMPTY)
    this.#port.done(this.#hello!)
  }

  #fail(code: CloseCode, text: string): undefined {
    this.stop()
    this.#port.fail(code, text)
  }
}
