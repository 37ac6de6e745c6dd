import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BootCause } from './boot-causes.ts';
import { BOOT_CAUSES } from './boot-causes.ts';
import { type BootTrace, traceBoot } from './boot-trace.ts';
import type { BootStage, EdgeRecord } from './journal.ts';

const START = Date.UTC(2026, 2, 2, 8, 0, 0);
const instant = (seconds: number): string => new Date(START + seconds * 1000).toISOString();

type Said = Partial<Omit<EdgeRecord, 'at' | 'seq' | 'stage'>>;
/** Seconds, stage, and what else the record says. */
type Line = readonly [seconds: number, stage: BootStage, said?: Said];

const address = '10.66.1.100';
const firmware = { address, next: 'firmware' } as const;
const script = { address, next: 'script' } as const;
const plain = { address, next: 'nothing' } as const;
const toLive = { address, next: 'kernel' } as const;

const romLease: readonly Line[] = [
  [0, 'offer', firmware],
  [1, 'lease', firmware],
];
const ipxe: readonly Line[] = [...romLease, [3, 'firmware', { address, detail: 'undionly.kpxe by TFTP' }]];
const withScriptLease: readonly Line[] = [...ipxe, [6, 'offer', script], [7, 'lease', script]];
const withScript: readonly Line[] = [...withScriptLease, [8, 'script', toLive]];
/** As GRUB and PXELINUX fetch it: planned, and then sent. */
const withTftpScript: readonly Line[] = [
  ...ipxe,
  [4, 'script', toLive],
  [5, 'script', { address, detail: 'grub/grub.cfg by TFTP: complete' }],
];
const withKernel: readonly Line[] = [...withScript, [12, 'kernel', { address }]];
const loaded: readonly Line[] = [...withKernel, [20, 'initramfs', { address }]];
const liveLease: readonly Line[] = [...loaded, [50, 'offer', plain], [51, 'lease', plain]];
const booted: readonly Line[] = [...liveLease, [90, 'root', { address }]];

function recordsOf(lines: readonly Line[]): EdgeRecord[] {
  return lines.map(([seconds, stage, said], index) => ({
    seq: index + 1,
    at: instant(seconds),
    edge: 'edge1',
    mac: '52:54:00:00:00:01',
    stage,
    detail: `${stage} ${index + 1}`,
    ...said,
  }));
}

/** In words: `stopped at kernel: kernel_not_fetched`, or the outcome and what it waits for. */
function gist({ outcome, verdict, stages }: BootTrace): string {
  if (verdict) return `${outcome} at ${verdict.stoppedAt}: ${verdict.cause}`;
  const waiting = stages.find(({ state }) => state === 'waiting');
  return waiting ? `${outcome}, waiting for ${waiting.stage}` : outcome;
}

/** The causes that a record itself names, at the stage where the edge says so. */
const named: readonly (readonly [BootCause, BootStage])[] = [
  ['segment_unknown', 'discover'],
  ['pool_none', 'discover'],
  ['pool_exhausted', 'discover'],
  ['policy_refused', 'discover'],
  ['limit_reached', 'discover'],
  ['bootp_refused', 'discover'],
  ['address_refused', 'lease'],
  ['address_conflict', 'lease'],
  ['other_server', 'lease'],
  ['reply_too_long', 'discover'],
  ['lease_not_kept', 'lease'],
  ['architecture_unknown', 'lease'],
  ['firmware_missing', 'lease'],
  ['rogue_server', 'discover'],
  ['menu_missing', 'script'],
  ['release_not_bootable', 'script'],
  ['artefact_missing', 'kernel'],
  ['answers_refused', 'script'],
  ['template_failed', 'script'],
  ['profile_unknown', 'script'],
  ['installer_given_up', 'script'],
  ['installer_not_kept', 'script'],
  ['install_failed', 'agent'],
  ['wipe_failed', 'agent'],
  ['work_broken_off', 'install'],
];

