import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diskCommands, fstabId, partitionPath } from './commands.ts';
import { DiskFacts } from './disk.ts';
import { type DiskPlan, planDisks } from './plan.ts';
import { DiskLayout } from './profile.ts';
import { isRefusal } from './refusal.ts';

const SIZE_BYTES = 40 * 2 ** 30;

function planOf(firmware: string, layout: object, disks = ['A']): DiskPlan {
  const plan = planDisks({
    facts: DiskFacts.parse({
      firmware,
      disks: disks.map((serial) => ({ name: `sd${serial.toLowerCase()}`, serial, sizeBytes: SIZE_BYTES })),
    }),
    layout: DiskLayout.parse({ disks: disks.map((serial) => ({ serial })), ...layout }),
    identity: 'test',
  });
  assert.ok(!isRefusal(plan));
  return plan;
}

test('a mirror has an array for each partition but those of the firmware, and the volumes stand on one', () => {
  const plan = planOf(
    'uefi',
    {
      swap: '1GiB',
      root: { size: '10GiB' },
      lvm: { volumes: [{ name: 'var', size: '2GiB', mount: '/var' }] },
    },
    ['A', 'B'],
  );
  const lines = diskCommands(plan, { disks: ['/dev/sda', '/dev/nvme0n1'] }).map(({ argv }) => argv.join(' '));
  const uuidOf = (name: string) => plan.fileSystems.find(({ on }) => on.name === name)?.uuid;
  assert.deepEqual(
    lines.filter((line) => !/^(wipefs|sfdisk|blockdev) /.test(line)),
    [
      ...(['swap', 'root', 'data'] as const).map(
        (name, index) =>
          `mdadm --create /dev/md/${name} --run --level=1 --raid-devices=2 --metadata=1.2 --bitmap=internal --homehost=any --name=${name} /dev/sda${index + 2} /dev/nvme0n1p${index + 2}`,
      ),
      'pvcreate --yes -ff /dev/md/data',
      'vgcreate --yes data /dev/md/data',
      'lvcreate --yes --wipesignatures y --zero y --name var --size 2147483648b data',
      `mkfs.ext4 -q -F -L root -U ${uuidOf('root')} /dev/md/root`,
      `mkfs.vfat -F 32 -n ESP -i ${uuidOf('esp')?.slice(0, 8)} /dev/sda1`,
      `mkfs.vfat -F 32 -n ESP -i ${uuidOf('esp')?.slice(0, 8)} /dev/nvme0n1p1`,
      `mkswap --force --label swap --uuid ${uuidOf('swap')} /dev/md/swap`,
      `mkfs.ext4 -q -F -L var -U ${uuidOf('var')} /dev/data/var`,
    ],
  );
});

test('only disks of the plan are ever named', () => {
  const plan = planOf('bios', { swap: '1GiB' });
  for (const { argv } of diskCommands(plan, { disks: ['/dev/vdz'] }))
    for (const word of argv) assert.doesNotMatch(word, /^\/dev\/(?!vdz)/);
});

test('a partition is called as the kernel calls it', () => {
  assert.equal(partitionPath('/dev/sda', 3), '/dev/sda3');
  assert.equal(partitionPath('/dev/nvme0n1', 3), '/dev/nvme0n1p3');
  assert.equal(partitionPath('/dev/md126', 1), '/dev/md126p1');
});

test('a vfat is named by its serial number, anything else by its UUID', () => {
  const uuid = '1a2b3c4d-0000-8000-8000-000000000000';
  assert.equal(fstabId({ type: 'vfat', uuid }), '1A2B-3C4D');
  assert.equal(fstabId({ type: 'ext4', uuid }), uuid);
});
