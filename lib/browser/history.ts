export { History } from '../history/history.ts'
export { DatabaseStore } from './database-store.ts'
