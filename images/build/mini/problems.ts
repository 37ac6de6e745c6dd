import { defineProblems } from '@bootswarm/images/format';

/** What can go wrong with the mini image alone; the rest is in the catalogue of builds. */
export const problem = defineProblems({
  mini_node_missing: {
    status: 500,
    message: 'there is no Node for {architecture} to put into the mini image',
    remedy: 'Install the packages of this checkout again, optional ones included: npm ci --ignore-scripts',
  },
  mini_part_missing: {
    status: 422,
    message: '{part}: {reason}',
    remedy:
      'The packages of {suite} are laid out in another way than those known here: build for another suite.',
  },
  mini_kernel_unclear: {
    status: 422,
    message: 'the packages of {suite} hold {found} where one kernel was expected',
    remedy: 'Build from a mirror that has one version of the kernel, or for another suite.',
  },
  mini_trust_root_invalid: {
    status: 422,
    message: '{file} is no TUF root: {reason}',
    remedy: "Name the root.json that the controller's trust was begun with.",
  },
  mini_too_large: {
    status: 422,
    message: 'kernel and initramfs together have {bytes} bytes, and at most {most} were allowed',
    remedy: 'Leave firmware out (--firmware), build the vm flavour, or allow more with --most-bytes.',
  },
});
