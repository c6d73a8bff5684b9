import { Command } from 'commander';
import type { EngineName } from '../train/engine/names.js';
import { engineOption } from './options.js';
import { isOutputClosed, print, tell } from './output.js';

export function verifyCommand(): Command {
  return new Command('verify')
    .description(
      'check the theory and the estimators against known numbers on this machine; exit code 1 if one fails',
    )
    .argument('[ids...]', 'checks to run, such as V1 V8 (default: all)')
    .option('--details', 'print every comparison')
    .option('--no-engine', 'the checks of theory and estimators only: loads no TensorFlow')
    .addOption(engineOption())
    .addHelpText(
      'after',
      `
Examples:
  gradscope verify
  gradscope verify V8 V13 --details
  gradscope verify V12 --engine wasm`,
    )
    .action(async (ids: string[], flags: Flags) => {
      process.exitCode = await verify(ids, flags);
    });
}

/** `engine` is false for `--no-engine`. */
interface Flags {
  readonly details?: boolean;
  readonly engine: EngineName | 'auto' | false;
}

async function verify(ids: readonly string[], { details = false, engine }: Flags): Promise<number> {
  const { UserError } = await import('../../data/errors.js');
  const { checksOf } = await import('../analysis/verify/registry.js');
  const { createSketcher } = await import('../train/groups/sketch.js');
  const { formatNumber } = await import('../report/text/numbers.js');
  const checks = checksOf({ createSketcher });
  const unknown = ids.filter((id) => !checks.some((check) => check.id === id));
  if (unknown.length > 0) {
    throw new UserError(`no check ${unknown.join(', ')}; there are ${checks.map(({ id }) => id).join(', ')}`);
  }
  let failed = 0;
  for (const check of checks) {
    if (ids.length > 0 && !ids.includes(check.id)) continue;
    if (isOutputClosed()) return Number(failed > 0);
    const { passed, expected, measured, comparisons, detail } = check.run();
    const found = typeof measured === 'number' ? formatNumber(measured) : measured;
    const count = `${comparisons.filter((own) => own.passed).length}/${comparisons.length}`;
    print(
      `${passed ? 'ok    ' : 'FAILED'}  ${check.id.padEnd(4)} ${check.name.padEnd(48)} ` +
        `expected ${formatNumber(expected).padEnd(9)} measured ${found.padEnd(9)} ${count}`,
    );
    if (details || !passed) print(`        ${detail}`);
    if (!passed) failed++;
  }
  if (engine !== false) failed += await verifyEngine(ids, engine);
  print(failed === 0 ? 'all checks hold' : `${failed} checks failed`);
  return failed === 0 ? 0 : 1;
}

/** Runs the checks of the engine's kernels; returns how many failed. */
async function verifyEngine(ids: readonly string[], name: EngineName | 'auto'): Promise<number> {
  const { loadEngine } = await import('../train/engine/load.js');
  const { engineChecks } = await import('../probe/engine-checks.js');
  const wanted = engineChecks.filter(({ id }) => ids.length === 0 || ids.includes(id));
  if (wanted.length === 0) return 0;
  const { version, notice } = await loadEngine({ engine: name });
  if (notice !== null) tell(notice);
  let failed = 0;
  for (const { id, run } of wanted) {
    if (isOutputClosed()) return failed;
    const { name: what, passed, detail } = run();
    print(`${passed ? 'ok    ' : 'FAILED'}  ${id.padEnd(4)} ${what}: ${detail} [${version}]`);
    if (!passed) failed++;
  }
  return failed;
}
