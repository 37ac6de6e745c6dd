import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Program } from './testing/program.ts';
import { Site } from './testing/site.ts';

let site: Site;

before(async () => {
  site = await Site.start();
});

after(() => site[Symbol.asyncDispose]());

test('login keeps the token from standard input, for its owner alone, and later commands use it', async () => {
  const env = site.strangerEnv('piped');
  await using login = new Program(
    'cli/main.ts',
    ['login', site.url],
    env,
    `\n  ${site.operatorToken}\nmore\n`,
  );
  const { code, stdout, stderr } = await login.done;
  const file = join(site.folder, 'piped/bootswarm/credentials.json');
  assert.deepEqual([code, stdout, stderr], [0, `Logged in to ${site.url}; kept in ${file}\n`, '']);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  await using list = new Program('cli/main.ts', ['--json', 'segment', 'list'], env);
  assert.equal((await list.done).code, 0);
});

test('login takes the token from the environment, and shows it nowhere', async () => {
  const env = { ...site.strangerEnv('env'), BOOTSWARM_TOKEN: site.operatorToken };
  await using login = new Program('cli/main.ts', ['--json', 'login', site.url], env);
  const { code, stdout } = await login.done;
  const file = join(site.folder, 'env/bootswarm/credentials.json');
  assert.deepEqual([code, JSON.parse(stdout)], [0, { url: site.url, file }]);
  assert.equal(stdout.includes(site.operatorToken), false);
  assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), { url: site.url, token: site.operatorToken });
});

const failures: readonly {
  readonly what: string;
  readonly args: readonly string[];
  readonly stranger?: true;
  readonly stderr: RegExp;
}[] = [
  {
    what: 'login with an empty standard input',
    args: ['login', 'URL'],
    stranger: true,
    stderr: /^error: no token was given\n {2}what to do: Type it/,
  },
  {
    what: 'any command without a login',
    args: ['edge', 'list'],
    stranger: true,
    stderr: /^error: no controller is known\n {2}what to do: Run 'bootswarm login URL'/,
  },
  {
    what: 'a controller that is not there',
    args: ['--controller', 'http://127.0.0.1:1', 'edge', 'list'],
    stderr:
      /^error: the controller at http:\/\/127\.0\.0\.1:1 cannot be reached: .+\n {2}what to do: Check the URL/,
  },
  {
    what: 'a pool that is none',
    args: ['segment', 'add', 's', '--subnet', '10.1.2.0/24', '--pool', '10.1.2.5', '--edge', 'e'],
    stderr: /^error: pool: '10\.1\.2\.5' is no pool FIRST-LAST/,
  },
  {
    what: "the controller's objection to a field",
    args: ['segment', 'add', 's', '--subnet', '10.1.2.0/24', '--pool', '10.1.2.5-10.1.2.x', '--edge', 'e'],
    stderr: /^error: pools\[0\]\.last: must be an IPv4 address such as 10\.1\.2\.3\n {2}what to do: /,
  },
  {
    what: 'a lease that is no number',
    args: [
      'segment',
      'add',
      's',
      '--subnet',
      '10.1.2.0/24',
      '--pool',
      '10.1.2.5-10.1.2.6',
      '--edge',
      'e',
      '--lease-seconds',
      'long',
    ],
    stderr: /^error: leaseSeconds: /,
  },
  {
    what: 'an intent that nobody knows',
    args: ['machine', 'boot', 'm', 'fly'],
    stderr: /^error: intent: 'fly' is none of/,
  },
  {
    what: 'a release that is none',
    args: ['image', 'show', 'minimal'],
    stderr: /^error: release: 'minimal' is no release NAME/,
  },
  {
    what: 'a release that is not there',
    args: ['image', 'show', 'minimal/9'],
    stderr: /^error: there is no image minimal\/9\/amd64/,
  },
  {
    what: 'a build folder that is not there',
    args: ['image', 'publish', '/nowhere'],
    stderr: /^error: .*\/nowhere.*\n {2}what to do: /,
  },
  {
    what: 'an unknown option',
    args: ['edge', 'list', '--fast'],
    stderr: /^error: unknown option '--fast'\n.*--help/,
  },
  {
    what: 'an unknown command',
    args: ['warehouse', 'list'],
    stderr: /^error: unknown command 'warehouse'\n.*--help/,
  },
  {
    what: 'an argument that is missing',
    args: ['edge', 'add'],
    stderr: /^error: missing required argument 'name'/,
  },
];

