import type { Position } from './checkpoint.js';
import type { StagePlan } from './plan.js';
import { hasEnded, stagePlaces, totalSteps, type StageEnd } from './stage-ends.js';

/**
 * How far each of R replicas has come that train together. They take the updates of a stage in step; one that has ended it
 * waits for the others, so that its own count of updates falls behind theirs.
 */
export class Places {
  private readonly ends: StageEnd[][];
  /** The stage that is trained, and its updates that are done. */
  stage = 0;
  stageStep = 0;

  /** @param ends of each replica's first stages, as far as they have ended */
  constructor(
    private readonly stages: readonly StagePlan[],
    ends: readonly (readonly StageEnd[])[],
  ) {
    this.ends = ends.map((own) => [...own]);
  }

  /** Ends of a replica's stages. */
  endsOf(replica: number): readonly StageEnd[] {
    return this.ends[replica]!;
  }

  /** Whether a replica has ended the stage and waits for the others. */
  isWaiting(replica: number): boolean {
    return this.ends[replica]!.length > this.stage;
  }

  /** Says that a replica has ended the stage. */
  end(replica: number, end: StageEnd): void {
    this.ends[replica]!.push(end);
  }

  /** Where a replica is; where it ended the stage, if it waits. */
  positionOf(replica: number): Position {
    const ends = this.ends[replica]!;
    const stageStep = ends[this.stage]?.steps ?? this.stageStep;
    const { firstStep } = stagePlaces(this.stages, ends)[this.stage]!;
    return { stage: this.stage, stageStep, step: firstStep + stageStep };
  }

  /**
   * Updates done in step, and at most to come: the replica that takes longest counts in each stage. One that has failed has no
   * end of its stage and those after it.
   */
  get progress(): { readonly step: number; readonly totalSteps: number } {
    const longest = Array.from({ length: this.stage }, (_, stage): StageEnd => {
      const all = this.ends.flatMap((own) => own[stage] ?? []);
      return all.reduce((a, b) => (b.steps > a.steps ? b : a));
    });
    const { firstStep } = stagePlaces(this.stages, longest)[this.stage]!;
    return { step: firstStep + this.stageStep, totalSteps: totalSteps(this.stages, longest) };
  }
}

/** Ends of the stages that a run has behind it at a position; a stage without a known end had its planned updates. */
export function endsAt(
  position: Pick<Position, 'stage' | 'stageStep'>,
  stages: readonly Pick<StagePlan, 'plannedSteps'>[],
  known: readonly StageEnd[],
): StageEnd[] {
  const ended = position.stage + (hasEnded(position, stages, known) ? 1 : 0);
  return Array.from(
    { length: ended },
    (_, i) =>
      known[i] ?? { steps: stages[i]!.plannedSteps, reason: 'epochs', trainingLoss: null, distance: null },
  );
}
