import { defineProblems } from '@bootswarm/images/format';

const NAMED = "Look at 'bootswarm machine inspection MACHINE' and set the intent again.";

/** Why a machine was not wiped. */
export const problem = defineProblems({
  wipe_disk_unknown: {
    status: 422,
    message: 'no disk has the serial number or WWN {name}: there is {found}',
    remedy: NAMED,
  },
  wipe_disk_ambiguous: {
    status: 422,
    message: '{name} is the name of several disks: {found}',
    remedy: 'Name the one that is meant by its WWN.',
  },
  wipe_disk_in_use: {
    status: 422,
    message: '{disk} is in use, so nothing was wiped',
    remedy: 'Boot the machine anew; the mini image mounts no disk by itself.',
  },
  wipe_disk_read_only: {
    status: 422,
    message: '{disk} can only be read, so nothing was wiped',
    remedy: "Take its write protection away, or name the other disks alone: 'wipe --disk SERIAL'.",
  },
  wipe_disk_marked: {
    status: 422,
    message: "{disk} has the mark 'bootswarm-keep', so nothing was wiped",
    remedy:
      "Name the disks that are meant: 'wipe --disk SERIAL'. A disk that is named is wiped whatever its mark.",
  },
  wipe_disk_unreadable: {
    status: 422,
    message: "{disk} cannot be read, so that it may have the mark 'bootswarm-keep', and nothing was wiped",
    remedy:
      "Name the disks that are meant: 'wipe --disk SERIAL'. This one fails, or an erase was cut off and left it locked: named, it is unlocked.",
  },
  wipe_disk_locked: {
    status: 422,
    message: '{disk} is locked by a password that is not ours, so that nothing can be written to it',
    remedy: 'Unlock it by whoever set the password, or reset it by the PSID on its label, or take it out.',
  },
  wipe_nothing: {
    status: 422,
    message: 'the machine has no disk to wipe',
    remedy: NAMED,
  },
  wipe_method_unsupported: {
    status: 422,
    message: '{disk} cannot be wiped by {method}: {reason}',
    remedy: "Choose another method: 'wipe --method overwrite' works on every disk.",
  },
  wipe_not_proved: {
    status: 500,
    message: '{disk} still holds something at byte {at} after {method}',
    remedy: "Choose 'wipe --method overwrite'. Where that was it, the disk is broken: take it out.",
  },
});
