import { readMetrics, type MetricsOfRun } from './studies/internalization/metrics.js';
import { readGroupGradients, type GroupGradients } from './studies/minibatch/gradient-log.js';
import { readPanelAlignment, type PanelAlignment } from './studies/alignment/cosines.js';
import type { RunData } from './run-data.js';

/** Tables of one run that several sections ask for, read when they are first asked for. */
export class RunReader {
  readonly gradients: () => Promise<GroupGradients | null>;
  readonly alignment: () => Promise<PanelAlignment | null>;
  readonly metrics: () => Promise<MetricsOfRun>;

  constructor(readonly run: RunData) {
    this.gradients = once(() => readGroupGradients(run));
    this.alignment = once(() => readPanelAlignment(run));
    this.metrics = once(() => readMetrics(run));
  }
}

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | null = null;
  return () => (result ??= read());
}
