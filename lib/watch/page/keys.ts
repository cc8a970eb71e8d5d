/** What keys do. */
export interface KeyCommands {
  selectNext(direction: 1 | -1): void
  selectNeighbour(): void
  selectNone(): void
  openDetails(): void
  zoom(factor: number): void
  pan(dx: number, dy: number): void
  fit(): void
  toggle(): void
  step(direction: 1 | -1): void
  replay(): void
  live(): void
  labels(): void
  theme(): void
  help(): void
}

const NEARER = 1.3
/** Pixels of a step. */
const PAN = 60

/** Listens for keys: arrows in the picture only, letters everywhere but where one writes. */
export function listenForKeys(graph: HTMLElement, commands: KeyCommands): void {
  const anywhere: Record<string, () => void> = {
    '+': () => commands.zoom(NEARER),
    '=': () => commands.zoom(NEARER),
    '-': () => commands.zoom(1 / NEARER),
    '0': () => commands.fit(),
    ',': () => commands.step(-1),
    '.': () => commands.step(1),
    n: () => commands.selectNeighbour(),
    r: () => commands.replay(),
    l: () => commands.labels(),
    d: () => commands.theme(),
    '?': () => commands.help(),
  }
  const inGraph: Record<string, () => void> = {
    ArrowRight: () => commands.selectNext(1),
    ArrowDown: () => commands.selectNext(1),
    ArrowLeft: () => commands.selectNext(-1),
    ArrowUp: () => commands.selectNext(-1),
    Enter: () => commands.openDetails(),
    Escape: () => commands.selectNone(),
    End: () => commands.live(),
    ' ': () => commands.toggle(),
  }
  const shifted: Record<string, () => void> = {
    ArrowRight: () => commands.pan(-PAN, 0),
    ArrowDown: () => commands.pan(0, -PAN),
    ArrowLeft: () => commands.pan(PAN, 0),
    ArrowUp: () => commands.pan(0, PAN),
  }
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return
    const isInGraph = event.target === graph || event.target === document.body
    const own = isInGraph
      ? ((event.shiftKey ? shifted[event.key] : undefined) ?? inGraph[event.key])
      : undefined
    const command = own ?? anywhere[event.key.toLowerCase()]
    if (command === undefined) return
    event.preventDefault()
    command()
  })
}

/** Whether the key belongs to what has the focus: a text, a list, or an open dialog. */
function isWriting(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false
  if (target.closest('dialog') !== null) return true
  return target.matches('textarea, select, input:not([type="range"])')
}
