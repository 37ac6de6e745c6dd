import assert from 'node:assert/strict';
import { cp, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { endpoints } from '@bootswarm/controller/contract';
import { makeSigningKey } from '@bootswarm/images/format';
import { keyIdsOf, releasesIn, releaseTarget, targetsIn, withTargets } from '@bootswarm/images/trust';
import { Site } from './testing/site.ts';

/** Where the keys of a site lie: beside the credentials. */
const keysOf = (site: Site): string => join(site.folder, 'nobody', 'bootswarm', 'keys');

describe('before anybody has made keys', () => {
  let site: Site;
  before(async () => {
    site = await Site.start({ trust: false });
  });
  after(() => site[Symbol.asyncDispose]());

  test('publishing is refused before a byte is sent, and says what to do', async () => {
    const { folder } = await site.build('1.0', 5000);
    const { code, stderr } = await site.run('image', 'publish', folder);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /nobody has said yet whose signatures.*\n {2}what to do: Run 'bootswarm trust init'/,
    );
    assert.doesNotMatch(stderr, /upload/);
  });

  test('trust show says so, and init makes keys that their owner alone may read', async () => {
    assert.match((await site.run('trust', 'show')).stdout, /run 'bootswarm trust init'/);
    const { code, stdout } = await site.run('trust', 'init');
    assert.equal(code, 0);
    assert.match(stdout, /Keep .*root\.pem offline/);
    for (const file of ['root.pem', 'targets.pem', 'known.json'])
      assert.equal((await stat(join(keysOf(site), file))).mode & 0o777, 0o600, file);
    assert.equal((await stat(keysOf(site))).mode & 0o777, 0o700);
    const shown = (await site.run('trust', 'show')).stdout;
    for (const role of ['root', 'targets', 'snapshot', 'timestamp'])
      assert.match(shown, new RegExp(`^${role} +1 +20`, 'm'));
    assert.doesNotMatch(shown, /warning/);
  });

  test('init a second time is refused, and changes no key', async () => {
    const key = await readFile(join(keysOf(site), 'root.pem'), 'utf8');
    const { code, stderr } = await site.run('trust', 'init');
    assert.equal(code, 1);
    assert.match(stderr, /has a root of trust already, of version 1/);
    assert.equal(await readFile(join(keysOf(site), 'root.pem'), 'utf8'), key);
  });
});

describe('the keys of a site', () => {
  let site: Site;
  before(async () => {
    site = await Site.start();
  });
  after(() => site[Symbol.asyncDispose]());

  const published = async (): Promise<readonly string[]> => {
    const { targets } = await site.client.call(endpoints.showTrust, {});
    return releasesIn(targetsIn(targets ?? ''));
  };

  async function publish(version: string, ...options: readonly string[]): Promise<string> {
    const { folder, release } = await site.build(version, 5000, `${version}-${Math.random()}`);
    const { code, stderr } = await site.run('image', 'publish', folder, ...options);
    assert.equal(code, 0, stderr);
    return release;
  }

  test('publishers at once all get through, as each makes its signature anew on what the others left', async () => {
    const releases = await Promise.all(['a1', 'a2', 'a3', 'a4'].map((version) => publish(version)));
    for (const release of releases) assert.ok((await published()).includes(release));
  });

  test('of two who publish one version at once with other contents, one is told that it is there', async () => {
    const builds = [await site.build('b', 5000, 'b-one'), await site.build('b', 6000, 'b-two')];
    const done = await Promise.all(builds.map(({ folder }) => site.run('image', 'publish', folder)));
    assert.deepEqual(done.map(({ code }) => code).toSorted(), [0, 1]);
    const lost = done.find(({ code }) => code === 1);
    assert.match(lost?.stderr ?? '', /release minimal\/b\/amd64 is published already, with other contents/);
  });

  for (const key of ['root', 'targets', 'online'])
    test(`rotated (${key}) sign on, and those of before count no more`, async () => {
      const before = join(site.folder, `keys-before-${key}`);
      await cp(keysOf(site), before, { recursive: true });
      const { root: old } = await site.client.call(endpoints.showTrust, {});
      const rotated = await site.run('trust', 'rotate', key);
      assert.equal(rotated.code, 0, rotated.stderr);
      const { root } = await site.client.call(endpoints.showTrust, {});
      assert.notDeepEqual(keyIdsOf(root ?? ''), keyIdsOf(old ?? ''));
      await publish(`after-${key}`);
      if (key === 'online') return;
      const { folder } = await site.build(`late-${key}`, 5000);
      const late = key === 'root' ? ['trust', 'rotate', 'root'] : ['image', 'publish', folder];
      const again = await site.run(...late, '--keys', before);
      assert.equal(again.code, 1);
      assert.match(again.stderr, new RegExp(`the root of trust does not name the ${key} key`));
    });

  test('can lie apart: the root key elsewhere, away while publishing', async () => {
    const away = join(site.folder, 'vault.pem');
    await rename(join(keysOf(site), 'root.pem'), away);
    await publish('without-root-key');
    const refused = await site.run('trust', 'rotate', 'targets');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /there is no root key in .*root\.pem.*\n.*--root-key/);
    const rotated = await site.run('trust', 'rotate', 'root', '--root-key', away);
    assert.equal(rotated.code, 0, rotated.stderr);
    const renewed = await site.run('trust', 'renew', '--root-key', away);
    assert.equal(renewed.code, 0, renewed.stderr);
    await publish('with-renewed');
    await rename(away, join(keysOf(site), 'root.pem'));
  });

  test('that somebody else made sign nothing, whatever the token', async () => {
    const { release } = await site.build('c', 5000, 'c');
    const manifest = JSON.parse(await readFile(join(site.folder, 'build-c', 'manifest.json'), 'utf8'));
    await publish('c');
    const { targets } = await site.client.call(endpoints.showTrust, {});
    const forged = { ...manifest, version: 'c2' };
    const body = {
      manifest: forged,
      targets: withTargets(targets ?? '', { add: [releaseTarget(forged)] }, makeSigningKey()),
    };
    await assert.rejects(site.client.call(endpoints.publishRelease, { body }), { code: 'metadata_unsigned' });
    assert.deepEqual(
      (await published()).filter((id) => id.startsWith('minimal/c')),
      [release],
    );
  });

  test('sign for their own controller alone, and not for a state that went back', async () => {
    const known = join(keysOf(site), 'known.json');
    const good = await readFile(known, 'utf8');
    const { folder } = await site.build('d', 5000);
    const cases = [
      [{ ...JSON.parse(good), targetsVersion: 9999 }, /version 9999 was there before/],
      [{ ...JSON.parse(good), root: await rootOfAnother() }, /does not go on from the one/],
    ] as const;
    for (const [wrong, message] of cases) {
      await writeFile(known, JSON.stringify(wrong));
      const { code, stderr } = await site.run('image', 'publish', folder);
      assert.equal(code, 1);
      assert.match(stderr, message);
    }
    await writeFile(known, good);
    const stranger = await site.run('image', 'publish', folder, '--keys', join(site.folder, 'no-keys'));
    assert.match(stranger.stderr, /no-keys does not know the root of trust of this controller/);
    assert.equal((await published()).includes('minimal/d/amd64'), false);
  });
});

async function rootOfAnother(): Promise<string> {
  await using other = await Site.start();
  return (await other.client.call(endpoints.showTrust, {})).root ?? '';
}
