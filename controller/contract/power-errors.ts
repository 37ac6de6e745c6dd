/** What goes wrong with power, BMCs and secrets; a part of the catalogue. */
export const POWER_ERRORS = {
  bmc_none: {
    status: 409,
    message: 'machine {machine} has no BMC',
    remedy: "Say by what it is turned on and off: 'bootswarm machine bmc {machine} --help'.",
  },
  bmc_address_forbidden: {
    status: 422,
    message: 'the BMC address {address} is not in the networks of BMCs',
    remedy:
      'Correct it, or start the controller with --bmc-network CIDR for the network that it is in. Loopback, link-local and metadata addresses each take a network of their own, however wide the others are.',
  },
  bmc_address_unknown: {
    status: 502,
    message: 'the BMC address {address} does not resolve: {reason}',
    remedy: "Correct the name ('bootswarm machine bmc'), or look at the DNS of the controller's host.",
  },
  bmc_silent: {
    status: 504,
    message: 'the BMC at {address} did not answer {what} in time',
    remedy:
      'Look whether it has power and network, and whether address and port are right; a BMC that hangs takes a cold reset.',
  },
  bmc_busy: {
    status: 503,
    message: 'the BMC at {address} is too busy for {what}: {reason}',
    remedy: 'Order it again in a minute; a BMC that stays busy takes a cold reset.',
  },
  bmc_refused: {
    status: 502,
    message: 'the BMC at {address} refused {what}: {reason}',
    remedy:
      "Check its user and password ('bootswarm secret set'), the rights of that user, and that remote access is on.",
  },
  bmc_garbage: {
    status: 502,
    message: 'the BMC at {address} answered {what} with what makes no sense: {reason}',
    remedy:
      'Look whether the address is that of a BMC of this kind; update its firmware, or use another kind.',
  },
  bmc_lied: {
    status: 502,
    message: 'the BMC at {address} took {what}, and {seen}',
    remedy:
      'Look at the machine itself. Where the BMC is wrong, its cold reset helps; where it is right, so does pulling the plug.',
  },
  bmc_untrusted: {
    status: 502,
    message: 'the BMC at {address} shows a certificate that is not trusted: {reason}; SHA-256 {fingerprint}',
    remedy:
      "Compare that fingerprint with the BMC's own, then pin it: 'bootswarm machine bmc MACHINE redfish --fingerprint SHA256'. Nothing was sent to it.",
  },
  bmc_unable: {
    status: 422,
    message: 'a BMC of kind {kind} cannot do {what}: {reason}',
    remedy: 'Choose another action, or another kind of BMC for this machine.',
  },
  bmc_ignored_override: {
    status: 504,
    message:
      'machine {machine} was turned on to boot from the network, and no edge saw it within {seconds} s',
    remedy:
      "Look at its console: the BMC may have ignored the override (set network boot first in the firmware's boot order), its network port is not in a segment ('bootswarm trace MACHINE'), or that edge's clock is late ('bootswarm doctor' on the edge).",
  },
  bmc_secret_unfit: {
    status: 422,
    message: 'the secret {secret} does not suit a BMC of kind {kind}: {reason}',
    remedy: "Set it again: 'bootswarm secret set {secret}'.",
  },
  power_busy: {
    status: 409,
    message: 'machine {machine} is at {action} already',
    remedy: "Wait for its end: 'bootswarm machine show {machine}' tells how it stands.",
  },
  power_is_off: {
    status: 409,
    message: 'machine {machine} is off: there is nothing to reset',
    remedy: "Turn it on: 'bootswarm machine power {machine} on'.",
  },
  power_unsure: {
    status: 502,
    message: 'the reset of machine {machine} was begun, and whether its BMC carried it out is not known',
    remedy:
      'It is not done again by itself. Look at the machine, and order what it needs: a cycle can be told to have been done.',
  },
  power_late: {
    status: 504,
    message: '{action} of machine {machine} did not end within {seconds} s',
    remedy: 'Look at the BMC and order it again; what was done already is not done twice.',
  },
  power_command_unknown: {
    status: 422,
    message: 'there is no power command {program}: {reason}',
    remedy:
      'Put an executable file of that name in the folder that the controller is started with: --power-commands FOLDER.',
  },
  secret_unknown: {
    status: 422,
    message: 'there is no secret {secret}',
    remedy: "Set it first: 'bootswarm secret set {secret}'.",
  },
  secret_in_use: {
    status: 409,
    message: 'secret {secret} is the one of the BMC of machine {machine}',
    remedy: "Give that machine's BMC another secret first: 'bootswarm machine bmc'.",
  },
  secret_unreadable: {
    status: 500,
    message: 'secret {secret} cannot be read with the key in {file}',
    remedy:
      "The key is not the one that it was kept with: put that file back, or set the secret again ('bootswarm secret set {secret}').",
  },
} as const;
