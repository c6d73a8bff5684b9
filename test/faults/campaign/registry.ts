import type { Area } from './area.js';
import { casesArea } from './areas/cases.js';
import { configsArea } from './areas/configs.js';
import { failuresArea, finalisationArea, killsArea } from './areas/disturbed.js';
import { analysisJsonArea, checkpointsArea, locksArea, runConfigArea, runJsonArea } from './areas/files.js';
import { escapesArea, pathsArea } from './areas/hostile.js';
import { tablesArea } from './areas/tables.js';

/** Everything the campaign tries, in its order. */
export const areas: readonly Area[] = [
  casesArea,
  finalisationArea,
  killsArea,
  failuresArea,
  configsArea,
  tablesArea,
  checkpointsArea,
  runJsonArea,
  analysisJsonArea,
  runConfigArea,
  locksArea,
  escapesArea,
  pathsArea,
];
