import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DesiredState } from '@bootswarm/controller/contract';
import { MAC } from '../decide/testing/world.ts';
import { InstallerSite, MACHINE_ADDRESS, profileWith, STRANGER_ADDRESS } from '../testing/installer-site.ts';
import { PATH_ESCAPES } from '../testing/path-escapes.ts';

const LOCAL = /booting from the local disk/;
const INSTALLER = /kernel --name kernel .* auto=true priority=critical url=http/;
const machine: DesiredState['machines'][number] = {
  id: 'm-1',
  macs: [MAC],
  intent: { kind: 'installer', profile: 'debian' },
  epoch: 1,
  variables: { password: '$6$salt$hash' },
};

describe('a machine that is to be installed', () => {
  test('is given the installer with the URL of its answers, and the answers with its own values', () =>
    InstallerSite.run({}, async (site) => {
      const script = await site.script();
      assert.match(script, INSTALLER);
      assert.match(script, /quiet auto=true .* hostname=m-1 domain=lab.example/);
      const url = await site.answersUrl();
      assert.match(url, /\/answers\/1-[\w-]{22}\/preseed\.cfg$/);
      const answers = await site.fetch(url);
      assert.equal(answers.status, 200);
      const ticket = url.split('/').at(-2);
      assert.deepEqual(answers.text.split('\n'), [
        'd-i partman-auto/disk string /dev/sda',
        `d-i mirror/http/hostname string ${site.url.slice('http://'.length)}`,
        'd-i mirror/http/directory string /trees/debian/12/amd64',
        'd-i passwd/root-password-crypted password $6$salt$hash',
        `d-i preseed/late_command string wget -qO- ${site.url}/installed/${ticket} # m-1`,
        '',
      ]);
    }));

  test("is given the kernel arguments of its assignment behind the profile's and in their place, and leaves those of the installer", () =>
    InstallerSite.run(
      {
        profiles: [profileWith({ kernelArguments: ['console=tty0', 'debug'] })],
        machines: [{ ...machine, kernelArguments: ['console=ttyS0', 'priority=low'] }],
      },
      async (site) => {
        const script = await site.script();
        assert.match(
          script,
          / auto=true priority=critical .* debug console=ttyS0 priority=low \|\| goto again$/m,
        );
        assert.doesNotMatch(script, /tty0/);
      },
    ));

  test('boots from its disk once it has fetched them, also after the edge began anew', () =>
    InstallerSite.run({}, async (site) => {
      await site.fetch(await site.answersUrl());
      assert.match(await site.script(), LOCAL);
      await site.restart();
      assert.match(await site.script(), LOCAL);
      assert.deepEqual(site.told.slice(-2), [
        'script boot from the local disk: the installer of epoch 1 has had its answers',
        'script boot from the local disk: the installer of epoch 1 has had its answers',
      ]);
      const fetched = site.journal.find(({ stage }) => stage === 'answers');
      assert.equal(fetched?.spentEpoch, 1);
    }));

  test('is installed again where its intent is set again, and not by an older one', () =>
    InstallerSite.run({}, async (site) => {
      const first = await site.answersUrl();
      await site.fetch(first);
      site.follow({ machines: [{ ...machine, epoch: 2 }] });
      assert.match(await site.script(), INSTALLER);
      assert.equal((await site.fetch(first)).status, 403, 'the URL of the epoch before');
      site.follow({ machines: [{ ...machine, epoch: 1 }] });
      assert.match(await site.script(), LOCAL);
    }));

  test('is started three times in all without having fetched them, whatever the edge lost meanwhile', () =>
    InstallerSite.run({}, async (site) => {
      await site.script();
      assert.match(await site.script(), INSTALLER, 'the same boot, asking twice');
      const boots: boolean[] = [];
      for (let boot = 2; boot <= 5; boot++) {
        await site.restart();
        site.wait(30_000);
        boots.push(INSTALLER.test(await site.script()));
      }
      assert.deepEqual(boots, [true, true, false, false]);
      assert.deepEqual(site.told.slice(-1), [
        'script installer_given_up boot from the local disk: the installer was started 3 times and never fetched its answers',
      ]);
      assert.equal(site.journal.at(-1)?.spentEpoch, 1);
    }));

  test('boots from its disk where another edge has installed it', () =>
    InstallerSite.run({ machines: [{ ...machine, spentEpoch: 1 }] }, async (site) => {
      assert.match(await site.script(), LOCAL);
    }));

  test('waits where its answers cannot be written, and has lost no try by it', () =>
    InstallerSite.run({ machines: [{ ...machine, variables: {} }] }, async (site) => {
      for (let boot = 0; boot < 5; boot++) {
        assert.match(await site.script(), /Asking again/);
        site.wait(30_000);
      }
      assert.equal(
        site.told.at(-1),
        "script template_failed the answers of profile debian: line 4, column 43: variable 'password' has no value",
      );
      site.follow({ machines: [machine] });
      assert.match(await site.script(), INSTALLER);
    }));

  test('waits where the profile is not known', () =>
    InstallerSite.run({ profiles: [] }, async (site) => {
      assert.match(await site.script(), /this edge does not know profile debian\. Asking again/);
    }));

  test('can report that it is done, which counts as well', () =>
    InstallerSite.run({}, async (site) => {
      const [, ticket] = /answers\/([^/]+)\//.exec(await site.answersUrl()) ?? [];
      assert.equal((await site.fetch(`/installed/${ticket}`)).text, 'noted\n');
      assert.match(await site.script(), LOCAL);
      assert.equal(site.told.at(-2), 'installed the installer reports that it is done');
    }));

  test('is seen to go on with the tree, once', () =>
    InstallerSite.run({}, async (site) => {
      await site.fetch(await site.answersUrl());
      for (let each = 0; each < 3; each++) await site.fetch('/trees/debian/12/amd64/dists/stable/Release');
      assert.deepEqual(
        site.told.filter((line) => line.startsWith('tree')),
        ['tree trees/debian/12/amd64/dists/stable/Release'],
      );
    }));
});

