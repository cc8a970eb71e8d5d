import type { CloseReason, Explanation, Json, SecureNodeStats, StatusAddress } from '../index.ts'
import { drawText } from '../discovery/network-drawing.ts'
import type { NetworkMap } from '../discovery/network-map.ts'
import { isWildcard } from '../wire/address.ts'
import { formatAddress } from './address.ts'
import { bookTable, type KnownFacts, type PeerFacts, peerTable } from './peer-table.ts'
import { jsonLine, safeText } from './safe-text.ts'
import { counted, fields, type Paint, shortId } from './terminal.ts'

type PeerName = Pick<PeerFacts, 'id' | 'direction' | 'host' | 'port'>

/** Everything that `run` says: with `--json` each is a line of JSON as it stands here, otherwise text. */
export type Notice =
  | {
      readonly event: 'started'
      readonly id: string
      readonly host: string
      readonly port: number
      readonly net: string
      readonly encryption: boolean
      /** Whether it looks for others on the local network. */
      readonly lan: boolean
    }
  | ({ readonly event: 'status' } & StatusAddress)
  | {
      readonly event: 'joined'
      readonly peers: number
      /** Where nobody was found. */
      readonly failures: readonly string[]
    }
  | { readonly event: 'alone'; readonly error: string }
  | ({ readonly event: 'connected' } & PeerName)
  | ({ readonly event: 'disconnected' } & PeerName & CloseReason)
  | {
      readonly event: 'unreachable'
      readonly host: string
      readonly port: number
      /** How many attempts have failed in a row. */
      readonly trials: number
      readonly error: string
    }
  | {
      readonly event: 'message'
      readonly id: string
      readonly from: string
      /** The peer that brought it. */
      readonly via: string
      readonly type: string
      readonly time: number
      readonly data: Json
    }
  | {
      readonly event: 'refused'
      readonly code: string
      readonly via: string
      readonly id: string | undefined
      readonly from: string | undefined
      readonly type: string | undefined
    }
  | { readonly event: 'sent'; readonly id: string; readonly peers: number }
  | { readonly event: 'peers'; readonly peers: readonly PeerFacts[] }
  | { readonly event: 'book'; readonly book: readonly KnownFacts[] }
  | { readonly event: 'network'; readonly map: NetworkMap }
  | { readonly event: 'stats'; readonly stats: SecureNodeStats }
  | { readonly event: 'explanation'; readonly explanation: Explanation }
  | { readonly event: 'debug'; readonly on: boolean }
  | { readonly event: 'trace'; readonly text: string }
  | { readonly event: 'help'; readonly commands: Readonly<Record<string, string>> }
  | { readonly event: 'error'; readonly error: string }
  | { readonly event: 'stopped'; readonly sent: number; readonly received: number }

type NoticeOf<K extends Notice['event']> = Extract<Notice, { readonly event: K }>
/** One for each kind: a new notice does not compile until it can be shown. */
type Describers = {
  readonly [K in Notice['event']]: (notice: NoticeOf<K>, paint: Paint) => readonly string[]
}

const peerName = ({ id, direction, host, port }: PeerName, paint: Paint): string =>
  `${paint('name', shortId(id))} (${direction}, ${safeText(formatAddress({ host, port }))})`

