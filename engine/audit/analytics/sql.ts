/** A text as SQL. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`
/** A name as SQL. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`
/** A file that DuckDB is to read as it is called: it takes `*`, `?` and `[` for patterns. */
export const exactFile = (path: string): string => literal(path.replaceAll(/[[*?]/g, '[$&]'))
