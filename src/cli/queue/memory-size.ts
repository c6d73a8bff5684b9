import { InvalidArgumentError } from 'commander';

/** An amount of memory as a queue takes it, and in bytes. */
export interface MemorySize {
  readonly text: string;
  readonly bytes: number;
}

/** Slurm's units; a number alone is in megabytes. */
const powers: Readonly<Record<string, number>> = { K: 1, M: 2, G: 3, T: 4 };

/** `2G`, `512M`, `2000`. */
export function parseMemorySize(text: string): MemorySize {
  const match = /^([1-9]\d{0,11})([KMGT]?)$/i.exec(text);
  if (match === null) throw new InvalidArgumentError('expected an amount such as 2G or 512M');
  const unit = match[2] === '' ? 'M' : match[2]!.toUpperCase();
  return { text, bytes: Number(match[1]) * 1024 ** powers[unit]! };
}
