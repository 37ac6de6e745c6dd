import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Intent } from '@bootswarm/controller/contract';
import type { Manifest } from '@bootswarm/images/format';
import { outlookOf, planBoot } from './boot-plan.ts';
import { HTTP_URL, MAC, NO_POLICY, segmentWith } from './testing/world.ts';

const artefact = (role: 'kernel' | 'initramfs', letter: string) => ({
  role,
  name: `${role}.img`,
  length: 10,
  sha256: letter.repeat(64),
  pieceBytes: 1024 * 1024,
  pieces: [letter.repeat(64)],
});
const mini: Manifest = {
  format: 1,
  name: 'mini',
  version: '1',
  architecture: 'amd64',
  bootStyle: 'mini',
  kernelArguments: ['console=tty0'],
  artefacts: [artefact('kernel', 'a'), artefact('initramfs', 'b')],
};
const inspect: Intent = { kind: 'inspect' };

function planOf(
  intent: Intent,
  setting: { readonly amd64?: string; readonly arm64?: string },
  isReady = true,
) {
  return planBoot({ mac: MAC }, segmentWith({ defaultIntent: intent }), {
    state: { machines: [], policy: NO_POLICY, releases: [mini], mini: setting },
    isReady: () => isReady,
    httpUrl: HTTP_URL,
  });
}

describe('a machine that is to be inspected', () => {
  test('boots the mini image that was chosen, and is told its edge and its card', () => {
    const plan = planOf(inspect, { amd64: 'mini/1/amd64' });
    assert.equal(plan.kind === 'live' && plan.release, 'mini/1/amd64');
    assert.deepEqual(plan.kind === 'live' && plan.kernelArguments, [
      'console=tty0',
      `bootswarm.edge=${HTTP_URL}`,
      `bootswarm.mac=${MAC}`,
    ]);
    assert.deepEqual(outlookOf(plan), { next: 'agent' });
  });

  test('waits where none was chosen, and where this edge has not all of it yet', () => {
    const none = planOf(inspect, {});
    assert.match(none.kind === 'wait' ? none.reason : '', /no mini image is chosen/);
    assert.deepEqual(outlookOf(none), { next: 'script', cause: 'release_not_ready' });
    assert.equal(planOf(inspect, { amd64: 'mini/1/amd64' }, false).kind, 'wait');
    assert.equal(planOf(inspect, { amd64: 'mini/2/amd64' }).kind, 'wait');
  });

  test('and one that boots the mini image as any other release, are told their edge alike', () => {
    const plan = planOf({ kind: 'live', release: 'mini/1/amd64' }, {});
    assert.ok(plan.kind === 'live' && plan.kernelArguments.includes(`bootswarm.edge=${HTTP_URL}`));
    assert.deepEqual(outlookOf(plan), { next: 'agent' });
  });
});