describe('what goes wrong', { concurrency: 3 }, () => {
  for (const { what, args, stranger, stderr: wanted } of failures)
    test(`${what} ends with 1, and says on standard error alone what to do`, async () => {
      const env = stranger ? site.strangerEnv() : site.env();
      const filled = args.map((arg) => (arg === 'URL' ? site.url : arg));
      await using program = new Program('cli/main.ts', filled, env);
      const { code, stdout, stderr } = await program.done;
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, wanted);
      assert.doesNotMatch(stderr, /^ {4}at /m, 'no stack trace');
    });
});

test('with --json an error is one JSON line with code, field and remedy', async () => {
  const args = [
    'segment',
    'add',
    's',
    '--subnet',
    '10.1.2.0/24',
    '--pool',
    '10.1.2.9-10.1.2.5',
    '--edge',
    'e9',
  ];
  const { code, stdout, stderr } = await site.run('--json', ...args);
  const { error } = JSON.parse(stderr);
  assert.deepEqual([code, stdout, error.code, error.field], [1, '', 'edge_unknown', 'edges[0]']);
  assert.match(error.remedy, /bootswarm edge add e9/);
});

test('a file of credentials that is none says which', async () => {
  const env = { ...site.strangerEnv(), XDG_CONFIG_HOME: '/dev/null' };
  await using program = new Program('cli/main.ts', ['edge', 'list'], env);
  const { code, stderr } = await program.done;
  assert.equal(code, 1);
  assert.match(stderr, /^error: ENOTDIR.*\/dev\/null.*\n {2}what to do: Check that the path/);
});

test('what is added is listed and shown, as tables for people and as JSON for programs', async () => {
  const added = await site.run('--json', 'edge', 'add', 'edge1');
  assert.match(JSON.parse(added.stdout).joinToken, /^bsj_/);
  assert.match(
    (await site.run('edge', 'invite', 'edge1')).stdout,
    /^Edge edge1 may join until .*\n {2}bsj_\S+\n/s,
  );
  const segment = ['--subnet', '10.1.2.0/24', '--pool', '10.1.2.100-10.1.2.199', '10.1.2.10-10.1.2.19'];
  const where = ['--edge', 'edge1', '--router', '10.1.2.1', '--dns', '9.9.9.9', '--lease-seconds', '600'];
  const { stdout } = await site.run('segment', 'add', 'rack-7', ...segment, ...where);
  assert.equal(stdout, 'Added segment rack-7: 10.1.2.0/24, served by edge1\n');

  const pools = '10.1.2.100-10.1.2.199 10.1.2.10-10.1.2.19';
  assert.deepEqual((await site.run('segment', 'list')).stdout.split('\n'), [
    `SEGMENT  SUBNET       ${'POOLS'.padEnd(pools.length)}  EDGES  DEFAULT`,
    `rack-7   10.1.2.0/24  ${pools}  edge1  local`,
    '',
  ]);
  const [listed] = JSON.parse((await site.run('--json', 'segment', 'list')).stdout);
  assert.deepEqual([listed.name, listed.leaseSeconds, listed.dnsServers], ['rack-7', 600, ['9.9.9.9']]);
  assert.match((await site.run('segment', 'show', 'rack-7')).stdout, /^router: +10\.1\.2\.1$/m);

  assert.match(
    (await site.run('machine', 'boot', '525400123456', 'local')).stdout,
    /^Machine m-\w+ boots: local\n$/,
  );
  assert.match(
    (await site.run('machine', 'list')).stdout,
    /^MACHINE .*\nm-\w+ +- +52:54:00:12:34:56 +- +- +- +local +unknown +- +never\n$/,
  );
  assert.match((await site.run('machine', 'show', '52:54:00:12:34:56')).stdout, /^intent: +local$/m);

  assert.match((await site.run('edge', 'list')).stdout, /^EDGE .*\nedge1 +not yet +never +0 +0\n$/);
  assert.match((await site.run('edge', 'remove', 'edge1')).stderr, /segment remove rack-7/);
  assert.deepEqual(JSON.parse((await site.run('--json', 'segment', 'remove', 'rack-7')).stdout), {
    removed: 'rack-7',
  });
  assert.equal((await site.run('edge', 'remove', 'edge1')).stdout, 'Removed edge edge1\n');
});

test('output into a pipe that closes early is no error', async () => {
  await using program = new Program('cli/main.ts', ['--json', 'machine', 'list'], site.env());
  program.closeOutput();
  const { code, stderr } = await program.done;
  assert.deepEqual([code, stderr], [0, '']);
});
