import { defineProblems } from '@bootswarm/images/format';
import { z } from 'zod';
import { ASSIGNMENT_ERRORS } from './assignment-errors.ts';
import { CATALOGUE_ERRORS } from './catalogue-errors.ts';
import { NETWORK_ERRORS } from './network-errors.ts';
import { POWER_ERRORS } from './power-errors.ts';
import { ROLLOUT_ERRORS } from './rollout-errors.ts';

/** Every error that crosses the wire: status, message, and what to do next. */
export const ERRORS = {
  input_invalid: {
    status: 400,
    message: '{reason}',
    remedy: 'Correct the field and send it again; /docs shows the shape.',
  },
  body_not_json: {
    status: 400,
    message: 'the body is not JSON',
    remedy: 'Send a JSON object with content-type application/json.',
  },
  body_too_large: {
    status: 413,
    message: 'the body is larger than {most} bytes',
    remedy: 'Send less at once.',
  },
  token_missing: {
    status: 401,
    message: 'no token was sent, or it is unknown',
    remedy:
      "Run 'bootswarm login URL' with the operator's token, or set BOOTSWARM_TOKEN. A lost token is replaced by starting the controller with --new-operator-token. An edge gets a new one by 'bootswarm edge invite NAME'.",
  },
  token_not_for_this: {
    status: 403,
    message: 'this token is of kind {kind}, and this call is for kind {wanted}',
    remedy: "Use the operator's token for operator calls and the edge's own for edge calls.",
  },
  join_token_refused: {
    status: 401,
    message: 'the join token is unknown, used or expired',
    remedy: "Ask an operator for a new one: 'bootswarm edge invite NAME'.",
  },
  not_found: {
    status: 404,
    message: 'there is no {kind} {name}',
    remedy: "Look at 'bootswarm {kind} list'.",
  },
  events_gone: {
    status: 410,
    message: 'events up to {gone} are no longer kept; the oldest is {oldest}',
    remedy:
      "Go on with 'after={gone}' (or without any), and take it that what happened before is not to be had: look at the things themselves.",
  },
  events_crowded: {
    status: 503,
    message: '{most} readers follow the events already',
    remedy: 'End one of them, or ask for /v1/events again and again.',
  },
  webhook_refused: {
    status: 422,
    message: 'nothing is sent to {url}: {reason}',
    remedy:
      'Name a host outside these networks, or start the controller with --webhook-network CIDR, which then names all networks that webhooks may be in.',
  },
  webhooks_crowded: {
    status: 409,
    message: 'there are {most} webhooks already',
    remedy: "Remove one first: 'bootswarm webhook remove NAME'.",
  },
  route_unknown: {
    status: 404,
    message: 'there is no route {method} {path}',
    remedy: '/openapi.json lists the routes.',
  },
  already_exists: {
    status: 409,
    message: 'there is a {kind} {name} already, and it differs',
    remedy: 'Choose another name, or remove the one that is there.',
  },
  machine_state_not_allowed: {
    status: 409,
    message: 'machine {machine} is {from}: {by} may not make it {to}',
    remedy:
      "Allowed from there: {allowed}. 'bootswarm machine history {machine}' tells how it came to be {from}.",
  },
  profile_unknown: {
    status: 422,
    message: 'there is no profile {profile}',
    remedy: "Make it first ('bootswarm profile apply FILE'), or choose one of 'bootswarm profile list'.",
  },
  profile_in_use: {
    status: 409,
    message: 'machine {machine} is to be installed by profile {profile}',
    remedy: "Let it do something else first: 'bootswarm machine boot {machine} local'.",
  },
  profile_of_segment: {
    status: 409,
    message: 'segment {segment} installs machines that nobody knew by profile {profile}',
    remedy:
      "Change unknownMachines of the segment first: 'bootswarm segment show {segment} --yaml', then apply.",
  },
  profile_release_unfit: {
    status: 422,
    message: 'a profile of kind {kind} cannot install release {release}: {reason}',
    remedy:
      "Name a live release for kind image, and one that 'bootswarm image import' made of a network installer for the others.",
  },
  profile_unfit: {
    status: 422,
    message: 'profile {profile} cannot install machine {machine}: {reason}',
    remedy:
      "Give the machine what it lacks ('bootswarm machine set-variable {machine} NAME=VALUE'), or correct the profile, then set the intent again.",
  },
  import_refused: {
    status: 422,
    message: '{count} of {total} rows cannot be imported, and nothing was:\n  {list}',
    remedy: 'Correct these and import again: rows that are in already do no harm.',
  },
  profile_assigned: {
    status: 409,
    message: 'assignment {assignment} names profile {profile}',
    remedy:
      "Remove the assignment first ('bootswarm assignment remove {assignment}'), or let it name another.",
  },
  reservation_short: {
    status: 409,
    message: 'of {match} {free} can be reserved, and {count} are wanted; nothing was reserved:\n  {list}',
    remedy: "Ask for fewer, match more, or free some: 'bootswarm reservation list' shows who holds machines.",
  },
  not_reserved: {
    status: 409,
    message: 'machine {machine} is in no reservation',
    remedy: "There is nothing to do. 'bootswarm reservation list' shows what is reserved.",
  },
  inspection_none: {
    status: 404,
    message: 'machine {machine} has no inspection {number}',
    remedy:
      "'bootswarm machine inspection' lists those that are kept. A machine is inspected when it boots by 'bootswarm machine boot {machine} inspect'.",
  },
  ...ASSIGNMENT_ERRORS,
  ...CATALOGUE_ERRORS,
  ...NETWORK_ERRORS,
  ...POWER_ERRORS,
  ...ROLLOUT_ERRORS,
  disk_full: {
    status: 507,
    message: 'the disk of {where} is full',
    remedy: 'Make room in its data folder, then try again; nothing was lost.',
  },
  changed_meanwhile: {
    status: 412,
    message: '{what} was changed by someone else at the same time',
    remedy: 'Look at it again and repeat the command.',
  },
  idempotency_key_reused: {
    status: 422,
    message: 'this Idempotency-Key was used for another call within the last 24 hours',
    remedy: 'Take a new key for each call; the same one is for sending the same call again.',
  },
  idempotency_key_busy: {
    status: 409,
    message: 'a call with this Idempotency-Key is being carried out',
    remedy: 'Send it again in a moment: the answer is then that of the first.',
  },
  internal: {
    status: 500,
    message: 'the controller failed: {reason}',
    remedy: "This is a defect. The controller's log has the details under request {request}.",
  },
  controller_unreachable: {
    status: 503,
    message: 'the controller at {url} cannot be reached: {reason}',
    remedy: 'Check the URL (--controller, BOOTSWARM_URL or bootswarm login) and that the controller runs.',
  },
  answer_unreadable: {
    status: 502,
    message: 'the answer of {url} is not what this version expects: {reason}',
    remedy: 'Check that the URL is a Bootswarm controller of the same version.',
  },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** Makes one of them, to be thrown or sent; `facts` fill the braces. */
export const problem = defineProblems(ERRORS);

/** An error as it crosses the wire. */
export const ErrorBody = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    remedy: z.string(),
    field: z.string().optional(),
  }),
});
