import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { systemClock } from '../ground/clock.ts'
import { listenFailed } from '../errors.ts'
import {
  MAX_STATUS_BODY,
  MAX_STATUS_CONNECTIONS,
  MAX_STATUS_HEADERS,
  STATUS_CLOSE_TIMEOUT,
  STATUS_REQUEST_TIMEOUT,
} from '../limits/status-limits.ts'
import { EventStream, type StreamClient } from './event-stream.ts'
import { Gate, type Visit } from './gate.ts'
import { StatusDesk } from './status-desk.ts'
import type { StatusAddress, StatusOptions, StatusSource } from './status-port.ts'
import { dataHeaders, fault, file, type StatusReply } from './status-reply.ts'
import { Token } from './token.ts'

/** A file that is served to everybody: it tells nothing of the node. */
export interface StatusFile {
  readonly type: string
  readonly body: Uint8Array
}

/** Where a file of the page begins. */
const START_PAGE = 'index.html'

/** The status interface of some nodes: an HTTP server that only its own machine reaches, unless told otherwise. */
export class StatusServer {
  readonly #options: StatusOptions
  readonly #token: Token
  readonly #files: ReadonlyMap<string, StatusFile>
  readonly #gate: Gate
  readonly #desk: StatusDesk
  readonly #stream: EventStream
  #server: Server | undefined

  /** @param files those of the page, by name @default none */
  constructor(
    sources: readonly [StatusSource, ...StatusSource[]],
    options: StatusOptions,
    files: ReadonlyMap<string, StatusFile> = new Map(),
  ) {
    this.#options = options
    this.#token = new Token(options.token)
    this.#files = files
    this.#gate = new Gate(this.#host, this.#token)
    this.#desk = new StatusDesk(sources, { send: options.send === true })
    this.#stream = new EventStream(sources, sources[0].clock)
  }

  get #host(): string {
    return this.#options.host ?? '127.0.0.1'
  }

  /** Where it is; undefined while it does not listen. */
  get address(): StatusAddress | undefined {
    const address = this.#server?.address() as AddressInfo | null | undefined
    if (!address) return undefined
    const { port, family, address: host } = address
    const { text: token } = this.#token
    const name = family === 'IPv6' ? `[${host}]` : host
    // Behind the "#" it is sent to no server, and stands in no log.
    return { host, port, token, url: `http://${name}:${port}/#token=${token}` }
  }

  /** Starts to listen. @throws SecureNodeError `listen-failed` */
  async open(): Promise<StatusAddress> {
    const { port } = this.#options
    const server = createServer({
      maxHeaderSize: MAX_STATUS_HEADERS,
      requestTimeout: STATUS_REQUEST_TIMEOUT,
      headersTimeout: STATUS_REQUEST_TIMEOUT,
      connectionsCheckingInterval: STATUS_REQUEST_TIMEOUT,
    })
    server.maxConnections = MAX_STATUS_CONNECTIONS
    server.on('request', (request, response) => void this.#onRequest(request, response))
    server.listen(port, this.#host)
    try {
      await once(server, 'listening')
    } catch (cause) {
      throw listenFailed(this.#host, port, cause)
    }
    // Later errors are those of one connection that could not be accepted.
    server.on('error', () => {})
    this.#server = server
    return this.address!
  }

  /** Ends all streams and connections, and frees the port. */
  async close(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    this.#stream.close()
    const closed = once(server, 'close')
    server.close()
    // Who does not read must not hold it up.
    const patience = systemClock.setTimer(() => server.closeAllConnections(), STATUS_CLOSE_TIMEOUT)
    await closed
    patience.cancel()
  }

  /** Nothing that goes wrong with one request may reach the process. */
  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {})
    try {
      const reply = await this.#answer(request, response)
      if (reply !== undefined) write(request, response, reply)
    } catch {
      // The request ended in the middle, or the answer could not be written.
      response.destroy()
    }
  }

  /** The answer; undefined where it has begun already. */
  async #answer(request: IncomingMessage, response: ServerResponse): Promise<StatusReply | undefined> {
    const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const { host, authorization } = request.headers
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '')
    const visit: Visit = { method, host, authorization, token: searchParams.get('token') ?? undefined }
    const foreign = this.#gate.refuseHost(visit)
    if (foreign !== undefined) return foreign
    const page = this.#files.get(path === '/' ? START_PAGE : path.slice(1))
    if (page !== undefined) return method === 'GET' ? file(page.type, page.body) : badMethod('GET, HEAD')
    const stranger = this.#gate.refuseToken(visit)
    if (stranger !== undefined) return stranger
    if (path === '/send') return method === 'POST' ? this.#send(request) : badMethod('POST')
    const isStream = path === '/events'
    if (isStream && request.method === 'GET') return this.#follow(request, response)
    const answer = isStream ? badMethod('GET') : this.#desk.get(path)
    if (answer === undefined) return fault('not-found', 'there is nothing of this name')
    return method === 'GET' ? answer : badMethod('GET, HEAD')
  }

  /** A form of another site can neither send this type nor the header with the token. */
  async #send(request: IncomingMessage): Promise<StatusReply> {
    const refusal = this.#desk.refuseSending()
    if (refusal !== undefined) return refusal
    const type = request.headers['content-type'] ?? ''
    if (!/^application\/json *(;|$)/i.test(type)) {
      return fault('not-json', 'send it as Content-Type: application/json')
    }
    const body = await readBody(request)
    if (body === undefined) return fault('too-large', `a body has at most ${MAX_STATUS_BODY} bytes`)
    return this.#desk.send(body)
  }

  #follow(request: IncomingMessage, response: ServerResponse): StatusReply | undefined {
    if (!this.#stream.hasRoom) return fault('too-many-clients', 'too many streams are open')
    response.writeHead(200, { ...dataHeaders('text/event-stream; charset=utf-8'), 'X-Accel-Buffering': 'no' })
    request.socket.setNoDelay(true)
    const client: StreamClient = {
      get queuedBytes() {
        return response.writableLength
      },
      write: (text) => void response.write(text),
      end: () => void response.end(),
      drop: () => void response.destroy(),
    }
    response.on('close', () => this.#stream.delete(client))
    const { 'last-event-id': lastId } = request.headers
    this.#stream.add(client, typeof lastId === 'string' ? lastId : undefined)
    return undefined
  }
}

function badMethod(allow: string): StatusReply {
  return fault('bad-method', `this is for ${allow}`, { Allow: allow })
}

function write(request: IncomingMessage, response: ServerResponse, reply: StatusReply): void {
  const { status, headers, body } = reply
  const bytes = Buffer.from(body)
  // What of the request was not read must not be taken for the next one.
  const isOver = request.complete || request.method === 'GET' || request.method === 'HEAD'
  const closing = isOver ? {} : { Connection: 'close' }
  response.writeHead(status, { ...headers, ...closing, 'Content-Length': bytes.length })
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

/** The body as text; undefined where it is too large. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  // Leaving the loop must not destroy the request: its answer is still to be written.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_STATUS_BODY) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
