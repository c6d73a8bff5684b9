import { existsSync, readFileSync } from 'node:fs';
import { checkpointPath, parameterPrefix } from '../../store/checkpoint-path.js';
import { decodeSafetensors } from '../../store/safetensors.js';
import { tables } from '../../store/tables/registry.js';
import { endOfQuestions, questionStage, stageRoles } from '../../../data/stage-roles.js';
import { whyNoVariancePenalty } from '../../../data/samplers.js';
import { kappa } from '../measures/kappa.js';
import type { RunValues, SectionSpec } from '../section.js';
import { readTable, type RunData } from '../run-data.js';
import { stageSampling } from '../stage-sampling.js';
import type { Study } from '../study.js';

/** How far training went: what a difference between arms may be due to instead of what was meant to be changed. */
const training: SectionSpec = {
  id: 'training',
  title: 'Training: how far the stage with questions went',
  quantities: [
    {
      id: 'updates',
      label: 'updates until the stage with questions ends',
      shortLabel: 'updates',
      unit: '1',
      null: null,
    },
    {
      id: 'loss',
      label: 'training loss, mean over the last epoch of the stage with questions',
      shortLabel: 'training loss',
      unit: 'nats',
      null: null,
    },
    {
      id: 'distance',
      label: 'distance of the parameters from where they started, end of the stage with questions',
      shortLabel: 'distance from the start',
      unit: 'parameter',
      null: null,
    },
    {
      id: 'kappa',
      label: 'kappa: coefficient of the gradient variance in the implicit penalty (read as plain SGD)',
      shortLabel: 'kappa',
      unit: 'rate',
      null: null,
    },
  ],
  measure: async (run) => (stageRoles(run.info).questions === null ? null : measure(run)),
};

async function measure(run: RunData): Promise<RunValues> {
  const stage = questionStage(run.info);
  const end = endOfQuestions(run.info);
  const table = await readTable(run, tables.steps, ['step', 'loss']);
  const losses = table === null ? [] : lossesOf(table.columns, end - stage.stepsPerEpoch, end);
  const isThrough = losses.length > 0 && table!.columns.step[table!.rows - 1]! >= end;
  const sampling = stageSampling(stage);
  return {
    updates: end,
    loss: isThrough
      ? losses.reduce((sum, loss) => sum + loss, 0) / losses.length
      : `seed ${run.info.seed} has not come to the end of stage ${stage.name}`,
    distance: distanceOf(run, end),
    kappa: whyNoVariancePenalty(sampling) ?? kappa(stage.learningRate, sampling),
  };
}

/** Losses of the updates after `from`, up to `to`. */
function lossesOf(
  { step, loss }: { readonly step: ArrayLike<number>; readonly loss: ArrayLike<number> },
  from: number,
  to: number,
): number[] {
  const found: number[] = [];
  for (let row = 0; row < step.length; row++) {
    if (step[row]! > from && step[row]! <= to) found.push(loss[row]!);
  }
  return found;
}

/** Euclidean distance between the parameters of the checkpoints at 0 and at a step; the reason where one is missing. */
function distanceOf({ folder, info }: RunData, end: number): number | string {
  const missing = [0, end].find((step) => !existsSync(checkpointPath(folder, step)));
  if (missing !== undefined) return `seed ${info.seed} keeps no checkpoint of step ${missing}`;
  const [start, now] = [0, end].map((step) => parametersAt(checkpointPath(folder, step)));
  let squares = 0;
  for (const [name, values] of now!) {
    const before = start!.get(name);
    if (before === undefined || before.length !== values.length) {
      return `seed ${info.seed}: ${name} is not the same at step 0 and at step ${end}`;
    }
    for (let i = 0; i < values.length; i++) squares += (values[i]! - before[i]!) ** 2;
  }
  return Math.sqrt(squares);
}

function parametersAt(file: string): Map<string, Float32Array> {
  const { tensors } = decodeSafetensors(file, readFileSync(file));
  return new Map(
    tensors.flatMap(({ name, values }) =>
      name.startsWith(parameterPrefix) ? [[name, values] as const] : [],
    ),
  );
}

/** How far training went. */
export const trainingStudy: Study = { sections: [training] };
