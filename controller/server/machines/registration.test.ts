import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Problem } from '@bootswarm/images/format';
import { InterposedStore } from '../testing/interposed-store.ts';
import { MachineIndex } from './machine-index.ts';
import { Machines } from './machines.ts';
import { Registration } from './registration.ts';
import { MachineRules } from './rules.ts';

const mac = (n: number): string =>
  `52:54:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`;
const uuid = '4c4c4544-0042-3510-8052-b4c04f4a3232';

function make() {
  const store = new InterposedStore();
  const index = new MachineIndex(store);
  const rules = new MachineRules(store);
  const registration = new Registration({ store, index, rules });
  const machines = new Machines(store, async () => ({}), undefined, index);
  const put = (machine: object, line?: number) => ({ machine, ...(line === undefined ? {} : { line }) });
  const refusal = async (rows: readonly { machine: object }[]): Promise<string> => {
    const before = await store.revision();
    const found = await registration.import({ rows: [...rows], dryRun: false }).then(
      () => undefined,
      (error: Problem) => error,
    );
    assert.equal(found?.code, 'import_refused');
    assert.equal(await store.revision(), before, 'nothing is half applied');
    return found.message;
  };
  return { store, registration, machines, rules, put, refusal };
}

describe('a registration', () => {
  test('makes a machine known by its name, MACs, UUID and labels', async () => {
    const { registration, machines } = make();
    const made = await registration.register({
      macs: [mac(1), mac(2)],
      uuid,
      name: 'web-1',
      class: 'web',
      labels: { rack: 'r1' },
    });
    assert.deepEqual([made.class, made.labels, made.byHand?.class], ['web', { rack: 'r1' }, 'web']);
    for (const key of [made.id, 'web-1', mac(2), uuid]) assert.equal((await machines.show(key)).id, made.id);
  });

  test('of a known machine says more of it, and the same again changes nothing', async () => {
    const { store, registration } = make();
    const { id } = await registration.register({ macs: [mac(1)], labels: { a: '1' } });
    const more = await registration.register({ macs: [mac(1), mac(2)], labels: { b: '2' }, rack: 'r9' });
    assert.deepEqual([more.id, more.labels, more.location], [id, { a: '1', b: '2' }, { rack: 'r9' }]);
    const before = await store.revision();
    await registration.register({ macs: [mac(2)], labels: { b: '2' }, rack: 'r9' });
    assert.equal(await store.revision(), before);
  });

  test('gives a name up with the next, for others to have', async () => {
    const { registration, machines } = make();
    await registration.register({ macs: [mac(1)], name: 'a' });
    await registration.register({ macs: [mac(1)], name: 'b' });
    await assert.rejects(machines.show('a'), { code: 'not_found' });
    const other = await registration.register({ macs: [mac(2)], name: 'a' });
    assert.equal((await machines.show('a')).id, other.id);
  });

  test('does not say where a machine is that was seen elsewhere', async () => {
    const { store, registration } = make();
    await store.commit({ put: { 'segments/lab': {}, 'segments/prod': {} } });
    const { id } = await registration.register({ macs: [mac(1)], segment: 'lab' });
    const entry = await store.get(`machines/${id}`);
    const seen = { ...(entry?.value as object), lastSeenAt: '2026-01-01T00:00:00.000Z' };
    await store.commit({ put: { [`machines/${id}`]: seen } });
    assert.equal((await registration.register({ macs: [mac(1)], segment: 'prod' })).segment, 'lab');
  });

  const refused: readonly (readonly [string, object, string, RegExp])[] = [
    [
      'a name that another has',
      { macs: [mac(9)], name: 'web-1' },
      'name',
      /web-1, which machine m-\w+ has already/,
    ],
    ['a serial that another has', { macs: [mac(9)], serial: 'S1' }, 'serial', /S1, which machine/],
    ['MACs of two machines', { macs: [mac(1), mac(2)] }, 'macs', /of two machines/],
    [
      "another's MAC under a new UUID",
      { macs: [mac(1)], uuid: uuid.replace('4', '5') },
      'macs[0]',
      /whose UUID is 4c/,
    ],
    [
      'a segment that is not there',
      { macs: [mac(9)], segment: 'moon' },
      'segment',
      /moon, which does not exist: add it/,
    ],
  ];
  for (const [what, row, field, reason] of refused)
    test(`is refused for ${what}`, async () => {
      const { registration } = make();
      await registration.register({ macs: [mac(1)], name: 'web-1', serial: 'S1', uuid });
      await registration.register({ macs: [mac(2)] });
      await assert.rejects(registration.register(row as { macs: string[] }), (error: Problem) => {
        assert.deepEqual([error.code, error.field], ['input_invalid', field]);
        assert.match(error.message, reason);
        return true;
      });
    });

  test('of the same name at the same time by two: one wins', async () => {
    const { store, registration, machines } = make();
    store.beforeNextCommit(() => registration.register({ macs: [mac(1)], name: 'web' }));
    await assert.rejects(registration.register({ macs: [mac(2)], name: 'web' }), { code: 'input_invalid' });
    assert.equal((await machines.list()).length, 1);
  });
});

