import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Rollout, RolloutMachine } from '@bootswarm/controller/contract';
import { MemoryStore } from '../store/memory-store.ts';
import type { Change, Outcome } from '../store/state-store.ts';
import { RolloutSite } from './testing/rollout-site.ts';

const WITHIN_MS = 10_000;

/** A store that dies with the controller: after so many commits nothing is stored any more. */
class MortalStore extends MemoryStore {
  left = Number.POSITIVE_INFINITY;
  isDead = false;

  override async commit(change: Change): Promise<Outcome> {
    if (this.left <= 0) {
      this.isDead = true;
      throw new Error('the controller was killed');
    }
    this.left -= 1;
    return super.commit(change);
  }
}

let folder: string;
let store: MortalStore;
let site: RolloutSite;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bootswarm-rollout-'));
  store = new MortalStore();
  site = await RolloutSite.make(store, folder);
});

afterEach(async () => {
  store.left = Number.POSITIVE_INFINITY;
  site.services.rollouts.stop();
  await site.services.rolloutDesk.stop();
  await rm(folder, { recursive: true });
});

async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + WITHIN_MS; Date.now() < deadline; await sleep(5))
    if (await isTrue()) return;
  assert.fail(`${what}: ${JSON.stringify(await site.steps())}`);
}

const state = async (): Promise<Rollout['state'] | undefined> =>
  (await site.services.rollouts.list())[0]?.state;
const start = async (changes: Parameters<RolloutSite['order']>[0] = {}): Promise<Rollout> => {
  const started = await site.services.rollouts.start(site.order(changes), new Date());
  await site.services.rolloutDesk.start(20);
  return started;
};

/** Machines that are awaited come up; those in `bad` do not. */
async function bootAll(bad: ReadonlySet<string> = new Set()): Promise<void> {
  for (const [id, step] of Object.entries(await site.steps()))
    if (step === 'undo_booting' || (step === 'booting' && !bad.has(id))) await site.boot(id);
}

test('every machine gets the release, wave by wave, and is free for another rollout after that', async () => {
  const { waves } = await start({ waves: '1,rest', limits: { atOnce: 2 } });
  assert.deepEqual(
    waves.map(({ size }) => size),
    [1, 5],
  );
  await until('the canary is awaited', async () => Object.values(await site.steps()).includes('booting'));
  assert.equal(Object.values(await site.steps()).filter((step) => step === 'waiting').length, 5);
  await until('all are done', async () => {
    await bootAll();
    return (await state()) === 'done';
  });
  for (const id of site.machines) {
    const { intent, epoch } = await site.machine(id);
    assert.deepEqual(intent, { kind: 'live', release: 'minimal/2.0/amd64' });
    assert.equal(epoch, 2, 'armed once');
  }
  assert.deepEqual(await store.list('rollout-claims/'), []);
  await assert.rejects(site.services.rollouts.plan(site.order({ name: 'again' }), new Date()), {
    code: 'rollout_empty',
    message: /6: it has the release already/,
  });
});

test('a canary that fails takes what was touched back, and nobody else is touched', async () => {
  await start({ waves: '2,rest', onFailure: 'rollback', gates: { health: undefined } });
  await until(
    'the canaries are awaited',
    async () => Object.values(await site.steps()).filter((step) => step === 'booting').length === 2,
  );
  const [bad = '', good = ''] = site.machines;
  await site.boot(good);
  await until('one is up', async () => (await site.steps())[good] === 'done');
  await site.services.machines.setIntent((await site.machine(bad)).macs[0] ?? '', { kind: 'local' });
  await until('it went back', async () => {
    await bootAll();
    return (await state()) === 'rolled_back';
  });
  const steps = await site.steps();
  assert.equal(steps[bad], 'failed', 'whom somebody else took over is left alone');
  assert.equal(steps[good], 'undone');
  assert.deepEqual((await site.machine(good)).intent, { kind: 'live', release: 'minimal/1.0/amd64' });
  for (const id of site.machines.slice(2)) {
    assert.equal(steps[id], 'waiting');
    assert.equal((await site.machine(id)).epoch, 1);
  }
});

