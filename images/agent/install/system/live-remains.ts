import { type Change, file, link, remove, type SystemView, unitIn } from './view.ts';

/** Units that set up a live session: users without passwords, a read-only root, a menu entry that installs. */
const LIVE_UNITS = [
  ...['live-config.service', 'casper.service', 'casper-md5check.service', 'casper-stop.service'],
  ...['livesys.service', 'livesys-late.service'],
];
/** By which live-boot and casper put all network drivers into an initramfs that has no more use for them. */
const INITRAMFS_HOOKS = ['live', 'casper'].map((name) => `/usr/share/initramfs-tools/hooks/${name}`);
const INIT_SCRIPTS = ['/etc/init.d', '/etc/rc.d/init.d'];

/**
 * What made the image a live one does nothing in an installed system. Most of it looks for its argument on the kernel's
 * command line, which is not there any more; units are masked all the same, and dracut leaves its live modules out.
 */
export function liveRemainsChanges(view: SystemView): readonly Change[] {
  const isThere = (unit: string): boolean =>
    unitIn(view, unit) !== undefined ||
    INIT_SCRIPTS.some((folder) => view.has(`${folder}/${unit.replace('.service', '')}`));
  return [
    ...LIVE_UNITS.filter(isThere).map((unit) => link(`/etc/systemd/system/${unit}`, '/dev/null')),
    ...INITRAMFS_HOOKS.filter((path) => view.has(path)).map(remove),
    ...(view.has('/etc/dracut.conf.d')
      ? [
          file(
            '/etc/dracut.conf.d/90-bootswarm.conf',
            'omit_dracutmodules+=" dmsquash-live dmsquash-live-autooverlay dmsquash-live-ntfs livenet "\n',
          ),
        ]
      : []),
    // A swap that the build host had would be waited for.
    ...(view.has('/etc/initramfs-tools')
      ? [file('/etc/initramfs-tools/conf.d/resume', 'RESUME=none\n')]
      : []),
    // Files that are written here have no labels of SELinux: the system gives them some at its first boot.
    ...(/^SELINUX=(enforcing|permissive)/m.test(view.read('/etc/selinux/config') ?? '')
      ? [file('/.autorelabel', '-F\n')]
      : []),
  ];
}
