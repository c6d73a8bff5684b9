import type { RunInfo } from '../store/run-info.js';

/** What `run.json` says of the ends of a run's stages. */
interface EndedRun {
  readonly seed: number;
  readonly stages: readonly Pick<RunInfo['stages'][number], 'name' | 'steps' | 'plannedSteps' | 'end'>[];
}

/** Whether the stages of runs that have a `stop` reached it, and after how many updates; one line each. */
export function stageEndNotes(infos: readonly EndedRun[]): string[] {
  const names = infos[0]?.stages.map(({ name }) => name) ?? [];
  return names.flatMap((name, i) => {
    const ended = infos.flatMap(({ seed, stages }) => {
      const { plannedSteps, steps, end } = stages[i] ?? {};
      return plannedSteps === undefined || end === undefined ? [] : [{ seed, steps: steps!, ...end }];
    });
    const reached = ended.filter(({ reason }) => reason !== 'epochs');
    const others = ended.filter(({ reason }) => reason === 'epochs');
    const seedsOf = (list: typeof ended): string =>
      `${list.length} of ${infos.length} seeds (${list.map(({ seed }) => seed).join(', ')})`;
    return [
      ...(reached.length === 0
        ? []
        : [`Stage ${name}: stop reached after ${range(reached)} updates in ${seedsOf(reached)}.`]),
      ...(others.length === 0
        ? []
        : [
            `Stage ${name}: stop never reached in ${seedsOf(others)}: it ended with its epochs, after ${range(others)} updates.`,
          ]),
    ];
  });
}

function range(list: readonly { readonly steps: number }[]): string {
  const steps = list.map((own) => own.steps);
  const [low, high] = [Math.min(...steps), Math.max(...steps)];
  return low === high ? String(low) : `${low} to ${high}`;
}
