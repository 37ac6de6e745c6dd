import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Endpoint,
  type Event,
  endpoints,
  type Machine,
  type Segment,
} from '@bootswarm/controller/contract';
import { connect } from './index.ts';
import { RESOURCES } from './resources.ts';

test('every call that is not for edges alone stands under one thing, once', () => {
  const listed = Object.values(RESOURCES).flatMap((verbs): readonly Endpoint[] => Object.values(verbs));
  assert.equal(new Set(listed).size, listed.length);
  const wanted = Object.entries(endpoints).filter(
    ([, { audience }]) => audience !== 'edge' && audience !== 'join',
  );
  assert.deepEqual(
    wanted.filter(([, endpoint]) => !listed.includes(endpoint)).map(([name]) => name),
    [],
  );
});

test('what is passed and what comes is typed by the schemas of the contract', () => {
  // Never called: what it says is checked when types are.
  const client = connect({ url: 'http://127.0.0.1:1' });
  const typed = async (): Promise<void> => {
    const machine: Machine = await client.machines.setIntent('m1', { kind: 'local' });
    for await (const each of client.machines.list({ match: 'class=compute', limit: 10 }))
      each satisfies Machine;
    const all: Machine[] = await client.machines.list().all();
    for await (const event of client.events.follow({ kind: 'machine' })) event satisfies Event;
    const bytes: Response = await client.artefacts.fetch('a'.repeat(64));
    await client.releases.pin('web', '1.0', 'amd64', { signal: AbortSignal.timeout(1) });
    // @ts-expect-error an intent that there is none of
    await client.machines.setIntent('m1', { kind: 'fly' });
    // @ts-expect-error a body that is missing
    await client.machines.setIntent('m1');
    // @ts-expect-error a parameter of the path that is missing
    await client.releases.pin('web', '1.0');
    // @ts-expect-error a number where a text belongs
    await client.machines.show(7);
    // @ts-expect-error a query that nobody knows
    client.machines.list({ class: 'compute' });
    // @ts-expect-error a text where a number belongs
    client.machines.list({ limit: '10' });
    // @ts-expect-error a verb that there is none of
    client.machines.fly();
    // @ts-expect-error a machine is no segment
    machine satisfies Segment;
    assert.fail(String([all, bytes]));
  };
  assert.equal(typed.length, 0);
});
