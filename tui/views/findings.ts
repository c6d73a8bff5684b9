import { armFacts } from '../../src/analysis/arm-config.js';
import { runChecks } from '../../src/analysis/checks.js';
import { judgeClaims } from '../../src/analysis/claims.js';
import { sections as specs } from '../../src/analysis/studies/registry.js';
import { sectionOf } from '../../src/analysis/section.js';
import { intervalPlot, renderAnsi, renderPlain, tooNarrow } from '../../src/report/charts/index.js';
import {
  analysisPathOf,
  readAnalysis,
  shownClaim,
  shownSection,
  type ShownCheck,
  type ShownClaim,
  type ShownSection,
} from '../data/analysis-file.js';
import { shortSource, usableAnalysis } from '../data/arm-numbers.js';
import type { ViewContext, ViewSpec, Wanted } from '../view/context.js';
import { pathsOf, versionsOf } from '../view/arms.js';
import { withBelow } from '../view/figure-panel.js';
import { cut, cutLines } from '../view/layout.js';
import { chosen, messagePanel, wrapped, type ViewPanel, type ViewModel } from '../view/picture.js';
import { controlLines, quantityLines, quantitySlice } from '../view/quantities.js';
import { numbers, texts } from '../../src/report/slice/slice.js';
import { paint, type Style } from '../view/style.js';
import { progressText } from './alignment.js';

/** What the seeds of a config show, as `gradscope analyze` says it. */
export const findingsView: ViewSpec = {
  id: 'findings',
  short: 'find',
  question: 'Which claims do the runs support, and with which numbers?',
  load,
};

interface Findings {
  readonly sections: readonly ShownSection[];
  readonly claims: readonly ShownClaim[];
  readonly checks: readonly ShownCheck[];
  readonly source: string;
}

async function load(context: ViewContext): Promise<ViewModel> {
  const { current, arm } = context;
  if (current === null) return { panels: [messagePanel('claims', '', ['There is no run to look at.'])] };
  const file = await usableAnalysis(arm);
  const wantFindings = () =>
    context.want(
      `findings ${pathsOf(arm)}`,
      `${versionsOf(arm)} ${file?.written}`,
      async (): Promise<Findings> => {
        if (file !== null) {
          return {
            sections: file.sections,
            claims: file.claims,
            checks: file.checks,
            source: shortSource(file.path),
          };
        }
        return compute(context);
      },
    );
  const ids = file?.sections.map(({ id }) => id) ?? specs.map(({ id }) => id);
  return { panels: [claimsPanel(context, wantFindings), sectionsPanel(context, ids, wantFindings)] };
}

async function compute({ arm, numbers: measured }: ViewContext): Promise<Findings> {
  const data = [];
  for (const run of arm) data.push(await run.data());
  const found = [];
  for (const spec of specs) {
    const values = [];
    for (const run of arm) values.push(await measured.measure(run, spec.id));
    found.push(...[sectionOf(spec, data, values)].filter((own) => own !== null));
  }
  const quantities = found.flatMap((section) => section.quantities);
  const first = arm[0]!;
  const file = await readAnalysis(analysisPathOf(first.entry.path, first.info.name));
  const isOld = typeof file === 'string' && file.includes('older version');
  const hint = isOld
    ? 'analysis.json was made by an older version: run npx gradscope analyze again'
    : 'npx gradscope analyze keeps them';
  return {
    sections: found.map((own) => shownSection(own)),
    claims: judgeClaims(quantities, armFacts({ runs: data })).map((own) => shownClaim(own)),
    checks: runChecks(quantities),
    source: `the tables of ${arm.length} ${arm.length === 1 ? 'run' : 'runs'} (${hint})`,
  };
}

type WantFindings = () => Wanted<Findings>;

const verdictInk = { supported: 'good', contradicted: 'warning', undecided: 'dim' } as const;

const inkOf = (verdict: string) =>
  verdict === 'supported' || verdict === 'contradicted' || verdict === 'undecided'
    ? verdictInk[verdict]
    : 'plain';

