export { canonicalJson, type Json } from './canonical.ts'
export {
  type MessageFields,
  messageId,
  openMessage,
  type OpenOptions,
  type SignedMessage,
  signMessage,
  type Verdict,
  type Window,
} from './message.ts'
export { type IgnoreCode, isReject, type RejectCode, type VerdictCode } from './verdict.ts'
export { Identity } from '../identity/identity.ts'
export { type EngineName, verifySignature } from '../identity/ed25519.ts'
export { type ErrorCode, SecureNodeError } from '../errors.ts'
export type { MessageId, NodeId } from '../wire/ids.ts'
