import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  DiskFacts,
  DiskLayout,
  type DiskPlan,
  diskCommands,
  isRefusal,
  planDisks,
} from '@bootswarm/images/install';

const SIZE_BYTES = 40 * 2 ** 30;

function planOf(firmware: string, layout: object): DiskPlan {
  const plan = planDisks({
    facts: DiskFacts.parse({
      firmware,
      disks: [{ name: 'sda', serial: 'A', sizeBytes: SIZE_BYTES }],
    }),
    layout: DiskLayout.parse({ disks: [{ serial: 'A' }], ...layout }),
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
