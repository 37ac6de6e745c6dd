import { EdgeStore } from '../state/edge-store.ts';
import { LeaseTable } from '../state/lease-table.ts';

/** A program that commits leases until it is killed, and says on standard output which are durable. */
const [folder = '', run = ''] = process.argv.slice(2);
const store = EdgeStore.open(folder, {
  onLoss: (error) => {
    throw error;
  },
});
const table = new LeaseTable(store.leases);

async function commitAll(lane: number): Promise<void> {
  for (let number = 0; ; number++) {
    const address = `10.${lane}.${number >> 8}.${number & 255}`;
    await table.commit({
      segment: 'seg',
      address,
      mac: `52:54:00:00:0${lane}:${run.padStart(2, '0')}`,
      state: 'bound',
      expiresAtMs: Number(run),
    });
    process.stdout.write(`${address}\n`);
  }
}

await Promise.all([1, 2, 3, 4].map(commitAll));
