import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { problem } from '../problems.ts';
import { EWOULDBLOCK, flock, lastErrno } from '../sockets/libc.ts';

const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Holds a data folder for this process alone, until it ends, however it ends: an edge does not see what another
 * program writes into its leases, and would give the same addresses away. flock(2), unlike a socket's name, also
 * holds between containers that share the folder but not the network.
 * @param folder made where there is none.
 * @returns lets go.
 * @throws Problem data_in_use
 */
export function holdFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'lock');
  // Kept open: the kernel frees the lock when the last descriptor is closed. Node's are not inherited.
  const fd = openSync(path, 'a+', 0o600);
  if (flock(fd, LOCK_EX | LOCK_NB) !== 0) {
    const errno = lastErrno();
    closeSync(fd);
    if (errno !== EWOULDBLOCK) throw new Error(`flock ${path}: errno ${errno}`);
    const pid = readFileSync(path, 'utf8').trim() || 'unknown';
    throw problem('data_in_use', { facts: { folder, pid } });
  }
  ftruncateSync(fd);
  writeSync(fd, `${process.pid}\n`);
  return () => closeSync(fd);
}
