import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { copyRange, type Medium } from './medium.ts';
import { runReader } from './reader.ts';

/** What casper reads of its medium: the layers of the root, and the name by which it knows its own medium. */
const NEEDED = /^(casper|\.disk)\//;
/** Kernel and initramfs have been loaded already. */
const NOT_NEEDED = /^casper\/(hwe-)?(vmlinuz|initrd)[^/]*$/;

/**
 * Packs what casper needs of a folder into an ISO of its own, which a machine holds in its memory.
 * The same files give the same bytes.
 * @throws Problem `tool_missing`, `tool_failed`.
 */
export async function packCasperIso(medium: Medium, to: string, signal?: AbortSignal): Promise<void> {
  const stage = `${to}.stage`;
  const wanted = [...medium.files].filter(([path]) => NEEDED.test(path) && !NOT_NEEDED.test(path));
  try {
    for (const [path, range] of wanted) {
      const file = join(stage, path);
      await mkdir(dirname(file), { recursive: true });
      await copyRange(range, file, { signal });
    }
    await runReader({
      command: 'xorriso',
      package: 'xorriso',
      arguments: [
        ...['-no_rc', '-report_about', 'FAILURE', '-as', 'mkisofs', '-quiet'],
        ...['-iso-level', '3', '-r', '-J', '-V', 'CASPER', '--set_all_file_dates', '=1', '-o', to, stage],
      ],
      // The dates of the ISO itself (xorriso(1), "Environment variables"); the option sets those of the files.
      environment: { SOURCE_DATE_EPOCH: '1' },
      source: medium.source,
      signal,
    });
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}
