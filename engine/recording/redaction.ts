/** Shorter ones would strike ordinary words. */
const SHORTEST = 6

const SECRET = /(KEY|SECRET|TOKEN|PASSWORD|PASSPHRASE|WEBHOOK_URL)$/

/** Whether a variable of the environment holds a secret: its name alone says so. */
export const isSecret = (name: string): boolean => SECRET.test(name)

/** How a text is written in JSON and in URLs, by one program or another. */
function formsOf(value: string): readonly string[] {
  const json = JSON.stringify(value).slice(1, -1)
  const url = encodeURIComponent(value)
  return [value, json, json.replaceAll('/', '\\/'), url, url.replaceAll(/%../g, (byte) => byte.toLowerCase())]
}

/** Replaces the values of all secrets that are known, also as they stand in JSON and in URLs. */
export function redactor(env: Readonly<Record<string, string | undefined>>): (text: string) => string {
  const values = Object.entries(env).flatMap(([name, value]) =>
    // Keys are sent without the blanks and line ends around them.
    (isSecret(name) && value !== undefined && value.trim().length >= SHORTEST ? [value.trim()] : []))
  const forms = new Set(values.flatMap(formsOf))
  const longestFirst = [...forms].sort((a, b) => b.length - a.length)
  return (text) => longestFirst.reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text)
}

/** Hashes and words of this program's own, which a line has to keep to be one. */
const OWN: ReadonlySet<string> = new Set(['key', 'chain', 'kind', 'provider', 'role', 'action', 'skipped'])

/** The same with secrets struck out of all its texts. Numbers and names stay: a secret that looks like one must not break them. */
export function struck<T>(value: T, redact: (text: string) => string): T {
  if (typeof value === 'string') return redact(value) as T
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map((part: unknown) => struck(part, redact)) as T
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, OWN.has(name) ? part as unknown : struck(part as unknown, redact)])) as T
}
