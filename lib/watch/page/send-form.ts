import { byId, make } from './dom.ts'
import type { Picture } from './picture.ts'
import { nodeLabel } from './words.ts'

/** How a message is sent. */
export type Sender = (node: string, type: string, data: unknown) => Promise<{ ok: boolean; text: string }>

/** The form to send a message with. It is there only where the status interface allows it. */
export class SendForm {
  readonly #form = byId('send', HTMLFormElement)
  readonly #from = byId('send-from', HTMLSelectElement)
  readonly #type = byId('send-type', HTMLInputElement)
  readonly #data = byId('send-data', HTMLTextAreaElement)
  readonly #outcome = byId('send-outcome', HTMLElement)
  readonly #send: Sender
  #options = ''

  constructor(send: Sender) {
    this.#send = send
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#submit()
    })
  }

  /** The nodes that can be told to send: those that tell of themselves. */
  offer({ nodes }: Picture): void {
    const watched = [...nodes.values()].filter(({ isWatched }) => isWatched)
    const options = watched.map(({ id }) => id).join()
    if (options === this.#options) return
    this.#options = options
    const chosen = this.#from.value
    this.#from.replaceChildren(
      ...watched.map((node) => make('option', { value: node.id }, nodeLabel(node.id, node))),
    )
    if (watched.some(({ id }) => id === chosen)) this.#from.value = chosen
  }

  async #submit(): Promise<void> {
    const button = this.#form.querySelector('button')!
    button.disabled = true
    this.#outcome.textContent = 'Sending…'
    const { text } = await this.#send(this.#from.value, this.#type.value, payload(this.#data.value))
    this.#outcome.textContent = text
    button.disabled = false
  }
}

/** What looks like JSON and is, is sent as that; all else as the text that it is. */
export function payload(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
