import type { SecureNodeSettings } from './options.ts'
import type { OverlayOptions } from '../overlay/overlay-port.ts'
import { toAddress } from '../wire/address.ts'

/** What of the settings is about forming the network, with addresses in one form. */
export function overlayOptions(settings: SecureNodeSettings): OverlayOptions {
  const { bootstrap, advertise, targetConnections, maxConnections } = settings
  return {
    ...settings,
    // More would be looked for without end.
    targetConnections: Math.min(targetConnections, maxConnections),
    hasFurther: settings.transports.length > 0,
    bootstrap: bootstrap.map((item) => toAddress(item)!),
    advertise: advertise !== false && advertise.map((item) => toAddress(item)!),
  }
}
