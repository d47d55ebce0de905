import { html, inertJson, trusted, type Markup } from '../markup.ts'
import { pageAssets, type PageAssets, type PageKind } from './assets.ts'

/** No network, no frames, no forms; only the page's own scripts and style, known by their hashes. */
const policy = ({ hashes }: PageAssets): string => [
  "default-src 'none'", ...(hashes.scripts.length === 0 ? [] : [`script-src ${hashes.scripts.join(' ')}`]), `style-src ${hashes.style}`, 'img-src data:',
  "base-uri 'none'", "form-action 'none'",
].join('; ')

/** A cassette. Inside the page, so that no browser asks a server for one. */
const ICON = `data:image/svg+xml,${encodeURIComponent([
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#3257d5"/>',
  '<g fill="none" stroke="#fff" stroke-width="2.5"><rect x="4" y="8" width="24" height="16" rx="4"/>',
  '<circle cx="11" cy="16" r="3"/><circle cx="21" cy="16" r="3"/></g></svg>',
].join(''))}`

export interface Frame {
  readonly kind: PageKind
  readonly title: string
  readonly body: Markup
  /** What the page's script draws. */
  readonly data: unknown
}

/** One HTML file that opens from a disk without a network. Throws when a file of this package is missing. */
export function frame({ kind, title, body, data }: Frame): string {
  const assets = pageAssets(kind)
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(policy(assets))}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="${trusted(ICON)}">
<style>${trusted(assets.style)}</style>
</head>
<body>${body}
${assets.script !== '' && html`<script type="application/json" id="report-data">${inertJson(data)}</script>
`}${assets.charts !== null && html`<script>${trusted(assets.charts)}</script>
`}${assets.script !== '' && html`<script type="module">${trusted(assets.script)}</script>
`}</body>
</html>
`.text
}
