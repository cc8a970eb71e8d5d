import type { Entry } from './store.ts'
import { LAST_TIME } from './record.ts'

/** A place in the order of time and ID: before every entry of this time whose ID is not below these digits. */
export interface Bound {
  /** In ms since the epoch. */
  readonly time: number
  /** The first digits of an ID, in hexadecimal, of even number; none: before all IDs. */
  readonly id: string
}

/** From one place, inclusive, to another, exclusive. */
export interface Range {
  readonly start: Bound
  readonly end: Bound
}

/** Before everything. */
export const BEGINNING: Bound = { time: 0, id: '' }
/** After everything that there can be. */
export const END: Bound = { time: LAST_TIME, id: '' }

/** Whether an entry, or another bound, lies before a bound. */
export function isBefore({ time, id }: Bound | Pick<Entry, 'time' | 'id'>, bound: Bound): boolean {
  return time === bound.time ? id < bound.id : time < bound.time
}

/** The later one of two bounds. */
export function laterOf(left: Bound, right: Bound): Bound {
  return isBefore(left, right) ? right : left
}
