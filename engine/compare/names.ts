/** A cell's name: its scenario where there are several, and the values of what varies. */
export function nameOf(labels: Readonly<Record<string, string>>, varying: readonly string[], scenario: string | null): string {
  const words = varying.filter((key) => key !== 'scenario' && labels[key] !== undefined).map((key) => wordOf(key, labels[key]))
  const name = [...(scenario === null ? [] : [scenario]), ...words].join(' ')
  return name === '' ? (scenario ?? labels['providers'] ?? 'as written') : name
}

const SHORT: Readonly<Record<string, string>> = { minConfidence: 'conf', stopLoss: 'stop', takeProfit: 'target', positionSize: 'size', minExitConfidence: 'exit conf' }

function wordOf(key: string, value: string): string {
  if (key === 'providers') return value
  return `${SHORT[key] ?? key.split('.').at(-1)!} ${value}`
}
