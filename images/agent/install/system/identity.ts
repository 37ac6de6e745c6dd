import type { FirstBoot, InstallMachine } from '@bootswarm/controller/contract';
import { type Change, file, firstOf, link, remove, type SystemView } from './view.ts';

/** Under which the system is known: names, and none of the identities that the image was made with. */
export function identityChanges(
  view: SystemView,
  { hostname, domain }: Pick<InstallMachine, 'hostname' | 'domain'>,
): readonly Change[] {
  const fullName = domain === undefined ? hostname : `${hostname}.${domain}`;
  const names = fullName === hostname ? hostname : `${fullName} ${hostname}`;
  const hostKeys = view.list('/etc/ssh').filter((name) => name.startsWith('ssh_host_'));
  return [
    file('/etc/hostname', `${hostname}\n`),
    file(
      '/etc/hosts',
      [
        '127.0.0.1 localhost',
        `127.0.1.1 ${names}`,
        '::1 localhost ip6-localhost ip6-loopback',
        'ff02::1 ip6-allnodes',
        'ff02::2 ip6-allrouters',
        '',
      ].join('\n'),
    ),
    // Empty, and not away: machine-id(5) says that it is then made at boot, without a first boot's questions.
    file('/etc/machine-id', '', 0o444),
    ...(view.has('/var/lib/dbus') ? [link('/var/lib/dbus/machine-id', '/etc/machine-id')] : []),
    ...hostKeys.map((name) => remove(`/etc/ssh/${name}`)),
    ...[
      '/var/lib/systemd/random-seed',
      '/var/lib/systemd/credential.secret',
      '/etc/lvm/devices/system.devices',
    ]
      .filter((path) => view.has(path))
      .map(remove),
  ];
}

/** @returns undefined where the image has no such time zone. */
export function placeChanges(
  view: SystemView,
  { timezone, locale }: Pick<FirstBoot, 'timezone' | 'locale'>,
): readonly Change[] | undefined {
  const zone = `/usr/share/zoneinfo/${timezone}`;
  const isUtc = timezone === 'Etc/UTC';
  if (!isUtc && !view.has(zone)) return undefined;
  const localeFile = firstOf(view, ['/etc/default/locale', '/etc/locale.conf']);
  // Debian's PAM reads the one, systemd and everybody else the other.
  const localeFiles = view.has('/etc/debian_version')
    ? ['/etc/default/locale', ...(localeFile === '/etc/locale.conf' ? [localeFile] : [])]
    : ['/etc/locale.conf'];
  return [
    ...(view.has(zone) ? [link('/etc/localtime', `..${zone}`)] : []),
    ...(view.has('/etc/timezone') || view.has('/etc/debian_version')
      ? [file('/etc/timezone', `${timezone}\n`)]
      : []),
    ...localeFiles.map((path) => file(path, `LANG=${locale}\n`)),
  ];
}
