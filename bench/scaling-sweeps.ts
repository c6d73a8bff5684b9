import { smallCases, type Case } from './training-step.js';

/** One size at which a cost is measured. */
export type Point =
  | { readonly kind: 'step'; readonly own: Case; readonly size: number | 'parameters' }
  /** Panel of so many variables of each of the four subsets with definitions, 12 questions each of a kind. */
  | { readonly kind: 'panel'; readonly variables: number }
  /** A finished run of so many steps, in a folder. */
  | { readonly kind: 'log'; readonly steps: number; readonly folder: string };

/** One quantity that grows, all else held fixed. */
export interface Sweep {
  readonly name: string;
  readonly about: string;
  /** What arithmetic expects where the work itself, and no fixed cost, takes the time. */
  readonly expected: string;
  readonly points: readonly Point[];
}

const small = smallCases[0]!;
const text: Case = {
  name: 'text',
  layers: 4,
  width: 128,
  heads: 4,
  vocabulary: 100,
  outputs: 100,
  variables: 0,
  examples: 64,
  rows: 6,
  target: 'text',
  clip: false,
  replicas: 1,
  goal: null,
};

/** @param folderOf folder of a run of so many steps */
export function sweeps(quick: boolean, folderOf: (steps: number) => string): Sweep[] {
  const sizes = (all: readonly number[]): readonly number[] =>
    quick ? all.filter((_, i) => i % 2 === 0).slice(0, 3) : all;
  const steps = (all: readonly number[], of: (size: number) => Partial<Case>): Point[] =>
    sizes(all).map((size) => ({ kind: 'step', own: { ...small, ...of(size) }, size }));
  return [
    {
      name: 'parameters',
      about: 'step of a transformer of 4 layers and width 32 to 512, 64 texts of 6 tokens',
      expected: '1',
      points: sizes([32, 64, 128, 256, 512]).map((width) => ({
        kind: 'step',
        own: { ...text, width },
        size: 'parameters',
      })),
    },
    {
      name: 'batch',
      about: 'step of set-inclusion small, minibatches of 32 to 2048',
      expected: '1',
      points: steps([32, 128, 512, 1024, 2048], (examples) => ({ examples })),
    },
    {
      name: 'replicas',
      about: 'step of set-inclusion small, minibatches of 128, 1 to 32 replicas, all of them',
      expected: '1',
      points: steps([1, 4, 8, 16, 32], (replicas) => ({ replicas })),
    },
    {
      name: 'groups',
      about: 'the same with 4 replicas and the Gram matrices of 2 to 32 groups of equal size at every step',
      expected: '1',
      points: steps([2, 4, 8, 16, 32], (groups) => ({ groups, replicas: 4 })),
    },
    {
      name: 'panel',
      about:
        'products of definitions and questions of small, 5 to 80 variables a subset, Gram matrices included',
      expected: '1 (passes) to 2 (products)',
      points: sizes([5, 10, 20, 40, 80]).map((variables) => ({ kind: 'panel', variables })),
    },
    {
      name: 'log length',
      about: 'reading step, group, tensor and norm of a log of 1,000 to 16,000 steps, 224 rows each',
      expected: '1',
      points: sizes([1000, 2000, 4000, 8000, 16_000]).map((size) => ({
        kind: 'log',
        steps: size,
        folder: folderOf(size),
      })),
    },
  ];
}