describe('answers', () => {
  test('are refused to the address of another machine, and to one without a lease, and that uses nothing up', () =>
    InstallerSite.run({}, async (site) => {
      const url = await site.answersUrl();
      assert.equal((await site.fetch(url, STRANGER_ADDRESS)).status, 403);
      assert.equal((await site.fetch(url, '127.0.0.4')).status, 403);
      assert.match(site.told.at(-1) ?? '', /^answers answers_refused /);
      assert.match(await site.script(), INSTALLER);
      assert.equal((await site.fetch(url)).status, 200);
    }));

  test('are refused without the token, with a part of it, and with that of another epoch', () =>
    InstallerSite.run({}, async (site) => {
      const url = await site.answersUrl();
      const wrong = [
        url.replace(/1-[\w-]+/, '1-'),
        url.replace('/1-', '/2-'),
        url.replace(/.(?=\/preseed)/, ''),
      ];
      for (const each of wrong) assert.equal((await site.fetch(each)).status, 403, each);
      assert.equal((await site.fetch(url.replace('preseed.cfg', 'ks.cfg'))).status, 404);
      assert.match(await site.script(), INSTALLER);
    }));

  test('are not told to whoever writes the MAC of another machine into the URL of the script', () =>
    InstallerSite.run({}, async (site) => {
      const script = await site.script(STRANGER_ADDRESS, MAC);
      assert.doesNotMatch(script, /answers\/1-/);
      assert.match(site.told.at(-1) ?? '', /^script answers_refused /);
    }));

  test('are asked for by HEAD without being used up', () =>
    InstallerSite.run({}, async (site) => {
      const url = await site.answersUrl();
      assert.equal((await site.fetch(url, MACHINE_ADDRESS, 'HEAD')).status, 200);
      assert.match(await site.script(), INSTALLER);
    }));

  test('can be fetched again for an hour, and not later', () =>
    InstallerSite.run({}, async (site) => {
      const url = await site.answersUrl();
      await site.fetch(url);
      assert.equal((await site.fetch(url)).status, 200);
      site.wait(61 * 60_000);
      assert.equal((await site.fetch(url)).status, 410);
    }));

  test('go to the address that the installer was given to, where another server gives the addresses', () =>
    InstallerSite.run({}, async (site) => {
      site.proxy();
      const url = await site.answersUrl();
      assert.equal((await site.fetch(url, STRANGER_ADDRESS)).status, 403);
      assert.equal((await site.fetch(url)).status, 200);
      assert.match(await site.script(), LOCAL);
    }));

  test('of autoinstall come with the files that cloud-init asks for beside them', () => {
    const answers =
      '#cloud-config\nautoinstall:\n  version: 1\n  identity: { hostname: {{ machine.hostname | yaml }} }\n';
    const profiles = [profileWith({ kind: 'autoinstall', answers })];
    return InstallerSite.run({ profiles }, async (site) => {
      const script = await site.script();
      const [, seed] = / autoinstall ds=nocloud-net;s=(http\S+\/) /.exec(script) ?? [];
      assert.ok(seed, script);
      assert.deepEqual(await site.fetch(`${seed}meta-data`), {
        status: 200,
        text: 'instance-id: "m-1-1"\nlocal-hostname: "m-1"\n',
        location: undefined,
      });
      assert.equal((await site.fetch(`${seed}vendor-data`)).text, '');
      assert.match(await site.script(), /autoinstall/, 'none of these is the answers');
      assert.match((await site.fetch(`${seed}user-data`)).text, /hostname: "m-1"/);
      assert.match(await site.script(), LOCAL);
    });
  });

  test('of kickstart are named with the tree, for Anacondas old and new', () =>
    InstallerSite.run(
      { profiles: [profileWith({ kind: 'kickstart', answers: 'reboot\n' })] },
      async (site) => {
        const tree = `${site.url}/trees/debian/12/amd64`;
        const script = await site.script();
        assert.ok(script.includes(` inst.repo=${tree} repo=${tree} `), script);
        assert.match(script, / inst\.ks=(\S+)\/ks\.cfg ks=\1\/ks\.cfg /);
        assert.equal((await site.fetch(await site.answersUrl())).text, 'reboot\n');
      },
    ));
});

