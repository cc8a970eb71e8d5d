import { METRICS, type Sample, type SecureNodeFigures } from './metric-table.ts'
import type { NodeStatus } from './status-event.ts'

/** The media type of {@link metricsText}. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** The figures of some nodes in the text format of Prometheus (exposition formats, 0.0.4). */
export function metricsText(nodes: readonly NodeStatus[]): string {
  const lines: string[] = []
  for (const [name, metric] of Object.entries(METRICS)) {
    lines.push(`# HELP ${name} ${metric.help}`, `# TYPE ${name} ${metric.type}`)
    for (const status of nodes) {
      const samples = metric.read(status as NodeStatus<SecureNodeFigures>)
      lines.push(...samples.map((sample) => lineOf(name, status.node, sample)))
    }
  }
  return `${lines.join('\n')}\n`
}

function lineOf(name: string, node: string, { value, labels = {} }: Sample): string {
  const pairs = Object.entries({ node, ...labels }).map(([label, text]) => `${label}="${escape(text)}"`)
  return `${name}{${pairs.join(',')}} ${value}`
}

function escape(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))
}
