import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DiskFacts } from './disk.ts';
import { type DiskPlan, planDisks } from './plan.ts';
import { planText } from './plan-text.ts';
import { DiskLayout } from './profile.ts';
import { isRefusal, type RefusalCause } from './refusal.ts';

const GIB = 2 ** 30;

const disk = (name: string, more: object = {}) => ({
  name,
  sizeBytes: 100 * GIB,
  model: 'QEMU HARDDISK',
  serial: `S-${name}`,
  wwn: `0x5000c500${name}`,
  byPath: [`pci-0000:00:05.0-${name}`],
  ...more,
});
const facts = (disks: readonly object[], firmware = 'uefi') => DiskFacts.parse({ firmware, disks });
const layout = (more: object = {}) => DiskLayout.parse({ disks: [{ serial: 'S-sda' }], ...more });
const SDA = facts([disk('sda'), disk('sdb')]);

function planned(...[given, laidOut, imageBytes = 0]: [DiskFacts, DiskLayout, number?]): DiskPlan {
  const plan = planDisks({ facts: given, layout: laidOut, identity: 'machine 7', imageBytes });
  assert.ok(!isRefusal(plan), isRefusal(plan) ? plan.message : '');
  return plan;
}

/** `root 102000` of every partition, in MiB. */
const shape = ({ disks }: DiskPlan): string =>
  (disks[0]?.partitions ?? []).map(({ name, lengthBytes }) => `${name} ${lengthBytes / 2 ** 20}`).join(', ');

describe('a plan', () => {
  const cases: readonly (readonly [name: string, firmware: string, layout: object, shape: string])[] = [
    ['of nothing but a root, UEFI', 'uefi', {}, 'esp 512, root 101886'],
    ['of nothing but a root, BIOS', 'bios', {}, 'bios-boot 1, root 102397'],
    ['with an MBR, BIOS', 'bios', { table: 'mbr' }, 'root 102398'],
    ['of extlinux', 'bios', { bootLoader: 'extlinux' }, 'root 102398'],
    ['with swap before the root', 'uefi', { swap: '4GiB' }, 'esp 512, swap 4096, root 97790'],
    [
      'whose volume group takes what is left',
      'uefi',
      { root: { size: '20GiB' }, lvm: { volumes: [{ name: 'var', size: '10GiB', mount: '/var' }] } },
      'esp 512, root 20480, data 81406',
    ],
    [
      'with a partition of its own',
      'bios',
      { partitions: [{ name: 'logs', size: '8GiB', mount: '/var/log', fileSystem: 'xfs' }] },
      'bios-boot 1, logs 8192, root 94205',
    ],
    ['of a root that leaves room', 'uefi', { root: { size: '20GiB' } }, 'esp 512, root 20480'],
  ];
  for (const [name, firmware, more, expected] of cases)
    test(name, () => assert.equal(shape(planned(facts([disk('sda')], firmware), layout(more))), expected));

  test('is for the disk that the hints tell of, whatever the kernel calls it', () => {
    for (const names of [
      ['sda', 'sdb'],
      ['sdb', 'sda'],
    ]) {
      const [one = '', other = ''] = names;
      const given = facts([disk(one, { serial: 'A' }), disk(other, { serial: 'B' })]);
      const plan = planned(given, layout({ disks: [{ serial: 'B' }] }));
      assert.equal(plan.disks[0]?.name, other);
      assert.equal(plan.disks[0]?.disk.serial, 'B');
    }
  });

  test('of a mirror is as long as the smaller disk, and its tables have identities of their own', () => {
    const given = facts([disk('sda'), disk('sdb', { sizeBytes: 50 * GIB })], 'bios');
    const plan = planned(given, layout({ disks: [{ serial: 'S-sda' }, { serial: 'S-sdb' }] }));
    const [one, other] = plan.disks;
    assert.deepEqual(
      one?.partitions.map(({ startBytes, lengthBytes }) => [startBytes, lengthBytes]),
      other?.partitions.map(({ startBytes, lengthBytes }) => [startBytes, lengthBytes]),
    );
    assert.ok((one?.partitions.at(-1)?.lengthBytes ?? 0) < 50 * GIB);
    assert.notEqual(one?.tableUuid, other?.tableUuid);
  });

  test('names every file system once, with an identity that a second try makes again', () => {
    const laidOut = layout({
      swap: '1GiB',
      root: { size: '20GiB', fileSystem: 'xfs' },
      lvm: { volumes: [{ name: 'var', size: '10GiB', mount: '/var' }] },
    });
    const plan = planned(SDA, laidOut);
    assert.deepEqual(
      plan.fileSystems.map(({ on, type, mount }) => `${on.kind} ${on.name} ${type} ${mount}`),
      [
        'partition root xfs /',
        'partition esp vfat /boot/efi',
        'partition swap swap undefined',
        'volume var ext4 /var',
      ],
    );
    assert.deepEqual(planned(SDA, laidOut), plan);
    assert.equal(new Set(plan.fileSystems.map(({ uuid }) => uuid)).size, 4);
  });

  test('tells what is lost', () => {
    const given = facts([
      disk('sda', { holds: [{ kind: 'filesystem', where: 'sda1', detail: 'old root' }] }),
    ]);
    assert.deepEqual(planned(given, layout()).erases, ['filesystem on sda1 (old root)']);
  });
});

