import type { Disk } from '@bootswarm/images/install';
import type { Programs } from '../install/run-program.ts';
import { nameOf } from './choose-wiped.ts';
import { problem } from './problems.ts';

/** An erase by ATA wants one, and takes it away when it has ended (ATA8-ACS, section 4.18). */
const PASSWORD = 'bootswarm';

interface DriveWork {
  readonly device: string;
  readonly programs: Programs;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** What hdparm(8) says of the security of a drive: `hdparm -I`. */
interface AtaSecurity {
  readonly isSupported: boolean;
  readonly isLocked: boolean;
  readonly isFrozen: boolean;
}

/** Pure. @param said by `hdparm -I`: what does not hold has a `not` before it. */
function ataSecurityIn(said: string): AtaSecurity {
  const at = said.indexOf('Security:');
  const security = at < 0 ? '' : said.slice(at);
  const holds = (what: string): boolean => new RegExp(`^\\s*${what}\\s*$`, 'm').test(security);
  return {
    isSupported: holds('supported'),
    isLocked: holds('locked'),
    // Whoever says nothing of it is not asked to erase.
    isFrozen: !/not\s+frozen/.test(security),
  };
}

/**
 * Unlocks a drive that an erase left locked whose power was cut: it reads and writes nothing until then.
 * @throws Problem wipe_disk_locked where the password is somebody else's.
 */
export async function unlockOwn(disk: Disk, work: DriveWork): Promise<void> {
  // Only what may be ATA is asked.
  if (!disk.name.startsWith('sd')) return;
  const { programs, device, say, signal } = work;
  const asked = await programs
    .run(['hdparm', '-I', device], { what: `ask ${nameOf(disk)} for its lock`, signal })
    .catch(() => signal.throwIfAborted());
  if (!ataSecurityIn(asked?.stdout ?? '').isLocked) return;
  say(`${nameOf(disk)} is locked, as an erase leaves it whose power is cut; unlocking it`);
  try {
    await runSecurity('unlock', disk, work);
    await runSecurity('disable', disk, work);
  } catch (cause) {
    signal.throwIfAborted();
    throw problem('wipe_disk_locked', { facts: { disk: nameOf(disk) }, cause });
  }
}

/** By the drive itself: NVMe's format with user data erase, ATA's security erase. @throws Problem wipe_method_unsupported */
export async function secureErase(disk: Disk, work: DriveWork): Promise<void> {
  const { programs, device, say, signal } = work;
  const what = `erase ${nameOf(disk)} by its own means`;
  say(what);
  if (disk.name.startsWith('nvme')) {
    await programs.run(['nvme', 'format', device, '--ses=1', '--force'], { what, signal });
    return;
  }
  const { stdout } = await programs.run(['hdparm', '-I', device], { what, signal });
  const refuse = (reason: string): Error =>
    problem('wipe_method_unsupported', {
      facts: { disk: nameOf(disk), method: 'secure-erase', reason },
    });
  const { isSupported, isFrozen } = ataSecurityIn(stdout);
  if (!isSupported) throw refuse('it has no security erase of ATA');
  if (isFrozen) throw refuse('the firmware froze it: power the machine off and on');
  await runSecurity('set-pass', disk, work);
  try {
    await runSecurity('erase', disk, work);
  } catch (error) {
    // Else it is locked from the next power-on.
    await runSecurity('disable', disk, work).catch((cause: Error) => say(cause.message));
    throw error;
  }
}

async function runSecurity(
  act: 'set-pass' | 'erase' | 'unlock' | 'disable',
  disk: Disk,
  { programs, device, signal }: DriveWork,
): Promise<void> {
  await programs.run(['hdparm', '--user-master', 'u', `--security-${act}`, PASSWORD, device], {
    what: `erase ${nameOf(disk)} by its own means (${act})`,
    signal,
  });
}
