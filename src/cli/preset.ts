import fs from 'node:fs';
import path from 'node:path';
import { projectRoot } from './version.js';

/**
 * The file that a command line names: itself where it is there, else the preset of that name or path that comes with
 * gradscope (`set-inclusion-smoke`, `configs/set-inclusion.yaml`, `sweeps/mnist-pairs`); as given where there is none.
 */
export function presetFile(given: string): string {
  if (given === '' || path.isAbsolute(given) || fs.existsSync(given)) return given;
  const root = projectRoot();
  const places = ['', 'configs', 'configs/sweeps'].flatMap((folder) =>
    ['', '.yaml'].map((extension) => path.join(root, folder, `${given}${extension}`)),
  );
  const inPresets = (place: string): boolean => place.startsWith(path.join(root, 'configs') + path.sep);
  return places.find((place) => inPresets(place) && fs.existsSync(place)) ?? given;
}