describe('a cause that the edge names is where the boot stopped', () => {
  for (const [cause, stage] of named)
    test(`${cause} at ${stage}`, () => {
      const trace = traceBoot(recordsOf([[0, stage, { cause, times: 4 }]]), instant(1));
      assert.equal(gist(trace), `stopped at ${stage}: ${cause}`);
      assert.equal(trace.verdict?.meaning, BOOT_CAUSES[cause].meaning);
      assert.equal(trace.verdict?.remedy, BOOT_CAUSES[cause].remedy);
      assert.match(
        trace.verdict?.evidence ?? '',
        /^2026-03-02T08:00:00.000Z edge1: \w+, \w+ 1 \(4 times more\)$/,
      );
    });
});

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

const cases: readonly {
  readonly name: string;
  readonly lines: readonly Line[];
  /** Seconds. */
  readonly now: number;
  readonly gist: string;
}[] = [
  { name: 'a machine that nobody heard', lines: [], now: 0, gist: 'stopped at discover: dhcp_unheard' },
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
  { name: 'an alarm alone', lines: [[0, 'alarm']], now: 1, gist: 'stopped at discover: dhcp_unheard' },
  {
    name: 'an offer that is young',
    lines: [[0, 'offer', firmware]],
    now: 9,
    gist: 'under way, waiting for lease',
  },
  {
    name: 'an offer that nobody took',
    lines: [[0, 'offer', firmware]],
    now: 11,
    gist: 'stopped at lease: lease_not_taken',
  },
  {
    name: 'an offer repeated and never taken counts from the first',
    lines: [
      [0, 'offer', firmware],
      [8, 'offer', firmware],
    ],
    now: 11,
    gist: 'stopped at lease: lease_not_taken',
  },
  {
    name: 'a refusal that was mended',
    lines: [[0, 'discover', { cause: 'pool_exhausted' }], ...withScript.slice(1)],
    now: 9,
    gist: 'under way, waiting for kernel',
  },
  { name: 'a lease that is young', lines: romLease, now: 40, gist: 'under way, waiting for firmware' },
  {
    name: 'firmware that never came for its file',
    lines: romLease,
    now: 47,
    gist: 'stopped at firmware: firmware_not_fetched',
  },
  {
    name: 'firmware that begins DHCP again because TFTP is blocked',
    lines: [...romLease, [40, 'offer', firmware], [41, 'lease', firmware]],
    now: 47,
    gist: 'stopped at firmware: firmware_not_fetched',
  },
  {
    name: 'a boot file whose transfer broke off',
    lines: [...romLease, [30, 'firmware', { cause: 'firmware_broken_off' }]],
    now: 31,
    gist: 'stopped at firmware: firmware_broken_off',
  },
  {
    name: 'a boot file that the edge has not',
    lines: [...romLease, [2, 'firmware', { cause: 'firmware_missing' }]],
    now: 3,
    gist: 'stopped at firmware: firmware_missing',
  },
  {
    name: 'a boot file that the edge is told to refuse',
    lines: [...romLease, [2, 'firmware', { cause: 'file_refused' }]],
    now: 3,
    gist: 'stopped at firmware: file_refused',
  },
  {
    name: 'what iPXE looks for and is refused stops nothing',
    lines: [...ipxe, [4, 'firmware', { cause: 'file_refused' }]],
    now: 30,
    gist: 'under way, waiting for script',
  },
  {
    name: 'what iPXE looks for beside its boot file stops nothing',
    lines: [...ipxe, [4, 'firmware', { cause: 'firmware_missing' }]],
    now: 30,
    gist: 'under way, waiting for script',
  },
  {
    name: 'a boot file after which nothing is heard',
    lines: ipxe,
    now: 64,
    gist: 'stopped at script: firmware_silent',
  },
  {
    name: 'iPXE that never came for its script',
    lines: withScriptLease,
    now: 38,
    gist: 'stopped at script: script_not_fetched',
  },
  {
    name: 'a ROM that is iPXE and never came for its script',
    lines: [
      [0, 'offer', script],
      [1, 'lease', script],
    ],
    now: 32,
    gist: 'stopped at script: script_not_fetched',
  },
  {
    name: 'an autoexec.ipxe after the lease of iPXE',
    lines: [...withScriptLease, [9, 'firmware', { detail: 'autoexec.ipxe' }]],
    now: 41,
    gist: 'stopped at script: script_not_fetched',
  },
  {
    name: 'a release that the edge has not yet',
    lines: [...withScriptLease, [8, 'script', { cause: 'release_not_ready', next: 'script' }]],
    now: 9,
    gist: 'stopped at script: release_not_ready',
  },
  {
    name: 'a release with a corrupt file',
    lines: [...withScriptLease, [8, 'script', { cause: 'artefact_corrupt', next: 'script' }]],
    now: 9,
    gist: 'stopped at script: artefact_corrupt',
  },
  {
    name: 'a release that became ready',
    lines: [
      ...withScriptLease,
      [8, 'script', { cause: 'release_not_ready', next: 'script' }],
      [18, 'script', toLive],
    ],
    now: 20,
    gist: 'under way, waiting for kernel',
  },
  {
    name: 'a script without a kernel',
    lines: withScript,
    now: 69,
    gist: 'stopped at kernel: kernel_not_fetched',
  },
  {
    name: 'a script that came by TFTP, and no kernel',
    lines: withTftpScript,
    now: 69,
    gist: 'stopped at kernel: kernel_not_fetched',
  },
  {
    name: 'a kernel after a script that came by TFTP',
    lines: [...withTftpScript, [12, 'kernel', { address }]],
    now: 15,
    gist: 'under way, waiting for initramfs',
  },
  {
    name: 'a kernel that broke off',
    lines: [...withScript, [10, 'kernel', { cause: 'kernel_broken_off' }]],
    now: 11,
    gist: 'stopped at kernel: kernel_broken_off',
  },
  {
    name: 'a kernel that broke off and came at the next try',
    lines: [...withScript, [10, 'kernel', { cause: 'kernel_broken_off' }], [14, 'kernel', { address }]],
    now: 15,
    gist: 'under way, waiting for initramfs',
  },
  {
    name: 'an initramfs that never ended',
    lines: withKernel,
    now: 313,
    gist: 'stopped at initramfs: kernel_broken_off',
  },
  { name: 'a kernel that starts', lines: loaded, now: 500, gist: 'under way, waiting for root' },
  {
    name: 'a kernel that never fetched its root',
    lines: loaded,
    now: 621,
    gist: 'stopped at root: root_not_fetched',
  },
  {
    name: 'a live system that has its address and never fetched its root',
    lines: liveLease,
    now: 652,
    gist: 'stopped at root: root_not_fetched',
  },
  {
    name: 'a live system that gets no address',
    lines: [...loaded, [50, 'discover', { cause: 'pool_exhausted' }]],
    now: 52,
    gist: 'stopped at discover: pool_exhausted',
  },
  { name: 'a machine that booted', lines: booted, now: 9000, gist: 'booted' },
  {
    name: 'a machine that booted and looks for a file that there is not',
    lines: [...booted, [99, 'root', { address, cause: 'artefact_missing' }]],
    now: 9000,
    gist: 'booted',
  },
  {
    name: 'a kernel that the edge serves no more',
    lines: [...withScript, [9, 'kernel', { address, cause: 'artefact_missing' }]],
    now: 900,
    gist: 'stopped at kernel: artefact_missing',
  },
  {
    name: 'a machine that booted and renews its lease as it runs',
    lines: [...booted, [1900, 'lease', plain], [4000, 'offer', plain], [4001, 'lease', plain]],
    now: 9000,
    gist: 'booted',
  },
  {
    name: 'a machine that boots its local disk',
    lines: [...withScriptLease, [8, 'script', { next: 'nothing' }]],
    now: 9000,
    gist: 'booted',
  },
  {
    name: 'an installed system that asks for an address after its local boot',
    lines: [
      ...withScriptLease,
      [8, 'script', { next: 'nothing' }],
      [60, 'offer', plain],
      [61, 'lease', plain],
    ],
    now: 9000,
    gist: 'booted',
  },
  {
    name: 'what a menu led to',
    lines: [...withScriptLease, [8, 'script', { next: 'nothing' }], [20, 'kernel', { address }]],
    now: 9000,
    gist: 'booted',
  },
  {
    name: 'memtest86+ out of a menu',
    lines: [
      ...withScriptLease,
      [8, 'script', { next: 'nothing' }],
      [20, 'firmware', { address, detail: 'memtest.bin by HTTP' }],
    ],
    now: 9000,
    gist: 'booted',
  },
  {
    name: 'a machine that asks for an address alone',
    lines: [
      [0, 'offer', plain],
      [1, 'lease', plain],
    ],
    now: 9000,
    gist: 'booted',
  },
  {
    name: 'UEFI HTTP boot: firmware again after the shim',
    lines: [...romLease, [2, 'firmware', {}], [3, 'firmware', {}], [5, 'kernel', {}]],
    now: 6,
    gist: 'under way, waiting for initramfs',
  },
  {
    name: 'a proxy offer, which nobody answers',
    lines: [[0, 'offer', { next: 'firmware' }]],
    now: 20,
    gist: 'under way, waiting for firmware',
  },
  {
    name: 'a second edge that was not chosen',
    lines: [
      [0, 'offer', firmware],
      [1, 'lease', firmware],
      [1.1, 'lease', { cause: 'other_server', edge: 'edge2' }],
    ],
    now: 3,
    gist: 'under way, waiting for firmware',
  },
  {
    name: 'a release of an address',
    lines: [...booted, [9000, 'lease', { address, detail: 'released' }]],
    now: 9001,
    gist: 'booted',
  },
];

