import type { WipeOrder } from '@bootswarm/controller/contract';
import type { Disk } from '@bootswarm/images/install';
import type { Begun } from '../disk-work.ts';
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
 * may have changed hands.
 * @returns what was done. @throws Problem of problems.ts
 */
export async function wipeDisks(options: WipeDisksOptions): Promise<string> {
  const { order, findDisks, begin, progress, programs, say, signal } = options;
  progress.begin('plan', 'look at the disks');
  const planned = chooseWiped(await findDisks(), order.disks);
  await begin(planned.map((disk) => `wipe ${nameOf(disk)} by ${order.method}`).join('\n'));
  const disks = chooseWiped(await findDisks(), order.disks);
  const done: string[] = [];
  for (const disk of disks) {
    progress.begin('wipe', nameOf(disk));
    const method = await wipeDisk(disk, {
      programs,
      method: order.method,
      say,
      signal,
      onProgress: ({ doneBytes = 0, totalBytes }) => progress.bytes(doneBytes, totalBytes),
    });
    done.push(`${nameOf(disk)} by ${method}`);
    say(`wiped ${nameOf(disk)} by ${method}, and read back`);
  }
  return `wiped ${done.join(', ')}`;
}
