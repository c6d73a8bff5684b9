import { Command } from 'commander';

export function verifyCommand(): Command {
  return new Command('verify')
    .description(
      'check the theory and the estimators against known numbers on this machine; exit code 1 if one fails',
    )
    .argument('[ids...]', 'checks to run, such as V1 V8 (default: all)')
    .option('--details', 'print every comparison')
    .addHelpText('after', '\nExamples:\n  gradscope verify\n  gradscope verify V8 V13 --details')
    .action(async (ids: string[], flags: { readonly details?: boolean }) => {
      process.exitCode = await verify(ids, flags.details ?? false);
    });
}

async function verify(ids: readonly string[], details: boolean): Promise<number> {
  const { UserError } = await import('../../data/errors.js');
  const { checks } = await import('../analysis/verify/registry.js');
  const { formatNumber } = await import('../report/text/numbers.js');
  const unknown = ids.filter((id) => !checks.some((check) => check.id === id));
  if (unknown.length > 0) {
    throw new UserError(`no check ${unknown.join(', ')}; there are ${checks.map(({ id }) => id).join(', ')}`);
  }
  let failed = 0;
  for (const check of checks) {
    if (ids.length > 0 && !ids.includes(check.id)) continue;
    const { passed, expected, measured, comparisons, detail } = check.run();
    const found = typeof measured === 'number' ? formatNumber(measured) : measured;
    const count = `${comparisons.filter((own) => own.passed).length}/${comparisons.length}`;
    console.log(
      `${passed ? 'ok    ' : 'FAILED'}  ${check.id.padEnd(4)} ${check.name.padEnd(48)} ` +
        `expected ${formatNumber(expected).padEnd(9)} measured ${found.padEnd(9)} ${count}`,
    );
    if (details || !passed) console.log(`        ${detail}`);
    if (!passed) failed++;
  }
  console.log(failed === 0 ? 'all checks hold' : `${failed} checks failed`);
  return failed === 0 ? 0 : 1;
}
