import { createHash } from 'node:crypto';
import { UserError } from '../../data/errors.js';
import { createStream } from '../../data/random/streams.js';
import { readFittingCheckpoint } from '../run/checkpoint-fit.js';
import { checkpointSteps, type Checkpoint } from '../run/checkpoint.js';
import { checkpointPath } from '../store/checkpoint-path.js';
import { dimensionsOf, metadataOf } from '../run/description.js';
import { loadExperimentsOf } from '../run/experiment-module.js';
import { replicaLimit } from '../run/memory.js';
import { planRuns, withKnownEnds } from '../run/plan.js';
import { endsOf } from '../run/stage-ends.js';
import type { RunRequest } from '../run/request.js';
import { readStoredConfig, requireSamePlan } from '../run/run-config.js';
import { nodeEnvironment } from '../store/environment.js';
import { acquireLock } from '../store/lock.js';
import { settleLocks } from '../store/settle-locks.js';
import { NewTables } from '../store/new-tables.js';
import { configPath, readRunInfo } from '../store/run-folder.js';
import { tables } from '../store/tables/registry.js';
import type { TableWriter } from '../store/table-writer.js';
import { RetrainParts } from './retrain/parts.js';
import { retrainPopulation, type RetrainPopulation } from './retrain/population.js';
import { predict, type PredictedKind, type Predictions } from './retrain/predictions.js';
import { meansByVariable, type QuestionOutcome } from './retrain/questions.js';
import { halfOf, retrainingsOf, type Retraining } from './retrain/retrainings.js';
import type { RetrainedRun, RetrainTools } from './retrain/tools.js';
import { retrain, updatesOf } from './retrain/train.js';

/** How much is retrained. */
export interface RetrainOptions {
  /** Variables of each subset whose definitions are dropped one by one, and that are asked about. */
  readonly variables: number;
  /** Questions about each. */
  readonly questions: number;
  /** Random halves of the definitions. */
  readonly halves: number;
  /** Orders of minibatches and noise, that of the run included. */
  readonly orders: number;
  /** Retrainings at once; null: as many as memory allows. */
  readonly replicas: number | null;
}

/** How far the retraining of a run has come. */
export interface RetrainProgress {
  readonly folder: string;
  /** Retrainings that are done, those of an earlier call included, and all. */
  readonly done: number;
  readonly all: number;
  /** Share of this call's work on the run that is done: replica updates, and gradients for predictions. */
  readonly share: number;
}

/** Who is told of it. */
export interface RetrainWatch {
  /** Aborted to stop; what is finished is kept. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: RetrainProgress) => void;
  /** One line for people. */
  readonly onMessage: (message: string) => void;
}

/** Work of the predictions of a run, as a share of that of its retrainings. */
const predictionShare = 0.1;

/**
 * Trains the stage of new variables of a run again, from the checkpoint before it: with nothing changed, with the
 * definition of one variable dropped or its tag swapped, a subset dropped, and with random halves of the definitions;
 * writes what its questions are answered then, and what cheap predictions say of it. The run itself stays as it is.
 *
 * @throws UserError for a folder that is no complete run, that has no stage of new variables of its own, or whose stage
 *   does not train to the weights of the run when nothing is changed
 */
