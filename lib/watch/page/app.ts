import { Chronicle } from './chronicle.ts'
import { byId, make, refill, saveFile } from './dom.ts'
import { feed } from './feed.ts'
import { listenForKeys, type KeyCommands } from './keys.ts'
import { linksOf, nodePane, spokenNode } from './node-pane.ts'
import { FIGURES_EVERY } from './page-limits.ts'
import { AuthorColours, PALETTES } from './palette.ts'
import type { MessageView, Picture } from './picture.ts'
import { Player } from './player.ts'
import { SendForm } from './send-form.ts'
import { Source, stamp } from './source.ts'
import { Stage } from './stage.ts'
import { linkTable, nodeTable } from './tables.ts'
import { Tabs } from './tabs.ts'
import { Theme } from './theme.ts'
import { Timeline } from './timeline.ts'
import { compact } from './words.ts'

/** On a smaller stage the legend would lie on nodes, in pixels. */
const LEGEND_ROOM = { width: 900, height: 560 }
/** More nodes than this need the corner of the legend. */
const FOLDING_NODES = 60

/** The page: what comes in, the moment that is shown, and the views of it. */
export class App {
  readonly #chronicle = new Chronicle()
  readonly #player = new Player(this.#chronicle)
  readonly #colours = new AuthorColours()
  readonly #stage = new Stage({ onSelect: (id) => this.#select(id) }, this.#colours)
  readonly #tabs = new Tabs(() => this.#write())
  readonly #theme = new Theme((theme) => this.#stage.recolour(theme))
  readonly #timeline = new Timeline(this.#chronicle, this.#player, () => this.#onJump())
  readonly #source: Source
  readonly #form: SendForm
  readonly #filters = { nodes: filterBox('nodes'), links: filterBox('links') }
  readonly #tables = { nodes: make('div'), links: make('div') }
  #picture: Picture = this.#chronicle.latest
  #chosen: string | undefined
  #neighbour = 0
  #hasFolded = false
  #lastFrame = 0
  #lastWrite = 0

