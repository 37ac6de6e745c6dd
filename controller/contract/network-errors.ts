/** What goes wrong with segments and the edges that serve them; a part of the catalogue. */
export const NETWORK_ERRORS = {
  edge_exists: {
    status: 409,
    message: 'there is an edge {edge} already',
    remedy: "Choose another name, or get a new join token for it: 'bootswarm edge invite {edge}'.",
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
  class_vlan_everywhere: {
    status: 422,
    message: 'class {class} puts a VLAN tag on in every segment, also in the one behind the tag',
    remedy: 'Name under match.segments those in which iPXE is to put the tag on.',
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
} as const;
