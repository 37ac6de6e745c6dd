import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
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

interface Table {
  readonly partitiontable: {
    readonly label: string;
    readonly id: string;
    readonly partitions: readonly {
      readonly start: number;
      readonly size: number;
      readonly uuid?: string;
      readonly name?: string;
      readonly bootable?: boolean;
    }[];
  };
}

describe('sfdisk makes of a plan', () => {
  const parts = { swap: '1GiB', root: { size: '10GiB' }, lvm: {} };
  const cases: readonly (readonly [string, string, object])[] = [
    ['a GPT for UEFI', 'uefi', parts],
    ['a GPT for a BIOS', 'bios', parts],
    ['an MBR for a BIOS', 'bios', { ...parts, table: 'mbr' }],
    ['an MBR for UEFI', 'uefi', { ...parts, table: 'mbr' }],
  ];
  for (const [name, firmware, layout] of cases)
    test(name, () => {
      const folder = mkdtempSync(join(tmpdir(), 'bootswarm-plan-'));
      try {
        const disk = join(folder, 'disk');
        const file = openSync(disk, 'w');
        ftruncateSync(file, SIZE_BYTES);
        closeSync(file);
        const plan = planOf(firmware, layout);
        const command = diskCommands(plan, { disks: [disk] }).find(({ argv }) => argv[0] === 'sfdisk');
        assert.ok(command);
        const [program, ...args] = command.argv;
        execFileSync(program, args, { input: command.stdin ?? '', stdio: ['pipe', 'ignore', 'pipe'] });
        const made = JSON.parse(execFileSync('sfdisk', ['--json', disk], { encoding: 'utf8' })) as Table;
        const [planned] = plan.disks;
        const { label, id, partitions } = made.partitiontable;
        assert.equal(label, plan.table === 'gpt' ? 'gpt' : 'dos');
        assert.equal(
          id.toLowerCase(),
          plan.table === 'gpt' ? planned?.tableUuid : `0x${planned?.tableUuid.slice(0, 8)}`,
        );
        assert.deepEqual(
          partitions.map(({ start, size }) => [start * 512, size * 512]),
          planned?.partitions.map(({ startBytes, lengthBytes }) => [startBytes, lengthBytes]),
        );
        if (plan.table === 'gpt')
          assert.deepEqual(
            partitions.map(({ uuid, name: given }) => `${given} ${uuid?.toLowerCase()}`),
            planned?.partitions.map(({ name: given, uuid }) => `${given} ${uuid}`),
          );
        else assert.equal(partitions.filter(({ bootable }) => bootable).length, firmware === 'bios' ? 1 : 0);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
});

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
