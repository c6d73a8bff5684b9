export { resumeRuns } from './tag-exchange.js';
export { startRuns, startTogether, type WantedRun } from './start.js';
export type { ExistingRuns, FailedRun, RunRequest, RunsEnd } from './request.js';
