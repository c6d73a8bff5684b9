import type { Area, CaseResult } from './area.js';

/** What came of the cases of an area. */
export interface Tally {
  readonly area: Area;
  tried: number;
  readonly failures: ({ readonly index: number } & CaseResult)[];
  seconds: number;
}

/** Lines of the table: tried, held, failed, and below it each kind of failure with the command that repeats one. */
export function resultTable(tallies: readonly Tally[], seed: number): string[] {
  const width = Math.max(...tallies.map(({ area }) => area.title.length), 4);
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(width) : cell.padStart(6))).join(' | ')} |`;
  const lines = [
    row(['area', 'tried', 'held', 'failed', 'time']),
    row(['-'.repeat(width), ...Array<string>(4).fill('-----:')]),
  ];
  for (const { area, tried, failures, seconds } of tallies) {
    const held = tried - failures.length;
    lines.push(
      row([area.title, String(tried), String(held), String(failures.length), `${seconds.toFixed(0)} s`]),
    );
  }
  for (const { area, failures } of tallies) {
    const kinds = new Map<string, typeof failures>();
    for (const failure of failures) {
      const kind = kindOf(failure.problems[0] ?? '');
      kinds.set(kind, [...(kinds.get(kind) ?? []), failure]);
    }
    for (const [kind, cases] of [...kinds].sort((a, b) => b[1].length - a[1].length)) {
      const [first] = cases;
      lines.push(
        '',
        `${area.name}, ${cases.length} times: ${kind}`,
        `  such as case ${first!.index}: ${first!.what}`,
        ...first!.problems.slice(0, 4).map((problem) => `    ${problem}`),
        `  repeat: npm run test:faults -- --only ${area.name} --seed ${seed} --case ${first!.index} --keep <folder>`,
      );
    }
  }
  return lines;
}

/** A problem without what differs between cases: numbers and paths. */
function kindOf(problem: string): string {
  return problem
    .replaceAll(/(?:\/[\w.@+-]+){2,}/g, 'PATH')
    .replaceAll(/\d+/g, 'N')
    .slice(0, 160);
}
