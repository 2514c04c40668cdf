/** The OpenAPI 3.1 description of the API, made of the route table, `src/api/operations.ts` and the types of `src/api/types`. */
import { resolve } from 'node:path';
import { createGenerator } from 'ts-json-schema-generator';
import { type Operation, operations, type ParameterKind } from '../src/api/operations.ts';
import { type Route, type RouteName, routes } from '../src/api/routes.ts';
import { newestVersion, versionText } from '../src/api/versions.ts';

/** A JSON schema, as far as it is looked into here. */
export interface JsonSchema {
  [key: string]: unknown;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
}

export interface OpenApiDocument {
  openapi: string;
  info: Record<string, string>;
  servers: { url: string; description: string }[];
  paths: Record<string, Record<string, OpenApiOperation>>;
  components: { schemas: Record<string, JsonSchema> };
}

export interface OpenApiOperation {
  operationId: string;
  summary: string;
  parameters: { name: string; in: 'query' | 'path'; required: boolean; schema: JsonSchema; [key: string]: unknown }[];
  requestBody?: { required: boolean; content: Record<string, { schema?: JsonSchema }> };
  responses: Record<string, { description: string; content?: Record<string, { schema?: JsonSchema }> }>;
  [extension: `x-${string}`]: string;
}

const root = resolve(import.meta.dir, '..');
const errorResponse = {
  description: 'An error, in Docker’s words',
  content: { 'application/json': { schema: reference('ErrorResponse') } },
};

