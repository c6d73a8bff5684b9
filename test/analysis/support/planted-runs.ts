import fs from 'node:fs';
import path from 'node:path';
import { attributionSetName } from '../../../data/attribution-tests.js';
import type { Design } from '../../../data/design.js';
import { createStream, type RandomStream } from '../../../data/random/streams.js';
import type { Dimensions, RowOf } from '../../../src/store/columns.js';
import { groupColumnName } from '../../../src/store/columns.js';
import { nodeEnvironment } from '../../../src/store/environment.js';
import { finalizeTable } from '../../../src/store/finalize.js';
import { pairings } from '../../../src/store/tables/alignment.js';
import { RunFolder } from '../../../src/store/run-folder.js';
import { totalTensor, withoutEmbeddings } from '../../../src/store/tables/common.js';
import { tables, type TableName } from '../../../src/store/tables/registry.js';
import { TableWriter } from '../../../src/store/table-writer.js';

/** Effects that a made-up run has: 1 as the claims predict, 0 none, -1 of the other sign. */
export interface Effects {
  /** Of the tag, on trained and on new variables, in accuracy, alignment and transfer. */
  readonly tag: number;
  /** Of right against wrong definitions. */
  readonly consistency: number;
  /** Of which questions belong to which definitions, in a minibatch. */
  readonly matching: number;
  /** Share of the fall of the loss that comes from own definitions. */
  readonly ownShare: number;
  /** Relative deviation of minibatch norms from the law, at batch size 16 alone. */
  readonly deviation: number;
  /** Residual of the epoch drift, in norms of the prediction. */
  readonly residual: number;
}

export interface PlantedRun {
  readonly name: string;
  readonly seed: number;
  readonly effects: Effects;
  /** Below 1 there are all four subsets of X1. */
  readonly alpha?: number;
  /** Size of the noise of a seed beside effects; 0 makes all seeds alike. */
  readonly noise?: number;
  /** Ends the run after stage 1, as one that diverged. */
  readonly failed?: boolean;
  /** Writes the table transfer as probes did before they asked other variables' questions. */
  readonly oldProbe?: boolean;
  /** Whether its data have counterfactual definitions; by default they have. */
  readonly counterfactuals?: false;
  /** Stages by what they train on; X1, then X2 by default. */
  readonly stages?: readonly string[];
  /** Another design, whose subsets stand for those of the built-in one by their names, and names of its stages. */
  readonly own?: {
    readonly design: Design;
    readonly subsets: Readonly<Record<string, string>>;
    readonly stageNames: readonly string[];
    /** Of the config, whose experiment then comes from a module. */
    readonly data?: Readonly<Record<string, number>>;
  };
}

/** A subset, a group or a stage as the design of a run calls it. */
function wordOf({ own }: PlantedRun, word: string): string {
  if (own === undefined) return word;
  const stage = /^stage(\d+)$/.exec(word);
  if (stage !== null) return own.stageNames[Number(stage[1]) - 1]!;
  const [subset = '', kind] = word.split('/');
  const name = own.subsets[subset];
  if (name === undefined) return word;
  return kind === undefined ? name : `${name}/${kind}`;
}

/** Steps of every stage. */
export const stageSteps = 10;

const tensor = 'layers.0.mlp.weight';
const groups = ['qd1consis/definition', 'qd1consis/qa', 'qd2incons/definition', 'qd2incons/qa'];
const subsets = [
  'qd1consis',
  'qd2incons',
  'qd1incons',
  'qd2consis',
  'q',
  'd1consis',
  'd2consis',
  'no_qd_baseline',
];
/** Questions who a variable is, and what their accuracy goes by. */
const attributions = [
  { subset: 'qd1consis', of: 'own', byTag: 0, byConsistency: 1 },
  { subset: 'qd2incons', of: 'own', byTag: 0, byConsistency: -2 },
  { subset: 'qd2incons', of: 'definition', byTag: 0, byConsistency: -1 },
  { subset: 'd1consis', of: 'own', byTag: 1, byConsistency: 0 },
  { subset: 'd2consis', of: 'own', byTag: -1, byConsistency: 0 },
] as const;
const variables = 4;

