import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EfiFacts } from '../../inspect/efi-variables.ts';
import { debian, mirror, one, orderOf, planOf, viewOf } from '../testing/new-machine.ts';
import {
  efiStub,
  extlinuxConfig,
  grubDefaults,
  isUsableMenu,
  mkconfigCommand,
  ownMenu,
  rootUuid,
  systemArguments,
} from './boot-config.ts';
import { bootOrderWith, createCommand, LOADERS, staleEntries } from './efi-boot.ts';
import { hasModule, initramfsCommand, kernelRelease, kernelsIn } from './kernels.ts';
import { diskLack, machineLack } from './needs.ts';

const DEP = 'kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko\n';

describe('kernels of an image', () => {
  test('are those that have their modules, the newest first', () => {
    const view = viewOf({
      '/boot/vmlinuz-6.1.0-9-amd64': '',
      '/boot/vmlinuz-6.1.0-44-amd64': '',
      '/boot/vmlinuz-0-rescue-abc': '',
      '/boot/vmlinuz-5.10.0': '',
      '/boot/config-6.1.0-9-amd64': '',
      '/lib/modules/6.1.0-9-amd64/modules.dep': DEP,
      '/usr/lib/modules/6.1.0-44-amd64/modules.dep': DEP,
      '/lib/modules/0-rescue-abc/modules.dep': DEP,
    });
    assert.deepEqual(kernelsIn(view), [
      {
        release: '6.1.0-44-amd64',
        image: '/boot/vmlinuz-6.1.0-44-amd64',
        initramfs: '/boot/initramfs-6.1.0-44-amd64.img',
      },
      {
        release: '6.1.0-9-amd64',
        image: '/boot/vmlinuz-6.1.0-9-amd64',
        initramfs: '/boot/initramfs-6.1.0-9-amd64.img',
      },
    ]);
  });

  test('have drivers as modules, compressed or not, or in themselves', () => {
    const view = viewOf({
      '/lib/modules/6/modules.dep': `${DEP}kernel/drivers/md/dm-mod.ko.xz:\nkernel/fs/xfs/xfs.ko.zst: kernel/lib/crc.ko\n`,
      '/lib/modules/6/modules.builtin': 'kernel/drivers/md/raid1.ko\n',
    });
    const found = ['ext4', 'dm_mod', 'xfs', 'raid1', 'vfat', 'fs', 'raid10'].filter((name) =>
      hasModule(view, '6', name),
    );
    assert.deepEqual(found, ['ext4', 'dm_mod', 'xfs', 'raid1']);
    assert.equal(hasModule(view, '7', 'ext4'), false);
  });

  test('say their release in their own header', () => {
    const image = Buffer.alloc(0x4000);
    image[0x1f1] = 30;
    image.write('HdrS', 0x202, 'latin1');
    image.writeUInt16LE(0x3000 - 0x200, 0x20e);
    image.write('6.1.0-44-amd64 (debian-kernel@lists) #1\0', 0x3000, 'latin1');
    assert.equal(kernelRelease(image), '6.1.0-44-amd64');
    assert.equal(kernelRelease(image.subarray(0, 0x300)), undefined);
    const outside = Buffer.from(image);
    outside.writeUInt16LE(0xf000, 0x20e);
    assert.equal(kernelRelease(outside), undefined);
    assert.equal(kernelRelease(Buffer.from('no kernel')), undefined);
  });

  test('get their initramfs by what the image has', () => {
    const kernel = { release: '6', image: '', initramfs: '/boot/i' };
    assert.equal(initramfsCommand(viewOf({}), kernel), undefined);
    assert.equal(initramfsCommand(viewOf({ '/usr/bin/dracut': '' }), kernel)?.[0], 'dracut');
    assert.equal(initramfsCommand(viewOf(debian), kernel)?.[0], 'update-initramfs');
  });
});

