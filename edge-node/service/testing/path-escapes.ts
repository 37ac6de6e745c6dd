/** Targets that a traversal would reach, if any did. */
const TARGETS = ['etc/passwd', 'etc/shadow', 'proc/self/environ', 'state/data.mdb', 'undionly.kpxe/..'];
const UP = [
  '../',
  '..\\',
  '%2e%2e/',
  '%2e%2e%2f',
  '..%2f',
  '.%2e/',
  '%252e%252e%252f',
  '..%255c',
  '%2e%2e%5c',
  '..%c0%af',
  '%c0%ae%c0%ae/',
  '..;/',
  './../',
  '....//',
  '..//',
  '\u2025/',
  '..\u2215',
];
const HEADS = ['', '/', '//', '\\', '/./', '/firmware/', '/artefacts/', 'undionly.kpxe/'];
const TAILS = ['', '\0', '\0.efi', '%00', '%00.efi', '/', '/.', '#', '?x=.efi'];

/** Paths that try to leave a tree: dots, encodings, doubled slashes, NUL, backslashes, absolute names. */
export const PATH_ESCAPES: readonly string[] = [
  ...HEADS.flatMap((head) => UP.flatMap((up) => TARGETS.map((target) => head + up.repeat(6) + target))),
  ...UP.flatMap((up) => TAILS.map((tail) => `${up.repeat(3)}etc/passwd${tail}`)),
  ...TAILS.filter((tail) => tail !== '').map((tail) => `/etc/passwd${tail}`),
  '/etc/passwd',
  '//etc/passwd',
  'file:///etc/passwd',
  'C:\\boot.ini',
  '\\\\server\\share',
  '.',
  '..',
  '/',
  '',
  '__proto__',
  'constructor',
  'toString',
];
