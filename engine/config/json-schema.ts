import { z } from 'zod'
import type { PluginKind } from '../ports.ts'
import type { Registry } from '../registry.ts'
import { scenarioSchema } from './scenario-schema.ts'

type Json = Record<string, unknown>

const schemaOf = (schema: z.ZodType): Json =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })

/** The JSON Schema of scenario files, for editors: the scenario's keys with every plugin's and strategy's options. */
export async function scenarioJsonSchema(registry: Registry): Promise<Json> {
  const schema = schemaOf(scenarioSchema)
  const properties = schema['properties'] as Record<string, Json>
  const choices = async (kind: PluginKind, key: string, first: string | null): Promise<{ oneOf: Json[] }> => ({
    oneOf: await Promise.all(registry.names(kind).map(async (name) => {
      const { options } = await registry.plugin(kind, name)
      const { $schema: _, ...inner } = schemaOf(options)
      // The key that names the plugin may be left out for the default one, so that exactly one choice ever fits.
      return {
        ...inner,
        properties: { [key]: { const: name }, ...(inner['properties'] as Json) },
        required: [...((inner['required'] as string[] | undefined) ?? []), ...(name === first ? [] : [key])],
      }
    })),
  })
  const provider = await choices('provider', 'name', null)
  const anyProvider = { oneOf: [{ enum: registry.names('provider') }, ...provider.oneOf] }
  properties['providers'] = { ...properties['providers'], items: anyProvider }
  const { items: shadow } = properties['shadow'] as { items: { properties: Json } }
  shadow.properties['provider'] = { ...(shadow.properties['provider'] as Json), anyOf: anyProvider.oneOf }
  const notifier = await choices('notifier', 'name', null)
  properties['notify'] = { ...properties['notify'], anyOf: [
    { type: 'array', minItems: 1, items: { oneOf: [{ enum: registry.names('notifier') }, ...notifier.oneOf] } },
    { type: 'object', additionalProperties: false, properties: Object.fromEntries(await Promise.all(
      registry.names('notifier').map(async (name): Promise<[string, Json]> => {
        const { $schema: _, ...inner } = schemaOf((await registry.plugin('notifier', name)).options)
        return [name, { anyOf: [inner, { type: 'null' }] }]
      }))) },
  ] }
  properties['market'] = await choices('market', 'source', 'candle-replay')
  properties['broker'] = await choices('broker', 'name', 'paper')
  properties['strategy'] = {
    oneOf: await Promise.all(registry.strategyNames.map(async (name) => {
      const { $schema: _, ...params } = schemaOf((await registry.strategy(name)).params)
      return { type: 'object', properties: { name: { const: name }, params }, required: ['name'],
        additionalProperties: false }
    })),
  }
  return { ...schema, title: 'Tapedeck scenario' }
}
