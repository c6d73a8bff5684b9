import type { Reporter, TestModule } from 'vitest/node';

/** Ends a log with one plain line that says how many tests passed and failed. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let failed = errors.length;
    let skipped = 0;
    for (const module of modules) {
      // A file that cannot be loaded holds no tests, and must not pass for that.
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        else if (state === 'failed') failed++;
        else skipped++;
      }
    }
    // After vitest's own summary, which is printed in this same phase.
    process.once('exit', () => {
      if (skipped > 0) console.log(`${skipped} skipped (reasons above)`);
      console.log(`${passed} passed, ${failed} failed`);
    });
  }
}
