import { copyFile, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { placeFile, replaceFolder, type FilePlacement } from './files.js';
import { LIBRARY_FILES, LINK_NAMES, type EnginePackage } from './layout.js';
import type { SetupSystem } from './system.js';

/**
 * Lays a cached library and its binding out inside the engine package as its build expects them: `deps/lib`,
 * `deps/include`, `lib/napi-v8`. The library is linked, since it is 0.85 GB; the binding is copied, since its loader
 * path starts from where the file really lies.
 */
export async function placeLibrary(
  entry: string,
  binding: string,
  engine: EnginePackage,
  system: SetupSystem,
): Promise<FilePlacement> {
  const draft = join(engine.folder, `.deps-${system.processId}`);
  await rm(draft, { recursive: true, force: true });
  await mkdir(join(draft, 'lib'), { recursive: true });
  let placement: FilePlacement = 'hard link';
  for (const name of LIBRARY_FILES) {
    placement = await placeFile(join(entry, 'lib', name), join(draft, 'lib', name), system);
  }
  for (const [name, target] of LINK_NAMES) await symlink(target, join(draft, 'lib', name));
  await symlink(join(entry, 'include'), join(draft, 'include'));
  await replaceFolder(draft, engine.deps);

  await mkdir(dirname(engine.binding), { recursive: true });
  const copy = `${engine.binding}.${system.processId}.part`;
  await copyFile(binding, copy);
  await rename(copy, engine.binding);
  return placement;
}
