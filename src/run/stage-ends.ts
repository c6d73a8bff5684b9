import type { RunInfo } from '../store/run-info.js';
import type { RunConfig, StageConfig } from './config.js';
import type { StagePlan } from './plan.js';

/** Why a stage ended: its epochs were over, or what its `stop` says was reached. */
export type EndReason = 'epochs' | 'updates' | 'trainingLoss' | 'distance';

/** The end of a stage of one run. */
export interface StageEnd {
  /** Updates that the stage has had. */
  readonly steps: number;
  readonly reason: EndReason;
  /** The running training loss then, nats; null within the first epoch, and where the stage has no stop. */
  readonly trainingLoss: number | null;
  /** Distance of the parameters from the start of the stage; null where the stage does not measure it. */
  readonly distance: number | null;
}

/** A stage by its length, as planned. */
type PlannedLength = Pick<StagePlan, 'plannedSteps'>;

/** Whether the length of a stage is known only when it has ended. */
export function mayEndEarly({ stop }: Pick<StageConfig, 'stop'>): boolean {
  return stop !== null && (stop.trainingLoss !== null || stop.distance !== null);
}

/** Updates before each stage of a run whose first stages have ended like this, and of each; the rest as planned. */
export function stagePlaces(
  stages: readonly PlannedLength[],
  ends: readonly StageEnd[],
): { readonly firstStep: number; readonly steps: number }[] {
  let firstStep = 0;
  return stages.map(({ plannedSteps }, i) => {
    const place = { firstStep, steps: ends[i]?.steps ?? plannedSteps };
    firstStep += place.steps;
    return place;
  });
}

/** Updates of all stages, as {@link stagePlaces} has them. */
export function totalSteps(stages: readonly PlannedLength[], ends: readonly StageEnd[]): number {
  return stagePlaces(stages, ends).reduce((sum, { steps }) => sum + steps, 0);
}

/** The ends of stages that `run.json` says, up to the first one that it does not. */
export function endsOf({ stages }: Pick<RunInfo, 'stages'>): StageEnd[] {
  const ends: StageEnd[] = [];
  for (const { steps, end } of stages) {
    if (end === undefined) break;
    ends.push({ steps, ...end });
  }
  return ends;
}

/** Whether a run has had all updates of the stage that it is in, or was in last. */
export function hasEnded(
  { stage, stageStep }: { readonly stage: number; readonly stageStep: number },
  stages: readonly PlannedLength[],
  ends: readonly StageEnd[],
): boolean {
  return ends.length > stage || stageStep >= stages[stage]!.plannedSteps;
}

/** What is said of the end of a stage that could have ended at any update; null for one whose length was known. */
export function endWords(
  stage: string,
  stop: StageConfig['stop'],
  { steps, reason, trainingLoss, distance }: StageEnd,
): { readonly kind: 'stop' | 'warning'; readonly text: string } | null {
  if (stop === null || (stop.trainingLoss === null && stop.distance === null)) return null;
  const measured = [
    ...(stop.trainingLoss === null
      ? []
      : [`training loss ${shown(trainingLoss)}, to fall below ${stop.trainingLoss}`]),
    ...(stop.distance === null ? [] : [`distance ${shown(distance)}, to exceed ${stop.distance}`]),
  ].join('; ');
  const isReached = reason === 'trainingLoss' || reason === 'distance';
  return isReached
    ? { kind: 'stop', text: `stage ${stage} ended after ${steps} updates (${measured})` }
    : { kind: 'warning', text: `stage ${stage}: its stop was not reached in ${steps} updates (${measured})` };
}

/** What is said of the stages of a run whose stop was not reached. */
export function unreachedStops(
  { stages }: Pick<RunConfig, 'stages'>,
  info: Pick<RunInfo, 'stages'>,
): string[] {
  return endsOf(info).flatMap((end, i) => {
    const words = endWords(stages[i]!.name, stages[i]!.stop, end);
    return words?.kind === 'warning' ? [words.text] : [];
  });
}

function shown(value: number | null): string {
  return value === null ? 'not known' : String(Number(value.toPrecision(4)));
}
