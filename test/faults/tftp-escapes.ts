/** Names that try to leave the tree, with what they would reach if any did. */
const TARGETS = [
  'etc/passwd',
  'etc/hostname',
  'proc/self/environ',
  'dev/zero',
  'root/.ssh/id_rsa',
  'usr/lib/ipxe/ipxe.iso',
  'var/lib/bootswarm/edge/state/data.mdb',
];
const UP = [
  '../',
  '..\\',
  '%2e%2e/',
  '%2e%2e%2f',
  '..%2f',
  '%252e%252e%252f',
  '..%5c',
  '..%c0%af',
  '%c0%ae%c0%ae/',
  '%uff0e%uff0e/',
  '..;/',
  './../',
  '....//',
  '..//',
  '.\u00ad./',
  '..\u00ff/',
];
const HEADS = [
  '',
  '/',
  '//',
  '\\',
  '/./',
  'pxelinux.cfg/',
  'grub/',
  'artefacts/',
  'firmware/',
  'snponly.efi/',
];
const TAILS = ['', '.efi', '%00', '%00.efi', '/', '/.', '#', '?x=.efi', '\u00ff'];

/** For TFTP, in Latin-1, without NUL, which ends a name. `secrets` are files of this host by their path. */
export function escapesTo(secrets: readonly string[]): readonly string[] {
  const targets = [...TARGETS, ...secrets.map((path) => path.replace(/^\//, ''))];
  return [
    ...HEADS.flatMap((head) => UP.flatMap((up) => targets.map((target) => head + up.repeat(8) + target))),
    ...targets.flatMap((target) =>
      TAILS.flatMap((tail) => [`/${target}${tail}`, `//${target}${tail}`, target + tail]),
    ),
    ...targets.map((target) => `file:///${target}`),
    ...targets.map((target) => `C:\\${target.replaceAll('/', '\\')}`),
    ...[
      '.',
      '..',
      '/',
      '\\',
      '*',
      '~',
      '~root/.bashrc',
      '__proto__',
      'constructor',
      '\\\\server\\share',
      '|id',
    ],
  ];
}
