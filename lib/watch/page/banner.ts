import { byId } from './dom.ts'

/** The line under the head that says what is wrong, or what else is shown, and what to do about it. */
export class Banner {
  readonly #banner = byId('banner', HTMLElement)
  readonly #text = byId('banner-text', HTMLElement)
  readonly #button = byId('banner-action', HTMLButtonElement)
  #action: (() => void) | undefined

  constructor() {
    this.#button.addEventListener('click', () => this.#action?.())
  }

  show(kind: 'alert' | 'info', text: string, label?: string, action?: () => void): void {
    this.#banner.hidden = false
    this.#banner.dataset['kind'] = kind
    // Only when it changes: it is read aloud each time.
    if (this.#text.textContent !== text) this.#text.textContent = text
    this.#button.hidden = label === undefined
    if (label !== undefined) this.#button.textContent = label
    this.#action = action
  }

  hide(): void {
    this.#banner.hidden = true
  }
}
