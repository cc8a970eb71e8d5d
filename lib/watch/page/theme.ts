import { byId } from './dom.ts'

const CHOICES = ['auto', 'light', 'dark'] as const
type Choice = (typeof CHOICES)[number]

const KEY = 'secure-node-watch-theme'

/** Light or dark: as the system has it, until somebody decides. */
export class Theme {
  readonly #onChange: (theme: 'light' | 'dark') => void
  readonly #system = matchMedia('(prefers-color-scheme: dark)')
  readonly #button = byId('theme', HTMLButtonElement)
  #choice: Choice = 'auto'

  constructor(onChange: (theme: 'light' | 'dark') => void) {
    this.#onChange = onChange
    this.#choice = remembered()
    this.#system.addEventListener('change', () => this.#apply())
    this.#button.addEventListener('click', () => this.next())
    this.#apply()
  }

  get current(): 'light' | 'dark' {
    if (this.#choice !== 'auto') return this.#choice
    return this.#system.matches ? 'dark' : 'light'
  }

  /** The next choice. */
  next(): void {
    this.#choice = CHOICES[(CHOICES.indexOf(this.#choice) + 1) % CHOICES.length]!
    try {
      localStorage.setItem(KEY, this.#choice)
    } catch {
      // A browser that keeps nothing: it is chosen again next time.
    }
    this.#apply()
  }

  #apply(): void {
    document.documentElement.dataset['theme'] = this.current
    this.#button.textContent = `Theme: ${this.#choice}`
    this.#onChange(this.current)
  }
}

function remembered(): Choice {
  try {
    const known = localStorage.getItem(KEY)
    return CHOICES.find((choice) => choice === known) ?? 'auto'
  } catch {
    return 'auto'
  }
}