/** Writes a run whose tables hold the effects and noise that differs from seed to seed; gives its folder. */
export async function writePlantedRun(root: string, run: PlantedRun): Promise<string> {
  const { name, seed, alpha = 1, failed = false, stages = ['stage1', 'stage2'] } = run;
  const folder = path.join(root, `${name}-seed${seed}`);
  const total = stageSteps * stages.length;
  const handle = RunFolder.create(
    folder,
    {
      experiment: run.own === undefined ? 'set-inclusion' : 'own',
      name,
      seed,
      versions: { gradscope: '0.1.0' },
      engine: 'native',
      dataHash: 'sha256:00',
      parameters: [{ tensor, shape: [4], offset: 0, length: 4 }],
      groups: groups.map((group) => wordOf(run, group)),
      ...(run.own === undefined ? {} : { design: run.own.design }),
      stages: stages.map((trainOn, i) => ({
        name: wordOf(run, `stage${i + 1}`),
        trainOn,
        firstStep: stageSteps * i,
        steps: stageSteps,
        stepsPerEpoch: 5,
        batchSize: 16,
        examples: 160,
        sampler: 'shuffle',
        optimizer: 'sgd',
        learningRate: 0.1,
      })),
      siblings: [`${name}-seed${seed}`],
      command: ['gradscope', 'run'],
      stepsTotal: total,
    },
    run.own?.data === undefined
      ? `name: ${name}\ndata: { alpha: ${alpha} }\n`
      : `name: ${name}\nmodule: own.mjs\ndata: ${JSON.stringify(run.own.data)}\n`,
    nodeEnvironment,
  );
  const writer = new PlantedTables(folder, run, total);
  const end = endOfStage1(stages);
  writer.metrics(failed ? [0, end] : [...new Set([0, end, total])], end);
  writer.log(end);
  writer.alignment([0, end], end);
  writer.transfer(end);
  if (!failed) writer.path(end, total);
  writer.penalty(end);
  writer.drift(end);
  writer.forces(end - stageSteps / 2);
  for (const table of Object.keys(tables)) {
    if (fs.existsSync(path.join(folder, `${table}.arrows`))) await finalizeTable(folder, table);
  }
  if (failed) handle.end('failed', 'the loss is NaN at step 12');
  else handle.end('complete');
  return folder;
}

/** The last stage before the one that trains X2, or the only one. */
function endOfStage1(stages: readonly string[]): number {
  const second = stages.indexOf('stage2');
  return stageSteps * (second < 1 ? stages.length : second);
}

class PlantedTables {
  private readonly random: RandomStream;
  private readonly scale: number;
  private readonly dimensions: Dimensions;

  constructor(
    private readonly folder: string,
    private readonly run: PlantedRun,
    private readonly total: number,
  ) {
    this.random = createStream(run.seed, `planted/${run.name}`);
    this.scale = run.noise ?? 1;
    this.dimensions = {
      stages: (run.stages ?? ['stage1', 'stage2']).map((_, i) => wordOf(run, `stage${i + 1}`)),
      groups: groups.map((group) => wordOf(run, group)),
      tensors: [tensor],
      testSets: [
        ...subsets.map((subset) => wordOf(run, subset)),
        ...attributions.map(({ subset, of }) => attributionSetName('who', wordOf(run, subset), of)),
      ],
      subsets: subsets.map((subset) => wordOf(run, subset)),
      sketchSize: 1,
    };
  }