const DESCRIBERS: Describers = {
  started: ({ id, host, port, net, encryption, lan }, paint) => {
    const open = encryption ? '' : paint('bad', ', not encrypted')
    const search = lan ? ', looking for others on the local network' : ''
    return [
      `Node ${paint('strong', id)}`,
      `listens at ${formatAddress({ host, port })}${reachText(host)}, network "${net}"${open}${search}; /help shows the commands`,
    ]
  },
  status: ({ host, port, token }) => [
    `its status is at http://${formatAddress({ host, port })}, token ${token}`,
  ],
  joined: ({ peers, failures }, paint) => [
    peers === 0 ? 'nobody else is there yet' : paint('good', `joined: ${counted(peers, 'peer')}`),
    ...failures.map((failure) => paint('bad', safeText(failure))),
  ],
  alone: ({ error }, paint) => [paint('bad', `${safeText(error)} (trying again)`)],
  connected: (notice, paint) => [`${paint('good', 'connected')} ${peerName(notice, paint)}`],
  disconnected: (notice, paint) => {
    const why = `${notice.code} by ${notice.by}${notice.text === '' ? '' : `: ${safeText(notice.text)}`}`
    return [`${paint('bad', 'disconnected')} ${peerName(notice, paint)}: ${why}`]
  },
  unreachable: ({ trials, error }, paint) =>
    // Once is enough: a lost peer can stay away for days.
    trials > 1 ? [] : [paint('bad', `${safeText(error)} (trying again)`)],
  message: ({ id, from, type, time, data }, paint) => {
    const clock = new Date(time).toTimeString().slice(0, 8)
    const kind = type === 'message' ? '' : ` [${type}]`
    const author = paint('name', shortId(from))
    return [`${clock} ${author}${kind}: ${describeData(data)} ${paint('faint', `(${shortId(id)})`)}`]
  },
  refused: ({ code, via, from }, paint) => {
    const author = from === undefined ? '' : ` in the name of ${shortId(from)}`
    return [`${paint('bad', 'refused')} a message${author}, brought by ${shortId(via)}: ${code}`]
  },
  sent: ({ id, peers }) => (peers > 0 ? [] : [`nobody is connected, so nobody got this (${shortId(id)})`]),
  peers: ({ peers }) => peerTable(peers),
  book: ({ book }) => bookTable(book),
  network: ({ map }) => drawText(map).trimEnd().split('\n'),
  stats: ({ stats: { requests, refused, tree, ...stats } }) =>
    fields({
      ...stats,
      refused: countsOf(refused),
      tree: `${tree.eager} eager, ${tree.lazy} lazy, ${tree.missing} missing`,
      requests: `${requests.pending} asked, ${requests.incoming} being answered`,
    }),
  explanation: ({ explanation }) => describeExplanation(explanation),
  debug: ({ on }) => [`debugging is ${on ? 'on' : 'off'}`],
  trace: ({ text }, paint) => [paint('faint', safeText(text))],
  help: ({ commands }) => fields(commands),
  error: ({ error }, paint) => [paint('bad', safeText(error))],
  stopped: ({ sent, received }) => [`stopped: ${sent} sent, ${received} received`],
}

/** A notice for people: no lines, one or several, and nothing in them that a remote node could steer with. */
export function describeNotice(notice: Notice, paint: Paint): readonly string[] {
  return (DESCRIBERS[notice.event] as (notice: Notice, paint: Paint) => readonly string[])(notice, paint)
}

/** Data that is text is shown as that, everything else as JSON. */
function describeData(data: Json): string {
  const { text } = (typeof data === 'object' && data !== null ? data : {}) as { readonly text?: Json }
  const isText = typeof text === 'string' && Object.keys(data as object).length === 1
  return safeText(isText ? text : jsonLine(data))
}

/** Who can reach a node that listens everywhere: more than this machine, which whoever starts it should know. */
function reachText(host: string): string {
  return isWildcard(host) ? ' (whoever reaches this machine can connect)' : ''
}

/** "2 stale, 1 bad-json". */
function countsOf(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`)
  return parts.length === 0 ? '-' : parts.join(', ')
}

function describeExplanation(explanation: Explanation): readonly string[] {
  const { id, verdict, from, type, via, firstSeen, relays, relayedTo, duplicates } = explanation
  const others = relays > relayedTo.length ? ' …' : ''
  return fields({
    message: id,
    verdict,
    from,
    type,
    via,
    'first seen': new Date(firstSeen).toISOString(),
    'relayed to': relays === 0 ? 'nobody' : `${relays}: ${relayedTo.map(shortId).join(' ')}${others}`,
    duplicates,
  })
}
