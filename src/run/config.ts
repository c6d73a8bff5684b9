import { z } from 'zod';
import { folderName } from '../store/run-paths.js';
import { experiments, type RegisteredExperiment } from '../../data/registry.js';
import { lossSchema } from '../../data/loss.js';
import { interventions, interventionSchemas } from './interventions/registry.js';
import { logScheduleSchema } from './log/schedule.js';
import { modelSchema } from '../train/models/registry.js';
import { optimizerSchema } from '../train/optimizers/registry.js';
import { learningRateSchema } from '../train/optimizers/bounds.js';
import { stopSchema } from './stop-schema.js';
import { scheduleSchema } from '../train/optimizers/schedule.js';
import { blocksSchema } from '../../data/blocks.js';
import { compositionSchema } from '../../data/composition.js';
import { replaySchema } from '../../data/replay.js';
import { samplerSchema } from '../../data/samplers.js';
import { selectsNewAlone, selectsRows, trainSubsets } from '../../data/train-subsets.js';
import { logTiers } from '../store/log-tier.js';

const positive = z.number().int().positive();

/** Parameters that do not follow the stage's learning rate. */
const parameterGroupSchema = z.strictObject({
  parameters: z.string().max(200).describe('name of a parameter; * stands for any characters'),
  learningRate: learningRateSchema,
});

const stageSchema = z
  .strictObject({
    name: z
      .string()
      .max(100)
      .regex(/^[a-z0-9_]+$/, 'expected lower-case letters, digits and _')
      .describe('name of the stage in every log'),
    trainOn: z
      .enum(trainSubsets)
      .describe('rows it trains on: stage1 = X1, stage2 = X2 definitions, full = both jointly'),
    epochs: z.number().positive().max(1e7).describe('passes over the rows; rounded to whole updates'),
    batchSize: z
      .union([positive.max(1 << 20), z.literal('full')])
      .describe('examples of a minibatch, at most all rows; full: all rows'),
    microBatch: positive
      .max(1 << 20)
      .nullable()
      .default(null)
      .describe(
        'examples that go through the model at once: the gradient of a larger minibatch is accumulated, for minibatches ' +
          'that do not fit into memory; null: all',
      ),
    sampler: samplerSchema,
    blocks: blocksSchema,
    composition: compositionSchema,
    replay: replaySchema,
    optimizer: optimizerSchema,
    parameterGroups: z
      .array(parameterGroupSchema)
      .max(1000)
      .default([])
      .describe('exceptions from the learning rate; the first match counts'),
    schedule: scheduleSchema,
    clipNorm: z
      .number()
      .min(1e-6)
      .max(1e6)
      .nullable()
      .default(null)
      .describe('largest norm of the whole gradient; null: no clipping'),
    stop: stopSchema,
    ...interventionSchemas,
  })
  .superRefine((stage, context) => {
    // A value that is wrong by itself would only be reported twice.
    if (context.issues.length > 0) return;
    for (const intervention of interventions) {
      const problem = stage[intervention.key] === null ? null : intervention.problem(stage);
      if (problem !== null) context.addIssue({ code: 'custom', path: [intervention.key], message: problem });
    }
    const { sampler, batchSize, blocks, composition, replay, optimizer, parameterGroups } = stage;
    const replayProblem = replay === null ? null : problemOfReplay(stage);
    if (replayProblem !== null)
      context.addIssue({ code: 'custom', path: ['replay'], message: replayProblem });
    if ((sampler === 'blocks') !== (blocks !== null)) {
      context.addIssue({
        code: 'custom',
        path: ['blocks'],
        message:
          blocks === null
            ? 'the sampler blocks needs them: a list such as [definition, qa]'
            : `the sampler ${sampler} has no blocks; leave them out, or set sampler to blocks`,
      });
    }
    if (composition !== null && sampler !== 'shuffle' && sampler !== 'shuffleOnce') {
      context.addIssue({
        code: 'custom',
        path: ['composition'],
        message: `it shuffles what it does not place, which the sampler ${sampler} does not; set that to shuffle or shuffleOnce`,
      });
    }
    if (batchSize === 'full' && (sampler === 'withReplacement' || sampler === 'mixture')) {
      context.addIssue({
        code: 'custom',
        path: ['batchSize'],
        message: `the sampler ${sampler} draws every example by itself, so that no minibatch holds all rows once; give a number, or another sampler`,
      });
    }
    const rates = [optimizer.learningRate, ...parameterGroups.map(({ learningRate }) => learningRate)];
    if (Math.max(...rates) * optimizer.weightDecay < 1) return;
    context.addIssue({
      code: 'custom',
      path: ['optimizer', 'weightDecay'],
      message: `times the learning rate ${Math.max(...rates)} is 1 or more, which removes a parameter at one update; lower it`,
    });
  });

