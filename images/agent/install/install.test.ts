import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Manifest, Problem } from '@bootswarm/images/format';
import type { FoundDisk } from '../inspect/collect-disks.ts';
import { type InstallParts, install } from './install.ts';
import { Progress } from './progress.ts';
import { disk, mirror, one, orderOf } from './testing/new-machine.ts';

const artefact = { name: 'x', length: 1000, sha256: '', pieceBytes: 1000, pieces: [''] };
const manifest = {
  name: 'tiny',
  version: '1',
  architecture: 'amd64',
  artefacts: [{ ...artefact, role: 'root' }],
} as unknown as Manifest;
const A: FoundDisk = { disk: disk({ name: 'vda', serial: 'A' }), tableUuid: undefined };

interface Tried {
  readonly error: Problem;
  /** Programs that were run, without those that only load drivers. */
  readonly ran: readonly string[];
  readonly plans: readonly string[];
}

/** Tries an installation that must not come to write anything. */
async function tried(change: {
  readonly manifest?: Manifest;
  readonly layout?: object;
  readonly hooks?: readonly string[];
  readonly disks?: readonly (readonly FoundDisk[])[];
  readonly begin?: () => Promise<void>;
}): Promise<Tried> {
  const ran: string[] = [];
  const plans: string[] = [];
  const disks = [...(change.disks ?? [[A]])];
  const order = orderOf({}, change.layout ?? one);
  const parts: InstallParts = {
    order: {
      ...order,
      profile: { ...order.profile, hooks: { before: [...(change.hooks ?? [])], after: [] } },
    },
    firmware: 'bios',
    manifestOf: async () => change.manifest ?? manifest,
    pieces: () => assert.fail('nothing is fetched'),
    findDisks: async () => (disks.length > 1 ? disks.shift() : disks[0]) ?? [],
    begin: async (plan) => {
      plans.push(plan);
      await (change.begin ?? (() => Promise.resolve()))();
    },
    progress: new Progress(
      () => {},
      () => 0,
    ),
    programs: {
      run: async (argv) => {
        if (argv[0] !== 'modprobe') ran.push(argv.join(' '));
        return { code: 0, stdout: '' };
      },
    },
    say: () => {},
    signal: new AbortController().signal,
    wait: async () => {},
    now: () => 0,
  };
  const error = await install(parts).then(
    () => assert.fail('it must fail'),
    (each: Error) => each,
  );
  assert.ok(error instanceof Problem, error.message);
  return { error, ran, plans };
}

describe('an installation writes to no disk', () => {
  const other: FoundDisk = { ...A, disk: { ...A.disk, sizeBytes: A.disk.sizeBytes * 2 } };
  const held: FoundDisk = { ...A, disk: { ...A.disk, holds: [{ kind: 'zfs', where: 'vda1', detail: '' }] } };
  const withDisk = { ...manifest, artefacts: [{ ...artefact, role: 'disk' }] } as unknown as Manifest;
  const cases: readonly (readonly [
    name: string,
    change: Parameters<typeof tried>[0],
    code: string,
    begun: number,
  ])[] = [
    [
      'of another release than was ordered',
      { manifest: { ...manifest, version: '2' } },
      'release_another',
      0,
    ],
    [
      'of a release that has nothing to install',
      { manifest: { ...manifest, artefacts: [] } },
      'release_not_installable',
      0,
    ],
    ['of a disk image on a mirror', { manifest: withDisk, layout: mirror }, 'disk_image_one_disk', 0],
    [
      'of a disk image that is longer than the disk',
      {
        manifest: {
          ...withDisk,
          artefacts: [{ ...artefact, role: 'disk', length: A.disk.sizeBytes + 1 }],
        } as unknown as Manifest,
      },
      'disk_image_too_large',
      0,
    ],
    ['where the disk is not there', { layout: { disks: [{ serial: 'B' }] } }, 'disk_not_found', 0],
    [
      'where two disks have the serial number',
      { disks: [[A, { ...A, disk: disk({ name: 'vdb', serial: 'A' }) }]] },
      'disk_ambiguous',
      0,
    ],
    ['where the disk holds data', { disks: [[held]] }, 'disk_holds_data', 0],
    [
      'where the disk is too small',
      { disks: [[{ ...A, disk: disk({ name: 'vda', serial: 'A', sizeBytes: 2 ** 29 }) }]] },
      'disk_too_small',
      0,
    ],
    ['where a hook fails', { hooks: ['exit 3'] }, 'hook_failed', 1],
    [
      'where the edge refuses, and runs no hook then',
      {
        begin: () => Promise.reject(new Problem({ code: 'ticket_spent', message: 'm', remedy: 'r' }, 409)),
        hooks: ['exit 3'],
      },
      'ticket_spent',
      1,
    ],
    ['where the disk became another one meanwhile', { disks: [[A], [other]] }, 'disks_changed', 1],
    ['where the disk got data meanwhile', { disks: [[A], [held]] }, 'disk_holds_data', 1],
    ['where the disk went away meanwhile', { disks: [[A], []] }, 'disk_not_found', 1],
  ];
  for (const [name, change, code, begun] of cases)
    test(name, async () => {
      const { error, ran, plans } = await tried(change);
      assert.equal(error.code, code);
      assert.deepEqual(ran, []);
      assert.equal(plans.length, begun);
    });
});
