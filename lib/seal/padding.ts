/** The byte that ends the content. Zeros follow it, so that content of any kind, zeros included, has one end. */
const MARK = 0x80

/**
 * Pads to the next multiple of a step, by 1 to `step` bytes: 0x80 and zeros (ISO/IEC 7816-4). Then a length tells only
 * how many steps there are.
 */
export function pad(bytes: Uint8Array, step: number): Uint8Array {
  const padded = new Uint8Array((Math.floor(bytes.length / step) + 1) * step)
  padded.set(bytes)
  padded[bytes.length] = MARK
  return padded
}

/**
 * Undoes {@link pad}; undefined for what it does not make. Only what was authenticated may come here: how long this
 * takes tells where the content ends.
 */
export function unpad(padded: Uint8Array, step: number): Uint8Array | undefined {
  if (padded.length === 0 || padded.length % step !== 0) return undefined
  let end = padded.length - 1
  while (end > 0 && padded[end] === 0) end--
  // More zeros than a step has would be a second way to write the same content.
  return padded[end] === MARK && end >= padded.length - step ? padded.subarray(0, end) : undefined
}
