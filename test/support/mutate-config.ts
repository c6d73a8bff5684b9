import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { UserError } from '../../data/errors.js';
import { isPrintable } from '../../data/printable.js';
import { createStream, type RandomStream } from '../../data/random/streams.js';
import { loadConfig } from '../../src/config/load.js';
import { runSchema } from '../../src/run/config.js';
import { checkedCost } from '../../src/run/plan.js';
import { planRun } from './plan-run.js';
import type { PlannedCost } from '../../src/run/planned-cost.js';

/** A config file that is a preset but for one or two changes. */
export interface MutatedConfig {
  readonly yaml: string;
  /** The changes, for people. */
  readonly what: string;
}

/**
 * What came of a config: refused in a way that helps, planned with possible values, or a fault of ours, which says what
 * is wrong with the answer.
 */
export type Outcome =
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'planned'; readonly cost: PlannedCost; readonly built: boolean }
  | { readonly kind: 'fault'; readonly why: string };

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** `count` configs; the same for the same seed, and the first of more. */
export function* mutatedConfigs(seed: number, count: number): Iterable<MutatedConfig> {
  const presets = [
    'set-inclusion-smoke',
    'set-inclusion',
    'mnist-qa-smoke',
    'set-inclusion-paper',
    'mnist-qa',
  ].map((name) => {
    const file = path.resolve('configs', `${name}.yaml`);
    const { config, resolved } = loadConfig(file, runSchema);
    return { name, file, value: JSON.parse(JSON.stringify(config)) as Json, resolved };
  });
  for (let i = 0; i < count; i++) {
    const random = createStream(seed, `mutated-config/${i}`);
    const { name, file, value, resolved } = presets[random.integer(presets.length)]!;
    const pick = random.integer(10);
    if (pick < 6) {
      const root = structuredClone(value);
      const changes = Array.from({ length: 1 + random.integer(2) }, () => mutateValue(root, random));
      // Every other one inherits what it does not change.
      const yaml = random.integer(2) === 0 ? stringify(root) : `extends: ${file}\n${partOf(root, random)}`;
      yield { yaml, what: `${name}: ${changes.join('; ')}` };
    } else if (pick < 9) {
      const { yaml, what } = mutateText(resolved, random);
      yield { yaml, what: `${name}: ${what}` };
    } else {
      const { yaml, what } = hostile(file, random);
      yield { yaml, what: `${name}: ${what}` };
    }
  }
}

/** Longest time for a config, ms. */
const longest = 5000;

/** Configs with fewer rows than this are planned whole, their data built. */
const builtBelow = 20_000;

/** Loads a config as `run` would, and plans it: by its cost, and where it is small, with its data. */
export function tryConfig(yaml: string): Outcome {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-mutated-'));
  try {
    const file = path.join(folder, 'mutated.yaml');
    fs.writeFileSync(file, yaml);
    const started = performance.now();
    const outcome = outcomeOf(file);
    const ms = performance.now() - started;
    return ms > longest ? { kind: 'fault', why: `took ${Math.round(ms)} ms (${outcome.kind})` } : outcome;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

function outcomeOf(file: string): Outcome {
  try {
    const { config } = loadConfig(file, runSchema);
    const cost = checkedCost(config);
    const impossible = impossibleValue(config) ?? impossibleCost(cost);
    if (impossible !== null) return { kind: 'fault', why: `accepted, with ${impossible}` };
    const built = cost.trainingRows + cost.testRows < builtBelow && cost.parameters < 1e7;
    if (built) {
      const { totalSteps } = planRun(config, [0]);
      if (totalSteps !== cost.steps)
        return { kind: 'fault', why: `planned ${cost.steps} updates, has ${totalSteps}` };
    }
    return { kind: 'planned', cost, built };
  } catch (error) {
    if (!(error instanceof UserError)) {
      return { kind: 'fault', why: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
    const { message } = error;
    const lines = message.split('\n');
    const bad = lines.find((line) => !isPrintable(line) || line.length > 1000 || line.trim() === '');
    if (bad !== undefined)
      return { kind: 'fault', why: `message with the line ${JSON.stringify(bad.slice(0, 300))}` };
    if (lines.length > 21) return { kind: 'fault', why: `message of ${lines.length} lines` };
    return { kind: 'refused', message };
  }
}

/** The first number of a config that is not finite, with its path; null where all are. */
function impossibleValue(value: unknown, name = ''): string | null {
  if (typeof value === 'number') return Number.isFinite(value) ? null : `${name} = ${value}`;
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, inner] of Object.entries(value)) {
    const found = impossibleValue(inner, `${name}.${key}`);
    if (found !== null) return found;
  }
  return null;
}

function impossibleCost(cost: PlannedCost): string | null {
  for (const key of ['parameters', 'bytesPerReplica', 'steps', 'trainingRows', 'testRows'] as const) {
    if (!Number.isFinite(cost[key]) || cost[key] <= 0) return `${key} = ${cost[key]}`;
  }
  for (const { name, steps, batchSize } of cost.stages) {
    if (!Number.isSafeInteger(steps) || steps < 1) return `${steps} updates of ${name}`;
    if (!Number.isSafeInteger(batchSize) || batchSize < 1) return `minibatches of ${batchSize} in ${name}`;
  }
  return null;
}

/** Places of all values of a config below its root. */
function placesOf(value: Json, before: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const own = [...before, key];
    return [own, ...placesOf(inner, own)];
  });
}

