import { SecureNodeError } from '../errors.ts'
import { errorText, lineOf } from '../ground/texts.ts'
import { METRICS_TYPE, metricsText } from './metrics.ts'
import type { StatusSource } from './status-port.ts'
import { dataHeaders, fault, json, type StatusReply } from './status-reply.ts'

/** How the interface answers. */
export interface DeskOptions {
  /** Whether messages may be sent. */
  readonly send: boolean
}

type Answer = StatusReply | Promise<StatusReply>

/** Members of the body of `POST /send`. */
const SEND_NAMES = ['node', 'type', 'data']

/** Answers what is asked of some nodes. Who asks has been looked at before. */
export class StatusDesk {
  readonly #sources: readonly [StatusSource, ...StatusSource[]]
  readonly #options: DeskOptions

  constructor(sources: readonly [StatusSource, ...StatusSource[]], options: DeskOptions) {
    this.#sources = sources
    this.#options = options
  }

  /** The answer to `GET` of a path; undefined where there is nothing. */
  get(path: string): Answer | undefined {
    if (path === '/status') return this.#status()
    if (path === '/metrics') return this.#metrics()
    if (path === '/graph') return this.#graph()
    return undefined
  }

  #status(): StatusReply {
    const nodes = this.#sources.map((source) => source.status())
    const at = this.#sources[0].clock.now()
    return json({ v: 1, at, send: this.#options.send, nodes })
  }

  #metrics(): StatusReply {
    const body = metricsText(this.#sources.map((source) => source.status()))
    return { status: 200, headers: dataHeaders(METRICS_TYPE), body }
  }

  async #graph(): Promise<StatusReply> {
    try {
      return json(await this.#sources[0].graph())
    } catch (error) {
      const isOverload = error instanceof SecureNodeError && error.code === 'overload'
      const [, ms] = isOverload ? (/(\d+) ms/.exec(error.message) ?? []) : []
      if (!isOverload) return fault('failed', lineOf(errorText(error)))
      return fault('too-often', lineOf(error.message), {
        'Retry-After': String(Math.ceil(Number(ms ?? 1_000) / 1_000)),
      })
    }
  }

  /** Whether messages may be sent at all; the reason if they may not. */
  refuseSending(): StatusReply | undefined {
    if (this.#options.send) return undefined
    return fault('read-only', 'sending is off; the option "send" of the status interface allows it')
  }

  /** The answer to `POST /send`. */
  async send(body: string): Promise<StatusReply> {
    const order = parse(body)
    if (order === undefined) {
      return fault('bad-request', 'the body must be JSON like {"type":"message","data":…}')
    }
    const { node, type, data } = order
    const source = node === undefined ? this.#sources[0] : this.#sources.find(({ id }) => id === node)
    if (source === undefined) return fault('bad-request', 'no node of this ID is watched here')
    try {
      return json(await source.send(type, data))
    } catch (error) {
      const isOurs = error instanceof SecureNodeError
      const isTheirs = isOurs && /^(invalid|message-too-large)/.test(error.code)
      return fault(isTheirs ? 'bad-request' : 'failed', lineOf(errorText(error)))
    }
  }
}

interface SendOrder {
  readonly node: string | undefined
  readonly type: string | undefined
  readonly data: unknown
}

function parse(body: string): SendOrder | undefined {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const { node, type, data } = value as Record<string, unknown>
  const isKnown = Object.keys(value).every((name) => SEND_NAMES.includes(name))
  const isTyped = [node, type].every((text) => text === undefined || typeof text === 'string')
  return isKnown && isTyped && data !== undefined ? ({ node, type, data } as SendOrder) : undefined
}
