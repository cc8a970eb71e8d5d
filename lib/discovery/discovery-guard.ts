import type { DiscoveryPort, DiscoveryRefusal, DiscoveryStats } from './discovery-port.ts'
import { LinkQuota } from './link-quota.ts'

/** Says no: knows what each link may still bring, counts what was refused, and rejects the links of liars. */
export class DiscoveryGuard<L extends object> {
  readonly #port: Pick<DiscoveryPort<L>, 'clock' | 'reject'>
  readonly #quotas = new WeakMap<L, LinkQuota>()
  readonly #refused = new Map<DiscoveryRefusal, number>()

  constructor(port: Pick<DiscoveryPort<L>, 'clock' | 'reject'>) {
    this.#port = port
  }

  /** What was refused so far, by reason. */
  get refused(): DiscoveryStats['refused'] {
    return Object.fromEntries(this.#refused)
  }

  /** What a link may bring and be sent. */
  quotaOf(link: L): LinkQuota {
    let quota = this.#quotas.get(link)
    if (quota === undefined) this.#quotas.set(link, (quota = new LinkQuota(this.#port.clock.now())))
    return quota
  }

  /** Whether a link was rejected: nothing more is taken from it, though it may take a moment to end. */
  isRejected(link: L): boolean {
    return this.quotaOf(link).isRejected
  }

  /** Something goes no further; nothing happens to the link. */
  refuse(code: DiscoveryRefusal): void {
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1)
  }

  /** A link brought what no correct node passes on. Whom it names as the author is not to blame. */
  reject(link: L, code: 'bad-question' | 'bad-answer', why: string): void {
    const quota = this.quotaOf(link)
    if (quota.isRejected) return
    quota.isRejected = true
    this.refuse(code)
    this.#port.reject(link, code, why)
  }
}
