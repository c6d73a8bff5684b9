import type { Area } from '../area.js';
import { placeIn } from '../cases/case.js';
import { goingOn } from '../cases/going-on.js';
import { reading } from '../cases/reading.js';

const cases = [...goingOn, ...reading];

/** Faults that were seen once, each in its smallest form. */
export const casesArea: Area = {
  name: 'cases',
  title: 'faults that were seen, each in its smallest form',
  count: cases.length,
  limit: 300,
  needs: ['probe', 'crashed', 'sweep'],
  async run({ index, work, folder }) {
    const { name, run } = cases[index % cases.length]!;
    return { what: name, problems: await run(placeIn(work, folder)) };
  },
};
