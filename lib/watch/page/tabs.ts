import { byId } from './dom.ts'

const NAMES = ['node', 'messages', 'nodes', 'links', 'send'] as const

/** A pane of the panel. */
export type Tab = (typeof NAMES)[number]

/** Tabs as the ARIA Authoring Practices want them: one stop for the tabulator key, arrows between them. */
export class Tabs {
  readonly #onOpen: (tab: Tab) => void
  #open: Tab = 'node'

  constructor(onOpen: (tab: Tab) => void) {
    this.#onOpen = onOpen
    for (const name of NAMES) {
      const tab = tabOf(name)
      tab.addEventListener('click', () => this.open(name))
      tab.addEventListener('keydown', (event) => this.#onKey(event))
    }
  }

  get current(): Tab {
    return this.#open
  }

  pane(name: Tab): HTMLElement {
    return byId(`pane-${name}`, HTMLElement)
  }

  open(name: Tab): void {
    this.#open = name
    for (const other of NAMES) {
      const isOpen = other === name
      tabOf(other).setAttribute('aria-selected', String(isOpen))
      tabOf(other).tabIndex = isOpen ? 0 : -1
      this.pane(other).hidden = !isOpen
    }
    this.#onOpen(name)
  }

  /** Shows a tab or takes it away. */
  allow(name: Tab, isAllowed: boolean): void {
    tabOf(name).hidden = !isAllowed
    if (!isAllowed && this.#open === name) this.open('node')
  }

  #onKey(event: KeyboardEvent): void {
    const names = NAMES.filter((name) => !tabOf(name).hidden)
    const moves: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1 }
    const move = moves[event.key]
    const edges: Record<string, number> = { Home: 0, End: names.length - 1 }
    const index =
      move === undefined ? edges[event.key] : (names.indexOf(this.#open) + move + names.length) % names.length
    if (index === undefined) return
    event.preventDefault()
    event.stopPropagation()
    this.open(names[index]!)
    tabOf(names[index]!).focus()
  }
}

function tabOf(name: Tab): HTMLButtonElement {
  return byId(`tab-${name}`, HTMLButtonElement)
}
