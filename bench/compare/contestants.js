// Who takes part, and in what. Each has a file of its name here, which says how it is used.

/** Sizes of messages, in bytes of JSON. */
export const SIZES = [200, 4_096]

/** Two processes: messages of 200 bytes that take each a few seconds; of larger ones there are fewer. */
const PAIRS = {
  'secure-node': { burst: 120_000, paced: 24_000 },
  gossipsub: { burst: 10_000, paced: 10_000 },
  'signed-stream': { burst: 20_000, paced: 20_000 },
  'secret-stream': { burst: 150_000, paced: 150_000 },
  tcp: { burst: 300_000, paced: 300_000 },
}

/** Those that are networks: messages along a chain, and through fifty processes. */
export const NETWORKS = {
  'secure-node': { chain: { burst: 24_000, paced: 6_000 }, many: { burst: 1_024, paced: 200 } },
  gossipsub: { chain: { burst: 2_000, paced: 2_000 }, many: { burst: 100, paced: 100 } },
}

/** What a user of each installs. */
export const PACKAGES = {
  'secure-node': ['.'],
  gossipsub: [
    'libp2p',
    '@libp2p/tcp',
    '@libp2p/noise',
    '@libp2p/yamux',
    '@libp2p/identify',
    '@libp2p/gossipsub',
  ],
  'secret-stream': ['@hyperswarm/secret-stream'],
}

/** Ed25519 alone. Beside a signer: some machines' cores share what both need, as those of a sender and a receiver do. */
export const ENGINE = {
  'sign, one core': { count: 20_000, isSigning: true },
  'verify, one core': { count: 10_000, inFlight: 1 },
  'verify, one core, beside a signer': { count: 10_000, inFlight: 1, besideSigner: true },
  'verify, all cores': { count: 20_000, inFlight: 64 },
}
/** What the others are compared with. */
export const BARE_VERIFY = 'verify, one core'

/** Every contestant in each of its modes, as `[name, contestant, mode, messages]`. */
export function pairs(bytes) {
  return Object.entries(PAIRS).flatMap(([contestant, modes]) =>
    Object.entries(modes).map(([mode, count]) => [
      `${contestant}, ${mode}`,
      contestant,
      mode,
      Math.ceil(count / Math.sqrt(bytes / 200)),
    ]),
  )
}

/** Those that take part with two processes. */
export const CONTESTANTS = Object.keys(PAIRS)
