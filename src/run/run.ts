export { resumeRuns } from './tag-exchange.js';
export { startRuns } from './start.js';
export type { ExistingRuns, FailedRun, RunRequest, RunsEnd } from './request.js';