describe('an import', () => {
  test('adds and changes all rows at once, and changes nothing the second time', async () => {
    const { store, registration, put } = make();
    await registration.register({ macs: [mac(1)] });
    const rows = Array.from({ length: 500 }, (_, n) =>
      put({ macs: [mac(n + 1)], serial: `S${n}`, labels: { n: `${n}` } }),
    );
    const would = await registration.import({ rows, dryRun: true });
    assert.deepEqual(would, { added: 499, changed: 1, unchanged: 0, dryRun: true });
    assert.deepEqual(await registration.import({ rows, dryRun: false }), { ...would, dryRun: false });
    const before = await store.revision();
    assert.deepEqual(await registration.import({ rows, dryRun: false }), {
      added: 0,
      changed: 0,
      unchanged: 500,
      dryRun: false,
    });
    assert.equal(await store.revision(), before);
  });

  test('tells of each bad row its line, its field and what to do', async () => {
    const { registration, put, refusal } = make();
    await registration.register({ macs: [mac(7)], serial: 'S7' });
    const message = await refusal([
      put({ macs: [mac(1)] }, 2),
      put({ macs: ['52:54'] }, 3),
      put({ macs: [mac(2)], klass: 'x' }, 4),
      put({ macs: [mac(1)] }, 5),
      put({ macs: [mac(3)], labels: { 'Bad Name': 'x' } }, 6),
      put({ macs: [mac(4)], serial: 'S7' }, 7),
      put({ macs: [mac(5)], name: 'm-0123456789' }, 8),
      put({ macs: [] }, 9),
    ]);
    for (const line of [
      /^7 of 8 rows cannot be imported, and nothing was:$/m,
      /^ {2}line 3: macs\[0\] must be a MAC address/m,
      /^ {2}line 4: klass is no field of a machine: choose one of macs, uuid/m,
      /^ {2}line 5: macs is 52:54:00:00:00:01, which stands in line 2 already: remove one of the two$/m,
      /^ {2}line 6: labels\b.*/m,
      /^ {2}line 7: serial is S7, which machine m-\w+ has already/m,
      /^ {2}line 8: name must not look like an id/m,
      /^ {2}line 9: macs must name at least one MAC/m,
    ])
      assert.match(message, line);
  });

  test('of a thousand bad rows tells the first and counts all', async () => {
    const { put, refusal } = make();
    const message = await refusal(
      Array.from({ length: 1000 }, (_, n) => put({ macs: ['x'], uuid: n % 2 ? 'y' : uuid })),
    );
    assert.ok(message.length < 20_000, `${message.length} characters`);
    assert.equal(message.split('\n').length, 52);
    assert.match(message, /^1000 of 1000 rows/);
    assert.match(message, /and 1450 more; in all, by field: macs 1000, uuid 500$/);
  });
});

test('labels and class set by hand are taken back, and then rules say them again', async () => {
  const { registration, rules } = make();
  const { id } = await registration.register({ macs: [mac(1)] });
  await rules.replace('r', { name: 'r', match: 'mac=52:54:*', set: { class: 'lab', labels: { a: 'rule' } } });
  const set = await registration.change(id, { labels: { a: 'hand', b: '1' }, class: 'own' });
  assert.deepEqual([set.class, set.labels], ['own', { a: 'hand', b: '1' }]);
  const back = await registration.change(id, { labels: { a: null, b: null }, class: null });
  assert.deepEqual([back.class, back.labels, back.byHand], ['lab', { a: 'rule' }, undefined]);
  await assert.rejects(registration.change('m-9', { class: 'x' }), { code: 'not_found' });
  const many = Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`l${n}`, 'x']));
  await assert.rejects(registration.change(id, { labels: many }), { code: 'input_invalid', field: 'labels' });
});