describe('a tree', () => {
  const tree = '/trees/debian/12/amd64/';
  const cases: readonly (readonly [what: string, path: string, status: number, text: string])[] = [
    ['has its files', `${tree}dists/bookworm/Release`, 200, 'Suite: stable\n'],
    ['has files under a link', `${tree}dists/stable/Release`, 200, 'Suite: stable\n'],
    ['has names with blanks', `${tree}pool/a%20b.deb`, 200, 'a package'],
    ['has empty files', `${tree}empty`, 200, ''],
    ['has an end to links in a circle', `${tree}circle`, 404, '404 Not Found'],
    ['has nothing where a link leads nowhere', `${tree}nowhere`, 404, '404 Not Found'],
    ['has no file by the name of a folder in it', `${tree}empty/`, 404, '404 Not Found'],
    ['is not decoded twice', `${tree}pool/a%2520b.deb`, 404, '404 Not Found'],
    ['has no other releases', '/trees/debian/13/amd64/empty', 404, '404 Not Found'],
    [
      'lists a folder',
      `${tree}dists/`,
      200,
      '<!doctype html>\n<meta charset="utf-8">\n<a href="./bookworm/">bookworm/</a><br>\n<a href="./stable/">stable/</a><br>\n',
    ],
  ];
  for (const [what, path, status, text] of cases)
    test(what, () =>
      InstallerSite.run({}, async (site) => {
        const answer = await site.fetch(path);
        assert.deepEqual([answer.status, answer.text], [status, text]);
      }),
    );

  test('sends whoever forgot the slash of a folder there', () =>
    InstallerSite.run({}, async (site) => {
      const { status, location } = await site.fetch(`${tree}dists`);
      assert.deepEqual([status, location], [301, `${tree}dists/`]);
    }));

  test('has no way out', () =>
    InstallerSite.run({}, async (site) => {
      for (const path of PATH_ESCAPES) {
        const { status, text } = await site.fetch(`${tree}${path}`).catch(() => ({ status: 400, text: '' }));
        assert.ok(status >= 300 || text.startsWith('<!doctype html>'), `${path}: ${status}`);
        assert.doesNotMatch(text, /root:|something before/, path);
      }
    }));
});
