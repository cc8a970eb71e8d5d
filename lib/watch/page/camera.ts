import { select } from 'd3-selection'
import { zoom, zoomIdentity, type ZoomBehavior, type ZoomTransform } from 'd3-zoom'
import type { View } from './drawing.ts'

/** What the camera is to look at, in units of the picture. */
export interface Extent {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

const NEAREST = 6
const FARTHEST = 0.08
/** Few nodes are not blown up to fill a wall. */
const NEAREST_FIT = 2.2
/** Room around the picture, in pixels: for labels, and for the buttons of the camera. */
const MARGIN = 80

/** Looks at the picture from somewhere: by wheel, by touch, by dragging, by keys. */
export class Camera {
  readonly #canvas: HTMLCanvasElement
  readonly #zoom: ZoomBehavior<HTMLCanvasElement, unknown>
  #transform: ZoomTransform = zoomIdentity
  #width = 1
  #height = 1
  /** Whether it follows the picture; whoever moves it takes over. */
  #isFollowing = true

  /**
   * @param isFree Whether a gesture that begins here is for the camera: on a node, it is for the node.
   * @param onMove It looks from elsewhere now.
   */
  constructor(canvas: HTMLCanvasElement, isFree: (event: Event) => boolean, onMove: () => void) {
    this.#canvas = canvas
    this.#zoom = zoom<HTMLCanvasElement, unknown>()
      .scaleExtent([FARTHEST, NEAREST])
      .filter((event: Event) => isFree(event))
      .on('zoom', ({ transform, sourceEvent }: { transform: ZoomTransform; sourceEvent: unknown }) => {
        this.#transform = transform
        if (sourceEvent !== null && sourceEvent !== undefined) this.#isFollowing = false
        onMove()
      })
    const selection = select(canvas).call(this.#zoom)
    // Two clicks on a node are no wish to come nearer.
    selection.on('dblclick.zoom', null)
  }

  get view(): View {
    const { x, y, k } = this.#transform
    return { x, y, k, width: this.#width, height: this.#height }
  }

  get isFollowing(): boolean {
    return this.#isFollowing
  }

  resize(width: number, height: number): void {
    // What was in the middle stays there.
    const { x, y, k } = this.#transform
    const moved = zoomIdentity
      .translate(x + (width - this.#width) / 2, y + (height - this.#height) / 2)
      .scale(k)
    this.#width = width
    this.#height = height
    this.#set(moved)
  }

  /**
   * Everything in sight.
   *
   * @param inset Pixels on the left that something else lies on
   * @param follow Whether it goes on following
   */
  fit(extent: Extent, inset: number, follow = this.#isFollowing): void {
    this.#isFollowing = follow
    this.#set(fitted(extent, this.#width, this.#height, inset))
  }

  zoomBy(factor: number): void {
    this.#isFollowing = false
    this.#zoom.scaleBy(select(this.#canvas), factor)
  }

  panBy(dx: number, dy: number): void {
    this.#isFollowing = false
    const { k } = this.#transform
    this.#zoom.translateBy(select(this.#canvas), dx / k, dy / k)
  }

  /** Brings a place into sight, if it is not. */
  reveal({ x, y }: { readonly x: number; readonly y: number }): void {
    const { k } = this.#transform
    const [px, py] = this.#transform.apply([x, y])
    const isInSight = px > MARGIN && py > MARGIN && px < this.#width - MARGIN && py < this.#height - MARGIN
    if (isInSight) return
    this.#isFollowing = false
    this.#set(zoomIdentity.translate(this.#width / 2 - x * k, this.#height / 2 - y * k).scale(k))
  }

  /** The place of the picture under a pixel. */
  placeAt(x: number, y: number): { x: number; y: number } {
    const [px, py] = this.#transform.invert([x, y])
    return { x: px, y: py }
  }

  #set(transform: ZoomTransform): void {
    this.#zoom.transform(select(this.#canvas), transform)
  }
}

/** How to look at all of an extent. */
export function fitted(
  { left, top, right, bottom }: Extent,
  width: number,
  height: number,
  inset = 0,
): ZoomTransform {
  const k = Math.min(
    NEAREST_FIT,
    Math.max(1, width - inset - 2 * MARGIN) / Math.max(1, right - left),
    Math.max(1, height - 2 * MARGIN) / Math.max(1, bottom - top),
  )
  const scale = Math.max(FARTHEST, k)
  return zoomIdentity
    .translate((width + inset) / 2 - (scale * (left + right)) / 2, height / 2 - (scale * (top + bottom)) / 2)
    .scale(scale)
}
