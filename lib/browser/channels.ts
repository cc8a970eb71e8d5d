const SILENT = { hasSubscribers: false, publish: (): void => {} }

/** In place of the channels of `node:diagnostics_channel`: nobody listens. */
export const CHANNELS = {
  connect: SILENT,
  send: SILENT,
  receive: SILENT,
  reject: SILENT,
  request: SILENT,
} as const