  /** @param token What the status interface wants to be shown. */
  constructor(token: string) {
    this.#source = new Source(token, this.#chronicle, {
      onReset: () => this.#select(undefined),
      onPermission: (canSend) => this.#tabs.allow('send', canSend),
      onTrace: () => this.#timeline.replay(),
    })
    this.#form = new SendForm((node, type, data) => this.#source.send(node, type, data))
    for (const name of ['nodes', 'links'] as const) {
      this.#tabs.pane(name).append(this.#filters[name], this.#tables[name])
      this.#filters[name].addEventListener('input', () => this.#write())
    }
    const { clientWidth, clientHeight } = byId('motion', HTMLElement)
    byId('legend', HTMLDetailsElement).open =
      clientWidth >= LEGEND_ROOM.width && clientHeight >= LEGEND_ROOM.height
    this.#listen()
  }

  start(): void {
    this.#source.start()
    requestAnimationFrame((now) => this.#frame(now))
  }

  #frame(now: number): void {
    // A page in the background gets no frames: what happened meanwhile is not played all at once.
    const elapsed = Math.min(1_000, now - this.#lastFrame)
    this.#lastFrame = now
    const happened = this.#player.advance(elapsed)
    if (happened.length > 0) this.#stage.animate(happened, now)
    if (happened.length > 0 || this.#player.mode === 'live') this.#show()
    this.#stage.frame(now)
    if (now - this.#lastWrite >= FIGURES_EVERY) {
      this.#lastWrite = now
      this.#write()
      this.#source.refresh()
    }
    requestAnimationFrame((next) => this.#frame(next))
  }

  /** The state of the moment. */
  #show(): void {
    const isLive = this.#player.mode === 'live'
    this.#picture = isLive ? this.#chronicle.latest : this.#chronicle.at(this.#player.moment)
    this.#stage.show(this.#picture)
  }

  #onJump(): void {
    this.#stage.still()
    this.#show()
    this.#write()
  }

  /** Figures and tables, a few times a second: those that are seen. */
  #write(): void {
    const picture = this.#picture
    const { nodes, links, totals } = picture
    setText('figure-nodes', compact(nodes.size))
    setText('figure-links', compact(links.size))
    setText('figure-messages', compact(totals.messages))
    setText('figure-refused', compact(totals.refused))
    byId('figure-refused', HTMLElement).parentElement!.toggleAttribute('data-some', totals.refused > 0)
    byId('empty', HTMLElement).hidden = nodes.size > 0
    this.#writeLegend(nodes.size)
    this.#stage.pay({ self: this.#source.self })
    this.#timeline.refresh(PALETTES[this.#theme.current])
    this.#writePane()
  }

  /** A large network needs its place: the legend is folded up once, and is then the user's. */
  #writeLegend(nodes: number): void {
    const legend = byId('legend', HTMLDetailsElement)
    legend.hidden = nodes === 0
    if (nodes > FOLDING_NODES && !this.#hasFolded) legend.open = false
    this.#hasFolded ||= nodes > FOLDING_NODES
  }

  #writePane(): void {
    const picture = this.#picture
    const { selected } = this.#stage
    const onSelect = (id: string): void => this.#select(id)
    const tab = this.#tabs.current
    if (tab === 'node') {
      refill(this.#tabs.pane(tab), ...nodePane(picture, selected, this.#source.self, onSelect))
    } else if (tab === 'messages') {
      const palette = PALETTES[this.#theme.current]
      const onChoose = (message: MessageView): void => this.#choose(message)
      refill(
        this.#tabs.pane(tab),
        ...feed({ picture, palette, colours: this.#colours, chosen: this.#chosen, onChoose, onSelect }),
      )
    } else if (tab === 'send') {
      this.#form.offer(picture)
    } else {
      const view = { picture, selected, filter: this.#filters[tab].value, onSelect }
      refill(this.#tables[tab], ...(tab === 'nodes' ? nodeTable(view) : linkTable(view)))
    }
  }

  #select(id: string | undefined): void {
    this.#stage.pay({ selected: id })
    this.#neighbour = 0
    const spoken = id === undefined ? '' : spokenNode(this.#picture, id, this.#source.self)
    setText('spoken', spoken)
    this.#writePane()
  }

  /** Shows the way of a message once more, and lists it. */
  #choose(message: MessageView): void {
    this.#chosen = this.#chosen === message.id ? undefined : message.id
    const { id, author, hops } = message
    const verdict = 'relayed'
    const again = hops.map(({ from, to, at }) => ({ kind: 'message', at, node: from, id, author, to: [to], verdict }) as const) // prettier-ignore
    this.#stage.still()
    if (this.#chosen !== undefined) this.#stage.animate(again, performance.now())
    this.#writePane()
  }

  #listen(): void {
    const labels = byId('labels', HTMLButtonElement)
    const toggleLabels = (): void => {
      const allLabels = labels.getAttribute('aria-pressed') !== 'true'
      labels.setAttribute('aria-pressed', String(allLabels))
      this.#stage.pay({ allLabels })
    }
    const help = byId('help', HTMLDialogElement)
    const { camera } = this.#stage
    const commands: KeyCommands = {
      selectNext: (direction) => this.#selectNext(direction),
      selectNeighbour: () => this.#selectNeighbour(),
      selectNone: () => this.#select(undefined),
      openDetails: () => this.#openDetails(),
      zoom: (factor) => camera.zoomBy(factor),
      pan: (dx, dy) => camera.panBy(dx, dy),
      fit: () => this.#stage.fit(),
      toggle: () => this.#timeline.toggle(),
      step: (direction) => this.#timeline.step(direction),
      replay: () => this.#timeline.replay(),
      live: () => this.#timeline.live(),
      labels: toggleLabels,
      theme: () => this.#theme.next(),
      help: () => help.showModal(),
    }
    listenForKeys(byId('motion', HTMLElement), commands)
    const onClick = (id: string, action: () => void): void =>
      byId(id, HTMLButtonElement).addEventListener('click', action)
    onClick('labels', toggleLabels)
    onClick('help-open', () => commands.help())
    onClick('zoom-in', () => commands.zoom(1.3))
    onClick('zoom-out', () => commands.zoom(1 / 1.3))
    onClick('zoom-fit', () => commands.fit())
    onClick('save-trace', () => this.#source.saveTrace())
    onClick('save-svg', () => this.#saveSvg())
  }

  #saveSvg(): void {
    const title = `secure-node: ${this.#picture.nodes.size} nodes, ${this.#picture.links.size} links`
    saveFile(`secure-node-${stamp()}.svg`, 'image/svg+xml', this.#stage.toSvg(title))
  }

  #selectNext(direction: 1 | -1): void {
    const { order, selected } = this.#stage
    if (order.length === 0) return
    const index = selected === undefined ? -1 : order.indexOf(selected)
    const next = index < 0 && direction === -1 ? order.length - 1 : index + direction
    this.#select(order[(next + order.length) % order.length])
  }

  /** Along a link: each time it is pressed, along the next one. */
  #selectNeighbour(): void {
    const { selected } = this.#stage
    if (selected === undefined) return this.#selectNext(1)
    const links = linksOf(this.#picture, selected)
    const link = links[this.#neighbour % Math.max(1, links.length)]
    if (link !== undefined) this.#select(link.a === selected ? link.b : link.a)
  }

  #openDetails(): void {
    this.#tabs.open('node')
    byId('tab-node', HTMLButtonElement).focus()
  }
}

function setText(id: string, text: string): void {
  const element = byId(id, HTMLElement)
  if (element.textContent !== text) element.textContent = text
}

function filterBox(noun: string): HTMLInputElement {
  const label = `Find ${noun} by name, ID or address`
  return make('input', {
    type: 'search',
    class: 'filter',
    placeholder: label,
    'aria-label': label,
    maxlength: '100',
  })
}
