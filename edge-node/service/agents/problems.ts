import { defineProblems } from '@bootswarm/images/format';

/** Why an agent is not listened to. */
export const problem = defineProblems({
  agent_without_lease: {
    status: 403,
    message: 'no lease of this edge has the address {address}',
    remedy: 'An agent is known by the address that this edge gave its machine: let it ask DHCP again.',
  },
  agent_other_machine: {
    status: 403,
    message: 'the address {address} was given to {held}, not to {mac}',
    remedy: 'Let the agent speak by the card that has the address.',
  },
  agent_too_often: {
    status: 429,
    message: 'more than {most} calls a minute of {mac}',
    remedy: 'Wait: an agent that finds nothing new asks once a minute.',
  },
  ticket_forged: {
    status: 409,
    message: 'this edge made no such ticket',
    remedy: 'Ask for the order again: a ticket counts as it is, at the edge that made it.',
  },
  ticket_other_machine: {
    status: 409,
    message: 'the ticket is for machine {machine}, and {mac} is another one',
    remedy: 'Ask for an order of its own.',
  },
  ticket_other_segment: {
    status: 409,
    message: 'the ticket was made for segment {segment}, and {mac} asks from another one',
    remedy: 'Ask for the order again where the machine is now.',
  },
  ticket_other_epoch: {
    status: 409,
    message: 'the ticket is for epoch {epoch} of machine {machine}, which the operator has replaced',
    remedy: 'Ask for the order again: another intent holds now.',
  },
  ticket_spent: {
    status: 409,
    message: 'the ticket for try {attempt} of epoch {epoch} is used up',
    remedy: 'Ask for the order again: it says whether there is another try.',
  },
  ticket_expired: {
    status: 409,
    message: 'the ticket for try {attempt} of epoch {epoch} is older than a minute',
    remedy: 'Ask for the order again, and begin at once.',
  },
  first_boot_forged: {
    status: 404,
    message: 'this edge made no such ticket',
    remedy: 'Let the system ask the edge that installed it.',
  },
  first_boot_gone: {
    status: 410,
    message: 'no first boot of machine {machine} is awaited for epoch {epoch}',
    remedy: 'Nothing: it was heard before, or the installation was declared as failed.',
  },
  agent_body_invalid: {
    status: 400,
    message: '{field}: {reason}',
    remedy: 'Build the mini image again with the version of this edge, and publish it.',
  },
  agent_body_too_large: {
    status: 413,
    message: 'the body is larger than {most} bytes',
    remedy: 'Send less at once.',
  },
});
