import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { digestOf, type Manifest } from '@bootswarm/images/format';
import type { ServedRelease } from './install-edge.ts';

const BALLAST_BYTES = 24 * 2 ** 20;
const LIBRARIES = 'usr/lib/x86_64-linux-gnu';
/** What finds a disk of QEMU and its network, in the order in which they need each other. */
const DRIVERS = [
  ...['virtio/virtio_ring', 'virtio/virtio', 'virtio/virtio_pci_legacy_dev', 'virtio/virtio_pci_modern_dev'],
  ...['virtio/virtio_pci', 'block/virtio_blk'],
].map((name) => `drivers/${name}`);
const NETWORK = ['net/core/failover', 'drivers/net/net_failover', 'drivers/net/virtio_net'];

/** In its initramfs: finds the root that the kernel was told, and hands over. */
const FIND_ROOT = `#!/bin/sh
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
for driver in $(cat /drivers); do insmod "/lib/modules/$driver.ko"; done
wanted=$(sed 's/.*root=\\([^ ]*\\).*/\\1/' /proc/cmdline)
until device=$(findfs "$wanted" 2>/dev/null); do sleep 1; done
mount -t ext4 "$device" /root && exec switch_root /root /sbin/init
echo "SAID no root"
sleep 1000
`;

/** The whole system: it tells what it is made of, that it is whole, and that it is up. */
const INIT = `#!/bin/sh
export PATH=/usr/sbin:/usr/bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmpfs /run
for driver in $(cat /usr/share/network-drivers); do insmod "$driver"; done
echo; echo "SAID host $(cat /etc/hostname)"
cd /; sha256sum -c -s /usr/share/sums && echo "SAID sums right" || echo "SAID sums WRONG"
ip link set lo up; ip link set eth0 up; ip address add 10.0.2.15/24 dev eth0; ip route add default via 10.0.2.2
[ ! -x /usr/local/sbin/bootswarm-first-boot ] || timeout 60 /usr/local/sbin/bootswarm-first-boot
echo "SAID end"
sync
while :; do sleep 1000; done
`;

/**
 * A system that is as small as one can be that the agent installs: a kernel, a shell, and bytes whose hashes it checks at
 * each boot. What is big in other images only makes faults wait.
 * @param image a folder of `bootswarm image build`, whose kernel and shell it takes.
 */
