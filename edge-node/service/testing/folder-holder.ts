import { holdFolder } from '../state/hold-folder.ts';

/** A program that holds a data folder, as an edge does, until it is killed, and says when it does. */
holdFolder(process.argv[2] ?? '');
process.stdout.write('held\n');
setInterval(() => {}, 60_000);
