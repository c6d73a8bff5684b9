// Process that does one case of the campaign after the other, as it is told.
import { runCase, type Task } from './run-case.js';

process.on('message', (task: Task) => {
  void runCase(task).then((result) => process.send!(result));
});
// A worker whose campaign is gone has nobody to tell.
process.on('disconnect', () => process.exit());