export type StageConfig = z.infer<typeof stageSchema>;

/** A stage with every key that is left out at its default. Throws a ZodError for one that cannot be. */
export function stageOf(stage: z.input<typeof stageSchema>): StageConfig {
  return stageSchema.parse(stage);
}

/** Why a stage cannot replay facts, or null. */
function problemOfReplay({
  sampler,
  batchSize,
  composition,
  trainOn,
}: {
  readonly sampler: string;
  readonly batchSize: number | 'full';
  readonly composition: object | null;
  readonly trainOn: string;
}): string | null {
  if (trainOn === 'facts') return 'the stage trains on the facts themselves; set it to null';
  if (sampler !== 'shuffle')
    return `replayed rows are drawn anew for every epoch, which only the sampler shuffle does, not ${sampler}`;
  if (batchSize === 'full')
    return 'no minibatch holds all facts; give batchSize as a number, or set this to null';
  return composition === null ? null : 'a composition places all rows of an epoch; leave out one of the two';
}

const evaluationSchema = z.strictObject({
  everyEpochs: z
    .number()
    .min(1e-6)
    .max(1e7)
    .describe('epochs between evaluations; the start and the end of a stage are always evaluated'),
  maxExamples: positive
    .max(1e8)
    .nullable()
    .default(null)
    .describe(
      'examples of a test set to use between start and end of a stage (a fixed seeded choice); null: all',
    ),
  batchSize: positive
    .max(1 << 20)
    .default(128)
    .describe('examples of one replica evaluated at once; no effect on the results'),
  gold: z
    .enum(['any', 'first'])
    .default('any')
    .describe('of several right answers: any counts; or, as in the published code, the first alone'),
  generation: z
    .strictObject({
      maxNewTokens: positive
        .max(1 << 16)
        .describe('tokens of an answer, at most; longer right ones cannot be written'),
      maxExamples: positive
        .max(1e8)
        .nullable()
        .default(null)
        .describe(
          'examples of a test set that are written (a fixed seeded choice); null: as many as are evaluated',
        ),
    })
    .nullable()
    .default(null)
    .describe(
      'lets the model write its answers, the most likely token after the other, and holds them against the right ones (metrics ' +
        'exact_match and f1); null: only asks how likely right answers are',
    ),
});

const logSchema = z.strictObject({
  tier: z
    .enum(logTiers)
    .describe(
      'off; norms: the minibatch gradient of every tensor; groups: each group and their Gram matrix; ' +
        'sketch: CountSketches of the groups; full: the vectors themselves',
    ),
  gram: logScheduleSchema
    .default({ every: 1, offset: 0 })
    .describe('norms and Gram matrix (from tier groups)'),
  exampleNorms: logScheduleSchema
    .default({ every: 20, offset: 0 })
    .describe('per-example norms, for the gradient variance (from tier groups)'),
  sketch: logScheduleSchema
    .default({ every: 50, offset: 0 })
    .describe('CountSketches of the gradients of groups (from tier sketch)'),
  sketchSize: positive
    .max(1 << 20)
    .default(1024)
    .describe('numbers of a sketch of one tensor'),
  sketchSeed: z
    .number()
    .int()
    .nonnegative()
    .default(0)
    .describe('sketches compare between runs of equal seed only'),
  vectors: logScheduleSchema
    .default({ every: 500, offset: 0 })
    .describe('whole gradients of groups (tier full)'),
});

export type LogConfig = z.infer<typeof logSchema>;

const checkpointSchema = z.strictObject({
  everySeconds: z
    .number()
    .min(0.001)
    .max(1e7)
    .default(30)
    .describe('longest time between two checkpoints: the work a crash can cost'),
  keep: z
    .enum(['last', 'stages'])
    .default('stages')
    .describe('last: one, replaced; stages: also those of perStage'),
  perStage: positive
    .max(10_000)
    .default(1)
    .describe(
      'checkpoints kept in every stage, equally spaced, the last one at its end; probes look at them',
    ),
});

