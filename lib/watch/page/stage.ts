import { paint, paintMotion } from './brush.ts'
import { Camera, type Extent, fitted } from './camera.ts'
import { byId } from './dom.ts'
import { type Attention, draw, nodeRadius, type Spots } from './drawing.ts'
import type { Happening } from './happening.ts'
import type { Spot } from './forces.ts'
import { Layout } from './layout.ts'
import { type AuthorColours, type Palette, PALETTES } from './palette.ts'
import { EMPTY, type Picture } from './picture.ts'
import { toSvg } from './svg.ts'
import { Travels } from './travels.ts'

/** What the stage tells. */
export interface StageOwner {
  /** Somebody chose a node, or none. */
  onSelect(id: string | undefined): void
}

/** How near to a node a pointer has to be, in pixels. */
const REACH = 12
/** A file of the picture is this large at least, in pixels. */
const FILE_SIZE = { width: 1200, height: 800 }

/**
 * The picture itself: one canvas for the network, painted anew when it has changed, and one above for what moves.
 * Where everything is still, nothing is painted.
 */
export class Stage {
  readonly #owner: StageOwner
  readonly #colours: AuthorColours
  readonly #graph = byId('graph', HTMLCanvasElement)
  readonly #motion = byId('motion', HTMLCanvasElement)
  readonly #legend = byId('legend', HTMLDetailsElement)
  readonly #layout = new Layout()
  readonly #travels = new Travels()
  readonly #camera: Camera
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)')
  #palette: Palette = PALETTES.light
  #picture: Picture = EMPTY
  #attention: Attention = { selected: undefined, hovered: undefined, self: undefined, allLabels: false }
  #isDirty = true
  #wasMoving = false
  #held: string | undefined

  constructor(owner: StageOwner, colours: AuthorColours) {
    this.#owner = owner
    this.#colours = colours
    this.#camera = new Camera(
      this.#motion,
      (event) => !(event instanceof MouseEvent && event.button !== 0) && this.#nodeUnder(event) === undefined,
      () => (this.#isDirty = true),
    )
    this.#listen()
    new ResizeObserver(() => this.#resize()).observe(this.#motion)
    this.#legend.addEventListener('toggle', () => (this.#isDirty = true))
  }

  get selected(): string | undefined {
    return this.#attention.selected
  }

  /** Nodes in the order in which the arrow keys go through them: by name, else by ID. */
  get order(): string[] {
    const nodes = [...this.#picture.nodes.values()]
    const nameOf = (name: string | undefined, id: string): string => name ?? `\uffff${id}`
    nodes.sort((one, other) =>
      nameOf(one.name, one.id).localeCompare(nameOf(other.name, other.id), 'en', { numeric: true }),
    )
    return nodes.map(({ id }) => id)
  }

  get camera(): Camera {
    return this.#camera
  }

  /** The state to show. */
  show(picture: Picture): void {
    if (picture === this.#picture) return
    const isFirst = this.#picture.nodes.size === 0
    this.#picture = picture
    this.#isDirty = true
    if (!this.#layout.show(picture)) return
    // Who wants no motion sees the result of it. So does who opens the page.
    if (isFirst || this.#calm.matches) this.#layout.settle()
  }

  /** What has happened, to be seen moving. */
  animate(happenings: readonly Happening[], now: number): void {
    if (!this.#calm.matches) this.#travels.add(happenings, now)
  }

  /** Nothing moves any more: one looks at another moment. */
  still(): void {
    this.#travels.clear()
  }

  pay(attention: Partial<Attention>): void {
    const before = this.#attention
    const names = Object.keys(attention) as (keyof Attention)[]
    if (names.every((name) => attention[name] === before[name])) return
    this.#attention = { ...before, ...attention }
    this.#isDirty = true
    const { selected } = attention
    const spot = selected === undefined ? undefined : this.#layout.spot(selected)
    if (spot !== undefined) this.#camera.reveal(spot)
  }

  recolour(theme: 'light' | 'dark'): void {
    this.#palette = PALETTES[theme]
    this.#isDirty = true
  }

  fit(): void {
    this.#camera.fit(this.#extent(), this.#inset, true)
  }

  /** Paints what has changed. @param now The view's clock, in ms. */
  frame(now: number): void {
    if (!this.#layout.isResting) {
      this.#layout.step()
      this.#isDirty = true
    }
    if (this.#isDirty) {
      if (this.#camera.isFollowing && this.#held === undefined) this.#camera.fit(this.#extent(), this.#inset)
      const context = this.#wipe(this.#graph)
      const drawing = draw(this.#picture, this.#spots, this.#camera.view, this.#attention, this.#palette)
      paint(context, drawing, this.#palette)
    }
    const isMoving = !this.#travels.isStill
    if (isMoving || this.#wasMoving || this.#isDirty) this.#paintMotion(now)
    this.#wasMoving = isMoving
    this.#isDirty = false
  }

  /** The whole picture, whatever the camera looks at. */
  toSvg(title: string): string {
    const width = Math.max(FILE_SIZE.width, this.#motion.clientWidth)
    const height = Math.max(FILE_SIZE.height, this.#motion.clientHeight)
    const { x, y, k } = fitted(this.#extent(), width, height)
    const attention = { ...this.#attention, hovered: undefined }
    const drawing = draw(this.#picture, this.#spots, { x, y, k, width, height }, attention, this.#palette)
    return toSvg(drawing, width, height, this.#palette.background, title)
  }

  readonly #spots: Spots = (id) => this.#layout.spot(id)

  #paintMotion(now: number): void {
    const context = this.#wipe(this.#motion)
    const { view } = this.#camera
    const radius = nodeRadius(this.#picture.nodes.size, view.k)
    paintMotion(context, this.#travels.at(now), this.#spots, view, radius, this.#palette, (author) =>
      this.#colours.of(author, this.#palette),
    )
  }

  #wipe(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
    const context = canvas.getContext('2d')
    if (context === null) throw new TypeError('the browser draws on no canvas')
    const scale = devicePixelRatio
    context.setTransform(scale, 0, 0, scale, 0, 0)
    context.clearRect(0, 0, canvas.width, canvas.height)
    return context
  }

  /** Where the legend is open, the picture keeps clear of it. */
  get #inset(): number {
    return this.#legend.open ? this.#legend.offsetWidth : 0
  }

  #resize(): void {
    const { clientWidth, clientHeight } = this.#motion
    for (const canvas of [this.#graph, this.#motion]) {
      canvas.width = Math.round(clientWidth * devicePixelRatio)
      canvas.height = Math.round(clientHeight * devicePixelRatio)
    }
    this.#camera.resize(clientWidth, clientHeight)
    this.#isDirty = true
  }

  #extent(): Extent {
    const spots = this.#layout.spots
    const all = (pick: (spot: Spot) => number): number[] => spots.map(pick)
    if (spots.length === 0) return { left: -1, top: -1, right: 1, bottom: 1 }
    return {
      left: Math.min(...all(({ x }) => x)),
      right: Math.max(...all(({ x }) => x)),
      top: Math.min(...all(({ y }) => y)),
      bottom: Math.max(...all(({ y }) => y)),
    }
  }

  #listen(): void {
    this.#motion.addEventListener('pointerdown', (event) => {
      const id = event.button === 0 ? this.#nodeUnder(event) : undefined
      this.#held = id
      this.#owner.onSelect(id)
      if (id !== undefined) this.#motion.setPointerCapture(event.pointerId)
    })
    this.#motion.addEventListener('pointermove', (event) => {
      if (this.#held !== undefined && event.buttons === 1) {
        this.#layout.hold(this.#held, this.#camera.placeAt(event.offsetX, event.offsetY))
        return
      }
      const hovered = this.#nodeUnder(event)
      if (hovered !== this.#attention.hovered) this.pay({ hovered })
    })
    const release = (): void => {
      if (this.#held !== undefined) this.#layout.hold(this.#held, undefined)
      this.#held = undefined
    }
    this.#motion.addEventListener('pointerup', release)
    this.#motion.addEventListener('pointercancel', release)
  }

  #nodeUnder(event: Event): string | undefined {
    if (!(event instanceof MouseEvent)) return undefined
    const { left, top } = this.#motion.getBoundingClientRect()
    const place = this.#camera.placeAt(event.clientX - left, event.clientY - top)
    const { k } = this.#camera.view
    let nearest: string | undefined
    let distance = Math.max(REACH, nodeRadius(this.#picture.nodes.size, k) + 3) / k
    for (const { id, x, y } of this.#layout.spots) {
      const away = Math.hypot(x - place.x, y - place.y)
      if (away < distance) [nearest, distance] = [id, away]
    }
    return nearest
  }
}