  /** Effects of size 5 in units of the noise of a seed. */
  metrics(steps: readonly number[], end: number): void {
    const { tag, consistency } = this.run.effects;
    const isSplit = (this.run.alpha ?? 1) < 1;
    const kinds: Readonly<Record<string, readonly [tag: number, consistency: number]>> = {
      qd1consis: [1, 1],
      qd2incons: [-1, -1],
      ...(isSplit ? { qd1incons: [1, -1], qd2consis: [-1, 1] } : {}),
      q: [0, 0],
      d1consis: [1, 0],
      d2consis: [-1, 0],
      no_qd_baseline: [0, 0],
    };
    // Of its own, so that what other tables draw does not depend on these.
    const random = createStream(this.run.seed, `planted/${this.run.name}/attribution`);
    this.table('metrics', (add) => {
      for (const step of steps) {
        for (const { subset, of, byTag, byConsistency } of attributions) {
          const isTrained = subset.startsWith('d') ? step > end || step === this.total : step > 0;
          const effect = isTrained ? byTag * tag + byConsistency * consistency : 0;
          add({
            stage: 0,
            step,
            epoch: step / 5,
            set: attributionSetName('who', wordOf(this.run, subset), of),
            subset,
            metric: 'accuracy',
            value: 0.3 + 0.05 * effect + 0.01 * this.scale * random.normal(),
            n: 100,
            standard_error: 0.02,
          });
        }
        for (const [set, [byTag, byConsistency]] of Object.entries(kinds)) {
          const isNew = set.startsWith('d');
          // At alpha = 1 the weak gap is the one of right against wrong definitions, whatever the tag does.
          const effect = isNew
            ? step > end || step === this.total
              ? byTag * tag
              : 0
            : byConsistency * consistency + (isSplit ? byTag * tag : 0);
          const value = 0.6 + 0.05 * (step === 0 ? 0 : effect) + this.noise(0.01);
          for (const metric of ['accuracy', 'margin'])
            add({
              stage: 0,
              step,
              epoch: step / 5,
              set,
              subset: set,
              metric,
              value,
              n: 100,
              standard_error: 0.02,
            });
        }
      }
    });
  }

  /** Group gradients of unit length; large main effects of both groups in every run, which must not count. */
  log(last: number): void {
    const matching = 0.05 * this.run.effects.matching + this.noise(0.01);
    const byDefinition = 0.2 + this.noise(0.05);
    const byQuestion = 0.3 + this.noise(0.05);
    const cosine = (definition: number, question: number): number =>
      byDefinition * definition +
      byQuestion * question +
      (definition === question ? matching / 4 : -matching / 4);
    this.table('steps', (add) => {
      for (let step = 1; step <= last; step++)
        add({
          stage: 0,
          step,
          stage_step: step,
          epoch: step / 5,
          learning_rate: 0.1,
          batch_size: 16,
          loss: 1,
          grad_norm: 1,
          clip_factor: 1,
          update_norm: null,
          step_ms: 1,
          log_ms: 1,
          ...Object.fromEntries(
            groups.map((group) => [groupColumnName('examples_', wordOf(this.run, group)), 4]),
          ),
        });
    });
    this.table('gradients', (add) => {
      for (let step = 1; step <= last; step++)
        for (const group of ['minibatch', ...groups])
          add({ stage: 0, step, group, tensor: totalTensor, norm2: 1, example_norm2: 64 });
    });
    this.table('gram', (add) => {
      for (let step = 1; step <= last; step++)
        groups.forEach((a, i) =>
          groups.slice(i + 1).forEach((b) => {
            const isPair = a.endsWith('definition') !== b.endsWith('definition');
            const side = (kind: string): number => {
              const group = a.endsWith(kind) ? a : b;
              return group.startsWith('qd1') ? 1 : -1;
            };
            const value = isPair ? cosine(side('definition'), side('qa')) : 0;
            add({ stage: 0, step, tensor: totalTensor, group_a: a, group_b: b, inner: value, cosine: value });
          }),
        );
    });
  }

