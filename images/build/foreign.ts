import { readFile } from 'node:fs/promises';
import type { Architecture } from '@bootswarm/images/format';
import { problem } from './problems.ts';

/** What QEMU calls the machine, and Node. */
const MACHINES: Readonly<Record<Architecture, { readonly qemu: string; readonly node: string }>> = {
  amd64: { qemu: 'x86_64', node: 'x64' },
  arm64: { qemu: 'aarch64', node: 'arm64' },
};

/**
 * Packages of another architecture run their scripts by QEMU, which the kernel must know of.
 * @throws Problem `architecture_foreign`, before anything is downloaded.
 */
export async function refuseForeign(architecture: Architecture): Promise<void> {
  const { qemu, node } = MACHINES[architecture];
  if (process.arch === node) return;
  const entry = await readFile(`/proc/sys/fs/binfmt_misc/qemu-${qemu}`, 'utf8').catch(() => undefined);
  const reason = whyNotRun(entry);
  if (reason !== undefined)
    throw problem('architecture_foreign', { field: 'architecture', facts: { architecture, reason } });
}

/**
 * @param entry of binfmt_misc; undefined where there is none.
 * @see Documentation/admin-guide/binfmt-misc.rst: with flag F the interpreter need not be in the new root.
 */
export function whyNotRun(entry: string | undefined): string | undefined {
  if (entry === undefined) return 'the kernel has no binfmt_misc entry for it';
  if (!/^enabled$/m.test(entry)) return 'its binfmt_misc entry is disabled';
  if (!/^flags:.*F/m.test(entry)) return 'its binfmt_misc entry lacks the flag F, so it ends at a chroot';
  return undefined;
}
