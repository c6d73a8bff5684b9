import { blockOfRows } from '../../data/blocks.js';
import { composedEpoch } from '../../data/composed-epoch.js';
import { compositionShape, type Composition } from '../../data/composition.js';
import { UserError } from '../../data/errors.js';
import type { ExampleSet } from '../../data/experiment.js';
import { mismatchedUnits, pairCounter, pairUnits, unitOfRows, type PairUnit } from '../../data/pairs.js';
import { createStream } from '../../data/random/streams.js';
import { minibatchOrder, type MinibatchOrder } from '../train/sampler.js';
import type { StageConfig } from './config.js';
import { configuredSampling, examplesPerBatch } from './configured-sampling.js';

/** What the order of a stage depends on. */
export interface OrderedStage {
  readonly config: Pick<StageConfig, 'name' | 'batchSize' | 'sampler' | 'blocks' | 'composition' | 'replay'>;
  readonly set: ExampleSet;
  /** Names of the groups, in the order of `set.group`. */
  readonly groups: readonly string[];
  readonly seed: number;
}

/** The composition of a stage, or null where it places nothing: the order is then that of the sampler, bit for bit. */
export function activeComposition({ composition }: Pick<StageConfig, 'composition'>): Composition | null {
  return composition === null || composition.share === 0 ? null : composition;
}

/**
 * The order in which one replica meets the rows of a stage. Throws a UserError, one line, for a stage whose rows do not
 * have what its order takes.
 */
export function stageOrder(stage: OrderedStage): MinibatchOrder {
  const { config, set, groups, seed } = stage;
  const { name, batchSize, sampler, blocks } = config;
  if (sampler === 'mixture' && set.probability === undefined) {
    throw new UserError(
      `stage ${name}: the data have no probabilities, which the sampler mixture needs; choose another sampler`,
    );
  }
  const blockOf = blocks === null ? null : inStage(`stage ${name}`, () => blockOfRows(blocks, groups, set));
  const order = minibatchOrder(
    set,
    examplesPerBatch(batchSize, set.size),
    sampler,
    createStream(seed, `order/${name}`),
    blockOf,
  );
  const composition = activeComposition(config);
  if (composition === null) return order;
  const units = placedUnits(stage, composition);
  const shape = inStage(`stage ${name}: composition`, () =>
    compositionShape(composedRows(stage, units), composition),
  );
  return {
    stepsPerEpoch: order.stepsPerEpoch,
    isByPosition: true,
    epoch: (epoch) => {
      const drawn = sampler === 'shuffleOnce' ? 0 : epoch;
      return composedEpoch(
        shape,
        composition.place,
        units,
        createStream(seed, `composition/${name}/${drawn}`),
      );
    },
  };
}

/** Units whose rows a composition places: every definition with the questions of its variable, or of the placebo's. */
function placedUnits({ config, set, groups, seed }: OrderedStage, { pairs }: Composition): PairUnit[] {
  return inStage(`stage ${config.name}: composition`, () => {
    const units = pairUnits(set, groups);
    return pairs === 'matched'
      ? units
      : mismatchedUnits(units, set, groups, createStream(seed, `composition/${config.name}/pairs`));
  });
}

function composedRows({ config, set }: OrderedStage, units: readonly PairUnit[]) {
  const { batchSize } = configuredSampling(config, set.size);
  return {
    examples: set.size,
    batchSize,
    variables: units.length,
    questionsPerVariable: units[0]!.questions.length,
  };
}

/** Definition-question pairs of a training set. */
export interface StagePairs {
  readonly definitions: number;
  readonly questions: number;
  readonly matched: number;
  /** What a composition takes of them; null where none places anything. */
  readonly composed: { readonly variables: number; readonly questionsPerVariable: number } | null;
}

/** How many definition-question pairs the rows of a stage have. */
export function stagePairs(stage: OrderedStage): StagePairs {
  const { set, groups, config } = stage;
  const counts = pairCounter(set, groups)(set.group.keys());
  const composition = activeComposition(config);
  if (composition === null) return { ...counts, composed: null };
  const { variables, questionsPerVariable } = composedRows(stage, placedUnits(stage, composition));
  return { ...counts, composed: { variables, questionsPerVariable } };
}

/** Definition-question pairs of which both rows are in a minibatch. */
export interface MetPairs {
  readonly matched: number;
  readonly mismatched: number;
  /** Those that the composition of the stage assigns, wherever it places them; null without one. */
  readonly assigned: number | null;
}

/** Counts the pairs that meet in minibatches of a stage. */
export function meetingCounter(stage: OrderedStage): (rows: Int32Array) => MetPairs {
  const { config, set, groups } = stage;
  const count = pairCounter(set, groups);
  const composition = activeComposition(config);
  const countAssigned =
    composition === null
      ? null
      : pairCounter(
          { group: set.group, variable: unitOfRows(placedUnits(stage, composition), set.size) },
          groups,
        );
  return (rows) => {
    const { definitions, questions, matched } = count(rows);
    return {
      matched,
      mismatched: definitions * questions - matched,
      assigned: countAssigned === null ? null : countAssigned(rows).matched,
    };
  };
}

function inStage<T>(place: string, compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${place}: ${error.message}`) : error;
  }
}
