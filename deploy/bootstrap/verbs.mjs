// What `npm run VERB` runs and which Debian packages it needs first. Plain JavaScript: the host's Node may
// be too old to read TypeScript.

/** To make a live image of Debian's packages. */
const build = ['debian-archive-keyring', 'gpg', 'mmdebstrap', 'squashfs-tools', 'zstd'];
/** To read the media of distributions, and to make some like them. */
const media = ['e2fsprogs', 'fdisk', 'libarchive-tools', 'xorriso'];
/** To make bootable media of a live image: an ISO and a raw disk. */
const bootable = ['e2fsprogs', 'fdisk', 'grub-common', 'grub-pc-bin', 'mtools', 'xorriso'];
/** To make the mini image, beside what a live image takes. */
const mini = ['binutils', 'xz-utils'];
/** To serve machines: the iPXE binaries. */
const serve = ['ipxe'];
/** To lay segments, relays and machines on this host. */
const lab = [
  'dnsmasq-base',
  'iproute2',
  'isc-dhcp-relay',
  'nftables',
  'ovmf',
  'procps',
  'qemu-system-x86',
  'tcpdump',
];
/** Clients of other people that the tests speak to. */
const peers = [
  'aria2',
  'atftp',
  'busybox',
  'libarchive-tools',
  'cpio',
  'curl',
  'ipmitool',
  'isc-dhcp-client',
  'openipmi',
  'openssh-client',
  'python3-libtorrent',
  'tftp-hpa',
  'transmission-cli',
  'udhcpc',
];

/** More of them, for the matrix; none of these packages starts a daemon. */
const morePeers = ['dhcpcd-base'];
/** What machines with Secure Boot load. */
const secureBoot = ['grub-efi-amd64-signed', 'shim-signed'];

/** What the benchmarks measure against. */
const rivals = [
  ...['aria2', 'curl', 'dnsmasq-base', 'kea-admin', 'kea-dhcp4-server', 'nginx-light', 'opentracker'],
  ...['python3-libtorrent', 'tftpd-hpa', 'udpcast', 'wrk'],
];

export const verbs = {
  start: { program: 'deploy/all-in-one/main.ts', debian: serve },
  demo: { program: 'test/boot/demo.ts', debian: [...build, ...mini, ...serve, ...lab] },
  test: {
    program: 'deploy/bootstrap/checks.ts',
    args: ['all'],
    debian: [...build, ...mini, ...media, ...bootable, ...serve, ...secureBoot, ...lab, ...peers],
  },
  interop: {
    program: 'test/interop/main.ts',
    debian: [...serve, ...secureBoot, ...lab, ...peers, ...morePeers],
  },
  bench: { program: 'test/bench/main.ts', debian: [...build, ...mini, ...serve, ...lab, ...rivals] },
  check: { program: 'deploy/bootstrap/checks.ts', args: ['fast'], debian: [] },
  bootswarm: { program: 'controller/cli/main.ts', debian: [] },
  controller: { program: 'controller/server/main.ts', debian: [] },
  edge: { program: 'edge-node/service/main.ts', debian: serve },
};
