import { loadFaults } from '../assemble.ts'

/** Every fault in a line, and how one is written: the end of a help text. */
export async function faultHelp(): Promise<string> {
  const { FAULTS, GRAMMAR } = await loadFaults()
  const [form, examples] = GRAMMAR.split(', such as ')
  return [
    'Faults, for --fault, which may be given several times:', `  ${form}`, `  such as ${examples}`,
    '  Without rate and @ it strikes at every request; rate is a share of them, 0 to 1; @3,7 means the third and the seventh.',
    ...Object.entries(FAULTS).map(([name, text]) => `  ${name.padEnd(22)} ${text}`),
  ].join('\n')
}