describe('what is missing is told from what came last and how long ago', () => {
  for (const { name, lines, now, gist: wanted } of cases)
    test(`${name}: ${wanted}`, () => {
      const records = recordsOf(lines);
      assert.equal(gist(traceBoot(records, instant(now))), wanted);
      assert.equal(gist(traceBoot(records.toReversed(), instant(now))), wanted, 'in any order');
    });
});

describe('of several boots the last is told', () => {
  const shift = (lines: readonly Line[], seconds: number): readonly Line[] =>
    lines.map(([at, stage, said = {}]) => [at + seconds, stage, said]);
  const boots: readonly {
    readonly name: string;
    readonly lines: readonly Line[];
    readonly stages: number;
  }[] = [
    {
      name: 'after one that ended',
      lines: [...booted, ...shift(withScript, 200)],
      stages: withScript.length,
    },
    {
      name: 'after one that was cut short',
      lines: [...withKernel, ...shift(romLease, 30)],
      stages: romLease.length,
    },
    {
      name: 'of a ROM that is iPXE, after a boot to the local disk',
      lines: [
        [0, 'offer', script],
        [1, 'lease', script],
        [2, 'script', { next: 'nothing' }],
        [120, 'offer', script],
      ],
      stages: 1,
    },
    {
      name: 'but DHCP that the script asks again is the same boot',
      lines: [...withScript, [20, 'offer', script], [21, 'lease', script]],
      stages: withScript.length + 2,
    },
    {
      name: 'after a long silence',
      lines: [...romLease, ...shift(romLease, 700)],
      stages: romLease.length,
    },
    {
      name: 'that is refused',
      lines: [...booted, [500, 'discover', { cause: 'policy_refused' }]],
      stages: 1,
    },
  ];
  for (const { name, lines, stages } of boots)
    test(name, () => {
      const now = Math.max(...lines.map(([seconds]) => seconds));
      const told = traceBoot(recordsOf(lines), instant(now)).stages.filter(({ at }) => at !== undefined);
      assert.equal(told.length, stages);
    });
});

test('a story has each record, then what is waited for, then what was not reached', () => {
  const { stages } = traceBoot(
    recordsOf([[0, 'discover', { cause: 'pool_exhausted' }], ...withScriptLease.slice(0, 3)]),
    instant(10),
  );
  assert.deepEqual(
    stages.map(({ stage, state }) => `${stage} ${state}`),
    [
      'discover overcome',
      'offer done',
      'lease done',
      'firmware done',
      'script waiting',
      'kernel not reached',
      'initramfs not reached',
      'root not reached',
    ],
  );
});

test('every cause but that of an alarm is told by some case here', () => {
  const alarms: readonly BootCause[] = ['release_untrusted'];
  const told = new Set([
    ...alarms,
    ...named.map(([cause]) => cause),
    ...cases.map(({ gist: text }) => text.split(': ')[1]),
  ]);
  assert.deepEqual(
    Object.keys(BOOT_CAUSES).filter((cause) => !told.has(cause as BootCause)),
    [],
  );
});
