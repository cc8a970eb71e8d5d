type Listener = (...args: never[]) => unknown
type Wrapped = Listener & { readonly listener?: Listener }

/** What a page has in place of `node:events`: as much of its `EventEmitter` as a node's listeners need. */
export class EventEmitter {
  /** A `Map`: an event named like a member of every object must find no listeners. */
  readonly #listeners = new Map<string, readonly Wrapped[]>()

  /** Calls a listener from now on whenever the event happens. */
  on(event: string, listener: Listener): this {
    return this.#set(event, [...this.rawListeners(event), checked(listener)])
  }

  /** Calls a listener the next time that the event happens. */
  once(event: string, listener: Listener): this {
    return this.on(event, this.#onlyOnce(event, checked(listener)))
  }

  /** Like {@link on}, and the listener comes first. */
  prependListener(event: string, listener: Listener): this {
    return this.#set(event, [checked(listener), ...this.rawListeners(event)])
  }

  /** Like {@link once}, and the listener comes first. */
  prependOnceListener(event: string, listener: Listener): this {
    return this.prependListener(event, this.#onlyOnce(event, checked(listener)))
  }

  /** Takes a listener away; where it was added more than once, the last of them. */
  off(event: string, listener: Listener): this {
    const all = this.rawListeners(event)
    const at = all.findLastIndex((one) => one === listener || one.listener === listener)
    return at < 0 ? this : this.#set(event, all.toSpliced(at, 1))
  }

  /** Another name of {@link on}. */
  addListener(event: string, listener: Listener): this {
    return this.on(event, listener)
  }

  /** Another name of {@link off}. */
  removeListener(event: string, listener: Listener): this {
    return this.off(event, listener)
  }

  /** Takes all listeners of one event away, or of all. */
  removeAllListeners(event?: string): this {
    if (event === undefined) this.#listeners.clear()
    else this.#listeners.delete(event)
    return this
  }

  /** Calls the listeners of an event. Says whether there are any. */
  emit(event: string, ...args: never[]): boolean {
    const all = this.rawListeners(event)
    for (const listener of all) listener.apply(this, args)
    return all.length > 0
  }

  /** The listeners as they were given. */
  listeners(event: string): Listener[] {
    return this.rawListeners(event).map((one) => one.listener ?? one)
  }

  /** The listeners as they are called. */
  rawListeners(event: string): Wrapped[] {
    return [...(this.#listeners.get(event) ?? [])]
  }

  /** How many listeners an event has. */
  listenerCount(event: string): number {
    return this.#listeners.get(event)?.length ?? 0
  }

  /** The events that have listeners. */
  eventNames(): string[] {
    return [...this.#listeners.keys()]
  }

  /** Nothing is warned about here, however many there are. */
  setMaxListeners(): this {
    return this
  }

  /** There is no highest number. */
  getMaxListeners(): number {
    return Infinity
  }

  #set(event: string, listeners: readonly Wrapped[]): this {
    if (listeners.length === 0) this.#listeners.delete(event)
    else this.#listeners.set(event, listeners)
    return this
  }

  #onlyOnce(event: string, listener: Listener): Wrapped {
    const wrapped = (...args: never[]): unknown => {
      this.off(event, wrapped)
      return listener.apply(this, args)
    }
    return Object.assign(wrapped, { listener })
  }
}

function checked(listener: Listener): Listener {
  if (typeof listener !== 'function') throw new TypeError('the listener must be a function')
  return listener
}
