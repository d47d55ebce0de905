/** JSON with a space after every colon and comma, as the audit trail is written. Numbers that JSON cannot say become null. */
export function spacedJson(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null'
  if (typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(', ')}]`
  return `{${fieldsJson(value as Record<string, unknown>)}}`
}

/** The inside of an object: `"a": 1, "b": 2`. Keys without a value (undefined) are left out. */
export const fieldsJson = (fields: Readonly<Record<string, unknown>>): string =>
  Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${JSON.stringify(key)}: ${spacedJson(value)}`)
    .join(', ')
