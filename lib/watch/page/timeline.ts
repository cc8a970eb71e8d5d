import type { Chronicle } from './chronicle.ts'
import { byId, make } from './dom.ts'
import { TIMELINE_COLUMNS } from './page-limits.ts'
import type { Palette } from './palette.ts'
import { type Player, SPEEDS } from './player.ts'
import { clockTime, span } from './words.ts'

/** Steps of the slider: finer than its pixels. */
const STEPS = 2_000

/** The strip at the foot: how much happened when, and a slider to go there. */
export class Timeline {
  readonly #chronicle: Chronicle
  readonly #player: Player
  readonly #onMove: () => void
  readonly #canvas = byId('columns', HTMLCanvasElement)
  readonly #slider = byId('moment', HTMLInputElement)
  readonly #when = byId('when', HTMLOutputElement)
  readonly #past = byId('past', HTMLElement)
  readonly #play = byId('play', HTMLButtonElement)
  readonly #live = byId('live', HTMLButtonElement)
  readonly #speed = byId('speed', HTMLSelectElement)

  /** @param onMove Another moment is shown now. */
  constructor(chronicle: Chronicle, player: Player, onMove: () => void) {
    this.#chronicle = chronicle
    this.#player = player
    this.#onMove = onMove
    this.#slider.max = String(STEPS)
    for (const speed of SPEEDS) this.#speed.append(make('option', { value: String(speed) }, `${speed}×`))
    this.#speed.value = '1'
    this.#listen()
  }

  /** Pauses, or goes on. */
  toggle(): void {
    if (this.#player.mode === 'paused') this.#player.play()
    else this.#player.pause()
    this.#onMove()
  }

  step(direction: 1 | -1): void {
    this.#player.step(direction)
    this.#onMove()
  }

  replay(): void {
    this.#player.replay()
    this.#onMove()
  }

  live(): void {
    this.#player.live()
    this.#onMove()
  }

  /** Writes and draws where one is. */
  refresh(palette: Palette): void {
    const { start, end, size } = this.#chronicle
    const { moment, mode } = this.#player
    const share = end > start ? (moment - start) / (end - start) : 1
    // Not while somebody holds it: it would slip away.
    if (!this.#slider.matches(':active')) this.#slider.value = String(Math.round(share * STEPS))
    const behind = end - moment
    this.#past.hidden = mode === 'live' || size === 0
    const what = mode === 'replay' ? `Replay, ${this.#player.speed}×` : 'Paused'
    this.#past.textContent = `${what} · ${clockTime(moment, true)} · ${span(behind)} before the latest`
    const text = size === 0 ? '–' : clockTime(moment, mode !== 'live')
    this.#when.textContent = text
    this.#slider.setAttribute(
      'aria-valuetext',
      mode === 'live' ? `live, ${text}` : `${text}, ${span(behind)} before the end`,
    )
    this.#play.textContent = mode === 'paused' ? 'Go on' : 'Pause'
    this.#live.setAttribute('aria-pressed', String(mode === 'live'))
    this.#draw(palette, share)
  }

  #draw(palette: Palette, share: number): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas
    const context = this.#canvas.getContext('2d')
    if (context === null || width === 0) return
    this.#canvas.width = Math.round(width * devicePixelRatio)
    this.#canvas.height = Math.round(height * devicePixelRatio)
    context.scale(devicePixelRatio, devicePixelRatio)
    const columns = this.#chronicle.columns(TIMELINE_COLUMNS)
    const step = width / columns.length
    // By the root: one refusal among a thousand messages is to be seen.
    const tallest = Math.sqrt(Math.max(1, ...columns.map(({ messages, refused }) => messages + refused)))
    context.fillStyle = palette.lazy
    context.fillRect(0, height - 1, width, 1)
    columns.forEach(({ messages, refused, changes }, index) => {
      const x = index * step
      const top = (amount: number): number => (Math.sqrt(amount) / tallest) * (height - 8)
      context.globalAlpha = x / width <= share ? 1 : 0.35
      context.fillStyle = palette.eager
      const bar = top(messages)
      context.fillRect(x, height - 1 - bar, Math.max(1, step - 1), bar)
      if (refused > 0) {
        context.fillStyle = palette.refusal
        const mark = Math.max(4, top(refused))
        context.fillRect(x, height - 1 - mark, Math.max(2, step - 1), mark)
      }
      if (changes > 0) {
        context.fillStyle = palette.node
        context.fillRect(x, 0, Math.max(2, step - 1), 3)
      }
    })
  }

  #listen(): void {
    this.#slider.addEventListener('input', () => {
      const { start, end } = this.#chronicle
      const share = Number(this.#slider.value) / STEPS
      if (share >= 1) this.#player.live()
      else this.#player.seek(start + share * (end - start))
      this.#onMove()
    })
    this.#play.addEventListener('click', () => this.toggle())
    this.#live.addEventListener('click', () => this.live())
    byId('replay', HTMLButtonElement).addEventListener('click', () => this.replay())
    byId('back', HTMLButtonElement).addEventListener('click', () => this.step(-1))
    byId('forth', HTMLButtonElement).addEventListener('click', () => this.step(1))
    this.#speed.addEventListener('change', () => (this.#player.speed = Number(this.#speed.value)))
  }
}
