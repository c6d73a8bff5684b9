import { crc32, deflateRawSync } from 'node:zlib';

export interface TinyEntry {
  readonly name: string;
  readonly content: string;
  readonly method: 'store' | 'deflate';
  /** CRC-32 written into the directory; the right one unless given. */
  readonly checksum?: number;
  /** Uncompressed size written into the directory; the right one unless given. */
  readonly size?: number;
}

/** A zip file in memory, after APPNOTE 6.3.10: local headers with contents, central directory, end record. */
export function tinyZip(entries: readonly TinyEntry[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const content = Buffer.from(entry.content);
    const packed = entry.method === 'store' ? content : deflateRawSync(content);
    // Bytes 10 to 28 of a local header are bytes 12 to 30 of a directory entry.
    const shared = Buffer.alloc(22);
    shared.writeUInt16LE(20, 0); // version needed
    shared.writeUInt16LE(entry.method === 'store' ? 0 : 8, 4);
    shared.writeUInt32LE(entry.checksum ?? crc32(content), 10);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(entry.size ?? content.length, 18);
    const nameLengths = Buffer.alloc(4);
    nameLengths.writeUInt16LE(name.length, 0);

    const local = Buffer.concat([signature(0x04034b50), shared, nameLengths, name, packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([signature(0x02014b50), Buffer.from([20, 0]), shared, nameLengths, rest, name]),
    );
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, central, signature(0x06054b50), end]);
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** The entries of a TensorFlow wheel that matter, with a few that do not. */
export const WHEEL_ENTRIES: readonly TinyEntry[] = [
  { name: 'tensorflow/__init__.py', content: 'raise', method: 'deflate' },
  { name: 'tensorflow/libtensorflow_framework.so.2', content: 'framework', method: 'store' },
  { name: 'tensorflow/libtensorflow_cc.so.2', content: 'library '.repeat(50_000), method: 'deflate' },
  { name: 'tensorflow/include/tensorflow/c/', content: '', method: 'store' },
  { name: 'tensorflow/include/tensorflow/c/c_api.h', content: '// C API', method: 'deflate' },
  { name: 'tensorflow/include/tsl/platform/tstring.h', content: '// tsl', method: 'deflate' },
  { name: 'tensorflow/include/unsupported/Eigen/Tensor', content: '// not needed', method: 'deflate' },
];
