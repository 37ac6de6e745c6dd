import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AgentFacts, Inspection, Mac, Uuid } from '@bootswarm/controller/contract';
import { behaviourFor, factsOf, inspectionOf, specOf } from './machine-spec.ts';

describe('a played machine', () => {
  test('says of itself what the contract knows', () => {
    for (const n of [1, 2, 0xffff]) {
      const spec = specOf(n);
      assert.equal(Mac.parse(spec.mac), spec.mac);
      assert.equal(Uuid.parse(spec.uuid), spec.uuid);
      assert.deepEqual(AgentFacts.parse(factsOf(spec)), factsOf(spec));
      const inspection = inspectionOf(spec, '2026-03-02T08:00:00.000Z');
      assert.deepEqual(Inspection.parse(inspection), inspection);
    }
  });

  test('is told from every other by name, MAC, UUID and serial', () => {
    const specs = Array.from({ length: 1000 }, (_, at) => specOf(at + 1));
    for (const key of ['name', 'mac', 'uuid', 'serial'] as const)
      assert.equal(new Set(specs.map((spec) => spec[key])).size, specs.length, key);
    assert.throws(() => specOf(0), RangeError);
  });

  test('does with a release what the first of its rules that fits says', () => {
    const spec = specOf(1, {
      conduct: [
        { release: 'web/2/', does: 'fails' },
        { release: 'web/', does: 'slow' },
      ],
    });
    assert.equal(behaviourFor(spec, 'web/2/amd64'), 'fails');
    assert.equal(behaviourFor(spec, 'web/1/amd64'), 'slow');
    assert.equal(behaviourFor(spec, 'db/1/amd64'), 'ok');
  });
});