  /** A tag moves the cosine with any questions (in the null, too), and with the own ones by the effect. */
  alignment(steps: readonly number[], end: number): void {
    this.table('alignment', (add) => {
      for (const step of steps) {
        const [general, own, entity] = [this.noise(0.1), this.noise(0.03), 0.05];
        const effect = (step === end ? 0.1 * this.run.effects.tag : 0) + own;
        for (const [s, subset] of ['qd1consis', 'qd2incons', 'd1consis', 'd2consis'].entries())
          for (let i = 0; i < variables; i++)
            for (const pairing of pairings)
              for (const of of [totalTensor, withoutEmbeddings, tensor]) {
                const isReliable = subset.includes('d1') !== pairing.startsWith('tag_swap');
                const isOwn = pairing === 'matched' || pairing === 'tag_swap';
                const sign = isReliable ? 1 : -1;
                const value = sign * (general / 2 + (isOwn ? effect / 2 : 0)) + this.noise(entity);
                add({
                  stage: 0,
                  step,
                  subset,
                  variable: 10 * s + i,
                  questions: s < 2 ? 'trained' : 'heldout',
                  pairing,
                  definitions: 1,
                  tensor: of,
                  inner: value,
                  norm_definition: 1,
                  norm_questions: 1,
                  cosine: value,
                  pairwise_cosine: value,
                });
              }
      }
    });
  }

  /** A step with the reliable tag helps any questions by the same amount (the null), and its own by the effect. */
  transfer(step: number): void {
    const general = 0.3 + this.noise(0.1);
    const effect = 0.5 * this.run.effects.tag + this.noise(0.1);
    if (this.run.oldProbe === true) {
      this.oldTransfer(step, general + effect);
      return;
    }
    this.table('transfer', (add) => {
      for (const [s, subset] of ['d1consis', 'd2consis'].entries())
        for (let i = 0; i < variables; i++)
          for (const asked of [i, (i + 1) % variables])
            for (const definition of ['definition', 'tag_swap']) {
              const isReliable = (subset === 'd1consis') === (definition === 'definition');
              const byTag = general + (asked === i ? effect : 0);
              const change = -1e-4 * (1 + (isReliable ? byTag : -byTag) + this.noise(0.1));
              add({
                stage: 0,
                step,
                subset,
                variable: 10 * s + i,
                asked: 10 * s + asked,
                definition,
                update: 'sgd',
                step_size: 1e-4,
                predicted: 1.1 * change,
                curvature: 0,
                actual: change,
                loss: 1,
                norm_update: 1e-4,
                norm_questions: 1,
                cosine: 0.1,
                preconditioned_cosine: null,
              });
            }
    });
  }

  private oldTransfer(step: number, effect: number): void {
    const { asked: _, ...columns } = tables.transfer.columns;
    const writer = TableWriter.create({
      folder: this.folder,
      table: { ...tables.transfer, columns },
      dimensions: this.dimensions,
      batchRows: 4096,
    });
    for (const [s, subset] of ['d1consis', 'd2consis'].entries())
      for (let i = 0; i < variables; i++)
        for (const definition of ['definition', 'tag_swap']) {
          const isReliable = (subset === 'd1consis') === (definition === 'definition');
          const change = -1e-4 * (1 + (isReliable ? effect : -effect));
          writer.append({
            stage: 0,
            step,
            subset,
            variable: 10 * s + i,
            definition,
            update: 'sgd',
            step_size: 1e-4,
            predicted: change,
            curvature: 0,
            actual: change,
            loss: 1,
            norm_update: 1e-4,
            norm_questions: 1,
            cosine: 0.1,
            preconditioned_cosine: null,
          });
        }
    writer.close();
  }

  path(first: number, last: number): void {
    const { tag, ownShare } = this.run.effects;
    const effect = 0.5 * tag + this.noise(0.1);
    this.table('transfer_path', (add) => {
      for (const [s, subset] of ['d1consis', 'd2consis'].entries())
        for (let i = 0; i < variables; i++) {
          const fall = 1 + (s === 0 ? effect : -effect) + this.noise(0.05);
          const share = ownShare + this.noise(0.02);
          const others = this.noise(0.05);
          for (let step = first + 1; step <= last; step++) {
            const part = fall / (last - first);
            add({
              stage: 0,
              step,
              subset,
              variable: 10 * s + i,
              seen: true,
              predicted: -1.1 * part,
              midpoint: -part,
              own: -share * part,
              same_tag: -others * part,
              other_tag: 0,
              loss: 2 - part * (step - first),
              start_loss: 2,
            });
          }
        }
    });
  }

