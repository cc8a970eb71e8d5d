import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { METRICS } from '../../lib/status/metric-table.ts'
import { metricsText } from '../../lib/status/metrics.ts'
import type { NodeStatus } from '../../lib/status/status-event.ts'
import { parseMetrics } from '../fixtures/prometheus.ts'
import { ROOT } from '../fixtures/source-files.ts'

/** A node whose figures all differ, so that none can stand in for another. */
function nodeOf(node: string, first = 1): NodeStatus {
  let last = first
  const next = (): number => last++
  const tree = {
    eager: next(),
    lazy: next(),
    grafts: next(),
    prunes: next(),
    announced: next(),
    requested: next(),
    supplied: next(),
    missing: next(),
    abandoned: next(),
    ignored: next(),
  }
  const requests = { pending: next(), incoming: next(), dropped: { 'late-answer': next() } }
  const refused = { stale: next(), 'bad-signature': next() }
  const links = { inbound: next(), outbound: next(), pending: next(), bytesIn: next(), bytesOut: next() }
  const messages = { sent: next(), received: next(), relayed: next(), duplicates: next(), messageIds: next() }
  const stats = { ...links, ...messages, refused, tree, requests }
  const [cacheLimit, peerBook, networkSize] = [next(), next(), next()]
  const place = { host: '127.0.0.1', port: 1, net: 'a', version: 1 }
  return { node, ...place, uptime: 1_500, networkSize, peerBook, cache: 0, cacheLimit, stats, links: [] }
}

/** All numbers in a value. */
function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : []
}

t.test('the text is what Prometheus reads, with every figure once', async (t) => {
  const status = nodeOf('a'.repeat(64))
  const samples = parseMetrics(metricsText([status]))
  const values = samples.filter(({ name }) => name !== 'secure_node_info').map(({ value }) => value)
  const told = numbersIn([status.stats, status.cacheLimit, status.peerBook, status.networkSize, 1.5])
  t.strictSame(
    values.sort((a, b) => a - b),
    told.sort((a, b) => a - b),
  )
  const refused = samples.find(({ labels }) => labels['code'] === 'bad-signature')
  t.match(refused, { name: 'secure_node_messages_refused_total', labels: { node: status.node } })
  t.match(samples[0], { name: 'secure_node_info', labels: { net: 'a', version: '1' }, value: 1 })
})

t.test('several nodes stand beside each other, each with its label', async (t) => {
  const samples = parseMetrics(metricsText([nodeOf('a'), nodeOf('b', 100)]))
  const nodes = samples
    .filter(({ name }) => name === 'secure_node_messages_sent_total')
    .map(({ labels }) => labels['node'])
  t.strictSame(nodes, ['a', 'b'])
})

t.test('what could end a label is escaped', async (t) => {
  const [sample] = parseMetrics(metricsText([nodeOf('a"} 1\n\\evil')]))
  t.equal(sample?.labels['node'], 'a"} 1\n\\evil')
})

t.test('names are those that Prometheus expects', async (t) => {
  for (const [name, { type, help }] of Object.entries(METRICS)) {
    t.match(name, /^secure_node_[a-z]+(_[a-z]+)*$/)
    t.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`)
    t.match(help, /^[A-Z][^\n\\]*\.( [A-Z].*\.)?$/, name)
  }
})

t.test('the dashboard shows all metrics, and none that is not there', async (t) => {
  const text = readFileSync(join(ROOT, 'docs/grafana.json'), 'utf8')
  interface Panel {
    readonly title: string
    readonly targets: readonly { readonly expr: string }[]
  }
  const { panels } = JSON.parse(text) as { readonly panels: readonly Panel[] }
  const shown = new Set(text.match(/secure_node_[a-z_]+/g))
  t.strictSame([...shown].sort(), Object.keys(METRICS).sort())
  for (const { title, targets } of panels) {
    for (const { expr } of targets) {
      const [name = ''] = /secure_node_[a-z_]+/.exec(expr) ?? []
      const isCounter = METRICS[name]?.type === 'counter'
      t.equal(expr.includes('rate('), isCounter, `${title}: a rate of what only grows`)
    }
  }
})
