import { whyNoSample } from '../../../data/samplers.js';
import { endOfQuestions, questionStage } from '../../../data/stage-roles.js';
import { minibatchSeries, momentsBySteps } from '../../../src/analysis/studies/minibatch/variance.js';
import { stageSampling } from '../../../src/analysis/stage-sampling.js';
import type { RunSource } from '../../data/run-source.js';
import { pathsOf, stageMarkers, versionsOf } from '../../view/arms.js';
import type { ViewContext } from '../../view/context.js';
import type { LineFigure } from '../../view/figure.js';
import { figurePicture } from '../../view/figure-panel.js';
import { cut } from '../../view/layout.js';
import { messagePanel, type ViewPanel } from '../../view/picture.js';
import { quantityLines } from '../../view/quantities.js';
import { bandNote, seedBand, type RunCurve } from '../../view/seed-band.js';
import { paint } from '../../view/style.js';
import { progressText } from '../alignment.js';

/** Points of a curve over training. */
const windows = 60;

/** Noise of the gradients in the minibatches that training saw. */
export function noisePanel(context: ViewContext, run: RunSource): ViewPanel {
  const { shown, arm, numbers } = context;
  return {
    title: 'noise in training',
    question:
      'How large are Gamma and |G|^2 in the minibatches that training saw, and what is their penalty?',
    choices: null,
    drills: null,
    draw(state, box, style) {
      const why = whyNoSample(stageSampling(questionStage(run.info)));
      if (why !== null) return messagePanel('', '', [why]).draw(state, box, style);
      const wanted = context.want(`noise ${pathsOf(shown)}`, versionsOf(shown), () => noiseCurves(shown));
      if (wanted.kind === 'pending')
        return messagePanel('', '', [progressText(shown)]).draw(state, box, style);
      if (wanted.kind === 'failed') return messagePanel('', '', [wanted.reason]).draw(state, box, style);
      const figure: LineFigure = {
        kind: 'line',
        title: 'gradient noise over training',
        note: bandNote(shown.length),
        series: [seedBand('Gamma', wanted.value.gamma), seedBand('|G|^2, unbiased', wanted.value.full)],
        xLabel: 'step',
        yLabel: 'nats^2/parameter^2',
        logX: false,
        logY: state.log ?? true,
        bands: [],
        markers: stageMarkers(run),
      };
      const section = context.want(`noise numbers ${pathsOf(arm)}`, versionsOf(arm), () =>
        numbers.section(arm, 'gradientNoise'),
      );
      const table =
        section.kind === 'value' && section.value !== null
          ? [
              ...quantityLines(section.value, { width: box.width, style, seed: run.seed }),
              paint(
                cut(
                  `last fifth of the stage with questions; from: ${section.value.source}`,
                  box.width,
                  style,
                ),
                'dim',
                style,
              ),
            ]
          : [
              section.kind === 'pending'
                ? progressText(arm)
                : section.kind === 'failed'
                  ? section.reason
                  : 'no example norms in the log',
            ];
      return figurePicture(figure, table, state, box, style);
    },
  };
}

/** Windows of Gamma and |G|^2 of each run, from the minibatches of its stage with questions. */
async function noiseCurves(runs: readonly RunSource[]): Promise<{ gamma: RunCurve[]; full: RunCurve[] }> {
  const [gamma, full]: [RunCurve[], RunCurve[]] = [[], []];
  for (const run of runs) {
    const gradients = await run.log.read(run.info);
    if (gradients === null) continue;
    const last = Math.max(1, endOfQuestions(run.info));
    const width = Math.max(1, Math.ceil(last / windows));
    const sums = Array.from({ length: Math.ceil(last / width) }, () => ({ gamma: 0, full: 0, count: 0 }));
    const moments = momentsBySteps(minibatchSeries(gradients), stageSampling(questionStage(run.info)));
    gradients.steps.forEach((step, i) => {
      const own = moments[i] ?? null;
      if (own === null || step > last) return;
      const window = sums[Math.floor((step - 1) / width)]!;
      window.gamma += own.gamma;
      window.full += own.meanNorm2;
      window.count++;
    });
    // Example norms are logged on a schedule: a window without any is no gap.
    const points = sums
      .map((own, i) => ({ ...own, x: Math.min(last, (i + 1) * width) }))
      .filter((own) => own.count > 0);
    const x = points.map((own) => own.x);
    gamma.push({ x, y: points.map((own) => own.gamma / own.count) });
    full.push({ x, y: points.map((own) => own.full / own.count) });
  }
  return { gamma, full };
}