describe('nothing is written', () => {
  const holds = (kind: string): object => disk('sda', { holds: [{ kind, where: 'sda2', detail: 'backup' }] });
  const cases: readonly (readonly [string, readonly object[], object, RefusalCause, string])[] = [
    ['where no disk is', [], {}, 'disk_not_found', 'firmware'],
    ['where no disk has the serial', [disk('sdb')], {}, 'disk_not_found', 'uefi'],
    [
      'where a stick is the only one of that size',
      [disk('sda', { isRemovable: true })],
      { disks: [{ minSize: '10GiB' }] },
      'disk_not_found',
      'uefi',
    ],
    [
      'where two disks have one serial',
      [disk('sda'), disk('sdb', { serial: 'S-sda' })],
      {},
      'disk_ambiguous',
      'uefi',
    ],
    [
      'where two paths lead to one disk',
      [disk('sda', { wwn: 'w' }), disk('sdb', { wwn: 'w' })],
      { disks: [{ wwn: 'w' }] },
      'disk_ambiguous',
      'uefi',
    ],
    [
      'where one of two paths to a disk is named by its place',
      [disk('sda', { wwn: 'w', byPath: ['pci-1'] }), disk('sdb', { wwn: 'w', byPath: ['pci-2'] })],
      { disks: [{ byPath: 'pci-1' }] },
      'disk_twin',
      'uefi',
    ],
    [
      'where both halves of a mirror are one disk',
      [disk('sda')],
      { disks: [{ serial: 'S-sda' }, { model: 'QEMU' }] },
      'disk_twice',
      'uefi',
    ],
    ['where the disk is write-protected', [disk('sda', { isReadOnly: true })], {}, 'disk_read_only', 'uefi'],
    ['where the disk is in use', [disk('sda', { isBusy: true })], {}, 'disk_busy', 'uefi'],
    ...(['data-mark', 'raid', 'lvm', 'zfs', 'btrfs', 'luks', 'ceph'] as const).map(
      (kind) => [`where the disk holds ${kind}`, [holds(kind)], {}, 'disk_holds_data', 'uefi'] as const,
    ),
    ['where the disk cannot be read', [holds('unreadable')], {}, 'disk_unreadable', 'uefi'],
    ['where the disk is too small', [disk('sda', { sizeBytes: GIB })], {}, 'disk_too_small', 'uefi'],
    ['where the parts need more than the disk', [disk('sda')], { swap: '101GiB' }, 'disk_too_small', 'uefi'],
    [
      'where the root is too small to hold a system',
      [disk('sda')],
      { root: { size: '500MiB' } },
      'root_too_small',
      'uefi',
    ],
    [
      'where an MBR would have five partitions',
      [disk('sda')],
      {
        table: 'mbr',
        swap: '1GiB',
        root: { size: '9GiB' },
        lvm: {},
        partitions: [
          { name: 'a', size: '1GiB', mount: '/a' },
          { name: 'b', size: '1GiB', mount: '/b' },
        ],
      },
      'mbr_too_many',
      'bios',
    ],
    [
      'where an MBR would not reach the end',
      [disk('sda', { sizeBytes: 3 * 2 ** 40 })],
      { table: 'mbr' },
      'mbr_too_large',
      'bios',
    ],
    [
      'where the volumes need more than the group',
      [disk('sda')],
      { root: { size: '20GiB' }, lvm: { volumes: [{ name: 'var', size: '90GiB', mount: '/var' }] } },
      'volumes_too_large',
      'uefi',
    ],
    [
      'where a disk that stays has a volume group of that name',
      [disk('sda'), disk('sdb', { holds: [{ kind: 'lvm', where: 'sdb1', group: 'data' }] })],
      { root: { size: '20GiB' }, lvm: {} },
      'group_taken',
      'uefi',
    ],
    [
      'where extlinux would have to start from UEFI',
      [disk('sda')],
      { bootLoader: 'extlinux' },
      'no_extlinux_on_uefi',
      'uefi',
    ],
  ];
  for (const [name, disks, more, cause, firmware] of cases)
    test(name, () => {
      const given = facts(disks, firmware === 'bios' ? 'bios' : 'uefi');
      const refused = planDisks({ facts: given, layout: layout(more), identity: 'i' });
      assert.ok(isRefusal(refused), JSON.stringify(refused));
      assert.equal(refused.refused, cause);
      assert.doesNotMatch(refused.message + refused.remedy, /[{}]/, 'a fact was not filled in');
    });

  test('where extents and a mirror’s own data take what the volumes need', () => {
    const volumes = (size: string, count: number): object => ({
      root: { size: '20GiB' },
      lvm: {
        volumes: Array.from({ length: count }, (_, at) => ({ name: `v${at}`, size, mount: `/v${at}` })),
      },
    });
    const planOf = (more: object): RefusalCause | undefined => {
      const given = facts([disk('sda', { sizeBytes: 32 * GIB }), disk('sdb', { sizeBytes: 32 * GIB })]);
      const plan = planDisks({ facts: given, layout: layout(more), identity: 'i' });
      return isRefusal(plan) ? plan.refused : undefined;
    };
    const left = 32 * 1024 - 2 - 512 - 20 * 1024;
    assert.equal(planOf(volumes(`${left - 10}MiB`, 1)), undefined);
    assert.equal(planOf(volumes(`${left - 9}MiB`, 1)), 'volumes_too_large');
    assert.equal(planOf(volumes('364MiB', 32)), undefined);
    assert.equal(planOf(volumes('365MiB', 32)), 'volumes_too_large', 'each takes 368 MiB');
    const mirrored = { disks: [{ serial: 'S-sda' }, { serial: 'S-sdb' }] };
    assert.equal(planOf({ ...volumes(`${left - 10}MiB`, 1), ...mirrored }), 'volumes_too_large');
    assert.equal(planOf({ ...volumes(`${left - 138}MiB`, 1), ...mirrored }), undefined);
  });

  test('where the image does not fit', () => {
    const refused = planDisks({
      facts: SDA,
      layout: layout({ root: { size: '10GiB' } }),
      identity: 'i',
      imageBytes: 10 * GIB,
    });
    assert.ok(isRefusal(refused) && refused.refused === 'root_too_small');
  });

  test('but where the disk is named that may be erased', () => {
    for (const name of ['S-sda', '0x5000c500sda'])
      assert.equal(planned(facts([holds('lvm')]), layout({ mayErase: [name] })).disks[0]?.name, 'sda');
    const other = planDisks({
      facts: facts([holds('lvm')]),
      layout: layout({ mayErase: ['S-sdb'] }),
      identity: 'i',
    });
    assert.ok(isRefusal(other));
  });
});

