#!/usr/bin/env node
import { answerSignals } from './stop-signals.js';

// Before the commands are read, which takes a tenth of a second: Node answers SIGUSR1 by opening its debugger.
answerSignals();
const { runProgram } = await import('./program.js');
await runProgram();
