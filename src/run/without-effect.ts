import { UserError } from '../../data/errors.js';
import { experiments } from '../../data/registry.js';
import { reaches, type LogTier } from '../store/log-tier.js';
import type { LogConfig, RunConfig } from './config.js';
import { matchesParameter } from '../../data/parameter-groups.js';
import { interventions } from './interventions/registry.js';
import { unmatched } from './interventions/patterns.js';
import { firstUpdate, lastUpdate, type LogSchedule } from './log/schedule.js';
import type { PlannedCost } from './planned-cost.js';

/**
 * Throws a UserError, one line, for a setting that would do nothing at all: a stage of no updates, a parameter group
 * that no parameter belongs to, a schedule that never comes.
 */
export function refuseWithoutEffect(config: RunConfig, cost: PlannedCost): void {
  config.stages.forEach((stage, i) => {
    const planned = cost.stages[i]!;
    if (planned.steps === 0) {
      throw new UserError(
        `stages.${i}.epochs: ${stage.epochs} of ${planned.stepsPerEpoch} updates are none; raise it, or leave the stage ` +
          'out (a learning rate of 0 measures a network that is not trained)',
      );
    }
    checkParameterGroups(config, i, cost.parameterNames);
    for (const { key, planProblem } of interventions) {
      const problem = stage[key] === null ? null : planProblem({ config, stage: i, cost });
      if (problem !== null) throw new UserError(`stages.${i}.${key}.${problem}`);
    }
  });
  const longest = Math.max(...cost.stages.map(({ steps }) => steps));
  for (const [name, tier] of schedules) {
    const schedule = config.log[name];
    if (!reaches(config.log.tier, tier) || schedule === 'never' || firstUpdate(schedule) <= longest) continue;
    throw new UserError(
      `log.${name}: its first update is ${firstUpdate(schedule)}, and the longest stage has ${longest}; lower it, or set ` +
        'it to never',
    );
  }
}

/**
 * Settings that do less than they say, one line each, for whoever starts a run. Values that a preset may well keep
 * while what they belong to is off (a sketch size where nothing is sketched) are not told.
 */
export function settingsWithLittleEffect(config: RunConfig, cost: PlannedCost): string[] {
  const notes: string[] = [];
  const note = (applies: boolean, text: string): void => {
    if (applies) notes.push(text);
  };
  const { evaluation, checkpoint, loss, log, model } = config;
  config.stages.forEach((stage, i) => {
    const { steps, rows, batchSize, stepsPerEpoch } = cost.stages[i]!;
    const key = `stages.${i}`;
    note(
      stage.batchSize !== 'full' && stage.batchSize > batchSize,
      `${key}.batchSize: ${stage.batchSize} is more than the ${rows} rows: every minibatch is all of them`,
    );
    note(
      stage.microBatch !== null && stage.microBatch >= batchSize,
      `${key}.microBatch: ${stage.microBatch} is no less than a minibatch (${batchSize}): nothing is accumulated`,
    );
    note(
      stage.stop !== null && (stage.stop.updates ?? 0) > steps,
      `${key}.stop.updates: ${stage.stop?.updates} are not reached: its epochs are over after ${steps}`,
    );
    note(
      stage.schedule.warmupSteps >= steps,
      `${key}.schedule.warmupSteps: ${stage.schedule.warmupSteps} of ${steps} updates: the full learning rate is ` +
        (stage.schedule.warmupSteps > steps ? 'never reached' : 'reached at the last one'),
    );
    note(
      stage.optimizer.learningRate === 0 &&
        stage.parameterGroups.every(({ learningRate }) => learningRate === 0),
      `${key}: the learning rate is 0: the network is measured, not trained`,
    );
    note(stage.composition?.share === 0, `${key}.composition.share: 0 places nothing: the rows are shuffled`);
    note(
      stage.stop?.updates !== steps && Math.abs(stage.epochs * stepsPerEpoch - steps) > 0.01 * steps,
      `${key}.epochs: ${stage.epochs} are rounded to ${steps} updates of ${stepsPerEpoch} an epoch`,
    );
  });
  note(
    cost.stages.every(
      ({ steps, stepsPerEpoch }) => Math.round(evaluation.everyEpochs * stepsPerEpoch) >= steps,
    ),
    `evaluation.everyEpochs: ${evaluation.everyEpochs} is as long as the longest stage: only start and end of a stage are evaluated`,
  );
  note(
    evaluation.maxExamples !== null && evaluation.maxExamples >= cost.largestTest,
    `evaluation.maxExamples: ${evaluation.maxExamples} is no less than the largest test set (${cost.largestTest}): all are asked`,
  );
  note(
    checkpoint.perStage > 1 && checkpoint.keep === 'last',
    `checkpoint.perStage: ${checkpoint.perStage} checkpoints per stage are written, but checkpoint.keep last keeps none of them`,
  );
  note(
    checkpoint.perStage > Math.min(...cost.stages.map(({ steps }) => steps)),
    `checkpoint.perStage: ${checkpoint.perStage} are more than the updates of the shortest stage: one after each`,
  );
  note(
    loss.normalisation === 'token' && loss.target === 'answer' && !hasLongAnswers(config),
    'loss.normalisation: token is the same as example where only answers are targets',
  );
  note(
    config.stages.every(({ sampler }) => sampler !== 'mixture') &&
      cost.stages.some(({ hasMixture }) => hasMixture),
    'stages: no stage draws with the sampler mixture: data.mixture, data.definitionShare and data.epochExamples do nothing',
  );
  if (model.kind === 'transformer' && model.positions === 'learned') {
    note(
      model.rotaryBase !== 10_000 || model.rotaryFraction !== 0.25,
      'model.rotaryBase, model.rotaryFraction: nothing is turned where model.positions is learned',
    );
  }
  const longest = Math.max(...cost.stages.map(({ steps }) => steps));
  for (const [name, tier] of schedules) {
    const schedule = log[name];
    if (!reaches(log.tier, tier) || schedule === 'never' || lastUpdate(schedule) <= longest) continue;
    notes.push(
      `log.${name}: it goes on to update ${lastUpdate(schedule)}, and the longest stage has ${longest}`,
    );
  }
  return notes;
}

/** Schedules of the log, and the tier from which they count. */
const schedules = [
  ['gram', 'groups'],
  ['exampleNorms', 'groups'],
  ['sketch', 'sketch'],
  ['vectors', 'full'],
] as const satisfies readonly (readonly [KeysOfSchedules, LogTier])[];

type KeysOfSchedules = {
  [Key in keyof LogConfig]: LogConfig[Key] extends LogSchedule ? Key : never;
}[keyof LogConfig];

function checkParameterGroups({ stages }: RunConfig, stage: number, names: readonly string[]): void {
  const free = new Set(names);
  stages[stage]!.parameterGroups.forEach(({ parameters }, i) => {
    const matching = names.filter((name) => matchesParameter(parameters, name));
    const key = `stages.${stage}.parameterGroups.${i}.parameters`;
    if (matching.length === 0) throw new UserError(`${key}: ${unmatched(parameters, names)}`);
    if (!matching.some((name) => free.has(name))) {
      throw new UserError(
        `${key}: "${parameters}" matches only parameters of groups before it; put it first or leave it out`,
      );
    }
    for (const name of matching) free.delete(name);
  });
}

/** Whether an answer can be several tokens, which the normalisation of the loss weighs. */
function hasLongAnswers({ experiment, data, loss }: RunConfig): boolean {
  const shape = experiments.get(experiment)?.sizes(data, loss).shape;
  return shape?.modality === 'text' && shape.queries > 1;
}
