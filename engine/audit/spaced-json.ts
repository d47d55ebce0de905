/** JSON with a space after every colon and comma, as the audit trail is written. Numbers that JSON cannot say become null. */
export function spacedJson(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null'
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'boolean') return String(value)
  if (typeof value !== 'object') throw new TypeError(`the audit cannot hold a ${typeof value}`)
  if (!Array.isArray(value)) return `{${fieldsJson(value as Record<string, unknown>)}}`
  let text = ''
  for (const item of value) text += text === '' ? spacedJson(item) : `, ${spacedJson(item)}`
  return `[${text}]`
}

/** The inside of an object: `"a": 1, "b": 2`. Keys without a value (undefined) are left out. Keys need no escape. */
export function fieldsJson(fields: Readonly<Record<string, unknown>>): string {
  let text = ''
  for (const key in fields) {
    const value = fields[key]
    if (value !== undefined) text += text === '' ? `"${key}": ${spacedJson(value)}` : `, "${key}": ${spacedJson(value)}`
  }
  return text
}
