import { defineProblems } from '@bootswarm/images/format';

const LOOK_AGAIN =
  'Name the three files with --kernel, --initramfs and --root (paths on the medium), or import another medium.';
const FETCH_AGAIN = 'The copy is incomplete or damaged: fetch the medium again and compare its SHA-256.';

/** Everything that can go wrong between a medium made elsewhere and a build folder. */
export const problem = defineProblems({
  import_unreadable: {
    status: 422,
    message: 'cannot read {source}: {reason}',
    remedy:
      'Name an ISO, a folder with what an ISO holds, a netboot.tar.gz, a disk image, or the http address of one of them.',
  },
  import_unknown: {
    status: 422,
    message:
      '{source} has no layout that is known here. Found at its top: {found}. Looked for:\n  {lookedFor}',
    remedy: LOOK_AGAIN,
  },
  import_missing: {
    status: 422,
    message: '{source} looks like {layout}, but has no {what}; looked for {patterns}',
    remedy: LOOK_AGAIN,
  },
  import_ambiguous: {
    status: 422,
    message: '{source} looks like {layout}, and has several files that could be the {what}: {found}',
    remedy: 'Say which one with --{role} PATH.',
  },
  import_no_such_file: {
    status: 422,
    message: 'there is no file {path} in {source}',
    remedy: 'Give its path on the medium, such as live/vmlinuz.',
  },
  import_link_outside: {
    status: 422,
    message: '{path} is a symbolic link that leads out of {source}',
    remedy: 'Do not trust this medium. If it is a folder of your own, put the file itself there.',
  },
  import_style_unclear: {
    status: 422,
    message:
      'the initramfs {path} belongs to no live system that is known here; looked in it for {lookedFor}',
    remedy: 'Take the initramfs of the live medium, not that of an installed system.',
  },
  iso_not_one: {
    status: 422,
    message: '{source} holds no ISO 9660 file system',
    remedy:
      'Name an ISO image. Media with a UDF file system alone must be mounted first: then name the mount point.',
  },
  iso_truncated: {
    status: 422,
    message: '{source} is truncated: {path} ends at byte {end}, and the file has {length}',
    remedy: FETCH_AGAIN,
  },
  iso_scattered: {
    status: 422,
    message: '{path} in {source} does not lie in one piece',
    remedy: 'Mount the ISO and import the mount point.',
  },
  medium_too_large: {
    status: 422,
    message: '{source} holds more than {most} files',
    remedy: 'Name a folder that holds one medium.',
  },
  archive_invalid: {
    status: 422,
    message: '{source} is not a tar archive that can be read: {reason}',
    remedy: FETCH_AGAIN,
  },
  tool_missing: {
    status: 500,
    message: 'the program {tool} is not on this host',
    remedy: 'Install it: apt install {package}',
  },
  tool_failed: {
    status: 422,
    message: '{tool} could not read {source}: {reason}',
    remedy: FETCH_AGAIN,
  },
  kernel_not_one: {
    status: 422,
    message: '{path} is not a Linux kernel: it has neither the header of x86 (HdrS) nor of arm64 (ARM\\x64)',
    remedy: LOOK_AGAIN,
  },
  kernel_other_architecture: {
    status: 422,
    message: '{path} is a kernel for {found}, and the release is to be for {wanted}',
    remedy: 'Give --architecture {found}, or import the medium for {wanted}.',
  },
  kernel_not_64_bit: {
    status: 422,
    message: '{path} is a kernel for 32-bit x86',
    remedy: 'Import the medium for amd64 or arm64.',
  },
  initramfs_unreadable: {
    status: 422,
    message: '{path} is not an initramfs that can be read: {reason}',
    remedy: FETCH_AGAIN,
  },
  initramfs_cannot: {
    status: 422,
    message: 'the initramfs {path} cannot {purpose}: it lacks {missing}',
    remedy: '{remedy}',
  },
  root_not_squashfs: {
    status: 422,
    message: '{path} is not a squashfs: {reason}',
    remedy: FETCH_AGAIN,
  },
  root_erofs: {
    status: 422,
    message: '{path} is an EROFS, and only roots in a squashfs are taken so far',
    remedy: 'Import a medium with a squashfs, such as that of an earlier release.',
  },
  root_unclear: {
    status: 422,
    message:
      '{path} holds neither a root file system nor LiveOS/rootfs.img or LiveOS/ext3fs.img; at its top: {found}',
    remedy: 'Import the medium whose machines boot into this file.',
  },
  classic_impossible: {
    status: 422,
    message: 'a classic pair cannot be packed: {reason}',
    remedy: 'Leave out --classic, or import a live medium of Debian, Fedora or CentOS.',
  },
  disk_image_format: {
    status: 422,
    message: '{source} is in the format {format}; disk images are taken raw or under zstd',
    remedy: 'Convert it first: {command}',
  },
  disk_image_not_one: {
    status: 422,
    message: '{source} is no image of a disk: its first sector is no boot sector',
    remedy: 'Give the image of a whole disk, with its partition table.',
  },
  disk_image_broken: {
    status: 422,
    message: '{source} cannot be unpacked: {reason}',
    remedy: FETCH_AGAIN,
  },
  disk_image_options: {
    status: 422,
    message: '{source} is a disk image, for which {option} means nothing',
    remedy: 'Leave the option out. Kernel arguments of an installed system are in the image.',
  },
  download_refused: {
    status: 422,
    message: '{url} cannot be fetched: {reason}',
    remedy: 'Give an http or https address that leads to the file itself.',
  },
  download_broken: {
    status: 502,
    message: '{url} broke off after {bytes} bytes, {tries} times: {reason}',
    remedy: 'Run the same command again: it goes on from {file}.',
  },
  download_too_large: {
    status: 422,
    message: '{url} is larger than {most} bytes',
    remedy: 'Check the address, or allow more with --max-gigabytes.',
  },
  checksum_differs: {
    status: 422,
    message: 'the SHA-256 of {source} is {found}, not {expected}',
    remedy: 'Check both: the file is damaged, has been replaced, or the checksum is that of another one.',
  },
});
