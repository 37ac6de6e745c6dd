import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lifeOf, type Machine } from '@bootswarm/controller/contract';
import type { Problem } from '@bootswarm/images/format';
import fc from 'fast-check';
import { MemoryStore } from '../store/memory-store.ts';
import { MachineIndex } from './machine-index.ts';
import { machineMoves } from './record-ring.ts';
import { Reservations } from './reservations.ts';

const now = new Date('2026-01-02T00:00:00.000Z');
const later = (hours: number): Date => new Date(now.getTime() + hours * 3_600_000);

async function make(count: number, change: (n: number) => Partial<Machine> = () => ({})) {
  const store = new MemoryStore();
  const put = Object.fromEntries(
    Array.from({ length: count }, (_, n): [string, Machine] => {
      const id = `m-${String(n).padStart(3, '0')}`;
      return [
        `machines/${id}`,
        { id, macs: [`52:54:00:00:00:${(n + 16).toString(16)}`], state: 'available', ...change(n) },
      ];
    }),
  );
  await store.commit({ put });
  const index = new MachineIndex(store);
  return { store, index, reservations: new Reservations(store, index) };
}

describe('a reservation', () => {
  test('takes as many machines as were asked for, of those that match', async () => {
    const { index, reservations } = await make(6, (n) => ({ class: n % 2 ? 'a' : 'b' }));
    const made = await reservations.reserve({ name: 'tests', count: 2, match: 'class=a', owner: 'me' }, now);
    assert.deepEqual(made.machines, ['m-001', 'm-003']);
    const held = await index.find({ match: 'reservation=tests' });
    assert.deepEqual(
      held.map((machine) => [machine.id, lifeOf(machine).state]),
      [
        ['m-001', 'reserved'],
        ['m-003', 'reserved'],
      ],
    );
  });

  test('of too few takes none, and tells why, by reason and with a bound', async () => {
    const { store, reservations } = await make(100, (n) =>
      n < 60 ? { state: 'active' } : n < 62 ? { state: 'failed', cause: 'set_by_operator' } : {},
    );
    await reservations.reserve({ name: 'others', count: 30, match: '' }, now);
    const before = await store.revision();
    await assert.rejects(
      reservations.reserve({ name: 'mine', count: 20, match: '' }, now),
      (error: Problem) => {
        assert.equal(error.code, 'reservation_short');
        assert.match(
          error.message,
          /of all machines 8 can be reserved, and 20 are wanted; nothing was reserved/,
        );
        assert.match(error.message, /60 because it is active: m-000, m-001, m-002, m-003, m-004, \.\.\./);
        assert.match(error.message, /30 because reservation others holds it: m-062/);
        assert.match(error.message, /2 because it is failed: m-060, m-061$/m);
        return true;
      },
    );
    assert.equal(await store.revision(), before);
    await assert.rejects(
      reservations.reserve({ name: 'none', count: 1, match: 'class=x' }, now),
      /no other machine matches/,
    );
  });

  test('of a name that is taken is refused', async () => {
    const { reservations } = await make(2);
    await reservations.reserve({ name: 'a', count: 1, match: '' }, now);
    await assert.rejects(reservations.reserve({ name: 'a', count: 1, match: '' }, now), {
      code: 'already_exists',
    });
  });

  test('ends by hand, by its time, or with its last machine', async () => {
    const { index, reservations } = await make(4);
    await reservations.reserve({ name: 'a', count: 1, match: '', hours: 24 }, now);
    await reservations.reserve({ name: 'b', count: 1, match: '' }, now);
    await reservations.reserve({ name: 'c', count: 2, match: '' }, now);
    assert.deepEqual(await reservations.expire(later(23.9)), []);
    assert.deepEqual(await reservations.expire(later(24)), ['a']);
    await reservations.end('b', now);
    await reservations.release('m-002', now);
    assert.deepEqual((await reservations.show('c')).machines, ['m-003']);
    await reservations.release('m-003', now);
    assert.deepEqual(await reservations.list(), []);
    assert.equal((await index.find({ match: 'state=available,reservation!=*' })).length, 4);
    await assert.rejects(reservations.release('m-003', now), { code: 'not_reserved' });
    await assert.rejects(reservations.end('c', now), { code: 'not_found' });
  });

  test('and its end stand in the history of its machines, however it ends', async () => {
    const { store, reservations } = await make(2);
    await reservations.reserve({ name: 'a', count: 2, match: '', hours: 1 }, now);
    await reservations.release('m-000', now);
    await reservations.expire(later(1));
    const moves = async (id: string) =>
      (await machineMoves.read(store, id)).map(({ from, to, by, reason }) => [from, to, by, reason]);
    const taken = ['available', 'reserved', 'operator', 'reservation a'];
    assert.deepEqual(await moves('m-000'), [
      taken,
      ['reserved', 'available', 'operator', 'it was taken out of reservation a'],
    ]);
    assert.deepEqual(await moves('m-001'), [
      taken,
      ['reserved', 'available', 'operator', 'the time of reservation a was over'],
    ]);
  });

  test('that ends leaves machines at the work that they were given', async () => {
    const { store, index, reservations } = await make(2);
    await reservations.reserve({ name: 'a', count: 2, match: '' }, now);
    const [one, two] = await index.all();
    const put = {
      'machines/m-000': { ...one, state: 'installing' },
      'machines/m-001': { ...two, intent: { kind: 'install', profile: 'web' }, epoch: 1, workEpoch: 1 },
    };
    await store.commit({ put });
    await reservations.end('a', now);
    assert.deepEqual(
      (await index.all()).map((machine) => [machine.reservation, lifeOf(machine).state]),
      [
        [undefined, 'installing'],
        [undefined, 'reserved'],
      ],
    );
  });
});

