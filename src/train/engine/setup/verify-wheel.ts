import { sha256OfFile } from './files.js';
import type { WheelChoice } from './options.js';
import { reportedSha256, type DownloadedWheel } from './pip.js';
import { RouteFailure } from './route-failure.js';
import type { SetupSystem } from './system.js';
import { PINNED_WHEELS } from './wheel-hashes.js';

/** The hash of a wheel and what it was compared with. */
export interface VerifiedWheel {
  readonly fileName: string;
  readonly sha256: string;
  /** `pip`: pip compared the file with its index while downloading, and can report no hash of its own. */
  readonly verifiedBy: 'pinned hash' | 'index' | 'pip';
}

/**
 * Compares a downloaded wheel with the hash pinned in the source or, for other wheels, with the one that the index
 * reports. Throws `RouteFailure` where they differ.
 */
export async function verifyWheel(
  wheel: WheelChoice,
  downloaded: DownloadedWheel,
  python: string,
  folder: string,
  system: SetupSystem,
  pinned: ReadonlyMap<string, string> = PINNED_WHEELS,
): Promise<VerifiedWheel> {
  const { fileName } = downloaded;
  const sha256 = await sha256OfFile(downloaded.path);
  const known = pinned.get(fileName);
  const expected = known ?? (await reportedSha256(wheel, downloaded, python, folder, system));
  if (expected !== undefined && expected !== sha256) {
    throw new RouteFailure(
      `refused ${fileName}: its sha256 is ${sha256} instead of ${expected}`,
      'find out what your package index or proxy did to the file',
    );
  }
  const verifiedBy = known !== undefined ? 'pinned hash' : expected !== undefined ? 'index' : 'pip';
  return { fileName, sha256, verifiedBy };
}
