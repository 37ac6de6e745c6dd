import { defineProblems } from '@bootswarm/images/format';

/** Why the agent hands no byte of a release on, and why its work fails beside what the work itself says. */
export const problem = defineProblems({
  trust_root_missing: {
    status: 500,
    message: 'this mini image has no root of trust, so that no release can be believed',
    remedy: 'Build it again with --trust-root root.json, publish it, and boot the machine anew.',
  },
  edge_silent: {
    status: 504,
    message: 'the edge does not answer as it should: {reason}',
    remedy:
      "Look whether the edge is up, and at the network between: 'bootswarm edge list'. Then arm the intent anew.",
  },
  edge_refused: {
    status: 409,
    message: 'the edge refuses: {reason}',
    remedy: "Look at what it says, and at its log: 'bootswarm edge show NAME'. Then arm the intent anew.",
  },
  no_room: {
    status: 507,
    message: 'a file system is full: {reason}',
    remedy:
      'Make that file system of the layout larger, or the image smaller; in /run it is memory that the machine lacks.',
  },
  agent_failed: {
    status: 500,
    message: '{reason}',
    remedy:
      'That is a failure of the agent itself: its last lines are in the log of the edge. Arm the intent anew.',
  },
  channel_unsigned: {
    status: 502,
    message: 'nobody signed where {channel} points to',
    remedy: "Point it to a release: 'bootswarm channel promote'.",
  },
  manifest_missing: {
    status: 502,
    message: 'the edge has no manifest of {release}',
    remedy: "Wait for the edge to fetch the release: 'bootswarm edge show NAME'.",
  },
  manifest_too_long: {
    status: 502,
    message: 'the manifest of {release} does not end within {most} bytes',
    remedy: 'Nobody signs such a manifest: look at who answers in the place of the edge.',
  },
  piece_wrong: {
    status: 502,
    message: 'piece {index} of {name} is not the one that the manifest names: its SHA-256 differs',
    remedy:
      "The bytes were changed or damaged on their way: check the edge's disk, and who else is on the segment; a medium is written anew.",
  },
  artefact_short: {
    status: 502,
    message: '{name} ended at byte {received} of {length}',
    remedy: 'The connection to the edge broke: it is asked again from there.',
  },
  artefact_long: {
    status: 502,
    message: '{name} goes on after its {length} bytes',
    remedy: 'The edge serves something else than the manifest names: look at who answers in its place.',
  },
});
