import { defineProblems } from '@bootswarm/images/format';

/**
 * How an installation fails, beside refusals of the plan (images/install) and of the release (../problems.ts). The code
 * is the cause by which the machine's failure is known everywhere.
 */
export const problem = defineProblems({
  program_failed: {
    status: 500,
    message: '{what}: {program} ended with {how}. Its last lines: {lines}',
    remedy:
      'What a program says that runs for long is on the console of the machine, on its status page (port 8481) and in the log of its edge; of others these lines are all. Arming the intent anew starts from the beginning.',
  },
  program_missing: {
    status: 500,
    message: '{what}: this mini image has no {program}',
    remedy: "Build a mini image with it and publish it: 'bootswarm mini build'.",
  },
  release_another: {
    status: 409,
    message: '{wanted} was ordered, and the manifest is that of {found}',
    remedy: "Look at what the edge has: 'bootswarm edge list'. Nothing was written.",
  },
  release_not_installable: {
    status: 422,
    message: '{release} has neither a root nor a disk to install',
    remedy: "Name a live release in the profile: 'bootswarm image list'.",
  },
  disks_changed: {
    status: 409,
    message: 'just before they would have been written the disks are not those of the plan any more: {found}',
    remedy:
      'Look at the disks and their controller, and arm the intent anew. Nothing was written, but by hooks of a profile.',
  },
  disk_not_ready: {
    status: 500,
    message: '{device} did not appear within {seconds} s after {disk} was partitioned',
    remedy:
      'Read what the kernel says of that disk, which the agent sends to the log of its edge; it may be failing.',
  },
  memory_short: {
    status: 507,
    message: 'neither memory nor the root of the layout has room for the {length} bytes of {name}',
    remedy: 'Make the root larger by as much, or give the machine more memory.',
  },
  fetch_stalled: {
    status: 504,
    message: '{name} came no further than byte {received} of {length} within {minutes} min: {reason}',
    remedy:
      "Look whether the edge is up and has the release: 'bootswarm edge list'. A medium that cannot be read is written anew.",
  },
  root_full: {
    status: 507,
    message: 'the root has {size} bytes, and the image does not fit',
    remedy: 'Make root.size of the layout larger, or the image smaller.',
  },
  image_nested_missing: {
    status: 422,
    message: 'the squashfs of {release} holds neither a system nor one of {names}',
    remedy: 'Import the medium again, or build the image anew; its root is not one that is known here.',
  },
  image_root_not_found: {
    status: 422,
    message: 'no partition of the disk image of {release} holds a system with /etc/os-release',
    remedy: 'Publish a disk image whose root is ext4 or xfs, outside of volumes and encryption.',
  },
  disk_image_too_large: {
    status: 422,
    message: 'the disk image is larger than {disk}, which has {size} bytes',
    remedy: 'Choose a larger disk, or a smaller image.',
  },
  disk_image_one_disk: {
    status: 422,
    message: '{release} is an image of one disk, and the layout has two',
    remedy: 'Name one disk in the layout.',
  },
  disk_image_broken: {
    status: 422,
    message: 'the disk image of {release} cannot be unpacked: {reason}',
    remedy: 'Build it anew: raw, or raw under zstd.',
  },
  image_lacks: {
    status: 422,
    message: 'the image has no {lacks}, which {purpose} needs',
    remedy: 'Add it to the recipe of the image, or take that out of the profile.',
  },
  kernel_missing: {
    status: 422,
    message:
      'the image has no kernel in /boot, and that of the release is {release}, for which it has no modules',
    remedy: 'Install a kernel package in the image.',
  },
  hook_failed: {
    status: 422,
    message: 'hook {number} {when} the installation ended with {how}. Its last lines: {lines}',
    remedy: 'Correct the hook in the profile, and arm the intent anew.',
  },
  path_escapes: {
    status: 422,
    message: '{path} of the image leads out of it by too many links',
    remedy: 'Look at the links of that path in the image.',
  },
  read_back_differs: {
    status: 500,
    message: '{path} was read back from the disk with other bytes than were written',
    remedy: 'Replace the disk, or look at its cable and controller: it does not keep what it is given.',
  },
  disk_failed: {
    status: 500,
    message: '{what} failed on the disk: {reason}',
    remedy:
      'Read what the kernel says of that disk, which the agent sends to the log of its edge, and replace it or its cable.',
  },
  boot_entry_refused: {
    status: 500,
    message: 'the firmware takes no boot entry: {reason}',
    remedy: 'Free its variables in the setup of the machine. It may still boot by EFI/BOOT on the disk.',
  },
});
