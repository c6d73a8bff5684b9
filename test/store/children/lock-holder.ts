/** Takes the lock of the folder in argv[2], says whether it got it, and keeps it until its input ends. */
import { nodeEnvironment } from '../../../src/store/environment.js';
import { acquireLock } from '../../../src/store/lock.js';

try {
  const lock = acquireLock(process.argv[2] ?? '', nodeEnvironment);
  process.stdout.write('taken\n');
  process.stdin.resume().on('end', () => lock.release());
} catch (error) {
  process.stdout.write(`${String(error)}\n`);
}
