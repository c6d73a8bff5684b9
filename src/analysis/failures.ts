import { UserError } from '../../data/errors.js';
import { printable } from '../../data/printable.js';

/** A result, or why there is none. */
export type Attempt<T> =
  { readonly value: T; readonly failed: null } | { readonly value: null; readonly failed: string };

/** Computes something whose failure is a reason, not an end. */
export async function attempt<T>(compute: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await compute(), failed: null };
  } catch (error) {
    return { value: null, failed: failureText(error) };
  }
}

/** One line; of an error that is no user's fault it says so. */
function failureText(error: unknown): string {
  if (error instanceof UserError) return error.message;
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return printable(`defect of gradscope, please report it: ${text}`);
}

/** What could not be analysed; the same reason of one run is told once. */
export class Failures {
  readonly #found = new Map<
    string,
    { readonly folder: string; readonly reason: string; readonly parts: string[] }
  >();

  add(folder: string, part: string, reason: string): void {
    const key = `${folder}\n${reason}`;
    const own = this.#found.get(key) ?? { folder, reason, parts: [] };
    own.parts.push(part);
    this.#found.set(key, own);
  }

  /** `runs/small-seed1: transfer, transferPath: <reason>` */
  lines(): string[] {
    return Array.from(this.#found.values(), ({ folder, reason, parts }) => {
      const where = reason.startsWith(folder) ? '' : `${folder}: `;
      return `${where}${[...new Set(parts)].join(', ')}: ${reason}`;
    });
  }
}
