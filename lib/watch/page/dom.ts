/** What stands in `index.html` under an ID. @throws TypeError if it is not there, or something else. */
export function byId<T extends Element>(id: string, kind: new () => T): T {
  const element = document.getElementById(id)
  if (!(element instanceof kind)) throw new TypeError(`the page has no #${id}`)
  return element
}

/** A new element. Texts become text nodes: what other nodes say is never read as markup. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

/** A button that looks like a link and does something within the page. */
export function linkButton(label: string, onPress: () => void, key?: string): HTMLButtonElement {
  const button = make('button', { type: 'button', class: 'link' }, label)
  // By it the focus is found again after the table was written anew.
  if (key !== undefined) button.dataset['key'] = key
  button.addEventListener('click', onPress)
  return button
}

/** Puts other content into an element, and the focus back to where it was: a table changes twice a second. */
export function refill(element: Element, ...children: (Node | string)[]): void {
  const active = document.activeElement
  const key = active instanceof HTMLElement && element.contains(active) ? active.dataset['key'] : undefined
  const { scrollTop } = element
  element.replaceChildren(...children)
  element.scrollTop = scrollTop
  if (key === undefined) return
  const found = element.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)
  found?.focus({ preventScroll: true })
}

/** Hands a text to the user as a file. Nothing leaves the machine. */
export function saveFile(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }))
  const link = make('a', { href: address, download: name })
  link.click()
  // Not at once: some browsers read it a little later.
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}

/** Names and values as a list. */
export function factList(facts: readonly (readonly [string, Node | string])[]): HTMLDListElement {
  const list = make('dl', { class: 'facts' })
  for (const [name, value] of facts) list.append(make('dt', {}, name), make('dd', {}, value))
  return list
}