export async function retrainRun(
  folder: string,
  options: RetrainOptions,
  request: Pick<RunRequest, 'engine' | 'memory'>,
  tools: RetrainTools,
  watch: RetrainWatch,
): Promise<'complete' | 'interrupted'> {
  await settleLocks([folder], nodeEnvironment, watch.onMessage);
  const lock = acquireLock(folder, nodeEnvironment);
  try {
    const info = readRunInfo(folder);
    if (info.status !== 'complete') {
      throw new UserError(`${folder}: its training is not complete; go on with it first`);
    }
    await loadExperimentsOf(configPath(folder));
    const { config, hash } = readStoredConfig(folder);
    const { seed } = info;
    const planned = planRuns([{ config, seed, ends: endsOf(info) }], info.exchangeOf !== undefined);
    requireSamePlan(folder, info, planned, 0);
    const plan = withKnownEnds(planned);
    const population = populationOf(folder, plan, options);
    const { firstStep, steps, sets } = plan.stages[population.stage]!;
    const start = startOf(folder, plan, firstStep, info.configHash);
    const run: RetrainedRun = {
      plan,
      modelKey: JSON.stringify([config.model, config.loss, plan.data[0]!.shape]),
      population,
      start,
    };
    const swaps = plan.data[0]!.counterfactuals?.kinds.includes('tag_swap') ?? false;
    if (!swaps) watch.onMessage(`${folder}: its data have no definitions with another tag: no swaps`);
    const amounts = { halves: options.halves, orders: options.orders, swaps };
    const all = retrainingsOf(population, amounts, seed, sets[0]!.size);
    const parts = new RetrainParts(
      folder,
      {
        version: 1,
        // A later version may know more keys: the hash of the run stays.
        config: info.configHash ?? hash,
        data: info.dataHash,
        start: weightsHash(start),
        variables: options.variables,
        questions: options.questions,
      },
      nodeEnvironment,
    );
    const { outcomes, removed } = parts.read(population.asked.length * population.questions);
    if (removed > 0)
      watch.onMessage(`${folder}: ${removed} parts of other options or another training were removed`);
    const missing = all.filter(({ id }) => !outcomes.has(id));
    if (missing.length < all.length)
      watch.onMessage(
        `${folder}: ${all.length - missing.length} of ${all.length} retrainings are there already`,
      );
    const work = missing.reduce((sum, own) => sum + updatesOf(run, own), 0) || 1;
    let worked = 0;
    const report = (share: number): boolean => {
      watch.onProgress({ folder, done: outcomes.size, all: all.length, share });
      return !watch.signal.aborted;
    };
    if (missing.length > 0 && (await checkGolden(folder, run, firstStep + steps, tools, watch)) === null)
      return 'interrupted';
    const together = options.replicas ?? replicaLimit(plan.cost, request.memory?.() ?? Infinity).replicas;
    for (const chunk of chunksOf(missing, together)) {
      const found = await retrain(run, chunk, tools, (done) =>
        report((1 - predictionShare) * ((worked + done * chunk.length) / work)),
      );
      if (found === null) return 'interrupted';
      const kept = chunk.flatMap((own, i) => (isFinite(found[i]!) ? [{ own, outcome: found[i]! }] : []));
      if (kept.length < chunk.length)
        watch.onMessage(`${folder}: ${chunk.length - kept.length} retrainings diverged and are left out`);
      for (const { own, outcome } of kept) outcomes.set(own.id, outcome);
      parts.write(
        kept.map(({ own }) => own.id),
        kept.map(({ outcome }) => outcome),
      );
      worked += chunk.reduce((sum, own) => sum + updatesOf(run, own), 0);
    }
    const predictions = new Map<PredictedKind, Predictions>();
    const kinds: PredictedKind[] = swaps ? ['definition', 'tag_swap'] : ['definition'];
    for (const [i, kind] of kinds.entries()) {
      const found = await predict(run, kind, folder, info.configHash, tools, (done, count) =>
        report(1 - predictionShare * (1 - (i + done / count) / kinds.length)),
      );
      if (found === null) return 'interrupted';
      if (kind === 'definition' && found.pathIntegral === null)
        watch.onMessage(
          `${folder}: no path_integral: the model is too large for gradients of all definitions`,
        );
      predictions.set(kind, found);
    }
    if (!lock.isStillOurs())
      throw new UserError(`${folder}: another process took the folder over; its tables stay as they were`);
    const written = new NewTables(folder);
    try {
      const open = { dimensions: dimensionsOf(plan), metadata: metadataOf(plan, 0, request) };
      writeRetrained(written.open({ table: tables.retrained, ...open }), population, all, outcomes);
      writeHalves(written.open({ table: tables.retrain_halves, ...open }), population, options.halves, seed);
      writePredictions(written.open({ table: tables.retrain_predictions, ...open }), population, predictions);
      await written.publish([tables.retrain_scores.name]);
    } finally {
      written.discard();
    }
    parts.remove();
    return 'complete';
  } finally {
    lock.release();
  }
}

