import type { Json } from '../message/canonical.ts'

/**
 * The first characters of a value's JSON. Only so much of it is written: a message of 256 KiB, looked at by somebody,
 * must not cost as much as it has bytes.
 */
export function previewOf(value: Json, max: number): string {
  const text = new Brief(max + 1)
  text.write(value)
  // Cut in the middle of a pair, a character would be none.
  return text.value.length > max ? `${text.value.slice(0, max)}…`.toWellFormed() : text.value
}

/** JSON that is written until it is long enough. */
class Brief {
  value = ''
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  get #isFull(): boolean {
    return this.value.length >= this.#max
  }

  write(value: Json): void {
    if (typeof value === 'string') this.value += JSON.stringify(value.slice(0, this.#max))
    else if (Array.isArray(value)) this.#writeList(value as readonly Json[])
    else if (typeof value === 'object' && value !== null) this.#writeObject(value as Record<string, Json>)
    else this.value += String(value)
  }

  #writeList(values: readonly Json[]): void {
    this.value += '['
    let separator = ''
    for (const value of values) {
      if (this.#isFull) return
      this.value += separator
      this.write(value)
      separator = ','
    }
    this.value += ']'
  }

  #writeObject(value: Readonly<Record<string, Json>>): void {
    this.value += '{'
    let separator = ''
    // Not Object.entries(): it would go through all of them first.
    for (const name in value) {
      if (this.#isFull) return
      if (!Object.hasOwn(value, name)) continue
      this.value += `${separator}${JSON.stringify(name.slice(0, this.#max))}:`
      this.write(value[name]!)
      separator = ','
    }
    this.value += '}'
  }
}
