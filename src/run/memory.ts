import { UserError } from '../../data/errors.js';
import type { PlannedCost } from './planned-cost.js';

/** How many replicas to train at once, and why that many. */
export interface ReplicaLimit {
  readonly replicas: number;
  readonly reason: string;
}

/** Beyond this many replicas the ops of even the smallest recipe fill the cores: more are not faster. */
export const mostTogether = 16;

/** Share of the available memory that training may take. */
const memoryShare = 0.5;

/** Throws a UserError when not even one replica fits into the memory, in bytes. */
export function requireMemory(cost: PlannedCost, available: number): void {
  if (cost.bytesPerReplica <= available) return;
  const { parameterBytes, activationBytes, logBytes, interventionBytes, dataBytes } = cost;
  const parts = [
    [parameterBytes, `${grouped(cost.parameters)} parameters`],
    [activationBytes, 'activations of the largest batch (stages.*.microBatch divides it)'],
    [logBytes, 'gradients that are logged'],
    [interventionBytes, 'interventions (stages.*.microBatch divides the parts of a penalty)'],
    [dataBytes, 'data'],
  ] as const;
  const [bytes, largest] = parts.reduce((most, part) => (part[0] > most[0] ? part : most));
  throw new UserError(
    `one seed needs about ${megabytes(cost.bytesPerReplica)} MB of memory and ${megabytes(available)} MB are available; ` +
      `most of it, ${megabytes(bytes)} MB, for ${largest}: make that smaller`,
  );
}

/** `33,018 parameters, 7,020 updates, about 12 MB of memory per seed`. */
export function describeCost({ parameters, steps, mayEndEarly, bytesPerReplica }: PlannedCost): string {
  return (
    `${grouped(parameters)} parameters, ${mayEndEarly ? 'at most ' : ''}${grouped(steps)} updates, ` +
    `about ${megabytes(bytesPerReplica)} MB of memory per seed`
  );
}

/** @param available memory in bytes */
export function replicaLimit(
  { bytesPerReplica: bytes }: Pick<PlannedCost, 'bytesPerReplica'>,
  available: number,
): ReplicaLimit {
  const fitting = Math.max(1, Math.floor((available * memoryShare) / bytes));
  const reason =
    fitting < mostTogether
      ? `about ${megabytes(bytes)} MB each, ${megabytes(available * memoryShare)} MB of memory to use`
      : 'more at once would not be faster';
  return { replicas: Math.min(mostTogether, fitting), reason };
}

function megabytes(bytes: number): string {
  return grouped(Math.max(1, Math.round(bytes / 1e6)));
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}
