import { defineProblems } from '@bootswarm/images/format';
import { z } from 'zod';
import { ASSIGNMENT_ERRORS } from './assignment-errors.ts';
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
  artefact_unknown: {
    status: 404,
    message: 'no artefact with SHA-256 {sha256} has arrived in full',
    remedy: "Publish the release that it belongs to: 'bootswarm image publish FOLDER'.",
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
  edge_exists: {
    status: 409,
    message: 'there is an edge {edge} already',
    remedy: "Choose another name, or get a new join token for it: 'bootswarm edge invite {edge}'.",
  },
  release_immutable: {
    status: 409,
    message: 'release {release} is published already, with other contents',
    remedy: 'A release never changes: give the new build another version.',
  },
  release_artefact_missing: {
    status: 409,
    message: "artefact '{name}' ({sha256}) has not arrived",
    remedy: "Publish with 'bootswarm image publish FOLDER', which uploads what is missing.",
  },
  release_artefact_differs: {
    status: 422,
    message: "artefact '{name}' is not what the manifest says: its {what} differs",
    remedy: 'Build or import the image again: the manifest and the files do not belong together.',
  },
  release_in_use: {
    status: 409,
    message: 'release {release} is needed: {uses}',
    remedy:
      "Let those name another release first. 'bootswarm image show {release}' tells what names it, and 'image unpin' takes a pin away.",
  },
  release_removed: {
    status: 409,
    message: 'release {release} was removed on {removedAt}, and had other contents',
    remedy: 'What a version is never changes, even once it is gone: give this build another version.',
  },
  trust_missing: {
    status: 409,
    message: 'nobody has said yet whose signatures edges and machines are to believe',
    remedy: "Run 'bootswarm trust init' once: it makes the keys and signs what is published already.",
  },
  trust_file_unknown: {
    status: 404,
    message: 'there is no signed metadata {file} here',
    remedy:
      "Ask for timestamp.json, or for the versions that it and the root name; 'bootswarm trust show' tells them.",
  },
  trust_online_keys: {
    status: 422,
    message: "the root does not name the controller's own {role} key",
    remedy: "Make the root with 'bootswarm trust', which asks the controller for it.",
  },
  trust_change_unexpected: {
    status: 422,
    message: 'the targets metadata also changes {path}, which this call is not about',
    remedy: 'Take the metadata again, change what is meant alone, and repeat the command.',
  },
  trust_target_missing: {
    status: 422,
    message: 'the targets metadata does not vouch for {path} as it is here',
    remedy: "Publish with 'bootswarm image publish', which signs the manifest that it sends.",
  },
  channel_unknown: {
    status: 422,
    message: 'there is no channel {channel}',
    remedy: "Make it by promoting a release to it: 'bootswarm channel promote RELEASE CHANNEL'.",
  },
  channel_malformed: {
    status: 422,
    message: '{path} of the targets metadata is no pointer of that channel',
    remedy: "Move channels with 'bootswarm channel'.",
  },
  channel_release_unknown: {
    status: 422,
    message: 'channel {channel} would point to {release}, which is not published',
    remedy: "Publish it first, or choose one of 'bootswarm image list'.",
  },
  channel_pinned: {
    status: 409,
    message: 'channel {channel} is pinned to version {version}',
    remedy: "Let it move again first: 'bootswarm channel unpin NAME CHANNEL'.",
  },
  channel_in_use: {
    status: 409,
    message: 'channel {channel} is named by {user}',
    remedy: 'Give that another release or channel first.',
  },
  mini_not_mini: {
    status: 422,
    message: 'release {release} is no mini image: it boots as {bootStyle}',
    remedy: "Build one with 'bootswarm mini build' and publish it.",
  },
  machine_state_not_allowed: {
    status: 409,
    message: 'machine {machine} is {from}: {by} may not make it {to}',
    remedy:
      "Allowed from there: {allowed}. 'bootswarm machine history {machine}' tells how it came to be {from}.",
  },
  machine_release_unknown: {
    status: 422,
    message: 'there is no published release {release}',
    remedy: "Publish it first, or choose one of 'bootswarm image list'.",
  },
  release_not_bootable: {
    status: 422,
    message: 'release {release} is a disk image: nothing boots it over the network',
    remedy:
      "Install it: name it in a profile of kind image ('bootswarm profile apply FILE'), then 'bootswarm machine boot MACHINE install PROFILE'.",
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
  edge_unknown: {
    status: 422,
    message: 'there is no edge {edge}',
    remedy: "Add it first: 'bootswarm edge add {edge}'.",
  },
  edge_in_use: {
    status: 409,
    message: 'edge {edge} serves segment {segment}',
    remedy: "Remove the segment first: 'bootswarm segment remove {segment}'.",
  },
  segment_pool_outside: {
    status: 422,
    message: 'pool {pool} does not lie inside the subnet {subnet}',
    remedy: "Choose host addresses of the subnet; its first and last address are nobody's.",
  },
  segment_pool_reversed: {
    status: 422,
    message: 'pool {pool} ends before it begins',
    remedy: 'Write the lower address first.',
  },
  segment_pool_holds_router: {
    status: 422,
    message: 'pool {pool} holds the router {router}',
    remedy: 'Leave the router out of the pool: split it in two around the address.',
  },
  segment_pool_holds_relay: {
    status: 422,
    message: 'pool {pool} holds the relay {relay}',
    remedy: 'Leave the relay out of the pool: split it in two around the address.',
  },
  segment_pool_overlaps: {
    status: 422,
    message: 'pool {pool} overlaps pool {other} of segment {segment}',
    remedy: 'Give every address to one pool only.',
  },
  segment_exclusion_outside: {
    status: 422,
    message: 'exclusion {exclusion} does not lie inside the subnet {subnet}',
    remedy: 'Exclude host addresses of the subnet.',
  },
  segment_exclusion_reversed: {
    status: 422,
    message: 'exclusion {exclusion} ends before it begins',
    remedy: 'Write the lower address first.',
  },
  segment_reservation_outside: {
    status: 422,
    message: 'the reserved address {address} is no host of the subnet {subnet}',
    remedy: 'Reserve an address of the subnet, or move the reservation to the segment that has it.',
  },
  segment_reservation_taken: {
    status: 422,
    message: 'the reserved address {address} is that of the router or of a relay',
    remedy: 'Reserve another address.',
  },
  segment_reservation_twice: {
    status: 422,
    message: '{what} stands in {other} already',
    remedy: 'One client has one reservation, and one address one client: remove one of the two.',
  },
  segment_class_unknown: {
    status: 422,
    message: 'a pool of segment {segment} is for class {class}, which the DHCP policy does not have',
    remedy:
      "Add the class to the policy first ('bootswarm dhcp policy apply FILE'), or take it out of the pool first.",
  },
  segment_in_use: {
    status: 409,
    message: 'class {class} of the DHCP policy is about segment {segment}',
    remedy: "Take the segment out of the class first: 'bootswarm dhcp policy apply FILE'.",
  },
  class_segment_unknown: {
    status: 422,
    message: 'class {class} is about segment {segment}, which does not exist',
    remedy: "Add the segment first, or correct the name: 'bootswarm segment list'.",
  },
  segment_subnet_overlaps: {
    status: 422,
    message: 'subnet {subnet} overlaps {other} of segment {segment}',
    remedy: 'A giaddr must name one segment: choose subnets apart from each other.',
  },
  segment_router_outside: {
    status: 422,
    message: 'router {router} is no host of the subnet {subnet}',
    remedy: "Name the router's address inside the subnet.",
  },
  segment_relay_taken: {
    status: 422,
    message: 'relay {relay} belongs to segment {segment} already',
    remedy:
      'A giaddr must name one segment: list a relay in one of them alone, and in none where it lies in the subnet of another.',
  },
  upload_offset: {
    status: 409,
    message: 'the upload stands at byte {received}, not at {offset}',
    remedy: 'Ask for the upload and go on at what it says.',
  },
  upload_busy: {
    status: 409,
    message: 'another client is sending this artefact now',
    remedy: 'Wait for it, then publish again: what it sent need not be sent twice.',
  },
  upload_wrong_hash: {
    status: 422,
    message: 'what arrived has SHA-256 {actual}, not {sha256}; it was discarded',
    remedy: "The file changed or was damaged on its way: publish again, and check it with 'sha256sum'.",
  },
  upload_too_long: {
    status: 422,
    message: 'more bytes came than the {length} that were announced; they were discarded',
    remedy: 'The file grew while it was sent: build it again and publish the new one.',
  },
  ...ASSIGNMENT_ERRORS,
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
