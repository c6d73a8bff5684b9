import { UserError } from '../../data/errors.js';
import type { DataSizes } from '../../data/experiment.js';
import { experiments } from '../../data/registry.js';
import { replayedRows } from '../../data/replay.js';
import { parameterCount, parameterSizes, type Model } from '../train/models/model.js';
import { buildModel } from '../train/models/registry.js';
import { stepsPerEpoch } from '../train/sampler.js';
import type { RunConfig, StageConfig } from './config.js';
import { examplesPerBatch } from './configured-sampling.js';
import { reaches } from '../store/log-tier.js';
import { interventions } from './interventions/registry.js';
import { trainingBytes } from './planned-bytes.js';
import { mayEndEarly } from './stage-ends.js';

/** What a stage of a run will be. */
export interface PlannedStage {
  readonly name: string;
  /** Training rows. */
  readonly rows: number;
  /** Examples of the largest minibatch: the configured size, or all rows where there are fewer. */
  readonly batchSize: number;
  /** Examples of it that go through the model at once. */
  readonly atOnce: number;
  readonly stepsPerEpoch: number;
  /** Updates; 0 where the epochs round to none. */
  readonly steps: number;
  /** Held-out questions of a variable, as far as is known; 0 otherwise. */
  readonly heldOut: number;
  /** Whether the rows have the probabilities that the sampler `mixture` draws by. */
  readonly hasMixture: boolean;
}

/**
 * What one replica of a run will take, by arithmetic alone: nothing of the data, the model or the run has to exist.
 * Bytes are estimates, of the right size but not exact; everything else is exact.
 */
export interface PlannedCost {
  /** Numbers of all parameters. */
  readonly parameters: number;
  /** Numbers of the largest parameter. */
  readonly largestTensor: number;
  readonly parameterNames: readonly string[];
  /** Values, optimizer state, gradient and the copies that a step makes of them, bytes. */
  readonly parameterBytes: number;
  /** Activations of the largest minibatch or evaluation, bytes. */
  readonly activationBytes: number;
  /** Gradients and sketches of the groups that the log's tier keeps at once, bytes. */
  readonly logBytes: number;
  /** What the interventions of a stage take beside that, bytes. */
  readonly interventionBytes: number;
  /** Rows of training and test, bytes. */
  readonly dataBytes: number;
  /** Sum of the bytes above: memory of one replica. */
  readonly bytesPerReplica: number;
  readonly stages: readonly PlannedStage[];
  /** Updates of all stages, at most. */
  readonly steps: number;
  /** Whether a stage may end before its updates. */
  readonly mayEndEarly: boolean;
  /** Rows that are trained on, the largest stage, and rows of all test sets. */
  readonly trainingRows: number;
  readonly testRows: number;
  /** Rows of the largest test set. */
  readonly largestTest: number;
}

/** Bytes of a float32. */
const float = 4;

/**
 * Updates, rows and places within a tensor are counted in 32 bits in the tables of a run; these limits keep well below, or at
 * them. Parameters of all tensors are not: their limit is that of the models of the paper, with room.
 */
const most = { parameters: 2e10, tensor: 2 ** 31 - 1, steps: 1e8, rows: 1e8 } as const;

/**
 * Cost of one replica of a config. Throws a UserError where the parts of the config do not fit, as building them
 * would.
 */
