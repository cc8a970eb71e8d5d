/** The colours of the drawing; those of the rest of the page stand in its style sheet. */
export interface Palette {
  readonly background: string
  readonly ink: string
  readonly faint: string
  readonly node: string
  readonly stranger: string
  readonly eager: string
  readonly lazy: string
  /** Lazy links where there are very many of them. */
  readonly veil: string
  readonly open: string
  readonly refusal: string
  readonly focus: string
  readonly authors: readonly string[]
}

/**
 * After the colours of Okabe and Ito, which people who confuse red and green tell apart. Nothing is told by colour
 * alone: lazy links are dashed, refusals are crosses, nodes that are only known by name are hollow.
 */
export const PALETTES: Readonly<Record<'light' | 'dark', Palette>> = {
  light: {
    background: '#fbfaf7',
    ink: '#1f2933',
    faint: '#6b7580',
    node: '#0b6aa8',
    stranger: '#8a949e',
    eager: '#7f97aa',
    lazy: '#b4bfc9',
    veil: '#d8dcde',
    open: '#c98a00',
    refusal: '#c8500a',
    focus: '#111820',
    authors: ['#0072b2', '#d98200', '#008f68', '#b3588f', '#2f9fd8', '#8a6d00'],
  },
  dark: {
    background: '#12161c',
    ink: '#e8edf2',
    faint: '#97a3af',
    node: '#4aa8e0',
    stranger: '#78848f',
    eager: '#5d7589',
    lazy: '#465563',
    veil: '#2a3641',
    open: '#e8b13a',
    refusal: '#ff8a4c',
    focus: '#ffffff',
    authors: ['#5db8f0', '#f2b134', '#35c9a0', '#e39ac4', '#9ad4f5', '#e6d96a'],
  },
}

/** Authors whose colours are remembered; a stranger can name any number of others. */
const MAX_AUTHORS = 2_000

/** Gives each author a colour when it is first seen: of as many as there are colours, no two have the same. */
export class AuthorColours {
  readonly #ranks = new Map<string, number>()

  /** The colour of an author's messages. */
  of(id: string, { authors }: Palette): string {
    const rank = this.#ranks.get(id) ?? this.#ranks.size
    if (rank < MAX_AUTHORS) this.#ranks.set(id, rank)
    return authors[rank % authors.length]!
  }
}
