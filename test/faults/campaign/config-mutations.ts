import fs from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import type { RandomStream } from '../../../data/random/streams.js';
import { configs } from './command.js';
import { hostilePaths, hostileText, mutateText, oneOf, type Mutation } from './mutations.js';

/** An experiment file and overrides of it. */
export interface ConfigAttempt {
  readonly text: string | Uint8Array;
  readonly overrides: readonly string[];
}

/** Numbers at and beyond the ends of what can be computed with. */
// prettier-ignore
const numbers: readonly unknown[] = [
  0, -0, -1, 0.5, 1e-300, 1e-9, 1e8, 1e15, 1e300, 3_000_000, 2 ** 31, 2 ** 53, 2 ** 63,
  Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY,
];

// prettier-ignore
const others: readonly unknown[] = [
  null, true, false, '', 'x', 'never', '1e5', '0x10', [], {}, [[]], [null], { every: 0 }, { at: [] }, { every: 1e15 },
  { logarithmic: { start: 100, end: 1, steps: 1e9 } }, hostileText, 'y'.repeat(10_000), ...hostilePaths,
];

/** Eight levels of nine aliases each: 9^8 values. */
function aliasBomb(): string {
  const names = Array.from({ length: 9 }, (_, i) => `level${i}`);
  const lines = names.slice(1).map((name, i) => `${name}: &${name} [${`*${names[i]}, `.repeat(9)}x]`);
  return ['level0: &level0 [x]', ...lines, ''].join('\n');
}

/** Texts that a parser chokes on. */
const texts: readonly string[] = [
  'description: *nothing\n',
  'data: &d { variables: *d }\n',
  `x: &x [1]\ny: [${'*x, '.repeat(300)}1]\n`,
  aliasBomb(),
  'extends: /dev/zero\n',
  'extends: .\n',
  'extends: itself.yaml\n',
  '__proto__: { polluted: true }\n',
  'constructor: { prototype: { polluted: true } }\n',
  'a: {'.repeat(3000),
  '['.repeat(3000),
  '--- a\n--- b\n',
  '%YAML 9.9\n---\nname: x\n',
  '!!js/function "x"\n',
  'name: !!binary x\n',
  '? [complex, key]\n: value\n',
  '<<: { name: x }\n',
  'name: x\nname: y\n',
  `${Array.from({ length: 2000 }, (_, i) => `unknown${i}: 1`).join('\n')}\n`,
];

const presets = fs
  .readdirSync(configs)
  .filter((name) => name.endsWith('.yaml'))
  .sort();

/** A preset with something changed, as a file that lies beside the presets would be, or by overrides. */
export function mutateConfig(random: RandomStream): Mutation<ConfigAttempt> {
  const preset = oneOf(random, presets);
  const text = fs
    .readFileSync(path.join(configs, preset), 'utf8')
    .replace(/^extends: /m, `extends: ${configs}/`);
  const roll = random.uniform();
  if (roll < 0.2) {
    const { what, value } = mutateText(random, text);
    return { what: `${preset}: ${what}`, value: { text: value, overrides: [] } };
  }
  if (roll < 0.25) {
    const added = oneOf(random, texts);
    const whole = random.uniform() < 0.5 ? added : `${text}\n${added}`;
    return {
      what: `${preset}: with ${JSON.stringify(added.slice(0, 60))}`,
      value: { text: whole, overrides: [] },
    };
  }
  if (roll < 0.35) {
    const lines = text.split('\n');
    const i = random.integer(lines.length);
    const changed = oneOf(random, [
      () => lines.toSpliced(i, 1),
      () => lines.toSpliced(i, 0, lines[i] ?? ''),
      () => lines.with(i, ` ${lines[i]}`),
      () => lines.with(i, `\t${lines[i]}`),
      () => lines.with(i, (lines[i] ?? '').replace(': ', ':')),
      () => lines.with(i, (lines[i] ?? '').replaceAll(/[{}[\]]/g, '')),
    ])();
    return { what: `${preset}: line ${i + 1} changed`, value: { text: changed.join('\n'), overrides: [] } };
  }
  const root: unknown = parse(text);
  const places = placesIn(root, []);
  const place = oneOf(random, places);
  const value = newValue(random, valueAt(root, place));
  if (roll < 0.65) {
    const override = `${place.join('.')}=${stringify(value, { collectionStyle: 'flow' }).trim()}`;
    return { what: `${preset}: --set ${override.slice(0, 80)}`, value: { text, overrides: [override] } };
  }
  const changed = roll < 0.75 ? misspelt(root, place, random) : replaced(root, place, value);
  const what = `${preset}: ${place.join('.')} = ${JSON.stringify(value)?.slice(0, 60)}`;
  return {
    what: roll < 0.75 ? `${preset}: ${place.join('.')} misspelt` : what,
    value: { text: stringify(changed), overrides: [] },
  };
}

/** A number times a power of ten, or something that has no place there. */
function newValue(random: RandomStream, old: unknown): unknown {
  const roll = random.uniform();
  if (typeof old === 'number' && roll < 0.4) return old * 10 ** (random.integer(17) - 8);
  return roll < 0.75 ? oneOf(random, numbers) : oneOf(random, others);
}

function valueAt(value: unknown, place: Place): unknown {
  return place.reduce<unknown>((inside, key) => (isRecord(inside) ? inside[key] : undefined), value);
}

type Place = readonly string[];

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function placesIn(value: unknown, place: Place): Place[] {
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, below]) => [
    [...place, key],
    ...placesIn(below, [...place, key]),
  ]);
}

function replaced(value: unknown, [key, ...rest]: Place, by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value))
    return value.map((item: unknown, i) => (String(i) === key ? replaced(item, rest, by) : item));
  return isRecord(value) ? { ...value, [key]: replaced(value[key], rest, by) } : value;
}

function misspelt(value: unknown, place: Place, random: RandomStream): unknown {
  const [key, ...rest] = place;
  if (key === undefined || !isRecord(value) || Array.isArray(value))
    return { [`x${random.integer(100)}`]: value };
  if (rest.length > 0) return { ...value, [key]: misspelt(value[key], rest, random) };
  const { [key]: own, ...others } = value;
  const at = random.integer(key.length);
  return { ...others, [key.slice(0, at) + key.slice(at + 1)]: own };
}
