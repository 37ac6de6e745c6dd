import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DesiredState, DhcpPolicy, Menu } from '@bootswarm/controller/contract';
import type { BootRole, Manifest } from '@bootswarm/images/format';
import { type MenuPick, planBoot, planText } from './boot-plan.ts';
import { HTTP_URL, MAC, NO_POLICY, OTHER_MAC, segmentWith } from './testing/world.ts';

type DesiredMachine = DesiredState['machines'][number];

const UUID = '11111111-2222-3333-4444-555555555555';
const OTHER_UUID = '99999999-2222-3333-4444-555555555555';
const RELEASE = 'minimal/1.0/amd64';

const hashOf = (role: BootRole) => ({ kernel: 'a', initramfs: 'b', root: 'c' })[role].repeat(64);
const artefact = (role: BootRole, name: string) => ({
  role,
  name,
  length: 10,
  sha256: hashOf(role),
  pieceBytes: 1024 * 1024,
  pieces: [hashOf(role)],
});
const manifest: Manifest = {
  format: 1,
  name: 'minimal',
  version: '1.0',
  architecture: 'amd64',
  bootStyle: 'live-boot',
  kernelArguments: ['boot=live', 'console=ttyS0,115200n8', 'boot=live'],
  artefacts: [
    artefact('kernel', 'vmlinuz'),
    artefact('initramfs', 'initrd.img'),
    artefact('root', 'root.squashfs'),
  ],
};
const live = { kind: 'live', release: RELEASE } as const;
const local = { kind: 'local' } as const;

interface World {
  readonly machines?: readonly DesiredMachine[];
  readonly releases?: Manifest[];
  readonly ready?: readonly BootRole[];
  readonly fallback?: typeof live | typeof local;
  readonly uuid?: string;
}

function planIn({ machines = [], releases = [manifest], ready, fallback = local, uuid }: World) {
  const here = (ready ?? ['kernel', 'initramfs', 'root']).map(hashOf);
  return planBoot({ mac: MAC, uuid }, segmentWith({ defaultIntent: fallback }), {
    state: { machines: [...machines], policy: NO_POLICY, releases },
    isReady: (sha256) => here.includes(sha256),
    httpUrl: HTTP_URL,
  });
}

describe('a machine that lost its VLAN tag (quirk 26)', () => {
  const policy = DhcpPolicy.parse({
    classes: [{ name: 'tagged', match: { macs: [MAC], segments: ['native'] }, vlan: 7 }],
  });
  const planned = (segment: string) =>
    planBoot({ mac: MAC, uuid: undefined }, segmentWith({ name: segment, defaultIntent: local }), {
      state: { machines: [], policy, releases: [] },
      isReady: () => true,
      httpUrl: HTTP_URL,
    });

  test('begins anew with the tag where its class says so, and boots behind it', () => {
    assert.deepEqual(planned('native'), { kind: 'vlan', tag: 7 });
    assert.equal(planned('behind').kind, 'local');
  });
});

describe('the menu of a segment', () => {
  const menu = Menu.parse({
    title: 'Rack 12',
    password: 'scrypt:AA==:AA==',
    entries: [
      { kind: 'live', label: 'Minimal', release: RELEASE },
      { kind: 'rescue', label: 'Rescue', release: RELEASE, locked: true },
      { kind: 'local', label: 'Disk' },
      { kind: 'memtest', label: 'Memory test' },
      { kind: 'kernel', label: 'Own', kernel: 'http://m.example/k', arguments: ['a=1'] },
      { kind: 'iso', label: 'ISO', url: 'http://m.example/i.iso' },
    ],
  });
  const picked = (pick?: MenuPick) =>
    planBoot(
      { mac: MAC, uuid: undefined },
      segmentWith({ defaultIntent: { kind: 'menu' }, menu }),
      {
        state: { machines: [], policy: NO_POLICY, releases: [manifest] },
        isReady: () => true,
        httpUrl: HTTP_URL,
      },
      pick,
    );

  test('is shown with its labels, and what is locked', () => {
    const plan = picked();
    assert.ok(plan.kind === 'menu');
    assert.deepEqual([plan.title, plan.timeoutSeconds], ['Rack 12', 30]);
    assert.deepEqual(
      plan.entries.filter(({ isLocked }) => isLocked),
      [{ label: 'Rescue', isLocked: true }],
    );
  });

  for (const [entry, kind] of [
    [0, 'live'],
    [2, 'local'],
    [3, 'memtest'],
    [4, 'kernel'],
    [5, 'iso'],
    [6, 'menu'],
  ] as const)
    test(`entry ${entry} is ${kind}`, () => assert.equal(picked({ entry, isUnlocked: false }).kind, kind));

  test('a locked entry boots with the password, and not without', () => {
    assert.equal(picked({ entry: 1, isUnlocked: false }).kind, 'refused');
    const plan = picked({ entry: 1, isUnlocked: true });
    assert.ok(plan.kind === 'live' && plan.kernelArguments.includes('systemd.unit=rescue.target'));
  });

  test('an entry is not given to a machine that is not shown the menu', () => {
    const plan = planBoot(
      { mac: MAC, uuid: undefined },
      segmentWith({ defaultIntent: local, menu }),
      {
        state: { machines: [], policy: NO_POLICY, releases: [manifest] },
        isReady: () => true,
        httpUrl: HTTP_URL,
      },
      { entry: 0, isUnlocked: true },
    );
    assert.equal(plan.kind, 'local');
  });

  test('a segment without one says so', () => {
    const plan = planBoot({ mac: MAC, uuid: undefined }, segmentWith({ defaultIntent: { kind: 'menu' } }), {
      state: { machines: [], policy: NO_POLICY, releases: [] },
      isReady: () => true,
      httpUrl: HTTP_URL,
    });
    assert.match(planText(plan), /has no menu/);
  });
});