function reference(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

export function openApiDocument(): OpenApiDocument {
  const paths: OpenApiDocument['paths'] = {};
  for (const route of routes as readonly (Route & { name: RouteName })[]) {
    const path = route.path.replace(/\{(\w+)\.\.\.\}/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describe(route, operations[route.name]) };
  }
  const schemas = {
    ...typeSchemas(),
    ErrorResponse: {
      type: 'object',
      properties: { message: { type: 'string' } },
      required: ['message'],
      additionalProperties: false,
    },
  };
  return {
    openapi: '3.1.0',
    info: {
      title: 'The API of Berth',
      version: versionText(newestVersion),
      description:
        'Docker’s Engine API as Berth speaks it, in its newest version, and what only Berth has under /berth/v1. ' +
        'Requests are read as Go reads JSON: unknown keys are ignored, null means absent, every key may be left out.',
    },
    servers: [{ url: 'http://localhost', description: 'unix:///run/berth/berth.sock' }],
    paths,
    components: { schemas: onlyUsed(schemas, paths) },
  };
}

function describe(route: Route, operation: Operation | undefined): OpenApiOperation {
  const names = [...route.path.matchAll(/\{(\w+)/g)].map((match) => match[1] as string);
  const inPath = names.map((name) => ({ name, in: 'path' as const, required: true, schema: { type: 'string' } }));
  const base = {
    operationId: route.name,
    summary: route.summary,
    ...(route.since ? { 'x-since': versionText(route.since) } : {}),
  };
  if (!operation) {
    const why = route.refused ? `refused: ${route.refused.message}` : 'not built yet';
    return { ...base, 'x-state': why, parameters: inPath, responses: { default: errorResponse } };
  }
  const inQuery = Object.entries(operation.query ?? {}).map(([name, kind]) => ({
    ...{ name, in: 'query' as const, required: false, ...parameterForm(kind) },
  }));
  const described: OpenApiOperation = {
    ...base,
    'x-state': 'works',
    parameters: [...inPath, ...inQuery],
    responses: {
      [operation.status]: { description: operation.answer, ...content(operation.answer) },
      ...(operation.unchanged ? { [operation.unchanged]: { description: 'It was so already' } } : {}),
      default: errorResponse,
    },
  };
  if (operation.body === 'tar') described.requestBody = { required: false, content: { 'application/x-tar': {} } };
  else if (operation.body)
    described.requestBody = {
      required: false,
      content: { 'application/json': { schema: reference(requestName(operation.body)) } },
    };
  return described;
}

function parameterForm(kind: ParameterKind): { schema: JsonSchema; [key: string]: unknown } {
  switch (kind) {
    case 'flag':
      return { schema: { type: 'string' }, description: 'Everything but nothing, 0, no, false and none is yes' };
    case 'integer':
      return { schema: { type: 'integer' } };
    case 'list':
      return { schema: { type: 'array', items: { type: 'string' } }, style: 'form', explode: true };
    case 'filters':
      return { schema: { type: 'string' }, description: 'JSON: {"key": ["value", …], …}' };
    case 'platform':
      return { schema: { type: 'string' }, description: 'os/architecture[/variant], or JSON' };
    case 'text':
      return { schema: { type: 'string' } };
  }
}

/** See `Content` in src/api/operations.ts. */
function content(answer: string): { content?: Record<string, { schema?: JsonSchema }> } {
  if (answer === 'nothing' || answer === 'upgrade') return {};
  if (answer === 'tar') return { content: { 'application/x-tar': {} } };
  if (answer === 'text') return { content: { 'text/plain; charset=utf-8': { schema: { type: 'string' } } } };
  if (answer === 'output')
    return { content: { 'application/vnd.docker.multiplexed-stream': {}, 'application/vnd.docker.raw-stream': {} } };
  return { content: { 'application/json': { schema: schemaOf(answer.replace(/^stream of /, '')) } } };
}

function schemaOf(type: string): JsonSchema {
  if (type.endsWith(' or null')) return { anyOf: [schemaOf(type.slice(0, -' or null'.length)), { type: 'null' }] };
  if (type.endsWith('[]')) return { type: 'array', items: schemaOf(type.slice(0, -2)) };
  return reference(type);
}

function requestName(type: string): string {
  return `${type}Body`;
}

/** Every exported type of `src/api/types`, and for bodies of requests a second, lenient one. */
function typeSchemas(): Record<string, JsonSchema> {
  const generator = createGenerator({
    path: resolve(root, 'src/api/types/*.ts'),
    tsconfig: resolve(root, 'scripts/tsconfig.openapi.json'),
    skipTypeCheck: true,
    additionalProperties: false,
    expose: 'export',
    jsDoc: 'extended',
  });
  const definitions = (generator.createSchema('*').definitions ?? {}) as Record<string, JsonSchema>;
  const schemas: Record<string, JsonSchema> = {};
  for (const [name, definition] of Object.entries(definitions)) {
    schemas[name] = rewrite(definition, (target) => target) as JsonSchema;
    schemas[requestName(name)] = lenient(rewrite(definition, requestName) as JsonSchema);
  }
  return schemas;
}

/** References into `components`; whole numbers, of which the API has no others. */
function rewrite(value: unknown, name: (target: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => rewrite(item, name));
  if (typeof value !== 'object' || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (key === '$ref')
      result[key] = `#/components/schemas/${name(decodeURIComponent(String(item)).replace('#/definitions/', ''))}`;
    else if (key === 'type' && item === 'number') result[key] = 'integer';
    else if (key === 'type' && Array.isArray(item))
      result[key] = [...new Set(item.map((one) => (one === 'number' ? 'integer' : one)))];
    else result[key] = rewrite(item, name);
  }
  return result;
}

/** As Go reads it: no key must be there, others may, and null stands for an absent value. */
function lenient(schema: JsonSchema): JsonSchema {
  if (schema.anyOf) return { ...schema, anyOf: [...schema.anyOf.map(lenient), { type: 'null' }] };
  if (schema['$ref']) return schema;
  const { required: _required, ...rest } = schema;
  if (rest.items && !Array.isArray(rest.items)) rest.items = lenient(rest.items);
  if (rest.properties) {
    const properties = Object.entries(rest.properties).map(([key, value]) => [key, orNull(lenient(value))] as const);
    rest.properties = Object.fromEntries(properties);
    rest['additionalProperties'] = true;
  }
  return rest;
}

function orNull(schema: JsonSchema): JsonSchema {
  return schema.anyOf ? schema : { anyOf: [schema, { type: 'null' }] };
}

function onlyUsed(schemas: Record<string, JsonSchema>, paths: unknown): Record<string, JsonSchema> {
  const used = new Set<string>();
  const visit = (value: unknown): void => {
    for (const match of JSON.stringify(value).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      const name = match[1] as string;
      if (used.has(name)) continue;
      used.add(name);
      if (!schemas[name])
        throw new Error(`src/api/operations.ts names the type ${name}, which src/api/types does not have`);
      visit(schemas[name]);
    }
  };
  visit(paths);
  return Object.fromEntries([...used].sort().map((name) => [name, schemas[name] as JsonSchema]));
}
