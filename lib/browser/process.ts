// What a page has in place of Node's `process`, as far as the shared source asks for it by its name. The build puts it
// there; who looks for `globalThis.process` finds none, and so takes this for a browser.

/** The variables of the environment, of which a page has none; its console, and where errors that nobody heard go. */
export const process = {
  env: {},
  stdout: { write: (text: string): void => console.log(text.trimEnd()) },
  stderr: { write: (text: string): void => console.debug(text.trimEnd()) },
  // Where a page hears of it like of any error that nobody caught, and nothing else stops.
  emitWarning: (warning: unknown): void =>
    queueMicrotask(() => {
      throw warning
    }),
}
