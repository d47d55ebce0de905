/** Shorter ones would strike ordinary words. */
const SHORTEST = 6

/** Names of variables whose values are secrets. */
const SECRET = /(KEY|SECRET|TOKEN|PASSWORD|WEBHOOK_URL)$/

/** Replaces the values of all secrets that are known, also as they stand in JSON and in URLs. */
export function redactor(env: Readonly<Record<string, string | undefined>>): (text: string) => string {
  const values = Object.entries(env).flatMap(([name, value]) =>
    (SECRET.test(name) && value !== undefined && value.length >= SHORTEST ? [value] : []))
  const forms = new Set(values.flatMap((value) => [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)]))
  const longestFirst = [...forms].sort((a, b) => b.length - a.length)
  return (text) => longestFirst.reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text)
}
