import fs from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../data/errors.js';
import { systemCode, systemMessage } from '../src/store/file-system.js';
import type { Effects } from './session/session.js';

/** The effects of a session on this machine; `write` goes to the terminal. */
export function nodeEffects(write: (text: string) => void, quit: () => void): Effects {
  return {
    now: Date.now,
    quit,
    exists: (file) => fs.existsSync(file),
    // OSC 52, which terminals take over SSH too.
    copy(text) {
      write(`\u001B]52;c;${Buffer.from(text).toString('base64')}\u0007`);
      // Both keep it from the terminal unless they are told to pass it on.
      if ((process.env['TMUX'] ?? '') !== '')
        return 'asked tmux to copy, which does with its option set-clipboard on';
      if ((process.env['STY'] ?? '') !== '')
        return 'asked the terminal to copy, which screen may not pass on';
      return 'asked the terminal to copy';
    },
    async writeFile(file, content) {
      try {
        await mkdir(path.dirname(file), { recursive: true });
        await writeFile(file, content, { flag: 'wx' });
      } catch (error) {
        const reason = systemCode(error) === 'EEXIST' ? 'is there already' : systemMessage(error);
        throw new UserError(`${file}: ${reason}`, { cause: error });
      }
    },
  };
}