export async function buildSmallSystem(image: string, folder: string): Promise<ServedRelease> {
  const root = join(folder, 'small-root');
  const squashfs = join(image, 'root.squashfs');
  const run = promisify(execFile);
  const listed = await run('unsquashfs', ['-l', '-d', '', squashfs, 'usr/lib/modules'], {
    maxBuffer: 2 ** 24,
  });
  const kernel = /^\/usr\/lib\/modules\/([^/\n]+)\/modules\.dep$/m.exec(listed.stdout)?.[1];
  if (kernel === undefined) throw new Error(`no kernel in ${squashfs}`);
  const modules = `usr/lib/modules/${kernel}`;
  const wanted = [
    ...['usr/bin/busybox', 'usr/bin/bash', 'usr/lib64/ld-linux-x86-64.so.2'],
    ...['usr/bin/extlinux', 'usr/lib/EXTLINUX'],
    ...['libc.so.6', 'libresolv.so.2', 'libtinfo.so.6*', 'ld-linux-x86-64.so.2'].map(
      (name) => `${LIBRARIES}/${name}`,
    ),
    ...['dep', 'builtin', 'order'].map((name) => `${modules}/modules.${name}`),
    ...[...DRIVERS, ...NETWORK].map((name) => `${modules}/kernel/${name}.ko`),
  ];
  await run('unsquashfs', ['-quiet', '-no-progress', '-dest', root, squashfs, ...wanted]);

  const put = (path: string, content: string | Uint8Array, mode = 0o644): void => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), content, { mode });
  };
  const busybox = ['sh', 'mount', 'sed', 'sleep', 'insmod', 'cat', 'findfs', 'switch_root', 'sha256sum'];
  const more = ['ip', 'timeout', 'sync', 'tail', 'rm', 'cp', 'mkdir', 'chroot', 'ln'];
  const links = [...busybox, ...more].map((name) => `ln -s busybox usr/bin/${name}`);
  const layout = [
    'mkdir -p proc sys dev run tmp root etc/systemd/network boot usr/sbin',
    'ln -s usr/bin bin; ln -s usr/sbin sbin; ln -s usr/lib lib; ln -s usr/lib64 lib64',
    ...links,
    // The archive of the first root: the same shell and libraries.
    `mkdir -p initramfs/lib/modules initramfs/proc initramfs/sys initramfs/dev initramfs/root`,
    `cp -a bin lib64 initramfs; mkdir -p initramfs/usr; cp -a usr/bin usr/lib64 initramfs/usr`,
    `mkdir -p initramfs/${LIBRARIES}; cp -a ${LIBRARIES}/. initramfs/${LIBRARIES}`,
    `rm -rf initramfs/lib; mkdir initramfs/usr/lib/modules; ln -s usr/lib initramfs/lib`,
    ...DRIVERS.map((name) => `cp ${modules}/kernel/${name}.ko initramfs/usr/lib/modules/`),
    `cp -a ${join(image, 'vmlinuz')} boot/vmlinuz-${kernel}`,
  ];
  await run('sh', ['-ec', layout.join('\n')], { cwd: root });
  put('initramfs/init', FIND_ROOT, 0o755);
  put('initramfs/drivers', `${DRIVERS.map((name) => name.split('/').at(-1)).join('\n')}\n`);
  const pack = 'mkdir -p usr/share; (cd initramfs && find . | cpio --quiet -o -H newc) >usr/share/initramfs';
  await run('sh', ['-ec', `${pack}; rm -r initramfs`], { cwd: root });
  put('etc/os-release', 'ID=small\nNAME=Small\nVERSION_ID=1\n');
  put('usr/sbin/init', INIT, 0o755);
  put('usr/share/network-drivers', NETWORK.map((name) => `/${modules}/kernel/${name}.ko\n`).join(''));
  // What the agent wants of an image: systemd is never started.
  put('usr/lib/systemd/systemd', '');
  put('usr/lib/systemd/system/systemd-networkd.service', '');
  put('usr/sbin/update-initramfs', '#!/bin/sh\ncp /usr/share/initramfs "/boot/initrd.img-$3"\n', 0o755);
  put('usr/share/ballast', randomBytes(BALLAST_BYTES));
  await run('sh', ['-ec', 'find usr/share usr/bin -type f | xargs sha256sum >sums; mv sums usr/share/'], {
    cwd: root,
  });

  const out = join(folder, 'small');
  mkdirSync(out);
  const flags = [
    '-quiet',
    '-no-progress',
    '-all-root',
    '-comp',
    'zstd',
    '-Xcompression-level',
    '1',
    '-processors',
    '1',
  ];
  await run('mksquashfs', [root, join(out, 'root.squashfs'), ...flags]);
  rmSync(root, { recursive: true });
  await run('cp', [join(image, 'vmlinuz'), join(image, 'initrd.img'), out]);
  const roles = { 'root.squashfs': 'root', vmlinuz: 'kernel', 'initrd.img': 'initramfs' } as const;
  const artefacts: Manifest['artefacts'] = [];
  for (const name of readdirSync(out).toSorted()) {
    const { pieceBytes, pieces, length, sha256 } = await digestOf(createReadStream(join(out, name)));
    const role = roles[name as keyof typeof roles];
    artefacts.push({ role, name, length, sha256, pieceBytes, pieces: [...pieces] });
  }
  const manifest: Manifest = {
    format: 1,
    name: 'small',
    version: '1',
    architecture: 'amd64',
    bootStyle: 'live-boot',
    kernelArguments: ['boot=live'],
    artefacts,
  };
  return { manifest, folder: out };
}
