// Loaded before the program (`node --import`): counts its calls of `node:fs` on paths below a folder, and at one of them
// kills the process or makes the call fail. Everything the program writes goes through `node:fs`, so these calls stand
// for the system calls. The order comes as JSON in GRADSCOPE_FAULT:
//   { folder, kind, at, persistent, log, fired }
//   kind   before | after | torn (half of a write, then SIGKILL) | short (half of a write, reported as such) | an errno,
//          or undefined to count only
//   at     number of the call, from 1, among those the kind applies to
//   log    file that gets one line `operation<tab>path` for each call
//   fired  file that is made when the fault has happened
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { applies, isKill, systemError } from './fault-kinds.mjs';

const order = process.env.GRADSCOPE_FAULT;
if (order !== undefined) {
  delete process.env.GRADSCOPE_FAULT;
  await install(JSON.parse(order));
}

async function install({ folder, kind, at = 0, persistent = false, log, fired }) {
  const real = { ...fs };
  const paths = new Map();
  const lines = [];
  let count = 0;
  let happened = false;

  const flush = () => {
    if (log !== undefined && lines.length > 0) real.appendFileSync(log, lines.splice(0).join(''));
  };
  process.on('exit', flush);

  const die = () => {
    flush();
    process.kill(process.pid, 'SIGKILL');
    // The signal takes a moment; nothing else may happen in it.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };

  const isBelow = (name) => {
    if (typeof name !== 'string' && !(name instanceof URL) && !Buffer.isBuffer(name)) return false;
    const full = path.resolve(name instanceof URL ? name.pathname : String(name));
    return full === folder || full.startsWith(folder + path.sep);
  };

  /** What happens to a call: undefined, or the fault. */
  const fate = (operation, name) => {
    if (log !== undefined) lines.push(`${operation}\t${path.relative(folder, path.resolve(String(name)))}\n`);
    if (kind === undefined || !applies(kind, operation)) return undefined;
    count++;
    if (persistent ? count < at : count !== at) return undefined;
    if (!happened && fired !== undefined) real.writeFileSync(fired, `${operation} ${name}\n`);
    happened = true;
    return kind;
  };

  /** A synchronous call with its fault; `half` does the first half of what the call writes. */
  const faulty = (operation, name, whole, half) => {
    const what = fate(operation, name);
    if (what === undefined) return whole();
    if (!isKill(what) && what !== 'short') throw systemError(what, operation, String(name));
    if (what === 'before') die();
    if (what === 'torn') {
      half?.();
      die();
    }
    if (what === 'short') return half === undefined ? whole() : half();
    try {
      return whole();
    } finally {
      // After a call that failed by itself, too.
      die();
    }
  };

  const nameOf = (target) => (typeof target === 'number' ? paths.get(target) : target);

  /** Replaces `fs.<name>Sync` and `fs.promises.<name>`; `target` gives the path that is changed. */
  const wrap = (name, operation, target, halfOf) => {
    const sync = real[`${name}Sync`];
    if (sync !== undefined) {
      fs[`${name}Sync`] = (...args) => {
        const place = target(...args);
        if (place === undefined || !isBelow(place)) return sync(...args);
        return faulty(operation(...args), place, () => sync(...args), halfOf?.(...args));
      };
    }
    const later = real.promises[name];
    if (later !== undefined) {
      fs.promises[name] = async (...args) => {
        const place = target(...args);
        if (place === undefined || !isBelow(place)) return later(...args);
        // The synchronous call in its place: a kill in a thread's call is a kill before or after it.
        return faulty(operation(...args), place, () => later(...args), halfOf?.(...args));
      };
    }
  };

  const first = (name) => nameOf(name);
  const second = (_, name) => nameOf(name);
  const always = (operation) => () => operation;

  wrap('rename', always('rename'), second);
  wrap('link', always('link'), second);
  wrap('symlink', always('symlink'), second);
  wrap('copyFile', always('copy'), second, (from, to) => () => {
    const bytes = real.readFileSync(from);
    real.writeFileSync(to, bytes.subarray(0, bytes.length >> 1));
  });
  wrap('unlink', always('unlink'), first);
  wrap('rmdir', always('unlink'), first);
  wrap('rm', always('unlink'), first, (name) => () => {
    // Of a folder, one entry: what is left is no longer what it was.
    if (!real.existsSync(name) || !real.statSync(name).isDirectory()) return;
    const [entry] = real.readdirSync(name);
    if (entry !== undefined) real.rmSync(path.join(String(name), entry), { recursive: true });
  });
  wrap('mkdir', always('mkdir'), first);
  wrap('truncate', always('truncate'), first);
  wrap('ftruncate', always('truncate'), first);
  const bringing = (fd) => (real.fstatSync(fd).isDirectory() ? 'fsync folder' : 'fsync');
  wrap('fsync', bringing, first);
  wrap('fdatasync', always('fsync'), first);
  wrap('readFile', always('read'), first);
  wrap('readdir', always('list'), first);
  wrap('stat', always('stat'), first);
  wrap('lstat', always('stat'), first);
  wrap('read', always('read'), first);
  const halfFile = (name, data) => () => {
    const bytes = Buffer.from(data);
    real.writeFileSync(name, bytes.subarray(0, bytes.length >> 1));
  };
  wrap('writeFile', always('write'), first, halfFile);
  wrap('appendFile', always('write'), first);
  wrap('write', always('write'), first, (fd, data, offset, length, position) => () => {
    if (typeof data === 'string') return real.writeSync(fd, data.slice(0, data.length >> 1), offset, length);
    const size = length ?? data.byteLength - (offset ?? 0);
    return real.writeSync(fd, data, offset ?? 0, Math.max(1, size >> 1), position);
  });
  wrap('writev', always('write'), first, (fd, chunks, position) => () => {
    const bytes = Buffer.concat(
      chunks.map((chunk) => Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)),
    );
    return real.writeSync(fd, bytes, 0, Math.max(1, bytes.length >> 1), position);
  });

  const creates = (flags) => typeof flags === 'string' && /[wax]/.test(flags);
  const opening = (flags) => (creates(flags) ? 'create' : flags === 'r+' ? 'change' : 'open');
  // oxlint-disable-next-line typescript/no-useless-default-assignment -- the types have no call without flags, Node does
  fs.openSync = (name, flags = 'r', mode) => {
    const open = () => {
      const fd = real.openSync(name, flags, mode);
      paths.set(fd, path.resolve(String(name)));
      return fd;
    };
    return isBelow(name) ? faulty(opening(flags), name, open) : open();
  };
  fs.closeSync = (fd) => {
    paths.delete(fd);
    return real.closeSync(fd);
  };
  const openLater = real.promises.open;
  fs.promises.open = async (name, flags = 'r', mode) => {
    const open = async () => {
      const handle = await openLater(name, flags, mode);
      if (isBelow(name)) follow(handle, path.resolve(String(name)));
      return handle;
    };
    return isBelow(name) ? faulty(opening(flags), name, open) : open();
  };

  /** Puts the faults into the methods of one file handle. */
  function follow(handle, name) {
    paths.set(handle.fd, name);
    const operations = {
      read: 'read',
      readFile: 'read',
      write: 'write',
      writev: 'write',
      writeFile: 'write',
      appendFile: 'write',
      truncate: 'truncate',
      sync: 'fsync',
      datasync: 'fsync',
    };
    for (const [method, operation] of Object.entries(operations)) {
      const own = handle[method].bind(handle);
      handle[method] = async (...args) => faulty(operation, name, () => own(...args));
    }
    const close = handle.close.bind(handle);
    handle.close = async () => {
      paths.delete(handle.fd);
      return close();
    };
  }

  syncBuiltinESMExports();
}
