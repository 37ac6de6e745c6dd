import { writeSync } from 'node:fs';
import { LeaseStore } from '../state/lease-store.ts';
import { LeaseTable } from '../state/lease-table.ts';

/** A program that keeps rounds of leases until it is killed, and says on standard output which are durable. */
const [folder = '', run = ''] = process.argv.slice(2);
const table = new LeaseTable(LeaseStore.open(folder));
const LANES = [1, 2, 3, 4];

for (let number = 0; ; number++) {
  const addresses = LANES.map((lane) => `10.${lane}.${number >> 8}.${number & 255}`);
  for (const [lane, address] of addresses.entries())
    table.remember({
      segment: 'seg',
      address,
      mac: `52:54:00:00:0${lane}:${run.padStart(2, '0')}`,
      state: 'bound',
      expiresAtMs: Number(run),
    });
  table.flush();
  // At once, as an ACK would leave: a stream would wait for an event loop that never turns here.
  writeSync(1, `${addresses.join('\n')}\n`);
}