export function plannedCost(config: RunConfig): PlannedCost {
  const experiment = experiments.get(config.experiment);
  if (experiment === undefined) throw new UserError(`unknown experiment ${config.experiment}`);
  const sizes = experiment.sizes(config.data, config.loss);
  const model = buildModel(config.model, { shape: sizes.shape, hidePadding: config.loss.includePadding });
  const stages = config.stages.map((stage) => plannedStage(stage, sizes));
  const parameters = parameterCount(model);
  const examples = Math.max(
    ...stages.map(({ atOnce }) => atOnce),
    Math.min(config.evaluation.batchSize, sizes.largestTest),
  );
  const { parameterBytes, activationBytes } = trainingBytes(model, examples);
  const logBytes = bytesOfLog(config, model, parameters, sizes.groups.length);
  const interventionBytes = Math.max(
    ...config.stages.map((stage, i) =>
      interventions.reduce((sum, { bytes }) => sum + (bytes?.(stage, stages[i]!, model) ?? 0), 0),
    ),
  );
  return {
    parameters,
    largestTensor: Math.max(...parameterSizes(model)),
    parameterNames: model.parameters.map(({ name }) => name),
    parameterBytes,
    activationBytes,
    logBytes,
    interventionBytes,
    dataBytes: sizes.bytes,
    bytesPerReplica: parameterBytes + activationBytes + logBytes + interventionBytes + sizes.bytes,
    stages,
    steps: stages.reduce((sum, { steps }) => sum + steps, 0),
    mayEndEarly: config.stages.some(mayEndEarly),
    trainingRows: Math.max(...stages.map(({ rows }) => rows)),
    testRows: sizes.testRows,
    largestTest: sizes.largestTest,
  };
}

/** Updates that a stage has at most: its epochs rounded to whole updates, or fewer that its `stop` says. */
export function plannedSteps(
  { epochs, stop }: Pick<StageConfig, 'epochs' | 'stop'>,
  stepsPerEpoch: number,
): number {
  return Math.min(Math.round(epochs * stepsPerEpoch), stop?.updates ?? Infinity);
}

function plannedStage(
  { name, trainOn, sampler, batchSize: configured, microBatch, replay, epochs, stop }: StageConfig,
  sizes: DataSizes,
): PlannedStage {
  const { rows: own, mixtureEpoch } = sizes.training(trainOn);
  const facts = replay === null ? 0 : sizes.training('facts').rows;
  const rows = own + facts;
  const batchSize = examplesPerBatch(configured, rows);
  // The mixture draws every minibatch whole; the other samplers cut an epoch into pieces.
  const largest = sampler === 'mixture' ? batchSize : Math.min(batchSize, rows);
  const met = {
    size: rows,
    epochSize: mixtureEpoch ?? rows,
    ...(replay === null ? {} : { replay: { first: own, perEpoch: replayedRows(own, facts, replay) } }),
  };
  const perEpoch = stepsPerEpoch(met, batchSize, sampler);
  return {
    name,
    rows,
    batchSize: largest,
    atOnce: Math.min(largest, microBatch ?? largest),
    stepsPerEpoch: perEpoch,
    steps: plannedSteps({ epochs, stop }, perEpoch),
    heldOut: sizes.heldOut ?? 0,
    hasMixture: mixtureEpoch !== null,
  };
}

/** Gradients of all groups, `[group, parameter]`, and `[group, tensor, sketch]` in float64. */
function bytesOfLog({ log }: RunConfig, model: Model, parameters: number, groups: number): number {
  if (!reaches(log.tier, 'sketch')) return 0;
  return (
    float * (groups + 1) * parameters + 8 * (groups + 1) * (model.parameters.length + 1) * log.sketchSize
  );
}

/** Throws a UserError, one line, for a cost that no machine is made for, whatever its memory. */
export function refuseImpossible({
  parameters,
  largestTensor,
  steps,
  trainingRows,
  testRows,
}: PlannedCost): void {
  const check = (what: string, count: number, limit: number, remedy: string): void => {
    if (count <= limit) return;
    throw new UserError(`${what}: ${thousands(count)}, and ${thousands(limit)} are the most; ${remedy}`);
  };
  check('model: parameters', parameters, most.parameters, 'make it narrower or shallower');
  check('model: parameters of one tensor', largestTensor, most.tensor, 'make it narrower');
  check('stages: updates of all stages', steps, most.steps, 'lower epochs or raise batchSize');
  check('data: training rows', trainingRows, most.rows, 'lower data.variables');
  check('data: test rows', testRows, most.rows, 'lower data.variables');
}

function thousands(count: number): string {
  return count.toLocaleString('en-US', { maximumFractionDigits: 0 });
}
