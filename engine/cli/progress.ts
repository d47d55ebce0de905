export interface Progress {
  readonly update: (share: number | null, candles: number) => void
  readonly stop: () => void
}

const SILENT: Progress = { update: () => {}, stop: () => {} }
const EVERY_MS = 100
/** Short work shows nothing: a bar that flashes by tells nobody anything. */
const QUIET_MS = 400

/** A progress bar with rate and time left on stderr, when somebody watches. */
export async function startProgress(name: string, wanted: boolean): Promise<Progress> {
  if (!wanted || process.stderr.isTTY !== true) return SILENT
  const { SingleBar, Presets } = (await import('cli-progress')).default
  const bar = new SingleBar(
    {
      format: `${name} {bar} {percentage} % | {candles} candles | {rate}/s | {eta_formatted} left`,
      hideCursor: true, clearOnComplete: true, stream: process.stderr, etaBuffer: 50,
    },
    Presets.shades_classic,
  )
  const begun = performance.now()
  let last = begun
  let started = false
  return {
    update: (share, candles) => {
      const now = performance.now()
      if (now - last < EVERY_MS || now - begun < QUIET_MS) return
      last = now
      const rate = Math.round(candles / ((now - begun) / 1000))
      const payload = { candles: candles.toLocaleString('en'), rate: rate.toLocaleString('en') }
      if (!started) bar.start(1000, 0, payload)
      started = true
      bar.update(Math.round((share ?? 0) * 1000), payload)
    },
    stop: () => { if (started) bar.stop() },
  }
}

export interface Counter {
  readonly update: (done: number, total: number, note: string) => void
  readonly stop: () => void
}

/** The same for work that is counted, with a note beside it. */
export async function startCounter(name: string, unit: string, wanted: boolean): Promise<Counter> {
  if (!wanted || process.stderr.isTTY !== true) return SILENT
  const { SingleBar, Presets } = (await import('cli-progress')).default
  const bar = new SingleBar(
    {
      format: `${name} {bar} {percentage} % | {value} of {total} ${unit} | {note} | {eta_formatted} left`,
      hideCursor: true, clearOnComplete: true, stream: process.stderr, etaBuffer: 50,
    },
    Presets.shades_classic,
  )
  let started = false
  return {
    update: (done, total, note) => {
      if (!started) bar.start(total, 0, { note })
      started = true
      bar.update(done, { note })
    },
    stop: () => { if (started) bar.stop() },
  }
}
