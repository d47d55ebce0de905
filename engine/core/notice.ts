import type { EpochMs } from './time.ts'

/** What somebody may want to be told of a run while it goes on. */
export const NOTICE_KINDS = [
  'entry', 'exit', 'halt', 'provider-disabled', 'naked-position', 'daily-summary', 'started', 'stopped',
] as const
export type NoticeKind = (typeof NOTICE_KINDS)[number]

/** One message about a run. `text` is a line or a few for people, `facts` the same for programs. */
export interface Notice {
  readonly kind: NoticeKind
  readonly time: EpochMs
  readonly run: string
  /** null where it concerns the whole run. */
  readonly symbol: string | null
  readonly text: string
  readonly facts: Readonly<Record<string, string | number | boolean | null>>
}

/** What a person may ask of a run from afar. */
export const COMMANDS = ['status', 'stop', 'resume', 'close'] as const
export interface RemoteCommand {
  readonly act: (typeof COMMANDS)[number]
  /** Only with `close`. */
  readonly symbol: string | null
}
