import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BootCause } from './boot-causes.ts';
import { BOOT_CAUSES } from './boot-causes.ts';
import { traceBoot } from './boot-trace.ts';
import type { BootStage } from './journal.ts';
import { BOOT_CASES } from './testing/boot-cases.ts';
import {
  booted,
  gist,
  instant,
  type Line,
  recordsOf,
  romLease,
  script,
  withKernel,
  withScript,
  withScriptLease,
} from './testing/boot-lines.ts';
import { INSTALL_CASES } from './testing/install-cases.ts';

const cases = [...BOOT_CASES, ...INSTALL_CASES];

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
