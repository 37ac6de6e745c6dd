import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Machine } from '@bootswarm/controller/contract';
import { Bmc } from '@bootswarm/controller/contract';
import { transact } from '../store/transact.ts';
import { InterposedStore } from '../testing/interposed-store.ts';
import { Secrets } from './secrets.ts';

const NOW = new Date('2030-01-01T00:00:00.000Z');
const VALUE = 'correct horse';

describe('secrets', () => {
  let folder: string;
  let store: InterposedStore;
  let machines: Pick<Machine, 'id' | 'bmc'>[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bootswarm-secrets-'));
    store = new InterposedStore();
    machines = [];
  });
  afterEach(() => rm(folder, { recursive: true }));

  const open = (name = 'secrets.key') =>
    new Secrets({ store, keyFile: join(folder, name), machines: async () => machines });
  const all = async () => JSON.stringify(await store.list(''));

  test('are kept, revealed to drivers, and in no list', async () => {
    const secrets = open();
    assert.deepEqual(await secrets.set('rack7', VALUE, NOW), {
      name: 'rack7',
      setAt: NOW.toISOString(),
      usedBy: [],
    });
    assert.equal(await open().reveal('rack7'), VALUE);
    assert.equal(JSON.stringify(await secrets.list()).includes(VALUE), false);
    await secrets.set('rack7', 'another', NOW);
    assert.equal(await secrets.reveal('rack7'), 'another');
    await secrets.remove('rack7');
    await assert.rejects(secrets.reveal('rack7'), { code: 'secret_unknown', field: 'secret' });
    await assert.rejects(secrets.remove('rack7'), { code: 'not_found' });
  });

  test('the state alone opens none; the key is for its owner', async () => {
    await open().set('rack7', VALUE, NOW);
    const text = await all();
    for (const form of [VALUE, Buffer.from(VALUE).toString('base64'), Buffer.from(VALUE).toString('hex')])
      assert.equal(text.includes(form), false);
    assert.equal((await stat(join(folder, 'secrets.key'))).mode & 0o777, 0o600);
    await open('other.key').set('mine', 'x', NOW);
    await assert.rejects(open('other.key').reveal('rack7'), { code: 'secret_unreadable' });
    await assert.rejects(open('missing.key').reveal('rack7'), { code: 'secret_unreadable' });
  });

  test('the same value twice is not the same in the state', async () => {
    await open().set('a', VALUE, NOW);
    const [first] = await store.list('secrets/');
    await open().set('a', VALUE, NOW);
    assert.notDeepEqual((await store.list('secrets/'))[0]?.value, first?.value);
  });

  test('none stands for another, and a changed bit opens nothing', async () => {
    const secrets = open();
    await secrets.set('a', VALUE, NOW);
    const held = (await store.get('secrets/a'))?.value as Record<string, string>;
    await store.commit({ put: { 'secrets/b': held } });
    await assert.rejects(secrets.reveal('b'), { code: 'secret_unreadable' });
    for (const part of ['nonce', 'sealed', 'tag']) {
      const bytes = Buffer.from(held[part] ?? '', 'base64');
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      await store.commit({ put: { 'secrets/a': { ...held, [part]: bytes.toString('base64') } } });
      await assert.rejects(secrets.reveal('a'), { code: 'secret_unreadable' }, part);
    }
    const short = Buffer.from(held['tag'] ?? '', 'base64')
      .subarray(0, 4)
      .toString('base64');
    await store.commit({ put: { 'secrets/a': { ...held, tag: short } } });
    await assert.rejects(secrets.reveal('a'), { code: 'secret_unreadable' }, 'a tag that is cut');
  });

  test('many that are set at once are under one key, and nothing is left beside it', async () => {
    const names = Array.from({ length: 8 }, (_, at) => `s${at}`);
    await Promise.all(names.map((name) => open().set(name, name, NOW)));
    for (const name of names) assert.equal(await open().reveal(name), name);
    assert.deepEqual(await readdir(folder), ['secrets.key']);
  });

  test('a key file that is none is not overwritten', async () => {
    await writeFile(join(folder, 'secrets.key'), 'short');
    await assert.rejects(open().set('a', VALUE, NOW), { code: 'secret_unreadable' });
    assert.equal(await readFile(join(folder, 'secrets.key'), 'utf8'), 'short');
  });

  test('one that a machine needs stays, also where that machine comes at the same moment', async () => {
    const secrets = open();
    await secrets.set('rack7', VALUE, NOW);
    const bmc = Bmc.parse({ kind: 'ipmi', address: '10.0.0.7', user: 'u', secret: 'rack7' });
    store.beforeNextCommit(async () => {
      machines = [{ id: 'm-1', bmc }];
      await transact(store, 'it', async (reads) => ({
        put: await secrets.hold('rack7', reads),
        result: undefined,
      }));
    });
    await assert.rejects(secrets.remove('rack7'), { code: 'secret_in_use', message: /m-1/ });
    assert.deepEqual((await secrets.list())[0]?.usedBy, ['m-1']);
    assert.equal(await secrets.reveal('rack7'), VALUE);
  });
});