function choose<T>(items: readonly T[], random: RandomStream): T {
  return items[random.integer(items.length)]!;
}

const numbers = [
  0,
  -1,
  1,
  2,
  3,
  0.5,
  1e-9,
  1e-300,
  1e8,
  1e9,
  1e12,
  1e15,
  1e300,
  2 ** 31,
  2 ** 53,
  -0.001,
  0.1 + 0.2,
  Infinity,
  -Infinity,
  NaN,
];
const texts = [
  '',
  'none',
  'on',
  '0x10',
  '1_000',
  '../../x',
  'x'.repeat(5000),
  '\u001B[31m',
  'a\nb',
  '\u202E',
  '~',
  '*',
  '𝒳',
  ' ',
];

function anyValue(random: RandomStream): Json {
  switch (random.integer(7)) {
    case 0:
      return choose(numbers, random);
    case 1:
      return choose(texts, random);
    case 2:
      return choose([true, false, null], random);
    case 3:
      return [];
    case 4:
      return {};
    case 5:
      return Array.from({ length: choose([1, 3, 3000], random) }, () => choose(numbers, random));
    default:
      return { kind: choose(texts, random), every: choose(numbers, random) };
  }
}

/** Changes one value or key of a config in place; says which. */
function mutateValue(root: Json, random: RandomStream): string {
  const place = choose(placesOf(root), random);
  const name = place.join('.');
  const key = place.at(-1)!;
  const parent = place
    .slice(0, -1)
    .reduce<Json>((value, step) => (value as Record<string, Json>)[step]!, root);
  if (typeof parent !== 'object' || parent === null) return 'nothing';
  const target = parent as Record<string, Json>;
  const value = target[key]!;
  const set = (own: Json): void => {
    target[key] = own;
  };
  switch (random.integer(9)) {
    case 0:
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete target[key];
      return `${name} removed`;
    case 1: {
      const other = key.slice(0, -1) + choose(['', 's', 'X', key.slice(-1).toUpperCase()], random);
      if (Array.isArray(parent)) return 'nothing';
      delete target[key];
      target[other] = value;
      return `${name} called ${other}`;
    }
    case 2:
      if (!Array.isArray(parent))
        target[choose(['unknown', 'kind', '__proto', 'extends', '0', 'a.b'], random)] = anyValue(random);
      return `a key beside ${name}`;
    case 3:
    case 4: {
      if (typeof value !== 'number') break;
      const changed =
        random.integer(2) === 0 ? value * 10 ** (random.integer(37) - 18) : choose(numbers, random);
      set(changed);
      return `${name} = ${changed}`;
    }
    case 5:
      set(choose([[value], { value }, JSON.stringify(value), [value, value]], random));
      return `${name} wrapped`;
    case 6: {
      // Another part of the same config.
      const other = choose(placesOf(root), random);
      const copied = other.reduce<Json>((inner, step) => (inner as Record<string, Json>)[step]!, root);
      set(structuredClone(copied));
      return `${name} is ${other.join('.')}`;
    }
    default:
  }
  const changed = anyValue(random);
  set(changed);
  return `${name} = ${JSON.stringify(changed).slice(0, 40)}`;
}

/** A config without some of its sections, which it then inherits. */
function partOf(root: Json, random: RandomStream): string {
  if (typeof root !== 'object' || root === null || Array.isArray(root)) return stringify(root);
  return stringify(Object.fromEntries(Object.entries(root).filter(() => random.integer(3) > 0)));
}

