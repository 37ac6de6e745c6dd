import { execFile } from 'node:child_process';
import { appendFileSync, copyFileSync, mkdirSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Lab, Process, Segment } from '../lab/index.ts';

const PACKAGES = ['lldpd', 'libsnmp40'];
/** lldpd drops its rights to this user, which its package would make. */
const USER = '_lldpd:x:990:990::/run/lldpd:/usr/sbin/nologin\n';
const GROUP = '_lldpd:x:990:\n';

/**
 * A switch at the other end of a cable: Debian's lldpd, which speaks on a port of the segment's bridge. Its packages are
 * fetched and not installed: a daemon that starts with this host is nobody's wish.
 * @param port a network interface of the segment. @throws where no mirror is reached.
 */
export async function startLldpd(
  lab: Lab,
  segment: Segment,
  port: string,
  description: string,
): Promise<Process> {
  const folder = `${lab.folder}/lldpd`;
  mkdirSync(folder);
  const steps = [
    `cd '${folder}' && apt-get download -qq ${PACKAGES.join(' ')} 2>&1`,
    'for package in *.deb; do dpkg-deb -x "$package" root; done',
  ];
  await promisify(execFile)('sh', ['-ec', steps.join('\n')]);
  for (const [file, line] of [
    ['passwd', USER],
    ['group', GROUP],
  ] as const) {
    copyFileSync(`/etc/${file}`, `${folder}/${file}`);
    appendFileSync(`${folder}/${file}`, line);
  }
  // Mounts of its own, which end with it.
  const inside = [
    `mount --bind '${folder}/passwd' /etc/passwd`,
    `mount --bind '${folder}/group' /etc/group`,
    'mount -t tmpfs tmpfs /run',
    'mkdir /run/lldpd',
    `export LD_LIBRARY_PATH='${folder}/root/usr/lib/x86_64-linux-gnu'`,
    `exec '${folder}/root/usr/sbin/lldpd' -d -I '${port}' -S '${description}' -u /run/lldpd.socket -L '${folder}/root/usr/sbin/lldpcli'`,
  ];
  const lldpd = await segment.start(['unshare', '-m', 'sh', '-ec', inside.join('\n')], { name: 'lldpd' });
  await lldpd.output.waitFor(/protocol LLDP enabled|lldpd should resume operations/, 20_000);
  return lldpd;
}
