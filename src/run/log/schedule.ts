import { z } from 'zod';

const positive = z.number().int().positive();

/** At which updates of a stage something is done; updates count from 1. */
export const logScheduleSchema = z.union([
  z.literal('never'),
  z.strictObject({
    every: positive.describe('updates between two times'),
    offset: z.number().int().nonnegative().default(0),
  }),
  z.strictObject({
    logarithmic: z
      .strictObject({ start: positive, end: positive, steps: positive })
      .describe('steps times from start to end, evenly spread on a logarithmic axis'),
  }),
  z.strictObject({ at: z.array(positive).describe('these updates') }),
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
  const { start, end, steps } = schedule.logarithmic;
  const chosen = new Set(
    Array.from({ length: steps }, (_, i) =>
      Math.round(start * (end / start) ** (steps === 1 ? 0 : i / (steps - 1))),
    ),
  );
  return (step) => chosen.has(step);
}
