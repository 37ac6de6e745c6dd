/** The rooms of the design, and the arrows that are allowed between them. */
export interface Room {
  /** Front doors of other rooms that it may import. */
  readonly uses: readonly string[];
  /** Front doors beside its index.ts, to a part of it. */
  readonly doors?: readonly string[];
  /** No I/O, no clock, no chance: the same input gives the same output. */
  readonly pure?: true;
}

/**
 * By folder. A room inside another (`service/decide`) is open to the room around it, and may itself import
 * only what it says. Whatever one room takes from another goes through that one's index.ts.
 */
export const ROOMS: Readonly<Record<string, Room>> = {
  'controller/contract': { uses: ['images/format', 'images/install'] },
  'controller/client': { uses: ['controller/contract', 'images/format'] },
  'controller/server': {
    // The client for its tests alone, which hold it against the real thing: controller/decisions/0014.
    uses: ['controller/client', 'controller/contract', 'images/format', 'images/swarm', 'images/trust'],
  },
  // Decides alone what rollouts do next: controller/decisions/0008.
  'controller/server/rollouts/planner': { uses: ['controller/contract'], pure: true },
  'controller/server/rollouts/planner/simulation': {
    uses: ['controller/contract', 'controller/server/rollouts/planner'],
  },
  'controller/cli': {
    uses: [
      'controller/client',
      'controller/contract',
      'edge-node/service',
      'images/format',
      'images/build',
      'images/trust',
    ],
  },
  'edge-node/protocols/dhcp4': { uses: [], pure: true },
  'edge-node/protocols/dhcp4/testing': { uses: ['edge-node/protocols/dhcp4'] },
  'edge-node/protocols/tftp': { uses: [], pure: true },
  'edge-node/service': {
    // `bootswarm doctor` looks at a host with the eyes of an edge: edge-node/decisions/0006.
    doors: ['edge-node/service/doctor/index.ts'],
    uses: [
      'controller/contract',
      'edge-node/protocols/dhcp4',
      'edge-node/protocols/dhcp4/testing',
      'edge-node/protocols/tftp',
      'images/format',
      'images/swarm',
      'images/trust',
      'images/trust/testing',
      'ipxe',
    ],
  },
  'edge-node/service/decide': {
    uses: [
      'controller/contract',
      'edge-node/protocols/dhcp4',
      'edge-node/protocols/dhcp4/testing',
      'images/format',
      'ipxe',
    ],
    pure: true,
  },
  'images/format': { uses: [] },
  'images/swarm': { doors: ['images/swarm/peers/testing/index.ts'], uses: ['images/format'] },
  'images/trust': { uses: ['images/format'] },
  'images/trust/testing': { uses: ['images/format', 'images/trust'] },
  // The agent speaks to edges as the contract says: images/decisions/0007.
  'images/agent': {
    uses: [
      'controller/contract',
      'images/format',
      'images/install',
      'images/swarm',
      'images/trust',
      'images/trust/testing',
    ],
  },
  'images/build': { uses: ['images/format'] },
  'images/install': { uses: ['images/format'], pure: true },
  ipxe: { uses: [], pure: true },
  'test/architecture': { uses: [] },
  'test/lab': { uses: [] },
  'test/bench': {
    uses: [
      'test/lab',
      'test/boot',
      'controller/contract',
      'controller/server/rollouts/planner/simulation',
      'edge-node/protocols/dhcp4',
      'images/format',
      'images/swarm',
    ],
  },
  'test/boot': {
    uses: [
      'test/lab',
      'test/fleet',
      'controller/contract',
      'images/build',
      'images/format',
      'images/install',
      'images/trust',
      'images/trust/testing',
    ],
  },
  // Machines that are played run the agent itself: test/fleet/decisions/0001.
  'test/fleet': {
    uses: [
      'test/lab',
      'test/boot',
      'controller/contract',
      'edge-node/protocols/dhcp4',
      'edge-node/protocols/dhcp4/testing',
      'edge-node/protocols/tftp',
      'images/agent',
      'images/format',
    ],
  },
  'test/faults': {
    uses: [
      'test/lab',
      'test/boot',
      'test/fleet',
      'test/swarm',
      'controller/contract',
      'edge-node/protocols/dhcp4',
      'edge-node/protocols/tftp',
      'images/format',
      'images/trust',
      'images/trust/testing',
    ],
  },
  'test/interop': {
    uses: [
      'test/lab',
      'test/boot',
      'test/swarm',
      'controller/contract',
      'edge-node/protocols/dhcp4',
      'edge-node/protocols/dhcp4/testing',
      'images/format',
    ],
  },
  'test/swarm': { uses: ['test/lab', 'test/boot', 'images/format', 'images/swarm'] },
  deploy: { uses: ['controller/contract'] },
};

/** What `@bootswarm/...` names lead to: each package's `exports`, by folder. */
export const FRONT_DOORS: Readonly<Record<string, string>> = {
  '@bootswarm/controller/client': 'controller/client/index.ts',
  '@bootswarm/controller/contract': 'controller/contract/index.ts',
  '@bootswarm/controller/rollouts/simulation': 'controller/server/rollouts/planner/simulation/index.ts',
  '@bootswarm/edge-node/dhcp4': 'edge-node/protocols/dhcp4/index.ts',
  '@bootswarm/edge-node/dhcp4/testing': 'edge-node/protocols/dhcp4/testing/index.ts',
  '@bootswarm/edge-node/doctor': 'edge-node/service/doctor/index.ts',
  '@bootswarm/edge-node/tftp': 'edge-node/protocols/tftp/index.ts',
  '@bootswarm/images/format': 'images/format/index.ts',
  '@bootswarm/images/swarm': 'images/swarm/index.ts',
  '@bootswarm/images/swarm/testing': 'images/swarm/peers/testing/index.ts',
  '@bootswarm/images/agent': 'images/agent/index.ts',
  '@bootswarm/images/build': 'images/build/index.ts',
  '@bootswarm/images/install': 'images/install/index.ts',
  '@bootswarm/images/trust': 'images/trust/index.ts',
  '@bootswarm/images/trust/testing': 'images/trust/testing/index.ts',
  '@bootswarm/ipxe': 'ipxe/index.ts',
};
