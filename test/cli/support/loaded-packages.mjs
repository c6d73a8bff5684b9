// With `--import`: a process that ends prints the packages it has loaded, one per line, to the file in LOADED_PACKAGES.
import fs from 'node:fs';
import { register } from 'node:module';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';

const { port1, port2 } = new MessageChannel();
register('./loaded-packages-hooks.mjs', import.meta.url, { data: { port: port2 }, transferList: [port2] });
port1.unref();
process.on('exit', () => {
  const packages = new Set();
  for (let next = receiveMessageOnPort(port1); next !== undefined; next = receiveMessageOnPort(port1)) {
    const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(next.message) ?? [];
    if (name !== undefined) packages.add(name);
  }
  fs.writeFileSync(process.env.LOADED_PACKAGES, [...packages].join('\n'));
});