/** A config whose text is damaged or unusual. */
function mutateText(text: string, random: RandomStream): MutatedConfig {
  const at = random.integer(text.length);
  const lines = text.split('\n');
  const line = random.integer(lines.length);
  const cut = (): MutatedConfig => ({ yaml: text.slice(0, at), what: `cut at ${at}` });
  switch (random.integer(9)) {
    case 0:
      return cut();
    case 1: {
      const count = 1 + random.integer(20);
      const end = at + count;
      return { yaml: text.slice(0, at) + text.slice(end), what: `${count} characters left out at ${at}` };
    }
    case 2: {
      const inserted = choose(
        [
          '\t',
          '{',
          '}',
          '[',
          ']',
          ':',
          '- ',
          '&a ',
          '*a',
          '!!binary ',
          '#',
          '"',
          "'",
          '\0',
          '|',
          '\u2028',
          '? ',
          '%',
        ],
        random,
      );
      return {
        yaml: text.slice(0, at) + inserted + text.slice(at),
        what: `${JSON.stringify(inserted)} at ${at}`,
      };
    }
    case 3:
      return { yaml: [...lines, lines[line]].join('\n'), what: `line ${line + 1} again` };
    case 4: {
      const [first = '', ...rest] = [lines[line]];
      lines[line] = ' '.repeat(random.integer(5)) + first.trimStart() + rest.join('');
      return { yaml: lines.join('\n'), what: `line ${line + 1} indented anew` };
    }
    case 5:
      return { yaml: lines.join('\r\n'), what: 'line ends of Windows' };
    case 6: {
      const bytes = Buffer.from(text);
      bytes[at % bytes.length] = random.integer(256);
      return { yaml: bytes.toString('latin1'), what: `another byte at ${at}` };
    }
    case 7: {
      const other = random.integer(lines.length);
      [lines[line], lines[other]] = [lines[other]!, lines[line]!];
      return { yaml: lines.join('\n'), what: `lines ${line + 1} and ${other + 1} exchanged` };
    }
    default:
      return { yaml: `\uFEFF%YAML 1.1\n---\n${text}\n...\n`, what: 'a directive and a byte order mark' };
  }
}

/** What a file may do on purpose. */
function hostile(file: string, random: RandomStream): MutatedConfig {
  const base = `extends: ${file}\n`;
  const many = 1000 + random.integer(9000);
  const cases: readonly MutatedConfig[] = [
    { yaml: `${base}name: *nothing\n`, what: 'an alias without an anchor' },
    { yaml: `${base}data: &d { variables: *d }\n`, what: 'a circle' },
    {
      yaml: `${base}a: &a [1, 1, 1, 1, 1, 1, 1, 1]\n${'bcdefgh'
        .split('')
        .map((name, i) => `${name}: &${name} [${Array(8).fill(`*${'abcdefg'[i]}`).join()}]`)
        .join('\n')}\n`,
      what: 'an alias bomb',
    },
    {
      yaml: `${base}${choose(['__proto__', 'constructor', 'prototype'], random)}: { alpha: 0.5 }\n`,
      what: 'a reserved key',
    },
    { yaml: `${base}data: { __proto__: { alpha: 0.5 } }\n`, what: 'a reserved key inside' },
    { yaml: `${base}model: { <<: { layers: 1 } }\n`, what: 'a merge key' },
    {
      yaml: `${base}${Array.from({ length: many }, (_, i) => `k${i}: ${i}`).join('\n')}\n`,
      what: `${many} unknown keys`,
    },
    { yaml: `${base}x: ${'['.repeat(many)}\n`, what: `${many} lists in each other` },
    { yaml: `${base}x: ${'{ a: '.repeat(100)}1${' }'.repeat(100)}\n`, what: '100 maps in each other' },
    {
      yaml: `extends: ${choose(['/dev/zero', '/dev/stdin', os.tmpdir(), '/nowhere', '../mutated.yaml', 'mutated.yaml', '/proc/self/environ', '""'], random)}\n`,
      what: 'extends what is no config',
    },
    { yaml: `${base}description: ${'x'.repeat(300_000)}\n`, what: 'a long file' },
    {
      yaml: `${base}log: { gram: { at: [${Array.from({ length: many }, (_, i) => i + 1).join()}] } }\n`,
      what: `${many} updates`,
    },
    {
      yaml: `${base}stages:\n${`  - { name: s, trainOn: stage1, epochs: 1 }\n`.repeat(many)}`,
      what: `${many} stages`,
    },
    { yaml: `${base}stages: ["${'ab'.repeat(many)}"]\n`, what: 'a stage that is a text' },
    { yaml: '', what: 'nothing' },
    { yaml: '\0\0\0', what: 'zeros' },
    { yaml: `${base}? [1, 2]\n: 3\n`, what: 'a list as a key' },
    { yaml: `${base}x: !!js/function "() => 1"\n`, what: 'a tag' },
    { yaml: `${base}"\\e[31m": "\\e]0;title\\a"\n`, what: 'escapes' },
  ];
  return choose(cases, random);
}
