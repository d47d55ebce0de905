import { html, inertJson, trusted, type Markup } from '../markup.ts'

/** A script of this package and its hash. */
export interface OwnScript {
  readonly text: string
  readonly hash: string
  readonly module: boolean
}

export interface Frame {
  readonly title: string
  readonly style: { readonly text: string; readonly hash: string }
  readonly scripts: readonly OwnScript[]
  /** What the scripts read; null where there are none. */
  readonly data: { readonly id: string; readonly value: unknown } | null
  readonly body: Markup
}

/** No network, no frames, no forms; only the page's own scripts and style, known by their hashes. */
const policy = ({ style, scripts }: Frame): string => [
  "default-src 'none'", ...(scripts.length === 0 ? [] : [`script-src ${scripts.map(({ hash }) => hash).join(' ')}`]), `style-src ${style.hash}`, 'img-src data:',
  "base-uri 'none'", "form-action 'none'",
].join('; ')

/** A cassette. Inside the page, so that no browser asks a server for one. */
const ICON = `data:image/svg+xml,${encodeURIComponent([
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#3257d5"/>',
  '<g fill="none" stroke="#fff" stroke-width="2.5"><rect x="4" y="8" width="24" height="16" rx="4"/>',
  '<circle cx="11" cy="16" r="3"/><circle cx="21" cy="16" r="3"/></g></svg>',
].join(''))}`

/** A page that opens from a disk without a network. Holds no wall-clock value, so the same data gives the same bytes. */
export const pageFrame = (frame: Frame): string => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(policy(frame))}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${frame.title}</title>
<link rel="icon" href="${trusted(ICON)}">
<style>${trusted(frame.style.text)}</style>
</head>
<body>${frame.body}
${frame.data && html`<script type="application/json" id="${frame.data.id}">${inertJson(frame.data.value)}</script>`}
${frame.scripts.map(({ text, module }) => html`${trusted(module ? '<script type="module">' : '<script>')}${trusted(text)}</script>
`)}</body>
</html>
`.text
