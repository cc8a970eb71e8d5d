/** All origins, or a list of some, each as browsers write them: `https://example.org`. */
export function areOrigins(value: unknown): value is readonly string[] | '*' {
  return value === '*' || (Array.isArray(value) && value.every(isOrigin))
}

/** The path of a URL, without a query. */
export function isUrlPath(value: unknown): value is string {
  return typeof value === 'string' && /^\/[\w\-./~]*$/.test(value)
}

function isOrigin(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value) && new URL(value).origin === value
}