function populationOf(
  folder: string,
  plan: Parameters<typeof retrainPopulation>[0],
  { variables, questions }: RetrainOptions,
): RetrainPopulation {
  try {
    return retrainPopulation(plan, variables, questions, createStream(plan.seeds[0]!, 'retrain/variables'));
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${folder}: ${error.message}`, { cause: error });
    throw error;
  }
}

function startOf(
  folder: string,
  plan: Parameters<typeof readFittingCheckpoint>[0],
  step: number,
  configHash: string | undefined,
): Checkpoint {
  if (!checkpointSteps(folder).includes(step)) {
    throw new UserError(
      `${checkpointPath(folder, step)}: is not there, so that the stage cannot be trained again; train the run with ` +
        'checkpoint.keep stages',
    );
  }
  return readFittingCheckpoint(plan, 0, folder, step, configHash);
}

/** Largest distance of the stage trained again from the run's own end, as a share of the way of the stage. */
const largestDistance = 0.01;

/**
 * Trains the stage alone with nothing changed and compares the weights with those of the run: bit for bit where the run
 * trained alone on the same engine; where it trained with other seeds, products of other shapes may round otherwise.
 *
 * @returns null when it was stopped; whether they could be compared otherwise
 */
async function checkGolden(
  folder: string,
  run: RetrainedRun,
  endStep: number,
  tools: RetrainTools,
  watch: RetrainWatch,
): Promise<boolean | null> {
  if (!checkpointSteps(folder).includes(endStep)) {
    watch.onMessage(`${folder}: no checkpoint at the end of the stage to compare the retraining with`);
    return false;
  }
  const end = readFittingCheckpoint(run.plan, 0, folder, endStep, readRunInfo(folder).configHash);
  const expected = new Map(end.parameters.map(({ name, values }) => [name, values]));
  const begun = new Map(run.start.parameters.map(({ name, values }) => [name, values]));
  const [nothing] = retrainingsOf(run.population, { halves: 0, orders: 1, swaps: false }, 0, 0);
  let off2 = 0;
  let way2 = 0;
  const trained = await retrain(
    run,
    [nothing!],
    tools,
    () => !watch.signal.aborted,
    (learner) => {
      for (const { name, values } of learner.parameterValues(0)) {
        values.forEach((value, i) => {
          off2 += (value - expected.get(name)![i]!) ** 2;
          way2 += (expected.get(name)![i]! - begun.get(name)![i]!) ** 2;
        });
      }
    },
  );
  if (trained === null) return null;
  const share = off2 === 0 ? 0 : Math.sqrt(off2 / way2);
  if (!(share <= largestDistance)) {
    throw new UserError(
      `${folder}: with nothing changed its stage trains to weights ${(100 * share).toFixed(0)} % of its way from those of ` +
        'the run: another engine or version trained it; train it again with this one',
    );
  }
  watch.onMessage(
    `${folder}: with nothing changed the stage trains to the weights of the run ` +
      (share === 0 ? 'bit for bit' : `up to ${share.toExponential(1)} of its way`),
  );
  return true;
}

/** Retrainings that are taken together: equally many rows, and chunks of nearly equal size, since each is another graph. */
function chunksOf(retrainings: readonly Retraining[], most: number): Retraining[][] {
  const bySize = new Map<number | null, Retraining[]>();
  for (const own of retrainings) {
    const size = own.kept?.length ?? null;
    bySize.set(size, [...(bySize.get(size) ?? []), own]);
  }
  return [...bySize.values()].flatMap((own) => {
    const size = Math.ceil(own.length / Math.ceil(own.length / most));
    return Array.from({ length: Math.ceil(own.length / size) }, (_, i) =>
      own.slice(i * size, (i + 1) * size),
    );
  });
}

function isFinite({ loss }: QuestionOutcome): boolean {
  return loss.every(Number.isFinite);
}

/** SHA-256 of the parameters of a checkpoint. */
function weightsHash({ parameters }: Checkpoint): string {
  const hash = createHash('sha256');
  for (const { values } of parameters)
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return hash.digest('hex');
}

function writeRetrained(
  writer: TableWriter<typeof tables.retrained>,
  { asked, questions }: RetrainPopulation,
  retrainings: readonly Retraining[],
  outcomes: ReadonlyMap<string, QuestionOutcome>,
): void {
  for (const { id, change, order, subset, changed } of retrainings) {
    const outcome = outcomes.get(id);
    if (outcome === undefined) continue;
    const [loss, margin, accuracy] = [outcome.loss, outcome.margin, outcome.correct].map((values) =>
      meansByVariable(values, questions),
    );
    asked.forEach((own, i) =>
      writer.append({
        change,
        order,
        changed_subset: subset ?? 'none',
        changed,
        asked_subset: own.subset,
        asked: own.variable,
        loss: loss![i]!,
        margin: margin![i]!,
        accuracy: accuracy![i]!,
        losses: outcome.loss.subarray(i * questions, (i + 1) * questions),
      }),
    );
  }
}

function writeHalves(
  writer: TableWriter<typeof tables.retrain_halves>,
  { definitions }: RetrainPopulation,
  halves: number,
  seed: number,
): void {
  for (let half = 0; half < halves; half++) {
    const variables = Array.from(halfOf(seed, definitions.length, half), (i) => definitions[i]!.variable);
    writer.append({ half, variables });
  }
}

function writePredictions(
  writer: TableWriter<typeof tables.retrain_predictions>,
  { definitions, asked }: RetrainPopulation,
  predictions: ReadonlyMap<PredictedKind, Predictions>,
): void {
  for (const [kind, own] of predictions) {
    definitions.forEach(({ subset, variable }, i) =>
      asked.forEach((about, j) => {
        const at = i * asked.length + j;
        writer.append({
          subset,
          variable,
          definition: kind,
          asked_subset: about.subset,
          asked: about.variable,
          inner_product: own.innerProduct[at]!,
          cosine: own.cosine[at]!,
          one_step: own.oneStep[at]!,
          checkpoints: own.checkpoints[at]!,
          path_integral: own.pathIntegral?.[at] ?? null,
          tokens: own.tokens[i]!,
        });
      }),
    );
  }
}