test('a controller that is killed at any of its commits leaves the next one to the same end', async () => {
  for (let commits = 1; commits < 60; commits += 2) {
    store = new MortalStore();
    site = await RolloutSite.make(store, folder, 4);
    await site.services.rollouts
      .start(site.order({ waves: '1,rest', power: 'cycle', match: 'segment=seg1' }), new Date())
      .catch(async (error: { code?: string }) => {
        assert.equal(error.code, 'rollout_bmc_none');
        for (const id of site.machines) await site.services.power.setBmc(id, { kind: 'wol' } as never);
        await site.services.rollouts.start(site.order({ waves: '1,rest', power: 'cycle' }), new Date());
      });
    store.left = commits;
    await site.services.rolloutDesk.start(5).catch(() => {});
    for (let round = 0; round < 200 && !store.isDead && (await state()) !== 'done'; round++) {
      await bootAll().catch(() => {});
      await sleep(1);
    }
    const isOver = !store.isDead;
    store.left = Number.POSITIVE_INFINITY;
    await site.services.rolloutDesk.stop();
    await site.restart(folder);
    await until(`done after ${commits} commits`, async () => {
      await bootAll();
      return (await state()) === 'done';
    });
    for (const id of site.machines) {
      const { epoch, intent } = await site.machine(id);
      assert.deepEqual([epoch, intent?.kind === 'live' && intent.release], [2, 'minimal/2.0/amd64']);
    }
    assert.deepEqual(site.hands.orders.toSorted(), [...site.machines], 'each was restarted once');
    await site.services.rolloutDesk.stop();
    if (isOver) break;
  }
});

describe('orders that cannot be', () => {
  const refused = (changes: Parameters<RolloutSite['order']>[0], wanted: object): Promise<void> =>
    assert.rejects(site.services.rollouts.start(site.order(changes), new Date()), wanted);

  test('a release that is not there, a selector that means nobody, a machine without BMC', async () => {
    await refused({ release: 'minimal/9/amd64' }, { code: 'machine_release_unknown', field: 'release' });
    await refused({ release: 'minimal/@none/amd64' }, { code: 'channel_unknown', field: 'release' });
    await refused({ match: 'segment=seg1,segment=seg2' }, { code: 'rollout_empty', field: 'match' });
    await refused({ power: 'cycle' }, { code: 'rollout_bmc_none', field: 'power' });
    await refused({ profile: 'none' }, { code: 'profile_unknown', field: 'profile' });
    assert.throws(() => site.order({ match: 'memory>>4' }), /match/);
    assert.deepEqual(await store.list('rollout'), [], 'nothing was kept of any');
  });

  test('a URL with an address to which nothing is sent, however that is written', async () => {
    const secret = 'hooks';
    for (const url of ['http://169.254.169.254/', 'http://[::1]:9/{mac}', 'http://0x0a000001/{machine}']) {
      const wanted = { code: 'rollout_url_refused', message: /^nothing is sent to http:/ };
      await refused({ hooks: { before: { url, secret } } }, { ...wanted, field: 'hooks.before.url' });
      await refused({ hooks: { after: { url, secret } } }, { ...wanted, field: 'hooks.after.url' });
      const gates = { health: { kind: 'url', url } } as const;
      await refused({ gates }, { ...wanted, field: 'gates.health.url' });
      await assert.rejects(site.services.rollouts.plan(site.order({ gates }), new Date()), wanted);
    }
    assert.throws(
      () => site.order({ gates: { health: { kind: 'url', url: 'http://a:b@10.0.0.1/' } } }),
      /user/,
    );
  });

  test('machines of another rollout are refused or left out, as the order says', async () => {
    await site.services.rollouts.start(site.order(), new Date());
    await refused({ name: 'other' }, { code: 'rollout_machine_taken', message: /spring.*5 more/ });
    await refused({ name: 'other', taken: 'skip' }, { code: 'rollout_empty', message: /at work on it/ });
    await refused({ waves: 'rest' }, { code: 'rollout_exists', field: 'name' });
    const again = await site.services.rollouts.start(site.order(), new Date());
    assert.equal(again.revision, 1, 'the same order again changes nothing');
  });

  test('of two operators at once the second is told', async () => {
    const { revision } = await site.services.rollouts.start(site.order(), new Date());
    await site.services.rollouts.move('spring', 'paused', revision, new Date());
    await assert.rejects(site.services.rollouts.move('spring', 'stopping', revision, new Date()), {
      code: 'rollout_changed',
      field: 'revision',
    });
    await assert.rejects(site.services.rollouts.move('spring', 'paused', undefined, new Date()), {
      code: 'rollout_state_not_allowed',
      message: /running, stopping, rolling_back/,
    });
    await assert.rejects(site.services.rollouts.approve('spring', undefined, new Date()), {
      code: 'rollout_not_awaiting',
    });
    await assert.rejects(site.services.rollouts.remove('spring'), { code: 'rollout_not_over' });
  });

  test('a release is named as long as its rollout runs', async () => {
    await site.services.rollouts.start(site.order(), new Date());
    const uses = await site.services.uses.all(store);
    assert.deepEqual(uses.get('minimal/2.0/amd64'), [{ kind: 'rollout', name: 'spring' }]);
    assert.ok(uses.get('minimal/1.0/amd64')?.some(({ kind }) => kind === 'rollout-back'));
  });
});