/** How the model is trained on facts before the first stage: a run of its own, shared by all runs that start from it. */
const pretrainSchema = z
  .strictObject({
    seed: z
      .int()
      .nonnegative()
      .default(0)
      .describe('seed of the pretrained model: the same for every seed of the runs'),
    epochs: z.number().positive().max(1e7).describe('passes over the facts'),
    batchSize: positive.max(1 << 20).describe('examples of a minibatch'),
    optimizer: optimizerSchema,
    schedule: scheduleSchema,
    clipNorm: z
      .number()
      .min(1e-6)
      .max(1e6)
      .nullable()
      .default(null)
      .describe('largest norm of the whole gradient'),
  })
  .nullable()
  .default(null)
  .describe(
    'trains the model on `facts` first, in a run of its own, once for all runs with the same facts, model and pretraining; ' +
      'null: the model starts from initial parameters',
  );

const general = z.strictObject({
  name: folderName.max(100).describe('name of the preset; part of every run id'),
  description: z.string().max(10_000).default('').describe('one line for people'),
  loss: lossSchema,
  model: modelSchema,
  pretrain: pretrainSchema,
  stages: z.array(stageSchema).min(1).max(100).describe('parts of training, one behind the other'),
  evaluation: evaluationSchema.describe('when and how test sets are looked at'),
  log: logSchema.describe('what is kept of gradients'),
  checkpoint: checkpointSchema
    .default({ everySeconds: 30, keep: 'stages', perStage: 1 })
    .describe('when parameters and optimizer are saved'),
  tagExchange: z
    .boolean()
    .default(false)
    .describe(
      'trains the stage of new variables once more from its start, with the tags of the two sets of them exchanged: the ' +
        'mean of the two strong gaps holds no difference in difficulty between the sets',
    ),
});

/** Where the experiment of a config comes from, if it is not built in. Its hash counts in that of the config, its place not. */
const moduleSchema = z.strictObject({
  path: z.string().describe('file that the experiment is the default export of'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits'),
});

/** Schema of an experiment file, for the experiments known; each has its own `data` section. */
export function runSchemaOf(known: Iterable<RegisteredExperiment>) {
  const [first, ...others] = Array.from(known, ({ name, schema, module }) =>
    general.extend({
      experiment: z.literal(name),
      data: schema.describe('what the experiment trains and tests on'),
      ...(module === null ? {} : { module: moduleSchema }),
    }),
  );
  return z.discriminatedUnion('experiment', [first!, ...others]).superRefine((config, context) => {
    const names = config.stages.map(({ name }) => name);
    if (new Set(names).size < names.length) {
      context.addIssue({
        code: 'custom',
        path: ['stages'],
        message: `two stages have the same name: ${names.join(', ')}`,
      });
    }
    const { tier } = config.log;
    if (tier !== 'off' && tier !== 'norms') {
      const stage = config.stages.findIndex(({ microBatch }) => microBatch !== null);
      if (stage >= 0) {
        context.addIssue({
          code: 'custom',
          path: ['stages', stage, 'microBatch'],
          message: `log.tier ${tier} is computed from the activations of whole minibatches; set log.tier to norms or off, or this to null`,
        });
      }
    }
    const problem = config.tagExchange ? tagExchangeProblem(config) : null;
    if (problem !== null) context.addIssue({ code: 'custom', path: ['tagExchange'], message: problem });
  });
}

/** Schema of the files of built-in experiments. */
export const runSchema = runSchemaOf(experiments.values());

export type RunConfig = z.infer<typeof runSchema>;

/** Number of the stage that the exchanged half of a run trains again from; -1 where there is none. */
export function exchangedStage({ stages }: Pick<RunConfig, 'stages'>): number {
  return stages.findIndex(({ trainOn }) => selectsNewAlone(trainOn));
}

/** Why the tags of new variables cannot be exchanged in a run, or null. */
function tagExchangeProblem(config: RunConfig): string | null {
  const from = exchangedStage(config);
  if (from < 0) {
    return 'no stage trains the definitions of new variables alone (trainOn: stage2), so that there is no point to exchange their tags at; set it to false';
  }
  const before = config.stages.slice(0, from).find(({ trainOn }) => selectsRows(trainOn, 'X2', 'definition'));
  if (before !== undefined) {
    return `stage ${before.name} trains the new variables with their tags before stage ${config.stages[from]!.name} does; set it to false`;
  }
  if (config.checkpoint.keep === 'last') {
    return `it goes on from the checkpoint before stage ${config.stages[from]!.name}, which checkpoint.keep last does not keep; set that to stages, or this to false`;
  }
  const problem = experiments.get(config.experiment)?.exchangeProblem(config.data) ?? null;
  return problem === null ? null : `${problem}; set it to false`;
}