function claimsPanel(context: ViewContext, want: WantFindings): ViewPanel {
  const question = `Which claims do the ${context.arm.length} seeds of ${context.current?.info.name} support?`;
  return {
    title: 'claims',
    question,
    choices: null,
    drills: null,
    draw(state, box, style) {
      const wanted = want();
      if (wanted.kind !== 'value') return waiting(context, wanted).draw(state, box, style);
      const { claims, checks, source } = wanted.value;
      const lines = claims.flatMap(({ claim, judgement }) => [
        ...hanging(judgement.verdict, `${claim}. ${judgement.reason}`, box.width, style),
      ]);
      if (checks.length > 0) lines.push('', 'checks: algebra or calculus, nothing about the models');
      for (const { check, passed, reason } of checks)
        lines.push(...hanging(passed ? 'pass' : 'fail', `${check}. ${reason}`, box.width, style));
      const top = Math.max(0, Math.min(state.row, lines.length - box.height + 1));
      return {
        lines: [
          ...cutLines(lines.slice(top), box.height - 1, style, 1),
          paint(cut(`from: ${source}`, box.width, style), 'dim', style),
        ],
        list: {
          length: lines.length,
          page: box.height - 1,
          row: top,
          id: null,
          columns: [],
          column: 0,
          numeric: [],
          placeOf: null,
        },
        axis: null,
        figure: null,
        slice: () => ({
          columns: [
            texts(
              'verdict',
              claims.map(({ judgement }) => judgement.verdict),
            ),
            texts(
              'claim',
              claims.map(({ claim }) => claim),
            ),
            texts(
              'quantities',
              claims.map(({ quantities }) => quantities.join(' ')),
            ),
            texts(
              'reason',
              claims.map(({ judgement }) => judgement.reason),
            ),
            numbers(
              'seeds',
              '1',
              claims.map(() => context.arm.length),
            ),
          ],
        }),
      };
    },
  };
}

function hanging(head: string, text: string, width: number, style: Style): string[] {
  const indent = 14;
  return wrapped(text, Math.max(20, width - indent)).map((line, i) =>
    i === 0 ? `${paint(head.padEnd(indent), inkOf(head), style)}${line}` : `${' '.repeat(indent)}${line}`,
  );
}

function waiting(
  context: ViewContext,
  wanted: { kind: 'pending' } | { kind: 'failed'; reason: string },
): ViewPanel {
  return messagePanel('', '', [wanted.kind === 'failed' ? wanted.reason : progressText(context.arm)]);
}

function sectionsPanel(context: ViewContext, ids: readonly string[], want: WantFindings): ViewPanel {
  return {
    title: 'estimates',
    question: 'Every number of the analysis: mean over seeds, 95 % interval, null, p.',
    choices: { name: 'section', values: ids, initial: 0 },
    drills: null,
    draw(state, box, style) {
      const wanted = want();
      if (wanted.kind !== 'value') return waiting(context, wanted).draw(state, box, style);
      const id = ids[chosen(this, state.panel, state)];
      const section = wanted.value.sections.find((own) => own.id === id);
      if (section === undefined) {
        return messagePanel('', '', [`no run has what the section ${id} is about`]).draw(state, box, style);
      }
      const table = [
        '',
        ...quantityLines(section, { width: box.width, style, seed: context.current?.seed }),
        ...controlLines(section, { width: box.width, style }),
        paint(cut(`from: ${wanted.value.source}`, box.width, style), 'dim', style),
      ];
      const title = wrapped(section.title, box.width).map((line) => paint(line, 'bold', style));
      const plot = forest(section, box.width, style);
      const rest = { width: box.width, height: Math.max(1, box.height - title.length) };
      const { lines, list, room } = withBelow(table, state, rest, style);
      return {
        lines: cutLines([...title, ...cutLines(plot, room.height, style), ...lines], box.height, style),
        list,
        axis: null,
        figure: null,
        slice: () => quantitySlice([section]),
      };
    },
  };
}

/** Intervals on one axis, of the quantities with the unit that most have. */
function forest(section: ShownSection, width: number, style: Style): string[] {
  if (style.screenReader || tooNarrow(width) !== null) return [];
  const units = section.quantities.map(({ unit }) => unit);
  const unit = units.toSorted(
    (a, b) => units.filter((own) => own === b).length - units.filter((own) => own === a).length,
  )[0];
  const rows = section.quantities
    .filter((own) => own.unit === unit && own.estimate.kind === 'value')
    .map(({ label, shortLabel = label, estimate, null: own }) => ({
      label: shortLabel,
      estimate: estimate.kind === 'value' ? estimate.estimate : null,
      interval: estimate.kind === 'value' ? estimate.interval : null,
      nullValue:
        own === null
          ? null
          : own.kind === 'zero'
            ? 0
            : own.estimate.kind === 'value'
              ? own.estimate.estimate
              : null,
    }));
  if (rows.length === 0) return [];
  const chart = intervalPlot({
    rows,
    width,
    xLabel: unit === '1' ? '' : (unit ?? ''),
    ascii: style.ascii,
  });
  return style.colour ? renderAnsi(chart) : renderPlain(chart);
}