/** The site lets loopback alone be reached: an address of the machine's is behind what is filled in. */
async function failedAt(changes: Parameters<RolloutSite['order']>[0]): Promise<RolloutMachine | undefined> {
  const [id = ''] = site.machines;
  await start({ match: `id=${id}`, ...changes });
  await until('it failed', async () => {
    await bootAll();
    return (await site.steps())[id] === 'failed';
  });
  return (await site.services.rollouts.machines('spring', { after: '', limit: 1 })).machines[0];
}

test('a hook whose address turns out to be one to which nothing is sent fails its machine at once', async () => {
  await site.services.secrets.set('hooks', 'a secret', new Date());
  const before = { url: 'http://10.1.1.{address}7/', secret: 'hooks' };
  const failed = await failedAt({ hooks: { before } });
  assert.equal(failed?.cause, 'hook_failed');
  assert.match(
    failed?.detail ?? '',
    /10\.1\.1\.7 is in a network that nothing is sent to.*--webhook-network/,
  );
});

test('and so does a health check', async () => {
  const failed = await failedAt({ gates: { health: { kind: 'url', url: 'http://10.1.1.{address}7/' } } });
  assert.equal(failed?.cause, 'unhealthy');
  assert.match(failed?.detail ?? '', /10\.1\.1\.7 is in a network that nothing is sent to/);
});

test('hooks are signed, called until they agree, and a machine waits for them', async () => {
  const calls: { headers: IncomingMessage['headers']; body: string }[] = [];
  const receiver = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      calls.push({ headers: request.headers, body });
      response.writeHead(calls.length === 1 ? 503 : 200).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  try {
    const secret = `whsec_${Buffer.from('0123456789abcdef').toString('base64')}`;
    await site.services.secrets.set('hooks', secret, new Date());
    const hook = { url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`, secret: 'hooks' };
    const [id = ''] = site.machines;
    await start({ match: `id=${id}`, hooks: { before: hook, after: hook } });
    await until('it is done', async () => {
      await bootAll();
      return (await state()) === 'done';
    });
    assert.deepEqual(
      calls.map(({ body }) => JSON.parse(body).type.split('.').at(-1)),
      ['before', 'before', 'after'],
    );
    const [first, again] = calls;
    assert.equal(first?.headers['webhook-id'], again?.headers['webhook-id'], 'the receiver knows it again');
    for (const { headers, body } of calls) {
      const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
      const wanted = createHmac('sha256', '0123456789abcdef').update(signed).digest('base64');
      assert.equal(headers['webhook-signature'], `v1,${wanted}`);
    }
  } finally {
    receiver.close();
  }
});
