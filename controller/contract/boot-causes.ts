import { z } from 'zod';

/** Why a boot stopped: what it means for a person, and what to do. In the order of the boot's stages. */
export const BOOT_CAUSES = {
  dhcp_unheard: {
    meaning: 'No DHCP message of this machine has reached an edge.',
    remedy:
      'Check its cable, VLAN and boot order, and that a relay of its VLAN forwards to the edge: bootswarm doctor.',
  },
  segment_unknown: {
    meaning: 'The relay signed with an address (giaddr) that belongs to no segment of this edge.',
    remedy:
      "Name the relay's address in the segment (relays), or correct the relay: 'bootswarm segment show NAME'.",
  },
  pool_none: {
    meaning: 'The segment has no pool for this machine, and no address is reserved for it.',
    remedy:
      'Give the segment a pool that is open to the classes of this machine, or reserve an address for it.',
  },
  pool_exhausted: {
    meaning: 'Every address of the pools is leased.',
    remedy: 'Widen the pools or shorten leaseSeconds. Live leases are never given to somebody else.',
  },
  policy_refused: {
    meaning: 'A class that this machine belongs to is refused.',
    remedy: "Look at the class that the record names: 'bootswarm dhcp policy show'.",
  },
  limit_reached: {
    meaning: 'The machine, its switch port or its relay asks for more than the limits of the segment allow.',
    remedy: 'Find what floods there; raise the limits of the segment only where the demand is honest.',
  },
  bootp_refused: {
    meaning: 'The machine speaks BOOTP without DHCP, which its segment does not serve.',
    remedy: "Set 'bootp' of the segment to reserved or pool, if such machines are meant to boot there.",
  },
  address_refused: {
    meaning: 'The machine asked for an address that it may not have; it was told so and should begin anew.',
    remedy: 'Nothing, if an offer follows. Otherwise restart its DHCP client.',
  },
  address_conflict: {
    meaning: 'Somebody else on the segment already uses the address that was to be given.',
    remedy: 'Find who answers there: a static address inside a pool. Exclude it or reserve it.',
  },
  other_server: {
    meaning: 'The machine took the offer of another DHCP server.',
    remedy: 'Remove that server, or name it in otherServers of the segment if it is meant to be there.',
  },
  reply_too_long: {
    meaning: 'What the machine is to be told is longer than the reply that it takes, so it was told nothing.',
    remedy:
      'Shorten the options of the segment, its classes and the machine: routes, domain-search and long texts first.',
  },
  lease_not_kept: {
    meaning: "The edge's disk did not take the lease, so no ACK left.",
    remedy: "Make room on the edge's disk, or look at its health.",
  },
  lease_not_taken: {
    meaning: 'The machine was offered an address and never asked for it.',
    remedy:
      'The offer does not reach it, or is not to its liking: check the way back through the relay, and portfast on its switch port.',
  },
  architecture_unknown: {
    meaning: 'There is no boot file for the architecture that the machine reports.',
    remedy:
      'Give the edge a build for it (--firmware FOLDER) and name it as firmware of the segment or a class.',
  },
  firmware_missing: {
    meaning: 'The boot file that policy names is not on the edge.',
    remedy:
      "Put it into the edge's firmware folder, or correct the name in the class, segment or reservation.",
  },
  file_refused: {
    meaning: "The rules by which the edge renames what TFTP is asked for refuse the machine's boot file.",
    remedy: 'Correct the map file of the edge (--tftp-map), or the name that the machine asks for.',
  },
  firmware_not_fetched: {
    meaning: 'The machine has an address, and never fetched its boot file.',
    remedy:
      'TFTP (UDP 69 and the ports that answer) or HTTP is blocked between it and the edge: check firewalls on the way.',
  },
  firmware_broken_off: {
    meaning: 'The transfer of the boot file began and did not end.',
    remedy:
      "Packets are lost or too large on the way: lower tftp.blockBytesMost of the segment, and check the path's MTU.",
  },
  firmware_silent: {
    meaning: 'The boot file arrived whole, and what it started was never heard of again.',
    remedy:
      'It hangs, or has no driver for this NIC: give the model another build as firmware of a class. On UEFI, Secure Boot may have refused it: look at the console.',
  },
  script_not_fetched: {
    meaning: 'iPXE runs, and never fetched its script.',
    remedy: "The edge's HTTP port is not reached from the segment: check firewalls and routes on the way.",
  },
  release_not_ready: {
    meaning: 'The edge does not have all of the release yet; the machine was told to wait.',
    remedy: "Wait for the edge to fetch it: 'bootswarm edge show NAME'.",
  },
  artefact_corrupt: {
    meaning: 'A file of the release does not have the SHA-256 that its manifest says, so it is not served.',
    remedy: "Check the controller's and the edge's disk; publish the release again under another version.",
  },
  menu_missing: {
    meaning: 'The machine is to show the menu of its segment, which has none.',
    remedy: "Give the segment a menu ('bootswarm segment apply FILE'), or the machine another intent.",
  },
  release_not_bootable: {
    meaning: 'The machine is to boot the image of a disk, which can only be installed.',
    remedy:
      "Install it by a profile ('bootswarm machine boot MACHINE install PROFILE'), or name a live release: a channel may have come to point to this one.",
  },
  artefact_missing: {
    meaning: 'The machine asked for a file of a release that this edge does not serve (any more).',
    remedy:
      "Restart the machine, which then gets another script. If it happens again, look what the edge has: 'bootswarm edge show NAME'.",
  },
  kernel_not_fetched: {
    meaning: 'The machine has its script, and never fetched the kernel.',
    remedy: "The edge's HTTP port is not reached any more, or iPXE hangs: look at the machine's console.",
  },
  kernel_broken_off: {
    meaning: 'The transfer of the kernel, the initramfs or the root file system began and did not end.',
    remedy:
      "The machine was reset, or the link lost packets: look at its console and the switch port's errors.",
  },
  root_not_fetched: {
    meaning: 'The kernel was fetched, and the root file system never was.',
    remedy: "The kernel has no driver for its NIC, or got no address: look at the machine's console.",
  },
  agent_unheard: {
    meaning: 'The mini image was fetched, and its agent never reported.',
    remedy:
      "Its kernel has no driver for the NIC, or the edge's HTTP port is not reached: the machine's console says which.",
  },
  answers_not_fetched: {
    meaning: 'The installer was started, and never fetched its answers.',
    remedy: "Its kernel has no driver for the NIC, or got no address: look at the machine's console.",
  },
  answers_refused: {
    meaning:
      'Answers of an installer, or its kernel, were asked for from an address that this edge has not leased to that machine.',
    remedy:
      'Nothing, if a stranger asked. Otherwise let the machine get its address from the edge that serves it its script.',
  },
  template_failed: {
    meaning:
      'The answers of the installer, or the texts of the first boot, could not be written for this machine.',
    remedy:
      "Correct the profile ('bootswarm profile apply FILE') or the machine's variables ('bootswarm machine set-variable'), then set the intent again.",
  },
  profile_unknown: {
    meaning: 'The profile that the machine is to be installed by is not known to this edge.',
    remedy: "Look at 'bootswarm profile show NAME' and the release that it names.",
  },
  installer_given_up: {
    meaning:
      'The installer was started several times without fetching its answers, so the machine boots from its disk instead.',
    remedy: "Look at the machine's console for why; then set the intent again: 'bootswarm machine boot'.",
  },
  installer_not_kept: {
    meaning: "The edge's disk did not take note of the installation, so the installer was not started.",
    remedy: "Make room on the edge's disk, or look at its health.",
  },
  install_failed: {
    meaning: 'The agent could not install the machine; nothing boots from a disk that it left unfinished.',
    remedy:
      "The record names the agent's cause; its log is in the edge's. Correct the profile or the machine, then set the intent again: 'bootswarm machine boot MACHINE install PROFILE'.",
  },
  wipe_failed: {
    meaning: 'The agent could not wipe the disks of the machine, or not prove it.',
    remedy:
      "The record names the disk and the cause. Choose another method ('bootswarm machine boot MACHINE wipe --method'), or take the disk out.",
  },
  work_broken_off: {
    meaning:
      "The machine booted again while its disks were being written to. The agent's next try begins anew.",
    remedy:
      'Look for a power cut, a watchdog or a crash of its kernel: console and BMC log. After the second time set the intent again.',
  },
  work_silent: {
    meaning: 'The agent began to write to the disks, and nothing more was heard of it.',
    remedy: "It hangs, or its network is gone: look at the machine's console. Booted again, it begins anew.",
  },
  no_first_boot: {
    meaning: 'The machine was installed, and the new system never said that it is up.',
    remedy:
      "Look at the machine's console: does its firmware boot from the disk, and does the system reach the edge by HTTP? A slow one needs a larger firstBootMinutes in its profile.",
  },
  release_untrusted: {
    meaning:
      'What the controller asks for, or the metadata that should vouch for it, is not what the operator signed: the edge takes nothing of it.',
    remedy:
      "Look at 'bootswarm trust show'. Where it is expired, renew it; where it is sound, someone changed it on its way to the edge.",
  },
  rogue_server: {
    meaning: 'A DHCP server that is not welcome answers on the segment.',
    remedy: 'Find the port behind its address and shut it, or name it in otherServers of the segment.',
  },
} as const;

export type BootCause = keyof typeof BOOT_CAUSES;
export const BootCause = z.enum(Object.keys(BOOT_CAUSES) as [BootCause, ...BootCause[]]);