test('of any number that reserve and end at once no two ever share a machine', async () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const action = fc.oneof(
    fc.record({
      kind: fc.constant('reserve' as const),
      name,
      count: fc.integer({ min: 1, max: 6 }),
      hours: fc.constantFrom(1, 5),
    }),
    fc.record({ kind: fc.constant('end' as const), name }),
    fc.record({ kind: fc.constant('release' as const), n: fc.nat(9) }),
    fc.record({ kind: fc.constant('expire' as const), hours: fc.constantFrom(2, 9) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(action, { minLength: 2, maxLength: 12 }),
      async (scheduler, actions) => {
        const { store, index } = await make(10);
        // Each is a controller of its own over the one store, whose answers come in any order.
        const slow = new Proxy(store, {
          get: (target, key) => {
            const member = Reflect.get(target, key);
            if (typeof member !== 'function') return member;
            return key === 'commit' || key === 'get'
              ? scheduler.scheduleFunction(member.bind(target) as () => Promise<unknown>)
              : member.bind(target);
          },
        });
        const running = actions.map(async (each) => {
          const reservations = new Reservations(slow, new MachineIndex(store));
          try {
            if (each.kind === 'reserve')
              await reservations.reserve(
                { name: each.name, count: each.count, match: '', hours: each.hours },
                now,
              );
            else if (each.kind === 'end') await reservations.end(each.name, now);
            else if (each.kind === 'release') await reservations.release(`m-00${each.n}`, now);
            else await reservations.expire(later(each.hours));
          } catch (error) {
            assert.match(
              String((error as Problem).code),
              /^(already_exists|reservation_short|not_found|not_reserved|changed_meanwhile)$/,
            );
          }
        });
        await scheduler.waitFor(Promise.all(running));
        const held = new Map<string, string>();
        for (const reservation of await new Reservations(store, index).list())
          for (const id of reservation.machines) {
            assert.equal(held.get(id), undefined, `${id} is held twice`);
            held.set(id, reservation.name);
          }
        for (const machine of await index.all()) {
          assert.equal(machine.reservation, held.get(machine.id));
          assert.equal(lifeOf(machine).state, held.has(machine.id) ? 'reserved' : 'available');
          let stood = 'available';
          for (const { from, to } of await machineMoves.read(store, machine.id)) {
            assert.equal(from, stood, 'the history has no gap');
            stood = to;
          }
          assert.equal(stood, lifeOf(machine).state, 'every move is in the history');
        }
      },
    ),
    { numRuns: 150 },
  );
});
