import { defineProblems } from '@bootswarm/images/format';

/** Why an edge cannot start or go on. */
export const problem = defineProblems({
  not_root: {
    status: 500,
    message: 'binding UDP port {port} needs root',
    remedy: 'Run as root, or give the process CAP_NET_BIND_SERVICE and CAP_NET_RAW.',
  },
  interface_unknown: {
    status: 500,
    message: "this host has no interface '{name}'; it has {known}",
    remedy: "Name one of them with --interface; 'ip -brief address' shows them.",
  },
  interface_without_address: {
    status: 500,
    message: "interface '{name}' has no IPv4 address",
    remedy:
      'Give it the address by which relays and machines reach this edge: ip address add ADDRESS/PREFIX dev {name}',
  },
  port_in_use: {
    status: 500,
    message: '{protocol} port {port} is in use on {address}',
    remedy:
      "End the other program ('ss -lnp' shows it: often dnsmasq, dhcpd, tftpd or another edge){orElse}.",
  },
  disk_full: {
    status: 507,
    message: 'the disk of the data folder is all but full: nothing is leased, what is leased is served',
    remedy: "Make room in the edge's data folder; it goes on by itself.",
  },
  firmware_missing: {
    status: 500,
    message: 'the firmware {path} cannot be read: {reason}',
    remedy: "Install Debian's package: apt-get install ipxe",
  },
  not_joined: {
    status: 500,
    message: 'this edge has joined no controller yet',
    remedy:
      "On the controller run 'bootswarm edge add NAME', then start this edge with --controller URL and BOOTSWARM_JOIN_TOKEN=TOKEN.",
  },
  signature_wrong: {
    status: 502,
    message: 'the desired state was not signed by the controller that this edge joined',
    remedy:
      "If the controller was set up anew, run 'bootswarm edge invite NAME' there and start this edge with the new BOOTSWARM_JOIN_TOKEN.",
  },
  revision_went_back: {
    status: 502,
    message: 'the controller offered desired state {offered}, and this edge follows {held} already',
    remedy:
      "The controller's state is older than this edge's: if that is meant, 'bootswarm edge invite NAME' and join again.",
  },
  desired_state_unreadable: {
    status: 502,
    message: 'the desired state is not one that this version understands: {reason}',
    remedy: 'Run the same version on controller and edge.',
  },
});
