import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw } from 'node:zlib';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { LIBRARY_FILES } from './layout.js';
import { RouteFailure } from './route-failure.js';

/** A file taken out of a wheel. */
export interface UnpackedFile {
  /** Path below the target folder, such as `lib/libtensorflow_cc.so.2`. */
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
}

/** Headers that the binding includes, directly or through others. */
const HEADER_FOLDERS = ['tensorflow/c/', 'tensorflow/core/platform/', 'tsl/', 'xla/'];

/** Where an entry of a TensorFlow wheel goes below the target folder; undefined for those that are not needed. */
export function targetOfEntry(entryName: string): string | undefined {
  for (const name of LIBRARY_FILES) if (entryName === `tensorflow/${name}`) return `lib/${name}`;
  const header = /^tensorflow\/include\/(.+[^/])$/.exec(entryName)?.[1];
  return header !== undefined && HEADER_FOLDERS.some((folder) => header.startsWith(folder))
    ? `include/${header}`
    : undefined;
}

/**
 * Takes the native library and its C headers out of a wheel into `folder`, entry by entry as streams (the library is
 * 0.8 GB), comparing sizes and CRC-32. `onBytes` receives the number of bytes written so far. Throws `RouteFailure`
 * where the wheel is damaged or lacks the library.
 */
export async function unpackWheel(
  wheelPath: string,
  folder: string,
  onBytes: (bytes: number) => void = () => {},
): Promise<UnpackedFile[]> {
  const files: UnpackedFile[] = [];
  let total = 0;
  const zip = await readingZip(wheelPath, () => openPromise(wheelPath));
  try {
    // yauzl refuses entry names that are absolute or climb with `..`.
    const entries = zip.eachEntry();
    for (;;) {
      const next = await readingZip(wheelPath, () => entries.next());
      if (next.done) break;
      const name = targetOfEntry(next.value.fileName);
      if (name === undefined) continue;
      const count = (bytes: number) => onBytes((total += bytes));
      files.push(await unpackEntry(wheelPath, zip, next.value, name, folder, count));
    }
  } finally {
    zip.close();
  }
  for (const needed of [...LIBRARY_FILES.map((name) => `lib/${name}`), 'include/tensorflow/c/c_api.h']) {
    if (files.some((file) => file.name === needed)) continue;
    throw new RouteFailure(`${wheelPath}: the wheel has no ${needed}`, 'use another TensorFlow version');
  }
  return files;
}

async function unpackEntry(
  wheelPath: string,
  zip: ZipFile,
  entry: Entry,
  name: string,
  folder: string,
  onBytes: (bytes: number) => void,
): Promise<UnpackedFile> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  const hash = createHash('sha256');
  let checksum = 0;
  let size = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      checksum = crc32(chunk, checksum);
      size += chunk.length;
      onBytes(chunk.length);
      done(null, chunk);
    },
  });
  const content = await readingZip(wheelPath, () =>
    zip.openReadStreamPromise(entry, { decodeFileData: false }),
  );
  // Read-only: the file will be hard-linked into packages, and nobody should change it through them.
  const file = createWriteStream(path, { mode: 0o444 });
  await readingZip(wheelPath, () => pipeline([content, ...decoder(entry), measure, file]));
  if (size !== entry.uncompressedSize || checksum !== entry.crc32) {
    throw damaged(wheelPath, `${entry.fileName} has another size or CRC-32 than its directory says`);
  }
  return { name, size, sha256: hash.digest('hex') };
}

/** yauzl's own decoder works in pieces of 16 KiB, which takes twice as long for the library. */
function decoder(entry: Entry): Transform[] {
  const [stored, deflated] = [0, 8];
  if (entry.compressionMethod === stored) return [];
  if (entry.compressionMethod === deflated) return [createInflateRaw({ chunkSize: 1 << 20 })];
  throw new Error(`unknown compression method ${entry.compressionMethod}`);
}

/** Errors of the zip and deflate readers mean a damaged file; those of the operating system pass. */
async function readingZip<T>(wheelPath: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof Error) || 'syscall' in error) throw error;
    throw damaged(wheelPath, error.message);
  }
}

function damaged(wheelPath: string, detail: string): RouteFailure {
  return new RouteFailure(`${wheelPath} is damaged: ${detail}`, 'clear the cache of pip');
}
