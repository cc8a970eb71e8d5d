/*! The page of `secure-node watch`. In it are d3-force and d3-zoom: see licences.txt beside it. */
import { App } from './app.ts'

/** Where it is kept while the tab is open: a page that is loaded again is still allowed to read. */
const KEY = 'secure-node-watch-token'

/** Behind the `#` of the address, where a browser sends it to nobody. */
function takeToken(): string {
  const hash = location.hash.slice(1)
  const token = new URLSearchParams(hash).get('token') ?? hash
  // Out of the address bar: that is projected, and it ends up in the history.
  if (hash !== '') history.replaceState(null, '', location.pathname)
  try {
    if (token !== '') sessionStorage.setItem(KEY, token)
    return token === '' ? (sessionStorage.getItem(KEY) ?? '') : token
  } catch {
    return token
  }
}

new App(takeToken()).start()
