import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BootRole, Manifest } from '@bootswarm/images/format';
import { type Holdings, outlookOf, planBoot, planText } from './boot-plan.ts';
import { HTTP_URL, MAC, NO_POLICY, segmentWith } from './testing/world.ts';

const hashOf = (role: BootRole): string => ({ kernel: 'a', initramfs: 'b', root: 'c' })[role].repeat(64);
const manifest: Manifest = {
  format: 1,
  name: 'minimal',
  version: '1.0',
  architecture: 'amd64',
  bootStyle: 'live-boot',
  kernelArguments: [],
  artefacts: (['kernel', 'initramfs', 'root'] as const).map((role) => ({
    role,
    name: role,
    length: 10,
    sha256: hashOf(role),
    pieceBytes: 1024 * 1024,
    pieces: [hashOf(role)],
  })),
};
const live = { kind: 'live', release: 'minimal/1.0/amd64' } as const;
const root = hashOf('root');

describe('what a plan lets the journal expect', () => {
  const cases: readonly (readonly [
    name: string,
    intent: typeof live | { readonly kind: 'local' | 'menu' },
    holdings: Partial<Holdings>,
    outlook: ReturnType<typeof outlookOf>,
  ])[] = [
    ['a release that is here', live, {}, { next: 'kernel' }],
    ['the local disk', { kind: 'local' }, {}, { next: 'nothing' }],
    [
      'a release that nobody told us of',
      live,
      { state: { machines: [], policy: NO_POLICY, releases: [] } },
      { next: 'script', cause: 'release_not_ready' },
    ],
    [
      'a release that is being fetched',
      live,
      { isReady: (sha256) => sha256 !== root },
      { next: 'script', cause: 'release_not_ready' },
    ],
    [
      'a release of which a file came spoilt',
      live,
      { isReady: (sha256) => sha256 !== root, isCorrupt: (sha256) => sha256 === root },
      { next: 'script', cause: 'artefact_corrupt' },
    ],
    [
      'a file that came spoilt once and is here now',
      live,
      { isCorrupt: (sha256) => sha256 === root },
      { next: 'kernel' },
    ],
    ['a menu that there is not', { kind: 'menu' }, {}, { next: 'script', cause: 'menu_missing' }],
    [
      'the image of a disk',
      live,
      { state: { machines: [], policy: NO_POLICY, releases: [{ ...manifest, bootStyle: 'disk-image' }] } },
      { next: 'script', cause: 'release_not_bootable' },
    ],
  ];
  for (const [name, intent, holdings, outlook] of cases)
    test(name, () => {
      const plan = planBoot({ mac: MAC, uuid: undefined }, segmentWith({ defaultIntent: intent }), {
        state: { machines: [], policy: NO_POLICY, releases: [manifest] },
        isReady: () => true,
        httpUrl: HTTP_URL,
        ...holdings,
      });
      assert.deepEqual(outlookOf(plan), outlook);
      if (outlook.cause === 'artefact_corrupt')
        assert.match(planText(plan), /^root of minimal.* wrong SHA-256/);
    });
});
