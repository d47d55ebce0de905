import { didYouMean } from '../../../engine/core/suggest.ts'
import type { EpochMs } from '../../../engine/core/time.ts'
import { TapedeckError } from '../../../engine/errors.ts'
import type { MarketPlan } from '../../../engine/ports.ts'
import { locate, type TapeFile } from './file/locate.ts'

/** A path, a pattern, or several of them that follow each other. */
export type Paths = string | readonly string[]
export type PathsBySymbol = Readonly<Record<string, Paths>>

export interface ReplayOptions {
  readonly file?: Paths | undefined
  readonly files?: PathsBySymbol | undefined
  readonly fillFile?: Paths | PathsBySymbol | undefined
  readonly from?: EpochMs | undefined
  readonly to?: EpochMs | undefined
  readonly gaps: 'refuse' | 'allow' | 'fill'
  readonly duplicates: 'refuse' | 'drop'
}

/** One symbol's files: those to decide on and, where they are others, those to settle orders on. */
export interface Tape {
  readonly symbol: string
  readonly files: readonly TapeFile[]
  readonly fillFiles: readonly TapeFile[] | null
}

const isPaths = (paths: Paths | PathsBySymbol): paths is Paths => typeof paths === 'string' || Array.isArray(paths)

/** Throws TD_PLUGIN_OPTIONS when an option names a symbol that is not replayed: nobody would read its candles. */
export function checkSymbols({ files = {}, fillFile = {} }: ReplayOptions, symbols: readonly string[]): void {
  for (const [option, paths] of Object.entries({ files, fillFile })) {
    if (isPaths(paths)) continue
    for (const symbol of Object.keys(paths)) {
      if (symbols.includes(symbol)) continue
      throw new TapedeckError('TD_PLUGIN_OPTIONS',
        `"${option}" names ${symbol}, but the run has ${symbols.join(', ')}.${didYouMean(symbol, symbols)}`)
    }
  }
}

/** What an option says for `symbol`: paths by symbol, or the paths of the only symbol there is. */
function pathsFor(symbol: string, option: string, paths: Paths | PathsBySymbol, symbols: readonly string[]): Paths {
  if (isPaths(paths)) {
    if (symbols.length === 1) return paths
    throw new TapedeckError('TD_PLUGIN_OPTIONS',
      `"${option}" gives one series for ${symbols.join(', ')}: write a path for each symbol`)
  }
  if (Object.hasOwn(paths, symbol)) return paths[symbol]
  throw new TapedeckError('TD_FILE_MISSING',
    `"${option}" has no candle file for ${symbol}, only for ${Object.keys(paths).join(', ') || 'none'}`)
}

/**
 * Finds the files of one symbol. Throws TD_FILE_MISSING when the options name none or it does not exist, and
 * TD_PLUGIN_OPTIONS when one series is given for several symbols.
 */
export async function locateTape(symbol: string, options: ReplayOptions, plan: MarketPlan): Promise<Tape> {
  const { file, files, fillFile } = options
  const option = file === undefined ? 'files' : 'file'
  const located = await locate(pathsFor(symbol, option, file ?? files ?? {}, plan.symbols), plan.folder)
  if (plan.fillTimeframe === null || fillFile === undefined) return { symbol, files: located, fillFiles: null }
  const fillFiles = await locate(pathsFor(symbol, 'fillFile', fillFile, plan.symbols), plan.folder)
  return { symbol, files: located, fillFiles }
}
