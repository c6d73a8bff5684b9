import type { RunConfig } from './config.js';

/**
 * Keys in which replicas of one computation may differ: numbers of the step that change neither the shape of a tensor nor
 * how many updates there are. `*` stands for one key, a last `**` for all below it.
 */
const free: readonly string[] = [
  'name',
  'description',
  'stages.*.optimizer.**',
  'stages.*.parameterGroups.*.learningRate',
  'stages.*.schedule.**',
  'stages.*.clipNorm',
  'stages.*.penalty.lambda',
  'stages.*.penalty.forceRatio',
  'stages.*.surgery.strength',
  'stages.*.noise.strength',
  'stages.*.noise.batchSize',
  'stages.*.composition',
  'stages.*.stop.trainingLoss',
  'stages.*.stop.distance',
];

/** Keys that are not free although they lie below one that is. */
const shared: readonly string[] = ['stages.*.optimizer.kind'];

/**
 * Why runs of these configs cannot train as one computation: the first key that differs and must not, with its values
 * (`stages.0.batchSize differs: 16 and 32`); null when they can.
 */
export function sameShapes(configs: readonly RunConfig[]): string | null {
  const [first, ...others] = configs;
  for (const other of others) {
    const problem = other === first ? null : firstDifference(first, other, []);
    if (problem !== null) return problem;
  }
  return null;
}

function firstDifference(a: unknown, b: unknown, path: readonly string[]): string | null {
  if (isFree(path)) return null;
  if (!isBranch(a) || !isBranch(b)) {
    if (Object.is(a, b)) return null;
    return `${path.join('.')} differs: ${JSON.stringify(a ?? null)} and ${JSON.stringify(b ?? null)}`;
  }
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const problem = firstDifference(Reflect.get(a, key), Reflect.get(b, key), [...path, key]);
    if (problem !== null) return problem;
  }
  return null;
}

function isFree(path: readonly string[]): boolean {
  const matches = (pattern: string): boolean => matchesKeys(pattern.split('.'), path);
  return free.some(matches) && !shared.some(matches);
}

function matchesKeys(pattern: readonly string[], path: readonly string[]): boolean {
  const [expected, ...others] = pattern;
  if (expected === '**') return path.length > 0;
  if (expected === undefined || path.length === 0) return expected === undefined && path.length === 0;
  return (expected === '*' || expected === path[0]) && matchesKeys(others, path.slice(1));
}

function isBranch(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
