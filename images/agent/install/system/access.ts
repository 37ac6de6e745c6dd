import type { FirstBoot } from '@bootswarm/controller/contract';
import { type Change, file, type SystemView } from './view.ts';

/** Who gets in as root, and by what. Other users are the image's. */
export function accessChanges(
  view: SystemView,
  { rootPasswordHash, sshKeys }: Pick<FirstBoot, 'rootPasswordHash' | 'sshKeys'>,
): readonly Change[] {
  const shadow = view.read('/etc/shadow');
  return [
    ...(shadow === undefined ? [] : [file('/etc/shadow', shadowWith(shadow, rootPasswordHash))]),
    ...(sshKeys.length === 0
      ? []
      : [file('/root/.ssh/authorized_keys', sshKeys.map((key) => `${key}\n`).join(''), 0o600)]),
  ];
}

/** shadow(5) with another hash of root's; the other lines stay as they are. */
export function shadowWith(shadow: string, hash: string): string {
  const lines = shadow.split('\n').filter((line) => line !== '');
  const root = lines.find((line) => line.startsWith('root:'));
  // Days since 1970 of the last change: empty, so that no ageing asks for another password.
  const [, , , ...rest] = (root ?? 'root:*::0:99999:7:::').split(':');
  const changed = ['root', hash, '', ...rest].join(':');
  return [changed, ...lines.filter((line) => line !== root), ''].join('\n');
}