describe('the menu', () => {
  const plan = planOf(one);
  const uuid = rootUuid(plan);
  const kernels = kernelsIn(viewOf(debian));
  const line = `\tlinux\t/boot/vmlinuz-6 root=UUID=${uuid} ro`;
  const menus: readonly (readonly [name: string, menu: string, isUsable: boolean])[] = [
    ['of Debian', `menuentry 'x' {\n${line}\n}`, true],
    ['of CentOS 7', `linux16 /vmlinuz-3 root=UUID=${uuid} ro`, true],
    ['with a kernel name of the disk', '\tlinux /boot/vmlinuz root=/dev/vda1', false],
    ['with another root', '\tlinux /boot/vmlinuz root=UUID=1234', false],
    ['without a kernel', 'set timeout=1', false],
    ['of Fedora', `blscfg\n${line}`, false],
    ['for the EFI of Fedora', `linuxefi /vmlinuz root=UUID=${uuid}`, false],
  ];
  for (const [name, menu, expected] of menus)
    test(`${name} is ${expected ? '' : 'not '}usable`, () =>
      assert.equal(isUsableMenu(menu, uuid), expected));

  test('of our own names the root by UUID, and its arguments are words', () => {
    const menu = ownMenu(plan, kernels, ['console=ttyS0,115200n8', "it's;reboot"]);
    assert.match(
      menu,
      new RegExp(`linux /boot/vmlinuz-6\\.1\\.0-44-amd64 root=UUID=${uuid} ro console=ttyS0,115200n8 'it'`),
    );
    assert.match(menu, /initrd \/boot\/initrd\.img-6\.1\.0-44-amd64/);
    assert.equal(isUsableMenu(menu, uuid), true);
  });

  test('is looked for on the file system that holds /boot', () => {
    const apart = planOf(
      { ...one, root: { size: '8GiB' }, partitions: [{ name: 'boot', size: '1GiB', mount: '/boot' }] },
      'uefi',
    );
    const boot = apart.fileSystems.find(({ mount }) => mount === '/boot');
    assert.equal(
      efiStub(apart),
      `search.fs_uuid ${boot?.uuid} root\nset prefix=($root)/grub\nconfigfile $prefix/grub.cfg\n`,
    );
    assert.match(ownMenu(apart, kernels, []), /linux \/vmlinuz-6/);
    assert.equal(efiStub(planOf(one, 'uefi')).includes('prefix=($root)/boot/grub'), true);
    assert.match(
      extlinuxConfig(apart, kernels, ['quiet']),
      /LINUX \/vmlinuz-6.*\n {2}INITRD .*\n {2}APPEND root=UUID=\S+ ro quiet/,
    );
  });

  test('that the image writes takes our arguments, now and later', () => {
    const [change] = grubDefaults(viewOf({ ...debian, '/etc/default/grub': '' }), ['a="$x"']);
    assert.ok(change?.kind === 'file' && change.path === '/etc/default/grub.d/bootswarm.cfg');
    assert.match(change.content, /^GRUB_CMDLINE_LINUX="a=\\"\\\$x\\""$/m);
    const [other] = grubDefaults(
      viewOf({ '/etc/default/grub': 'GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX="rhgb"\nGRUB_X=1\n' }),
      [],
    );
    assert.ok(other?.kind === 'file' && other.path === '/etc/default/grub');
    assert.match(other.content, /^GRUB_X=1\n#/);
    assert.doesNotMatch(other.content, /rhgb/);
    assert.deepEqual(grubDefaults(viewOf(debian), []), []);
    assert.equal(mkconfigCommand(viewOf(debian)), undefined);
  });

  test('tells dracut to put mirrors and groups together', () => {
    assert.deepEqual(systemArguments(viewOf({}), planOf(mirror), ['quiet']), ['rd.auto=1', 'quiet']);
    assert.deepEqual(systemArguments(viewOf({}), planOf(one), ['quiet']), ['quiet']);
    assert.deepEqual(systemArguments(viewOf(debian), planOf(mirror), []), []);
  });
});

describe('boot entries of the firmware', () => {
  const entry = (
    number: string,
    kind: 'network' | 'disk' | 'other',
    label = 'x',
  ): EfiFacts['bootOrder'][number] => ({
    number,
    label,
    isActive: true,
    kind,
  });
  const cases: readonly (readonly [name: string, before: EfiFacts['bootOrder'], expected: string])[] = [
    [
      'behind the network where that is first',
      [entry('0001', 'network'), entry('0002', 'network'), entry('0003', 'disk')],
      '0001 0002 N 0003',
    ],
    ['first where the network is not', [entry('0003', 'disk'), entry('0001', 'network')], 'N 0003 0001'],
    ['last where there is nothing but network', [entry('0001', 'network')], '0001 N'],
    ['alone where there is nothing', [], 'N'],
    ['once where the firmware put it in by itself', [entry('N', 'disk'), entry('0001', 'other')], 'N 0001'],
  ];
  for (const [name, before, expected] of cases)
    test(`stand ${name}`, () => assert.equal(bootOrderWith(before, ['N']).join(' '), expected));

  test('of an installation before go, and no others', () => {
    const bootOrder = [entry('0001', 'disk', 'Bootswarm'), entry('0002', 'disk', 'Windows')];
    assert.deepEqual(staleEntries({ bootOrder }, ['Bootswarm']), ['0001']);
  });

  test('are made for shim, without a place in the order', () => {
    assert.deepEqual(
      createCommand({ label: 'Bootswarm', disk: '/dev/vda', partition: 1, loader: LOADERS.own }),
      [
        ...['efibootmgr', '--create-only', '--disk', '/dev/vda', '--part', '1', '--label', 'Bootswarm'],
        ...['--loader', '\\EFI\\bootswarm\\shimx64.efi'],
      ],
    );
  });
});

describe('what an image lacks', () => {
  const without = (path: string): Readonly<Record<string, string>> =>
    Object.fromEntries(Object.entries(debian).filter(([each]) => each !== path));
  type Files = Readonly<Record<string, string>>;
  const cases: readonly (readonly [
    name: string,
    files: Files,
    given: Parameters<typeof orderOf>,
    lacks: string | undefined,
  ])[] = [
    ['nothing', debian, [], undefined],
    ['an init that is known', without('/lib/systemd/systemd'), [], 'systemd'],
    ['a program that fetches', without('/usr/bin/bash'), [], 'curl, wget, python3, bash'],
    [
      'a network',
      without('/lib/systemd/system/systemd-networkd.service'),
      [],
      'netplan, NetworkManager or systemd-networkd',
    ],
    ['cloud-init', debian, [{ userData: '#cloud-config' }], 'cloud-init'],
    ['a time zone', debian, [{ timezone: 'Europe/Berlin' }], 'time zone Europe/Berlin'],
    ['Salt', debian, [{ takeover: { kind: 'salt', master: 'm' } }], 'salt-minion'],
    [
      'Git for Ansible',
      { ...debian, '/usr/bin/ansible-pull': '' },
      [{ takeover: { kind: 'ansible-pull', url: 'u', playbook: 'p' } }],
      'git',
    ],
  ];
  for (const [name, files, given, lacks] of cases)
    test(`for its machine: ${name}`, () =>
      assert.equal(machineLack(viewOf(files), orderOf(...given).profile)?.lacks, lacks));

  const disks: readonly (readonly [name: string, files: Files, layout: object, lacks: string | undefined])[] =
    [
      ['nothing', debian, one, undefined],
      ['mdadm', debian, mirror, 'mdadm'],
      ['nothing for a mirror', { ...debian, '/usr/sbin/mdadm': '' }, mirror, undefined],
      ['LVM', debian, { ...one, root: { size: '4GiB' }, lvm: {} }, 'lvm2'],
      ['extlinux', debian, { ...one, bootLoader: 'extlinux' }, 'extlinux'],
      ['what makes an initramfs', without('/usr/sbin/update-initramfs'), one, 'initramfs-tools or dracut'],
      [
        'a driver of its root',
        { ...debian, '/lib/modules/6.1.0-44-amd64/modules.dep': DEP },
        { ...one, root: { fileSystem: 'xfs' } },
        'driver xfs of kernel 6.1.0-44-amd64',
      ],
    ];
  for (const [name, files, layout, lacks] of disks)
    test(`for its disks: ${name}`, () => {
      const view = viewOf(files);
      assert.equal(diskLack(view, kernelsIn(view), planOf(layout))?.lacks, lacks);
    });
});
