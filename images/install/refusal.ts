/** Why nothing is written, and what to do: the causes of an install that fails before it begins. */
const REFUSALS = {
  disk_not_found: {
    message: 'no disk has {hints}; there is {found}',
    remedy:
      'Correct the hints of the layout, or look whether the disk is plugged in and seen by its controller.',
  },
  disk_ambiguous: {
    message: 'several disks have {hints}: {found}',
    remedy: 'Add a hint that only one of them has, such as its WWN or its place (byPath).',
  },
  disk_twice: {
    message: 'both hints of the mirror lead to {disk}',
    remedy: 'Give each half of the mirror a hint of its own.',
  },
  disk_twin: {
    message: '{disk} is there more than once: {found}',
    remedy: 'Leave one path to it, in the setup of its controller or on the fabric.',
  },
  disk_read_only: {
    message: '{disk} cannot be written',
    remedy: 'Look for a write-protect switch or a failing disk, or choose another one.',
  },
  disk_busy: {
    message: '{disk} is in use by the system that would write it',
    remedy: 'Boot the machine from the network, so that nothing runs from its disks.',
  },
  disk_holds_data: {
    message: "{disk} holds somebody's data: {what}",
    remedy: 'Choose another disk; or, if the data may go, wipe it, or name {name} under mayErase.',
  },
  disk_unreadable: {
    message: '{disk} may hold data, as {what} cannot be read',
    remedy:
      'Choose another disk, and look at this one and its cable; or, if its data may go, wipe it, or name {name} under mayErase.',
  },
  disk_too_small: {
    message: '{disk} has {size}, and the layout needs {needed}',
    remedy: 'Make the partitions smaller, or choose a larger disk.',
  },
  root_too_small: {
    message: 'the root gets {size}, and the image needs {needed}',
    remedy: 'Make root.size larger, or the image smaller.',
  },
  mbr_too_many: {
    message: 'an MBR has 4 partitions, and the layout needs {needed}',
    remedy: 'Take table gpt, or put volumes into lvm.',
  },
  mbr_too_large: {
    message: 'an MBR reaches 2 TiB, and {disk} has {size}',
    remedy: 'Take table gpt.',
  },
  no_extlinux_on_uefi: {
    message: 'extlinux starts from a BIOS, and the machine has UEFI',
    remedy: 'Take bootLoader grub for it, or set its firmware to legacy BIOS.',
  },
  group_taken: {
    message: 'volume group {group} is there already, on {disk}, which stays',
    remedy: 'Give the group of the layout another name (lvm.group), or wipe that disk.',
  },
  volumes_too_large: {
    message: 'the volumes need {needed}, and the group has {size}',
    remedy: 'Make the volumes smaller, or the root.',
  },
} as const;

export type RefusalCause = keyof typeof REFUSALS;

export interface Refusal {
  readonly refused: RefusalCause;
  readonly message: string;
  readonly remedy: string;
}

export function refusal(cause: RefusalCause, facts: Readonly<Record<string, string>>): Refusal {
  const fill = (text: string): string =>
    text.replace(/\{(\w+)\}/g, (hole, name: string) => facts[name] ?? hole);
  const { message, remedy } = REFUSALS[cause];
  return { refused: cause, message: fill(message), remedy: fill(remedy) };
}

export function isRefusal(value: object): value is Refusal {
  return 'refused' in value;
}
