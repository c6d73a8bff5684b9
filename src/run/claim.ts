import { BusyError } from '../../data/errors.js';
import type { Environment } from '../store/environment.js';
import { folderState } from './folder-state.js';
import type { BusyRun, RunRequest } from './request.js';

/**
 * Takes folders for runs that begin. Other processes may be at the same runs: whichever creates a folder's lock has it. A
 * folder that another one was faster to take is left out, and the rest is tried again.
 *
 * @param take takes all of them or none; throws a BusyError that names a folder which another process has
 * @returns what `take` gives, null where others have all of them, and what is left out
 * @throws UserError as `take` does; a BusyError too where runs that others write are to stop the whole
 */
export async function claim<T extends { readonly folder: string }, R>(
  wanted: readonly T[],
  { existing }: Pick<RunRequest, 'existing'>,
  take: (items: readonly T[]) => R | Promise<R>,
): Promise<{ readonly taken: R | null; readonly busy: readonly BusyRun[] }> {
  const busy: BusyRun[] = [];
  for (let left = wanted; left.length > 0;) {
    try {
      return { taken: await take(left), busy };
    } catch (error) {
      if (!(error instanceof BusyError) || existing === 'refuse' || existing === 'overwrite') throw error;
      const { message, folder: held } = error;
      // What all of them need, such as a pretrained model, is a folder of its own.
      const others = left.filter(({ folder }) => folder !== held);
      const without = others.length < left.length ? others : [];
      busy.push(
        ...left.filter((item) => !without.includes(item)).map(({ folder }) => ({ folder, reason: message })),
      );
      left = without;
    }
  }
  return { taken: null, busy };
}

/** Those that are still open: another process may have completed a run since. */
export function stillBusy(busy: readonly BusyRun[], environment?: Environment): BusyRun[] {
  return busy.filter(({ folder }) => folderState(folder, environment).kind !== 'complete');
}
