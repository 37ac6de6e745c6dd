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