const machineWith = (facts: Partial<DesiredMachine>): DesiredMachine => ({
  id: 'm1',
  macs: [MAC],
  intent: live,
  ...facts,
});

describe('what a machine boots', () => {
  const cases: readonly (readonly [name: string, world: World, plan: string])[] = [
    ['a machine that nobody knows, by default', {}, 'boot from the local disk'],
    ["a machine that nobody knows, by its segment's intent", { fallback: live }, `boot live ${RELEASE}`],
    ['a known machine', { machines: [machineWith({})] }, `boot live ${RELEASE}`],
    [
      'a known machine that is to leave what its segment does',
      { machines: [machineWith({ intent: local })], fallback: live },
      'boot from the local disk',
    ],
    [
      'a machine of another MAC',
      { machines: [machineWith({ macs: [OTHER_MAC] })] },
      'boot from the local disk',
    ],
    [
      'a machine known by its UUID, behind another MAC',
      { machines: [machineWith({ macs: [OTHER_MAC], uuid: UUID })], uuid: UUID },
      `boot live ${RELEASE}`,
    ],
    [
      'a machine behind the dock of another',
      { machines: [machineWith({ uuid: OTHER_UUID })], uuid: UUID },
      'boot from the local disk',
    ],
    [
      'a release that is not here yet',
      { fallback: live, releases: [] },
      `this edge does not know ${RELEASE} yet`,
    ],
    [
      'a release of which a part is here',
      { fallback: live, ready: ['kernel', 'initramfs'] },
      `this edge is fetching ${RELEASE}: 2 of 3 files`,
    ],
    [
      'the image of a disk, to which a channel came to point',
      {
        fallback: live,
        releases: [
          {
            ...manifest,
            bootStyle: 'disk-image',
            artefacts: [{ ...artefact('root', 'disk'), role: 'disk' }],
          },
        ],
      },
      `${RELEASE} is a disk image, which a profile installs: nothing boots it over the network`,
    ],
  ];
  for (const [name, world, plan] of cases) test(name, () => assert.equal(planText(planIn(world)), plan));

  test('a live boot names the URLs of this edge and keeps the kernel arguments', () => {
    const root = `${HTTP_URL}/artefacts/${hashOf('root').slice(0, 16)}/root.squashfs`;
    assert.deepEqual(planIn({ fallback: live }), {
      kind: 'live',
      release: RELEASE,
      kernelUrl: `${HTTP_URL}/artefacts/${hashOf('kernel').slice(0, 16)}/vmlinuz`,
      initramfsUrl: `${HTTP_URL}/artefacts/${hashOf('initramfs').slice(0, 16)}/initrd.img`,
      kernelArguments: ['boot=live', 'console=ttyS0,115200n8', 'boot=live', `fetch=${root}`],
    });
  });

  test('who waits asks this edge again', () => {
    const plan = planIn({ fallback: live, releases: [] });
    assert.ok(plan.kind === 'wait');
    assert.ok(plan.scriptUrl.startsWith(`${HTTP_URL}/boot.ipxe?`));
  });
});
