/** What goes wrong with rollouts; a part of the catalogue. */
export const ROLLOUT_ERRORS = {
  rollout_exists: {
    status: 409,
    message: 'there is a rollout {rollout} already; it is {state}',
    remedy:
      "Choose another name, or remove it once it is over: 'bootswarm rollout remove {rollout}'. 'bootswarm rollout show {rollout}' shows it.",
  },
  rollout_empty: {
    status: 422,
    message: "'{match}' matches {matched} machines, and none of them would take part{reasons}",
    remedy: "Correct the selector: 'bootswarm rollout plan' says of each machine why it is left out.",
  },
  rollout_machine_taken: {
    status: 409,
    message: 'rollout {other} is at work on machine {machine}, and on {more} more of those that are meant',
    remedy:
      "Wait for it ('bootswarm rollout show {other} --follow'), abort it, choose machines apart from its own, or leave them out: --skip-taken.",
  },
  rollout_state_not_allowed: {
    status: 409,
    message: 'rollout {rollout} is {state}, and can be {allowed} from there, not {wanted}',
    remedy: "Look at it: 'bootswarm rollout show {rollout}'.",
  },
  rollout_not_awaiting: {
    status: 409,
    message: 'rollout {rollout} waits for no approval: its wave {wave} is {state}',
    remedy: "Approve once a wave waits for it: 'bootswarm rollout show {rollout} --follow'.",
  },
  rollout_changed: {
    status: 409,
    message:
      'rollout {rollout} is at revision {held} by now, and not at {named}: it changed, or somebody else was quicker',
    remedy:
      "Look at it again ('bootswarm rollout show {rollout}') and repeat the command if it is still meant.",
  },
  rollout_not_over: {
    status: 409,
    message: 'rollout {rollout} is {state}: its machines are still its own',
    remedy: "End it first: 'bootswarm rollout abort {rollout}'.",
  },
  rollout_bmc_none: {
    status: 422,
    message: '{count} machines have no BMC by which they could be power cycled, among them {machine}',
    remedy:
      "Say by what each is turned on and off ('bootswarm machine bmc {machine} --help'), or let the rollout wait until they boot: --power none.",
  },
  rollout_command_unknown: {
    status: 422,
    message: 'the health check cannot run {command}: {reason}',
    remedy:
      'Put the program, executable, into the folder that the controller is started with: --rollout-commands FOLDER.',
  },
  rollout_url_refused: {
    status: 422,
    message: 'nothing is sent to {url}: {address} is in a network that the controller sends nothing to',
    remedy:
      'Name a host outside loopback, link-local and metadata networks, or start the controller with --webhook-network CIDR, which then names all networks that it sends to.',
  },
} as const;
