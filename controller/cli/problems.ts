import { defineProblems } from '@bootswarm/images/format';

/** Errors of the command line itself; those of the controller are in the contract. */
export const problem = defineProblems({
  not_logged_in: {
    status: 401,
    message: 'no controller is known',
    remedy:
      "Run 'bootswarm login URL', or set BOOTSWARM_URL and BOOTSWARM_TOKEN. The controller shows the operator's token at its first start.",
  },
  credentials_unreadable: {
    status: 500,
    message: '{file} is not a credentials file: {reason}',
    remedy: "Remove it and run 'bootswarm login URL' again.",
  },
  token_not_given: {
    status: 400,
    message: 'no token was given',
    remedy: 'Type it when asked, pipe it in, or set BOOTSWARM_TOKEN.',
  },
  file_shrank: {
    status: 409,
    message: '{path} became shorter while it was sent',
    remedy: 'Build or import the image again, then publish it.',
  },
  system: {
    status: 500,
    message: '{reason}',
    remedy: 'Check that the path is right and that you may use it.',
  },
  argument_invalid: {
    status: 400,
    message: "'{text}' {reason}",
    remedy: 'Correct it; --help shows an example.',
  },
  file_not_yaml: {
    status: 400,
    message: '{file}:{line}:{column} is neither YAML nor JSON: {reason}',
    remedy: 'Correct that place and apply the file again; nothing was changed.',
  },
  document_invalid: {
    status: 400,
    message: '{file} is not as it should be:\n  {list}',
    remedy:
      "Correct these fields and apply the file again; nothing was changed. 'bootswarm segment show NAME --yaml' shows the shape.",
  },
  dhcpd_conf_syntax: {
    status: 400,
    message: '{file}:{line}:{column}: {reason}',
    remedy: "Correct that place; 'dhcpd -t -cf FILE' checks what dhcpd itself thinks of it.",
  },
  password_not_given: {
    status: 400,
    message: 'no password was given',
    remedy: 'Type it when asked, or pipe it in.',
  },
  interrupted: {
    status: 499,
    message: 'interrupted',
    remedy: 'Run the same command again: what was sent already is not sent twice.',
  },
});
