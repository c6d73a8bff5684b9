export { BrailleCanvas, type BrailleCell } from './braille-canvas.js';
export type { Chart, Readout, Row, Segment } from './chart.js';
export { lineChart, type LineChartOptions, type ReferenceBand } from './line-chart.js';
export type { Marker } from './markers.js';
export { defaultPalette, type Palette } from './palette.js';
export { renderAnsi, renderPlain } from './render.js';
export type { Range } from './scale.js';
export type { Series, Values } from './series.js';
export { formatValue } from './tick-labels.js';
