import { address, type BootCase, type Line, plain, withScriptLease } from './boot-lines.ts';

const installerLoaded: readonly Line[] = [
  ...withScriptLease,
  [8, 'script', { address, next: 'installer' }],
  [12, 'kernel', { address }],
  [20, 'initramfs', { address }],
];
const miniLoaded: readonly Line[] = [
  ...withScriptLease,
  [8, 'script', { address, next: 'agent' }],
  [12, 'kernel', { address }],
  [20, 'initramfs', { address }],
];

const installing: readonly Line[] = [
  ...miniLoaded,
  [50, 'lease', plain],
  [60, 'agent', { address }],
  [70, 'install', { epoch: 2 }],
];
const installed: readonly Line[] = [...installing, [100, 'install', { epoch: 2, spentEpoch: 2 }]];

/** Of installers, agents and what they install. */
export const INSTALL_CASES: readonly BootCase[] = [
  {
    name: 'an installer that has time yet to fetch its answers',
    lines: [...installerLoaded, [50, 'offer', plain], [51, 'lease', plain]],
    now: 600,
    gist: 'under way, waiting for answers',
  },
  {
    name: 'an installer that got an address, and never fetched its answers',
    lines: [...installerLoaded, [50, 'offer', plain], [51, 'lease', plain]],
    now: 652,
    gist: 'stopped at answers: answers_not_fetched',
  },
  {
    name: 'an installer that fetched its answers, and goes on',
    lines: [...installerLoaded, [60, 'answers', { address, spentEpoch: 1 }], [70, 'tree', { address }]],
    now: 9_000,
    gist: 'booted',
  },
  {
    name: 'a mini image whose agent has time yet',
    lines: miniLoaded,
    now: 100,
    gist: 'under way, waiting for agent',
  },
  {
    name: 'a mini image whose agent reported, and does so again',
    lines: [...miniLoaded, [50, 'lease', plain], [60, 'agent', { address }], [90, 'agent', { address }]],
    now: 4_000,
    gist: 'booted',
  },
  {
    name: 'an installation that gets on',
    lines: installing,
    now: 4000,
    gist: 'under way, waiting for install',
  },
  {
    name: 'an installation of which nothing was heard for a day',
    lines: installing,
    now: 90_000,
    gist: 'stopped at install: work_silent',
  },
  {
    name: 'a try to install that failed',
    lines: [...installing, [99, 'install', { cause: 'install_failed', epoch: 2 }]],
    now: 100,
    gist: 'stopped at install: install_failed',
  },
  {
    name: 'an agent that shows why it gave up',
    lines: [...miniLoaded, [60, 'agent', { address, cause: 'install_failed' }]],
    now: 100,
    gist: 'stopped at agent: install_failed',
  },
  {
    name: 'a try that failed before the next one began',
    lines: [...installing, [99, 'install', { cause: 'install_failed' }], [110, 'install', { epoch: 2 }]],
    now: 120,
    gist: 'under way, waiting for install',
  },
  {
    name: 'a machine that was installed',
    lines: installed,
    now: 200,
    gist: 'under way, waiting for first-boot',
  },
  {
    name: 'a machine whose agent says last that it goes to boot from the disk',
    lines: [...installed, [101, 'agent', { address }]],
    now: 200,
    gist: 'under way, waiting for first-boot',
  },
  {
    name: 'an installed system that asks for its address',
    lines: [...installed, [150, 'offer', plain], [151, 'lease', plain]],
    now: 200,
    gist: 'under way, waiting for first-boot',
  },
  {
    name: 'an installed system that is up, and renews its lease',
    lines: [...installed, [151, 'lease', plain], [160, 'first-boot', { epoch: 2 }], [999, 'lease', plain]],
    now: 1000,
    gist: 'booted',
  },
  {
    name: 'an installed system that is not up in time',
    lines: [...installed, [1400, 'first-boot', { epoch: 2, cause: 'no_first_boot' }]],
    now: 1500,
    gist: 'stopped at first-boot: no_first_boot',
  },
  {
    name: 'an installed system of which its edge lived to say nothing',
    lines: installed,
    now: 200_000,
    gist: 'stopped at first-boot: no_first_boot',
  },
  {
    name: 'a machine that was wiped',
    lines: [
      ...miniLoaded,
      [60, 'agent', { address }],
      [70, 'wipe', { epoch: 2 }],
      [80, 'wipe', { spentEpoch: 2 }],
    ],
    now: 100,
    gist: 'booted',
  },
  {
    name: 'a wipe that goes on',
    lines: [...miniLoaded, [60, 'agent', { address }], [70, 'wipe', { epoch: 2 }]],
    now: 100,
    gist: 'under way, waiting for wipe',
  },
  {
    name: 'a mini image that got an address, and no word from its agent',
    lines: [...miniLoaded, [50, 'offer', plain], [51, 'lease', plain]],
    now: 352,
    gist: 'stopped at agent: agent_unheard',
  },
];
