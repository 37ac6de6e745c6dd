import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DesiredState } from '@bootswarm/controller/contract';
import { makeSigningKey, Problem, type Signed, signText } from '@bootswarm/images/format';
import { segmentWith } from '../decide/testing/world.ts';
import { acceptDesiredState } from './accept.ts';

const controller = makeSigningKey();
const stranger = makeSigningKey();
const state: DesiredState = {
  format: 1,
  edge: 'edge1',
  revision: 5,
  segments: [segmentWith()],
  policy: { options: {}, classes: [] },
  fellows: [],
  machines: [],
  releases: [],
  channels: [],
};
const signed = (value: unknown, key = controller): Signed => signText(JSON.stringify(value), key.privateKey);
const heldAt = (revision: number): DesiredState => ({ ...state, revision });

describe('a desired state that came from the controller', () => {
  for (const [name, held] of [
    ['the first', undefined],
    ['a newer one', heldAt(4)],
    ['the same again', heldAt(5)],
  ] as const)
    test(`is followed: ${name}`, () => {
      assert.deepEqual(acceptDesiredState(signed(state), 'edge1', controller.publicKey, held), state);
    });

  const good = signed(state);
  const refused: readonly (readonly [name: string, signed: Signed, code: string, held?: DesiredState])[] = [
    ['signed by a stranger', signed(state, stranger), 'signature_wrong'],
    ['changed by one character', { ...good, payload: good.payload.replace('5', '6') }, 'signature_wrong'],
    ['without a signature', { ...good, signature: '' }, 'signature_wrong'],
    ['with a signature that is no base64', { ...good, signature: '%%%' }, 'signature_wrong'],
    ['for another edge', signed({ ...state, edge: 'edge2' }), 'desired_state_unreadable'],
    ['older than what is followed', good, 'revision_went_back', heldAt(6)],
    ['of another format', signed({ ...state, format: 2 }), 'desired_state_unreadable'],
    ['with a segment that is none', signed({ ...state, segments: [{}] }), 'desired_state_unreadable'],
    ['that is no JSON', signText('{', controller.privateKey), 'desired_state_unreadable'],
  ];
  for (const [name, offered, code, held] of refused)
    test(`is refused: ${name}`, () => {
      assert.throws(
        () => acceptDesiredState(offered, 'edge1', controller.publicKey, held),
        (error) => error instanceof Problem && error.code === code,
      );
    });

  test('is refused when the key of the controller is no key', () => {
    assert.throws(() => acceptDesiredState(good, 'edge1', 'no key', undefined), /not signed/);
  });
});
