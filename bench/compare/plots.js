// The plots of a report, by name.
import { barChart, lineChart } from '../svg-plot.js'

/** Only those whose figures were measured. */
export function plots({ pair, latency, star, mesh }) {
  return { ...pairPlots(pair), ...latencyPlots(latency), ...networkPlots({ star, mesh }) }
}

function pairPlots(pair) {
  if (pair === undefined) return {}
  const rows = Object.entries(pair[200]).map(([name, row]) => [name, row])
  return {
    messages: barChart({
      title: 'Messages a second between two processes, JSON of 200 bytes',
      xLabel: 'messages a second',
      xLog: true,
      bars: barsOf(rows, 'rate'),
    }),
    'receiver-cpu': barChart({
      title: 'CPU of the receiver for each message of 200 bytes',
      xLabel: 'µs',
      bars: barsOf(rows, 'sinkCpu'),
    }),
  }
}

function latencyPlots(latency) {
  if (latency === undefined) return {}
  return {
    latency: lineChart({
      title: 'Latency, 99th percentile, of messages that come one by one',
      xLabel: 'messages a second',
      yLabel: 'ms',
      xLog: true,
      yLog: true,
      series: Object.entries(latency).map(([name, shares]) => ({
        name,
        points: Object.values(shares).map(({ rate, p99 }) => [rate.median, p99.median]),
      })),
    }),
  }
}

function networkPlots(shapes) {
  const measured = Object.entries(shapes).filter(([, contestants]) => contestants !== undefined)
  if (measured.length === 0) return {}
  const rows = measured.flatMap(([shape, contestants]) =>
    Object.entries(contestants).flatMap(([contestant, { rows: modes }]) =>
      Object.entries(modes).map(([mode, row]) => [`${contestant}, ${shape}, ${mode}`, row]),
    ),
  )
  return {
    'fifty-deliveries': barChart({
      title: 'Fifty processes: deliveries a second, all together',
      xLabel: 'deliveries a second',
      bars: barsOf(rows, 'deliveries'),
    }),
    'fifty-bytes': barChart({
      title: 'Fifty processes: bytes on the wire for each delivery of 200 bytes',
      xLabel: 'bytes',
      bars: barsOf(rows, 'wire'),
    }),
  }
}

/** One bar for each row; those of one contestant have one colour. */
function barsOf(rows, key) {
  const contestants = [...new Set(rows.map(([name]) => name.split(',')[0]))]
  return rows.map(([name, row]) => {
    const { median: value, low, high } = row[key]
    return { name, value, low, high, colour: contestants.indexOf(name.split(',')[0]) }
  })
}