test('a layout that contradicts itself names the field', () => {
  const cases: readonly (readonly [object, string])[] = [
    [{ disks: [] }, 'disks'],
    [{ disks: [{}] }, 'disks.0'],
    [{ lvm: {} }, 'root.size'],
    [{ swap: '4GB' }, 'swap'],
    [
      {
        partitions: [
          { name: 'a', size: '1GiB', mount: '/a' },
          { name: 'b', size: '1GiB', mount: '/a' },
        ],
      },
      'partitions',
    ],
    [{ partitions: [{ name: 'a', size: '1GiB', mount: '/../etc' }] }, 'partitions.0.mount'],
    [{ partitions: [{ name: '-rf', size: '1GiB', mount: '/a' }] }, 'partitions.0.name'],
    [{ partitions: [{ name: 'root', size: '1GiB', mount: '/root' }] }, 'partitions'],
    [{ partitions: [{ name: 'efi', size: '1GiB', mount: '/boot/efi' }] }, 'partitions'],
    [
      {
        root: { size: '9GiB' },
        lvm: { volumes: [{ name: 'swap', size: '1GiB', mount: '/s' }] },
      },
      'partitions',
    ],
    [
      {
        root: { size: '9GiB' },
        lvm: {},
        partitions: [{ name: 'data', size: '1GiB', mount: '/d' }],
      },
      'lvm.group',
    ],
    [{ root: { size: '9GiB' }, lvm: { group: 'root' } }, 'lvm.group'],
    [{ disks: [{ serial: 'a' }, { serial: 'b' }], table: 'mbr', bootLoader: 'extlinux' }, 'bootLoader'],
    [{ unknown: 1 }, ''],
  ];
  for (const [more, field] of cases) {
    const { error } = DiskLayout.safeParse({ disks: [{ serial: 'x' }], ...more });
    assert.equal(error?.issues[0]?.path.join('.'), field, JSON.stringify(more));
  }
});

