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
  trust_root_unreadable: {
    status: 500,
    message: 'the root of trust {file} cannot be read: {reason}',
    remedy:
      'Name a root.json with --trust-root, as the controller serves it under /v1/trust/files/1.root.json, or leave the option out.',
  },
  disk_full: {
    status: 507,
    message: 'the disk of the data folder is all but full: nothing is leased, what is leased is served',
    remedy: "Make room in the edge's data folder; it goes on by itself.",
  },
  artefact_no_room: {
    status: 507,
    message: 'no room for {name}: it takes {neededMb} MB and {freeMb} MB of the disk may be used',
    remedy:
      "Make room on the disk of the edge's data folder, or let its segments and machines name fewer releases.",
  },
  data_in_use: {
    status: 409,
    message: 'process {pid} works with the data folder {folder} already',
    remedy: 'Stop that edge first, or name another folder with --data. The leases can be read while it runs.',
  },
  leases_missing: {
    status: 404,
    message: 'there are no leases in {folder}',
    remedy: "Name the edge's data folder with --data.",
  },
  lease_file_unreadable: {
    status: 400,
    message: 'the file {file} cannot be {done}: {reason}',
    remedy: 'Name a file that this user may read, or write.',
  },
  lease_format_unknown: {
    status: 400,
    message: "the name of '{file}' does not tell its format",
    remedy: 'Name it with --format: {formats}.',
  },
  lease_file_wrong: {
    status: 422,
    message: '{file} is not imported, for what is wrong in it:\n  {wrong}',
    remedy: 'Correct these lines and import the file again: it is taken as a whole or not at all.',
  },
  leases_conflict: {
    status: 409,
    message: '{file} is not imported: {count} of its leases are live here otherwise:\n  {conflicts}',
    remedy:
      'Take these leases out of the file, or let the file win with --force: the machines that hold them here lose them.',
  },
  lease_holder_unclear: {
    status: 400,
    message: "'{asked}' is neither an address nor a MAC nor a UUID",
    remedy: "Ask for one of them, such as 10.1.2.3 or 52:54:00:12:34:56; 'leases list' shows them.",
  },
  lease_option_wrong: {
    status: 400,
    message: "{option} '{value}' is not taken: {reason}",
    remedy: "'leases --help' shows the options.",
  },
  firmware_missing: {
    status: 500,
    message: 'the firmware {path} cannot be read: {reason}',
    remedy: "Install Debian's package: apt-get install {debianPackage}",
  },
  firmware_refused: {
    status: 500,
    message: 'the firmware {path} is not taken: {reason}',
    remedy:
      'Put plain files of at most 32 MiB into the folder of --firmware, under names such as snponly.efi, and nothing else.',
  },
  tftp_map_unreadable: {
    status: 500,
    message: 'the map file {file} cannot be read: {reason}',
    remedy: 'Name a file with --tftp-map that the edge may read, or leave the option out.',
  },
  tftp_map_wrong: {
    status: 500,
    message: 'line {line} of the map file {file} is not taken: {reason}',
    remedy:
      "Correct the line: OPERATION PATTERN [REPLACEMENT], as 'FILENAME REMAPPING' of in.tftpd(8) describes it.",
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
