import { defineProblems } from '@bootswarm/images/format';

/** What is wrong with signed metadata, its keys or who signed. */
export const problem = defineProblems({
  metadata_unreadable: {
    status: 422,
    message: 'this is no {role} metadata of TUF: {reason}',
    remedy: "Take it as 'bootswarm trust' and 'bootswarm image publish' write it.",
  },
  metadata_unsigned: {
    status: 422,
    message: 'the {role} metadata is not signed by who may sign it: {reason}',
    remedy:
      "Sign with the keys that the current root names: 'bootswarm trust show' tells which; --keys says where they lie.",
  },
  metadata_version: {
    status: 409,
    message: 'the {role} metadata has version {version}, and {wanted} comes next',
    remedy: 'Someone else published meanwhile: take the metadata again and repeat the command.',
  },
  metadata_expired: {
    status: 422,
    message: 'the {role} metadata expires at {expires}, which is no time ahead',
    remedy: "Check the clock of this host, and renew it with 'bootswarm trust renew'.",
  },
  too_many_targets: {
    status: 422,
    message: 'the targets metadata names {count} files, and {most} is the most',
    remedy: "Remove releases that nothing names any more: 'bootswarm image gc'.",
  },
  manifest_unsigned: {
    status: 422,
    message: 'release {release} is not what the trust metadata vouches for: {reason}',
    remedy:
      "Look at 'bootswarm trust show'. Where it is sound, publish the release again from its build folder; where it is not, someone changed it on its way.",
  },
  trust_refused: {
    status: 502,
    message: 'the trust metadata was refused: {reason}',
    remedy:
      "What was verified before still holds. Look at 'bootswarm trust show'; if it is sound there, someone stands between.",
  },
  trust_state_unreadable: {
    status: 500,
    message: '{file} does not hold trust metadata: {reason}',
    remedy: 'Remove it and start again: the metadata is fetched and verified anew from the trust root.',
  },
});
