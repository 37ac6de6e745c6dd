import { Problem } from '@bootswarm/images/format';
import { problem } from './problems.ts';

/** What the kernel answers where a disk has failed, is gone, or takes no more: errno(3). */
const CODES: ReadonlySet<string | undefined> = new Set(['EIO', 'EROFS', 'ENXIO', 'ENODEV', 'EREMOTEIO']);

/** What programs say of it: strerror(3) of EIO. */
const SAID = /Input\/output error/;

/** An error of a disk as the problem that it is; any other one as it was. Pure. @param what was being done. */
export function diskFailure(what: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  const isSaid = error instanceof Problem && code === 'program_failed' && SAID.test(message);
  if (!CODES.has(code) && !isSaid) return error;
  return problem('disk_failed', { facts: { what, reason: message }, cause: error });
}
