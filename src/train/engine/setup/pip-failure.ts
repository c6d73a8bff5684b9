import { printable } from '../../../../data/printable.js';
import { RouteFailure } from './route-failure.js';
import type { RunResult } from './system.js';

/** Why pip gave no wheel, and what to do about it. */
interface Cause {
  readonly reason: (requirement: string) => string;
  readonly remedy: string;
}

const hashRefused: Cause = {
  reason: (requirement) => `pip refused ${requirement}: its hash is not the one of the index`,
  remedy: 'clear the cache of pip and of any proxy in between',
};
const untrusted: Cause = {
  reason: () => 'pip does not trust the certificate of the package index',
  remedy: 'name the certificates of your proxy in PIP_CERT',
};
const denied: Cause = {
  reason: () => 'the package index refuses to answer without permission (401 or 403)',
  remedy: 'give pip an index that it may read (PIP_INDEX_URL)',
};
const unreachable: Cause = {
  reason: (requirement) => `pip could not download ${requirement}: it reaches no package index`,
  remedy: 'give pip a package index it can reach (PIP_INDEX_URL)',
};
const noSpace: Cause = {
  reason: () => 'there is no space left for the download',
  remedy: 'free 1.4 GB or name another folder in GRADSCOPE_CACHE',
};
const notWritable: Cause = {
  reason: () => 'pip may not write its files',
  remedy: 'name a folder that can be written in GRADSCOPE_CACHE',
};
const needsEnvironment: Cause = {
  reason: () => 'pip wants a virtual environment, or one that is not managed by the system',
  remedy: 'name the interpreter of a virtual environment in GRADSCOPE_PYTHON',
};
const needsHashes: Cause = {
  reason: () => 'pip demands hashes that are not given',
  remedy: "take require-hashes out of pip's configuration file",
};
const constrained: Cause = {
  reason: (requirement) => `constraints in pip's configuration exclude ${requirement}`,
  remedy: "take the constraint out of pip's configuration file",
};
const badConfiguration: Cause = {
  reason: () => 'pip cannot read its configuration file',
  remedy: 'mend it (pip config debug names it)',
};
/** The index answered, and has no such wheel for what was asked. */
export const hasNoWheel: Cause = {
  reason: (requirement) => `the package index has no wheel of ${requirement} for Linux x86-64`,
  remedy:
    'give pip an index that has it (PIP_INDEX_URL) or name another version in GRADSCOPE_TENSORFLOW_PACKAGE',
};
/** A pip too old for an option. */
export const wantsOther: Cause = {
  reason: () => 'this pip is too old to be asked for a wheel of another interpreter',
  remedy: 'update it, or name another interpreter in GRADSCOPE_PYTHON',
};

/** The first that fits is the cause: what makes pip give up stands before what it only remarks. */
const CAUSES: readonly (readonly [pattern: RegExp, cause: Cause])[] = [
  [/DO NOT MATCH THE HASHES/, hashRefused],
  [/No space left on device|Errno 28\b/, noSpace],
  [/Permission denied|PermissionError|Read-only file system|Errno 13\b|Errno 30\b/, notWritable],
  [/Could not find an activated virtualenv|externally-managed-environment/, needsEnvironment],
  [/--require-hashes mode/, needsHashes],
  [/ResolutionImpossible|user requested \(constraint\)|conflicting dependencies/, constrained],
  [
    /Configuration file|ConfigurationError|contains parsing errors|invalid choice: .*\(from config/i,
    badConfiguration,
  ],
  [/CERTIFICATE_VERIFY_FAILED|SSLError|SSLCertVerificationError/, untrusted],
  [/\b40[13] (?:Client Error|Unauthorized|Forbidden)|HTTP error 40[13]/, denied],
  [/no such option/, wantsOther],
];

/** Signs of a dead index; of several, one may be dead while another names versions. */
const NETWORK =
  /Retrying|NewConnectionError|ConnectTimeout|ReadTimeout|ConnectionError|ProxyError|\b50\d Server Error/;
const OTHER_VERSIONS = /from versions: (?!none)/;

/** The cause of a failed download, undefined for one that is not known. */
export function causeOf({ stdout, stderr }: RunResult): Cause | undefined {
  const text = `${stdout}\n${stderr}`;
  const found = CAUSES.find(([pattern]) => pattern.test(text))?.[1];
  if (found !== undefined) return found;
  if (NETWORK.test(text) && !OTHER_VERSIONS.test(text)) return unreachable;
  return /No matching distribution/.test(text) ? hasNoWheel : undefined;
}

/**
 * What came of a download, in one line.
 *
 * @param result of pip, as it told the cause
 * @param log where everything that it printed stands
 */
export function downloadFailure(
  requirement: string,
  result: RunResult | undefined,
  log: string,
): RouteFailure {
  if (result === undefined || result.aborted) {
    return new RouteFailure(
      `pip could not download ${requirement}: it stood still, log ${log}`,
      'give pip a package index it can reach (PIP_INDEX_URL)',
    );
  }
  const cause = causeOf(result);
  if (cause !== undefined) return new RouteFailure(`${cause.reason(requirement)}, log ${log}`, cause.remedy);
  const said = result.stderr.split('\n').findLast((line) => /^(?:ERROR|error|\w*Error):/.test(line));
  const words = said === undefined ? `exit code ${result.code ?? 'none'}` : printable(said.slice(0, 200));
  return new RouteFailure(
    `pip failed to download ${requirement} (${words}), log ${log}`,
    'see the end of that log',
  );
}
