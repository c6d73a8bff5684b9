export { ensureNativeLibrary } from './ensure.js';
export { nodeSystem } from './node-system.js';
export { setupOptions, TENSORFLOW_VERSION, type SetupFlags, type SetupOptions } from './options.js';
export type { FailedAttempt, SetupOutcome } from './outcome.js';
export { createProgress, silentProgress, type Progress, type ProgressTarget } from './progress.js';
export { nativeLibraryStatus, type NativeLibraryStatus } from './status.js';
export type { SetupSystem } from './system.js';