test('no two partitions of a plan overlap, and none leaves the disk', () => {
  const Mebibytes = fc.integer({ min: 1, max: 40_000 }).map((count) => `${count}MiB`);
  fc.assert(
    fc.property(
      fc.record({
        sizeBytes: fc.integer({ min: 1, max: 200 * GIB }),
        firmware: fc.constantFrom('bios', 'uefi'),
        table: fc.constantFrom('gpt', 'mbr'),
        swap: fc.option(Mebibytes, { nil: undefined }),
        root: fc.option(Mebibytes, { nil: undefined }),
        isGrouped: fc.boolean(),
      }),
      ({ sizeBytes, firmware, table, swap, root, isGrouped }) => {
        const laidOut = layout({
          table,
          ...(swap === undefined ? {} : { swap }),
          ...(root === undefined ? {} : { root: { size: root }, ...(isGrouped ? { lvm: {} } : {}) }),
        });
        const plan = planDisks({
          facts: facts([disk('sda', { sizeBytes })], firmware),
          layout: laidOut,
          identity: 'i',
        });
        if (isRefusal(plan)) return;
        let end = 2 ** 20;
        for (const { startBytes, lengthBytes } of plan.disks[0]?.partitions ?? []) {
          assert.ok(startBytes >= end && startBytes % 2 ** 20 === 0 && lengthBytes > 0);
          end = startBytes + lengthBytes;
        }
        assert.ok(end <= sizeBytes - 34 * 512, 'the second table of a GPT has its place');
      },
    ),
  );
});

test('a plan can be read before it runs', () => {
  const laidOut = layout({
    swap: '1GiB',
    root: { size: '20GiB' },
    lvm: { volumes: [{ name: 'var', size: '10GiB', mount: '/var' }] },
  });
  const given = facts([disk('sda', { holds: [{ kind: 'filesystem', where: 'sda1' }] })]);
  assert.equal(
    planText(planned(given, laidOut)),
    [
      'sda (QEMU HARDDISK, serial S-sda, WWN 0x5000c500sda) of 100 GiB, GPT, UEFI, grub',
      '  1  512 MiB    esp          vfat at /boot/efi',
      '  2  1 GiB      swap         swap',
      '  3  20 GiB     root         ext4 at /',
      '  4  78.5 GiB   data         volume group data',
      '  data/var  10 GiB  ext4 at /var',
      'Lost for good:',
      '  filesystem on sda1',
    ].join('\n'),
  );
});

test('a plan for the image of a disk tells the disk, and no partitions', () => {
  const given = facts([disk('sda', { holds: [{ kind: 'filesystem', where: 'sda1' }] })]);
  assert.equal(
    planText(planned(given, layout({ root: { size: '20GiB' }, lvm: {} })), true),
    [
      'sda (QEMU HARDDISK, serial S-sda, WWN 0x5000c500sda) of 100 GiB, written over from its beginning by the image of a disk',
      'Lost for good:',
      '  filesystem on sda1',
    ].join('\n'),
  );
});
