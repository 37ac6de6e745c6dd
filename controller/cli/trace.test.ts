import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client, endpoints, type JournalRecord } from '@bootswarm/controller/contract';
import { Program } from './testing/program.ts';
import { Site } from './testing/site.ts';

let site: Site;
let edge: Client;
let seq = 0;

before(async () => {
  site = await Site.start();
  const { joinToken } = await site.client.call(endpoints.addEdge, { body: { name: 'edge1' } });
  const { token } = await new Client({ url: site.url, token: joinToken }).call(endpoints.join, {});
  edge = new Client({ url: site.url, token });
});

after(() => site[Symbol.asyncDispose]());

type Said = Partial<JournalRecord> & Pick<JournalRecord, 'mac' | 'stage'>;

/** As an edge would, now. */
async function journal(...said: readonly Said[]): Promise<void> {
  const records = said.map((each): JournalRecord => {
    seq += 1;
    return { seq, at: new Date().toISOString(), netboot: true, detail: `${each.stage} of the test`, ...each };
  });
  await edge.call(endpoints.sendJournal, { body: { records } });
}

const lease = { stage: 'lease', segment: 'rack-7', address: '10.1.2.100' } as const;

describe('trace', () => {
  test('of a machine that nobody heard names the likely cause, and ends with 3', async () => {
    const { code, stdout, stderr } = await site.run('trace', '52-54-00-00-00-99');
    assert.deepEqual([code, stderr], [3, '']);
    assert.match(stdout, /^No machine 52-54-00-00-00-99 is known\n\nTIME/);
    assert.match(
      stdout,
      /^Stopped at discover: No DHCP message .* \(dhcp_unheard\)\nWhat to do: Check its cable.*\nSeen: .*$/m,
    );
  });

  test('of a name that can be no machine is an error', async () => {
    const { code, stderr } = await site.run('trace', 'server-7');
    assert.equal(code, 1);
    assert.match(stderr, /there is no machine server-7/);
  });

  test('of a machine that is under way ends with 0, and says what is to come', async () => {
    const mac = '52:54:00:00:00:01';
    await journal({ mac, ...lease, next: 'script' });
    const { code, stdout } = await site.run('trace', mac);
    assert.equal(code, 0);
    assert.match(stdout, /^\S+Z +lease +done +edge1 rack-7 10\.1\.2\.100 +lease of the test$/m);
    assert.match(stdout, /^- +script +waiting +- +nothing for \d+ s$/m);
    assert.match(stdout, /^- +kernel +not reached +-$/m);
    assert.match(stdout, /\n\nUnder way: script is to come\.\n$/);
  });

  test('as JSON is one object, with the verdict', async () => {
    const mac = '52:54:00:00:00:02';
    await journal({ mac, stage: 'discover', cause: 'pool_exhausted', times: 4 });
    const { code, stdout } = await site.run('--json', 'trace', mac);
    const { machine, outcome, stages, verdict } = JSON.parse(stdout);
    assert.deepEqual([code, machine.macs, outcome], [3, [mac], 'stopped']);
    assert.deepEqual([stages[0].state, stages[0].cause, stages[0].times], ['stopped', 'pool_exhausted', 4]);
    assert.deepEqual([verdict.stoppedAt, verdict.cause], ['discover', 'pool_exhausted']);
    assert.match(verdict.remedy, /Widen the pools/);
  });

  test('that follows tells stages as they come, and ends when the machine has booted', async () => {
    const mac = '52:54:00:00:00:03';
    await using follow = new Program('cli/main.ts', ['--json', 'trace', mac, '--follow'], site.env());
    await follow.printed(/"dhcp_unheard"/);
    await journal({ mac, ...lease, next: 'script' });
    await follow.printed(/"stage":"lease"/);
    await journal({ mac, stage: 'script', cause: 'release_not_ready', next: 'script' });
    await follow.printed(/"cause":"release_not_ready","meaning"/);
    await journal({ mac, stage: 'script', next: 'kernel' });
    await journal({ mac, stage: 'kernel' }, { mac, stage: 'initramfs' }, { mac, stage: 'root' });
    const { code, stdout } = await follow.done;
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(code, 0);
    assert.deepEqual(
      lines.map(({ stage, state, outcome }) => (stage === undefined ? outcome : `${stage} ${state}`)),
      [
        'stopped',
        'lease done',
        'script stopped',
        'stopped',
        'script done',
        'kernel done',
        'initramfs done',
        'root done',
        'booted',
      ],
    );
  });

  test('that follows ends with Ctrl-C without an error', async () => {
    const mac = '52:54:00:00:00:04';
    await journal({ mac, ...lease, next: 'firmware' });
    await using follow = new Program('cli/main.ts', ['trace', mac, '--follow'], site.env());
    await follow.printed(/Z {2}lease {6}edge1 rack-7 10\.1\.2\.100 {2}lease of the test/);
    follow.signal('SIGINT');
    const { code, stderr } = await follow.done;
    assert.deepEqual([code, stderr], [0, '']);
  });
});
