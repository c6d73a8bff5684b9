import type { SetupSystem } from './system.js';

/**
 * Settings of pip that say where it finds packages and how it gets there. All others, such as a demand for hashes, for a
 * virtual environment or for another platform, are about what the user installs, and would only change what is asked
 * here: one wheel, into a folder of ours, compared with a hash of ours.
 */
const KEPT: ReadonlySet<string> = new Set(
  [
    'CONFIG_FILE INDEX_URL PYPI_URL EXTRA_INDEX_URL NO_INDEX FIND_LINKS TRUSTED_HOST CERT CLIENT_CERT PROXY',
    'KEYRING_PROVIDER USE_FEATURE USE_DEPRECATED TIMEOUT DEFAULT_TIMEOUT RETRIES CACHE_DIR NO_CACHE_DIR',
  ].flatMap((line) => line.split(' ').map((name) => `PIP_${name}`)),
);

/** Wins over the same settings in the user's configuration files, which cannot be left out: they name the index. */
const OVER_FILES = {
  PIP_REQUIRE_VIRTUALENV: '0',
  PIP_REQUIRE_HASHES: '0',
  PIP_USER: '0',
  PIP_QUIET: '0',
  PIP_CONSTRAINT: '/dev/null',
} as const;

/** Environment of pip, on top of the system's; undefined removes a variable. `temporary` is where it keeps its files. */
export function pipEnvironment(
  { environment }: SetupSystem,
  temporary: string,
): Record<string, string | undefined> {
  const removed = Object.keys(environment).filter((name) => name.startsWith('PIP_') && !KEPT.has(name));
  return {
    ...Object.fromEntries(removed.map((name) => [name, undefined])),
    ...OVER_FILES,
    TMPDIR: temporary,
  };
}