  penalty(step: number): void {
    this.table('penalty', (add) => {
      for (const batchSize of [8, 16, 32, 64, 128]) {
        const law = 2 + ((16_384 - batchSize) / 16_383) * (80 / batchSize);
        const deviation = (batchSize === 16 ? this.run.effects.deviation : 0) + this.noise(0.01);
        add({
          stage: 0,
          step,
          sampler: 'shuffle',
          draw: 0,
          batch_size: batchSize,
          minibatches: 16_384 / batchSize,
          norm2: law * (1 + deviation),
          example_norm2: 82,
          full_norm2: 2,
          examples: 16_384,
          rated_norm2: 1,
          rated_example_norm2: 1,
          rated_full_norm2: 1,
        });
      }
    });
  }

  /** An effect of the predicted sign is a third of the force of the loss, one of the other sign a sixtieth. */
  forces(step: number): void {
    const { tag, consistency } = this.run.effects;
    this.table('forces', (add) => {
      for (const subset of ['qd1consis', 'qd2incons', 'd1consis', 'd2consis'])
        for (const force of ['task', 'norm', 'alignment'] as const)
          for (const pairing of ['matched', 'mismatched', 'tag_swap', 'tag_swap_mismatched'] as const) {
            const isTrained = subset.startsWith('q');
            const isReliable = /1/.test(subset) === pairing.startsWith('m');
            const effect = isTrained ? consistency : tag;
            const size = pairing.endsWith('mismatched') ? 0 : effect > 0 ? effect : 0.05 * effect;
            const rate = force === 'alignment' ? (isReliable ? size : -size) + this.noise(0.01) : 3;
            add({
              stage: 0,
              step,
              force,
              subset,
              questions: isTrained ? 'trained' : 'heldout',
              pairing,
              tensor: totalTensor,
              pairs: variables,
              inner: 1,
              cosine: 0.1,
              inner_rate: rate,
              cosine_rate: rate / 10,
            });
          }
    });
  }

  drift(step: number): void {
    // |m - p|^2 / |p|^2 = |m|^2 / |p|^2 - 2 m.p / |p|^2 + 1, with m.p = |p|^2.
    const residual = Math.abs(this.run.effects.residual + this.noise(0.05));
    this.table('epoch_drift', (add) => {
      for (const rate of [2.5e-4, 1e-3])
        add({
          stage: 0,
          step,
          learning_rate: rate,
          minibatches: 4,
          batch_size: 8,
          measured_norm: Math.sqrt(1 + residual ** 2),
          predicted_norm: 1,
          projection: 1,
          cosine: 1 / Math.sqrt(1 + residual ** 2),
        });
    });
  }

  private noise(size: number): number {
    return this.scale === 0 ? 0 : this.scale * size * this.random.normal();
  }

  private table<N extends TableName>(
    name: N,
    fill: (add: (row: RowOf<(typeof tables)[N]>) => void) => void,
  ): void {
    const writer = TableWriter.create({
      folder: this.folder,
      table: tables[name],
      dimensions: this.dimensions,
      batchRows: 4096,
    });
    try {
      fill((row) => {
        const isCounterfactual = Object.values(row).some((value) =>
          /(tag|entity)_swap|unseen_tag/.test(String(value)),
        );
        if (this.run.counterfactuals === false && isCounterfactual) return;
        const renamed = Object.entries(row).map(([column, value]) => [
          column,
          typeof value === 'string' ? wordOf(this.run, value) : value,
        ]);
        writer.append(Object.fromEntries(renamed) as typeof row);
      });
    } finally {
      writer.close();
    }
  }
}
