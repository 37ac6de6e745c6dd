/** As a process of its own, whose files may not grow beyond a limit: what a store makes of writes that fail. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LmdbStore } from '../store/lmdb-store.ts';

const [folder = ''] = process.argv.slice(2);
// The system sends it with every write that the limit cuts short.
process.on('SIGXFSZ', () => {});
const store = LmdbStore.open(folder);
let stored = 0;
let refused = 0;
while (refused < 3) {
  try {
    await store.commit({ put: { [`key${stored}`]: 'x'.repeat(20_000) } });
    stored += 1;
  } catch {
    refused += 1;
  }
}
// A rejection that nobody waits for ends the process on a later turn.
await sleep(50);
const readable = (await store.list('key')).length;
await store.close();
process.stdout.write(JSON.stringify({ stored, readable }));
