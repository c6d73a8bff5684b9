import { createEvaluator } from '../../run/evaluation/answers.js';
import type { RunPlan } from '../../run/plan.js';
import { gradientFunction } from '../../train/gradient-function.js';
import { setGradientFunction } from '../../train/set-gradients.js';
import { ToolCache } from '../probe.js';
import type { RetrainPopulation } from './population.js';
import type { Checkpoint } from '../../run/checkpoint.js';

/** A run of one seed whose stage is trained again. */
export interface RetrainedRun {
  readonly plan: RunPlan;
  /** Equal for runs whose models are the same function of parameters and inputs. */
  readonly modelKey: string;
  readonly population: RetrainPopulation;
  /** The checkpoint before the stage. */
  readonly start: Checkpoint;
}

/** Compiled functions, which the runs of one config share. */
export class RetrainTools {
  private readonly exampleSteps = new ToolCache((model, blocks) =>
    gradientFunction(model, blocks, 'example'),
  );
  private readonly tokenSteps = new ToolCache((model, blocks) => gradientFunction(model, blocks, 'token'));
  readonly gradients = new ToolCache(setGradientFunction);
  readonly evaluators = new ToolCache((model, blocks) => createEvaluator(model, blocks, questionsAtOnce));

  /** The training step of a run. */
  stepsOf({ plan }: RetrainedRun): ToolCache<ReturnType<typeof gradientFunction>> {
    return plan.config.loss.normalisation === 'example' ? this.exampleSteps : this.tokenSteps;
  }

  dispose(): void {
    for (const cache of [this.exampleSteps, this.tokenSteps, this.gradients, this.evaluators])
      cache.dispose();
  }
}

/** Questions that one replica is asked at once. */
const questionsAtOnce = 128;
