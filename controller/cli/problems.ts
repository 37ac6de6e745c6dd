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
  webhook_not_taken: {
    status: 502,
    message: 'webhook {name} did not take it: {answer}',
    remedy: "Check that its URL answers 2xx; 'bootswarm webhook show {name}' tells how it goes.",
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
  contents_unreadable: {
    status: 422,
    message: 'the list of what is in {release} cannot be read: {reason}',
    remedy: 'Publish that build again under another version; the release itself is not touched by this.',
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
  power_match_none: {
    status: 404,
    message: '{match} means no machine',
    remedy: "Look at what it means: 'bootswarm machine list --match SELECTOR'.",
  },
  power_match_beyond: {
    status: 409,
    message: '{match} means more than {most} machines; nothing was done to any',
    remedy:
      "Look at which: 'bootswarm machine list --match SELECTOR'. Where all of them are meant, say how many they are with --at-most.",
  },
  file_not_yaml: {
    status: 400,
    message: '{file}:{line}:{column} is neither YAML nor JSON: {reason}',
    remedy: 'Correct that place and apply the file again; nothing was changed.',
  },
  machines_file_invalid: {
    status: 400,
    message: '{file}:{line}: {reason}',
    remedy: "Correct that place and import the file again; 'bootswarm machine import --help' shows examples.",
  },
  document_invalid: {
    status: 400,
    message: '{file} is not as it should be:\n  {list}',
    remedy:
      "Correct these fields and apply the file again; nothing was changed. 'bootswarm segment show NAME --yaml' shows the shape.",
  },
  profile_invalid: {
    status: 400,
    message: '{file} is not as it should be:\n  {list}',
    remedy:
      "Correct these fields and apply the file again; nothing was changed. 'bootswarm profile apply --help' shows one.",
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
  key_missing: {
    status: 404,
    message: 'there is no {role} key in {file}',
    remedy:
      "Name the folder that 'bootswarm trust init' made with --keys (or BOOTSWARM_KEYS), and a root key that lies elsewhere with --root-key.",
  },
  key_unreadable: {
    status: 422,
    message: '{file} is no Ed25519 private key in PEM: {reason}',
    remedy: "Put the key back that 'bootswarm trust init' made there.",
  },
  key_not_trusted: {
    status: 403,
    message: 'the root of trust does not name the {role} key in {file}',
    remedy:
      "It was replaced: get the new one from who did, or name another folder with --keys. 'bootswarm trust show' tells which keys count.",
  },
  trust_not_known: {
    status: 412,
    message: '{folder} does not know the root of trust of this controller',
    remedy:
      "Copy the whole folder of keys from where 'bootswarm trust init' ran, with its known.json, or name it with --keys.",
  },
  mini_trust_root_unknown: {
    status: 409,
    message: 'there are no keys in {folder} whose root the agent is to trust',
    remedy:
      "Make them ('bootswarm trust init'), name the folder (--keys) or a root.json (--trust-root), or say --no-trust-root: then the agent inspects, and refuses every release.",
  },
  trust_exists: {
    status: 409,
    message: 'this controller has a root of trust already, of version {version}',
    remedy: "There is nothing to do. 'bootswarm trust rotate' replaces its keys.",
  },
  trust_other: {
    status: 409,
    message: 'the root of trust of the controller does not go on from the one that {folder} knows: {reason}',
    remedy:
      'Sign nothing for it: this is another controller, or someone changed it. --keys names the keys of another one.',
  },
  targets_went_back: {
    status: 409,
    message: 'the controller shows signed targets of version {version}, and version {seen} was there before',
    remedy:
      'Sign nothing for it: it was restored from an old backup, or someone holds it back. Restore the newer state.',
  },
  channel_without_previous: {
    status: 409,
    message: 'channel {channel} does not know where it stood before',
    remedy: "Say where it is to go: 'bootswarm channel promote RELEASE CHANNEL'.",
  },
  inspection_none: {
    status: 404,
    message: 'machine {machine} has no inspection {which}',
    remedy:
      "Let it boot the mini image: 'bootswarm machine boot {machine} inspect', then power it on with network boot.",
  },
  interrupted: {
    status: 499,
    message: 'interrupted',
    remedy: 'Run the same command again: what was sent already is not sent twice.',
  },
});
