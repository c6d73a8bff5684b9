import * as tf from '@tensorflow/tfjs-core';
import type { NamedTensor } from '../store/safetensors.js';
import type { Learner } from '../train/learner.js';
import { pack } from '../train/parameters/layout.js';
import type { StagePlan } from './plan.js';
import type { StageEnd } from './stage-ends.js';

/** What a stop needs to go on from an update within its stage; part of a checkpoint. */
export interface StopState {
  /** Losses of the minibatches of the last updates, nats, and their examples; as many as an epoch has, at most. */
  readonly losses: readonly number[];
  readonly examples: readonly number[];
  /** Parameters at the start of the stage; none where the distance from them is not asked for. */
  readonly start: readonly NamedTensor[];
}

/**
 * Says when each replica has reached the `stop` of a stage. The running training loss is the mean over the examples of the
 * last `stepsPerEpoch` minibatches: with samplers that hold every row once an epoch it has every row about once, so that
 * what differs between minibatches is averaged out without a further evaluation; it lags by half an epoch. Of full batches it
 * is the training loss before the update itself.
 */
export class StageStop {
  private readonly windows: { readonly losses: number[]; readonly examples: number[] }[];
  private start: { readonly host: readonly (readonly NamedTensor[])[]; readonly blocks: tf.Tensor[] } | null =
    null;

  /** @param states of each replica to go on from, or null at the start of the stage */
  constructor(
    private readonly stage: Pick<StagePlan, 'configs' | 'plannedSteps' | 'stepsPerEpoch'>,
    private readonly learner: Learner,
    states: readonly (StopState | null)[] | null,
  ) {
    this.windows = stage.configs.map((_, replica) => ({
      losses: [...(states?.[replica]?.losses ?? [])],
      examples: [...(states?.[replica]?.examples ?? [])],
    }));
    // A replica that has ended already has no state, and nothing to measure.
    if (states !== null && this.measuresDistance) {
      this.setStart(states.map((own, replica) => own?.start ?? learner.parameterValues(replica)));
    }
  }

  /** Call before the first update of the stage is taken. */
  begin(): void {
    if (this.start !== null || !this.measuresDistance) return;
    this.setStart(this.stage.configs.map((_, replica) => this.learner.parameterValues(replica)));
  }

  /**
   * What an update leaves behind; call after it.
   *
   * @param losses `[replica]` mean loss of the minibatch before the update, nats
   * @param examples of a minibatch
   * @returns `[replica]` the end of the stage, or null where it goes on
   */
  after(stageStep: number, losses: readonly number[], examples: number): (StageEnd | null)[] {
    const { stepsPerEpoch, plannedSteps } = this.stage;
    const distances = this.distances();
    return this.stage.configs.map(({ stop }, replica) => {
      if (stop !== null) {
        const window = this.windows[replica]!;
        window.losses.push(losses[replica]!);
        window.examples.push(examples);
        if (window.losses.length > stepsPerEpoch) {
          window.losses.shift();
          window.examples.shift();
        }
      }
      const trainingLoss = this.trainingLoss(replica);
      const distance = stop !== null && stop.distance !== null ? distances![replica]! : null;
      const end = { steps: stageStep, trainingLoss, distance };
      if (
        stop !== null &&
        stop.trainingLoss !== null &&
        trainingLoss !== null &&
        trainingLoss < stop.trainingLoss
      )
        return { ...end, reason: 'trainingLoss' };
      if (stop !== null && stop.distance !== null && distance! > stop.distance)
        return { ...end, reason: 'distance' };
      if (stageStep < plannedSteps) return null;
      return { ...end, reason: stop !== null && stop.updates === plannedSteps ? 'updates' : 'epochs' };
    });
  }

  /** State of a replica within the stage; null where the stage has no stop. */
  stateOf(replica: number): StopState | null {
    const { stop } = this.stage.configs[replica]!;
    if (stop === null) return null;
    const { losses, examples } = this.windows[replica]!;
    return {
      losses: [...losses],
      examples: [...examples],
      start:
        stop.distance === null ? [] : (this.start?.host[replica] ?? this.learner.parameterValues(replica)),
    };
  }

  dispose(): void {
    tf.dispose(this.start?.blocks ?? []);
  }

  private get measuresDistance(): boolean {
    return this.stage.configs.some(({ stop }) => stop !== null && stop.distance !== null);
  }

  /** Mean over the examples of the last epoch, or null where the stage has not had one yet. */
  private trainingLoss(replica: number): number | null {
    const { losses, examples } = this.windows[replica]!;
    if (losses.length < this.stage.stepsPerEpoch) return null;
    let [sum, count] = [0, 0];
    losses.forEach((loss, i) => {
      sum += loss * examples[i]!;
      count += examples[i]!;
    });
    return sum / count;
  }

  /** `[replica]` Euclidean distance of the parameters from the start of the stage; null where it is not asked for. */
  private distances(): number[] | null {
    return this.start === null ? null : this.learner.distancesFrom(this.start.blocks);
  }

  private setStart(host: readonly (readonly NamedTensor[])[]): void {
    const blocks = tf.tidy(() => {
      const tensors = new Map(
        this.learner.model.parameters.map(({ name, shape }) => {
          const own = host.map((list) =>
            tf.tensor(list.find((other) => other.name === name)!.values, [1, ...shape]),
          );
          return [name, tf.concat(own, 0)];
        }),
      );
      return pack(this.learner.blocks, tensors);
    });
    this.start = { host, blocks };
  }
}
