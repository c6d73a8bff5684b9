import { isRecord } from './yaml-source.js';

/** A key that config files may have. */
export interface ConfigKey {
  /** `stages[].optimizer.beta2`: [] stands for any entry of the list before it. */
  readonly path: string;
  /** In which of several shapes of the maps around it the key is, as `kind: adamw`; empty where it is in all. */
  readonly of: readonly string[];
  /** What its value may be, in words, with its bounds. */
  readonly takes: string;
  /** What stands for it where it is left out, as YAML; null where it must be given. */
  readonly default: string | null;
  /** What it means; empty where nothing is written down. */
  readonly description: string;
}

/**
 * Every key that a JSON schema of maps allows, in its order, a map before its keys. Keys that several shapes of a map share are
 * listed once.
 */
export function configKeys(schema: unknown): ConfigKey[] {
  return keysBelow(schema, '');
}

/** The path of a key in the form of {@link ConfigKey.path}: `stages.0.sampler` and `stages[].sampler` are the same. */
export function keyPath(typed: string): string {
  return typed.replaceAll(/\.(?:\d+|\*)(?=\.|$)|\[\d*\]/g, '[]');
}

type Shape = Readonly<Record<string, unknown>>;

/** Shapes that a schema allows. */
function shapesOf(schema: unknown): Shape[] {
  if (!isRecord(schema)) return [];
  const lists = [schema['anyOf'], schema['oneOf'], schema['allOf']].filter((list) => Array.isArray(list));
  return lists.length === 0 ? [schema] : lists.flat().flatMap(shapesOf);
}

function keysBelow(schema: unknown, path: string): ConfigKey[] {
  const shapes = shapesOf(schema);
  const lists = shapes.flatMap(({ items }) => keysBelow(items, `${path}[]`));
  const maps = shapes.flatMap((shape) => (isRecord(shape['properties']) ? [keysOfMap(shape, path)] : []));
  return [...lists, ...together(maps)];
}

interface MapKeys {
  /** What tells the shape from others: `kind: adamw`; null where nothing does. */
  readonly label: string | null;
  readonly keys: readonly ConfigKey[];
}

function keysOfMap({ properties, required }: Shape, path: string): MapKeys {
  const needed = new Set<unknown>(Array.isArray(required) ? required : []);
  let label: string | null = null;
  const keys = Object.entries(isRecord(properties) ? properties : {}).flatMap(([name, schema]) => {
    const constant = isRecord(schema) ? schema['const'] : undefined;
    if (typeof constant === 'string') label = `${name}: ${constant}`;
    const own = path === '' ? name : `${path}.${name}`;
    return [keyOf(own, schema, needed.has(name)), ...keysBelow(schema, own)];
  });
  return { label, keys };
}

/** Keys of all shapes of a map; those that not every shape has say in which they are. */
function together(maps: readonly MapKeys[]): ConfigKey[] {
  const found = new Map<string, { readonly key: ConfigKey; readonly shapes: string[]; count: number }>();
  for (const { label, keys } of maps) {
    for (const key of keys) {
      // The constants that tell shapes apart are one key with several values.
      const isLabel = label === `${lastName(key.path)}: ${key.takes}`;
      const identity = isLabel ? key.path : JSON.stringify(key);
      const known = found.get(identity) ?? { key, shapes: [], count: 0 };
      known.count++;
      if (label !== null) known.shapes.push(label);
      found.set(identity, known);
    }
  }
  return [...found].map(([identity, { key, shapes, count }]) => {
    if (identity === key.path) return { ...key, takes: listed(shapes.map(valueOf)) };
    return count === maps.length || shapes.length === 0 ? key : { ...key, of: [oneOf(shapes), ...key.of] };
  });
}

/** `adamw` of `kind: adamw`. */
const valueOf = (label: string): string => label.slice(label.indexOf(':') + 2);

const lastName = (path: string): string => path.slice(path.lastIndexOf('.') + 1);

/** `kind: sgd or adamw`. */
function oneOf(labels: readonly string[]): string {
  const [first = ''] = labels;
  return `${first.slice(0, first.indexOf(':'))}: ${listed(labels.map(valueOf))}`;
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

function keyOf(path: string, schema: unknown, isRequired: boolean): ConfigKey {
  const own = isRecord(schema) ? schema : {};
  const { description } = own;
  const takes = [...new Set(shapesOf(schema).map(wordsOf))];
  return {
    path,
    of: [],
    takes: listed(takes),
    default: isRequired ? null : 'default' in own ? flowText(own['default']) : 'nothing',
    description: typeof description === 'string' ? description : '',
  };
}

/** A value on one line of YAML. */
function flowText(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  if (Array.isArray(value)) return `[${value.map(flowText).join(', ')}]`;
  if (!isRecord(value)) return JSON.stringify(value) ?? '';
  const entries = Object.entries(value).map(([key, own]) => `${key}: ${flowText(own)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

function wordsOf(shape: Shape): string {
  const { const: constant, enum: values, type, items } = shape;
  if (constant !== undefined) return flowText(constant);
  if (Array.isArray(values)) return listed(values.map(flowText));
  if (type === 'integer') return `a whole number${boundsOf(shape)}`;
  if (type === 'number') return `a number${boundsOf(shape)}`;
  if (type === 'array') {
    return `a list (each ${listed([...new Set(shapesOf(items).map(wordsOf))])})`;
  }
  return (typeof type === 'string' ? nouns[type] : undefined) ?? 'a value';
}

const nouns: Readonly<Record<string, string>> = {
  string: 'a text',
  boolean: 'true or false',
  object: 'a map',
  null: 'null',
};

/** ` from 0 to 1`, ` above 0, below 1`; what floating point cannot hold is no bound. */
function boundsOf({ minimum, exclusiveMinimum, maximum, exclusiveMaximum, type }: Shape): string {
  const isWhole = type === 'integer';
  // A whole number above 0 is one from 1 on.
  const least = isWhole && typeof exclusiveMinimum === 'number' ? exclusiveMinimum + 1 : minimum;
  const low = isBound(least)
    ? `from ${bound(least)}`
    : isBound(exclusiveMinimum)
      ? `above ${bound(exclusiveMinimum)}`
      : '';
  const high = isBound(maximum)
    ? `${low.startsWith('from') ? 'to' : 'up to'} ${bound(maximum)}`
    : isBound(exclusiveMaximum)
      ? `below ${bound(exclusiveMaximum)}`
      : '';
  const separator = low !== '' && high !== '' && !high.startsWith('to') ? ', ' : ' ';
  const text = [low, high].filter((part) => part !== '').join(separator);
  return text === '' ? '' : ` ${text}`;
}

const isBound = (value: unknown): value is number =>
  typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER;

const bound = (value: number): string =>
  Math.abs(value) >= 1e7 || (value !== 0 && Math.abs(value) < 1e-3)
    ? value.toExponential().replace('e+', 'e')
    : value.toLocaleString('en-US', { maximumFractionDigits: 6 });
