import type { WipeOrder } from '@bootswarm/controller/contract';
import type { Disk } from '@bootswarm/images/install';
import type { Begun } from '../disk-work.ts';
import { diskFailure } from '../install/disk-failure.ts';
import { problem } from '../install/problems.ts';
import type { Programs } from '../install/run-program.ts';
import { chooseWiped, nameOf } from './choose-wiped.ts';
import { wipeDisk } from './wipe.ts';

export interface WipeDisksOptions extends Begun {
  readonly order: Pick<WipeOrder, 'disks' | 'method'>;
  /** The disks as they are now. */
  readonly findDisks: () => Promise<readonly Disk[]>;
  readonly programs: Programs;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Wipes the disks of an order, one after the other. Which those are is looked at again once it may begin: kernel names
 * may have changed hands. Where they are not those that were told of, nothing is wiped.
 * @returns what was done. @throws Problem of problems.ts, disks_changed, disk_failed
 */
export async function wipeDisks(options: WipeDisksOptions): Promise<string> {
  const { order, findDisks, begin, progress, programs, say, signal } = options;
  progress.begin('plan', 'look at the disks');
  const planned = chooseWiped(await findDisks(), order.disks);
  await begin(planned.map((disk) => `wipe ${nameOf(disk)} by ${order.method}`).join('\n'));
  const disks = chooseWiped(await findDisks(), order.disks);
  if (identityOf(disks) !== identityOf(planned))
    throw problem('disks_changed', { facts: { found: disks.map(nameOf).join(', ') } });
  const done: string[] = [];
  for (const disk of disks) {
    progress.begin('wipe', nameOf(disk));
    const method = await wipeDisk(disk, {
      programs,
      method: order.method,
      say,
      signal,
      onProgress: ({ doneBytes = 0, totalBytes }) => progress.bytes(doneBytes, totalBytes),
    }).catch((error) => {
      throw diskFailure(`wiping ${nameOf(disk)}`, error);
    });
    done.push(`${nameOf(disk)} by ${method}`);
    say(`wiped ${nameOf(disk)} by ${method}, and read back`);
  }
  return `wiped ${done.join(', ')}`;
}

/** What tells disks from others, whatever the kernel calls them. */
function identityOf(disks: readonly Disk[]): string {
  const each = disks.map(({ serial, wwn, sizeBytes, byPath }) =>
    JSON.stringify([serial, wwn, sizeBytes, byPath]),
  );
  return each.toSorted().join(' ');
}
