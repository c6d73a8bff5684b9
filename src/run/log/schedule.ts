import { z } from 'zod';

/** Updates of a run are counted up to here. */
const update = z.number().int().positive().max(1e9);

/** At which updates of a stage something is done; updates count from 1. */
export const logScheduleSchema = z.union([
  z.literal('never'),
  z.strictObject({
    every: update.describe('updates between two times'),
    offset: z.number().int().nonnegative().max(1e9).default(0).describe('updates before the first time'),
  }),
  z.strictObject({
    logarithmic: z
      .strictObject({
        start: update.describe('first update'),
        end: update.describe('last update'),
        steps: update.max(100_000).describe('number of updates, start and end included'),
      })
      .refine(({ start, end }) => start <= end, { path: ['end'], error: 'must not be below start' })
      .describe('steps times from start to end, evenly spread on a logarithmic axis'),
  }),
  z.strictObject({ at: z.array(update).min(1).max(10_000).describe('these updates') }),
]);

export type LogSchedule = z.infer<typeof logScheduleSchema>;

/** A predicate over updates 1, 2, ... of a stage. */
export function scheduledSteps(schedule: LogSchedule): (step: number) => boolean {
  if (schedule === 'never') return () => false;
  if ('every' in schedule) {
    const { every, offset } = schedule;
    return (step) => step > offset && (step - offset - 1) % every === 0;
  }
  if ('at' in schedule) {
    const steps = new Set(schedule.at);
    return (step) => steps.has(step);
  }
  const chosen = logarithmicSteps(schedule.logarithmic);
  return (step) => chosen.has(step);
}

/** First update of a stage at which a schedule comes, were the stage long enough. */
export function firstUpdate(schedule: Exclude<LogSchedule, 'never'>): number {
  if ('every' in schedule) return schedule.offset + 1;
  return 'at' in schedule ? schedule.at.reduce((a, b) => Math.min(a, b)) : schedule.logarithmic.start;
}

/** Last update at which a schedule asks to come; 0 for one that goes on for ever. */
export function lastUpdate(schedule: Exclude<LogSchedule, 'never'>): number {
  if ('every' in schedule) return 0;
  return 'at' in schedule
    ? schedule.at.reduce((a, b) => Math.max(a, b))
    : schedule.logarithmic[schedule.logarithmic.steps === 1 ? 'start' : 'end'];
}

function logarithmicSteps({ start, end, steps }: { start: number; end: number; steps: number }): Set<number> {
  return new Set(
    Array.from({ length: steps }, (_, i) =>
      Math.round(start * (end / start) ** (steps === 1 ? 0 : i / (steps - 1))),
    ),
  );
}
