import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Mounts, mountedFolders } from './mounts.ts';
import type { Programs } from './run-program.ts';

const folder = mkdtempSync(join(tmpdir(), 'bootswarm-mounts-'));
after(() => rmSync(folder, { recursive: true }));
const signal = new AbortController().signal;

function recorder(failing: readonly string[] = []): { readonly ran: string[]; readonly programs: Programs } {
  const ran: string[] = [];
  const left = [...failing];
  return {
    ran,
    programs: {
      run: async (argv) => {
        const line = argv.join(' ');
        ran.push(line);
        const at = left.indexOf(line);
        if (at >= 0) {
          left.splice(at, 1);
          throw new Error('busy');
        }
        return { code: 0, stdout: '' };
      },
    },
  };
}

test('what was mounted is taken down from the last to the first, or to the one that is named', async () => {
  const { ran, programs } = recorder();
  const mounts = new Mounts(programs);
  for (const name of ['a', 'b', 'c']) await mounts.mount(`/dev/${name}`, `${folder}/${name}`, {}, signal);
  ran.length = 0;
  await mounts.unmount(signal, `${folder}/b`);
  assert.deepEqual(ran, [`umount ${folder}/c`, `umount ${folder}/b`]);
  ran.length = 0;
  await mounts.unmount(signal);
  await mounts.unmount(signal);
  assert.deepEqual(ran, [`umount ${folder}/a`]);
});

test('what is busy is tried again', async () => {
  const { ran, programs } = recorder([`umount ${folder}/a`]);
  const mounts = new Mounts(programs);
  await mounts.mount('tmpfs', `${folder}/a`, { type: 'tmpfs', options: 'size=1' }, signal);
  await mounts.unmount(signal);
  assert.deepEqual(ran, [
    `mount -t tmpfs -o size=1 tmpfs ${folder}/a`,
    `umount ${folder}/a`,
    `umount ${folder}/a`,
  ]);
});

test('/proc/mounts names folders with blanks as octal digits', () => {
  const text = 'proc /proc proc rw 0 0\n/dev/vda1 /mnt/a\\040b ext4 rw 0 0\n';
  assert.deepEqual(mountedFolders(text), ['/proc', '/mnt/a b']);
});
