import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Machine } from '@bootswarm/controller/contract';
import { Site } from '../boot/index.ts';
import { Lab } from '../lab/index.ts';
import { Fleet, specOf } from './index.ts';
import { applyPlayedProfile, publishPlayed, publishPlayedMini } from './played-releases.ts';

const MACHINES = 10;
const BOOTED_MS = 60_000;
/** One of them is silent for a minute first. */
const INSTALLED_MS = 180_000;
const TICKS_PER_SECOND = 100;

describe('machines that are played', { timeout: 1_200_000 }, () => {
  let lab: Lab;
  let site: Site;
  let fleet: Fleet;
  let release = '';
  const specs = Array.from({ length: MACHINES }, (_, at) =>
    specOf(at + 1, {
      // The last cannot be installed, and the one before it is never heard of again.
      ...(at === MACHINES - 1 ? { conduct: [{ release: 'played/', does: 'fails' }] } : {}),
      ...(at === MACHINES - 2 ? { conduct: [{ release: '', does: 'silent' }] } : {}),
    }),
  );
  const names = specs.map(({ name }) => name);

  before(async () => {
    lab = await Lab.create('fleet');
    const segment = await lab.addSegment({ relay: 'dhcrelay' });
    site = await Site.start(lab);
    await site.addEdge('edge1', lab.core.bridge);
    await site.addSegment(segment, 'edge1');
    const mini = await publishPlayedMini(site);
    release = await publishPlayed(site, 'played', '1');
    await applyPlayedProfile(site, 'web', release);
    await site.releaseReady(mini);
    fleet = await Fleet.start(site, segment, { machines: specs });
  });

  after(() => lab?.[Symbol.asyncDispose]());

  test('boot by DHCP, TFTP and HTTP, and are inspected by their agents', async () => {
    for (const { mac } of specs) await site.bootswarm('machine', 'boot', mac, 'inspect');
    await fleet.power('on', ...names);
    for (const { mac } of specs) await told(mac, 'waiting: inspected', BOOTED_MS);
    for (const { name } of specs)
      assert.deepEqual(stagesOf(name).slice(0, 6), [
        'power',
        'lease',
        'firmware',
        'lease',
        'script',
        'kernel',
      ]);
    const [first] = specs;
    const inspections = (await site.bootswarm('machine', 'inspection', first?.mac ?? '')) as {
      readonly inspection: { readonly system: { readonly serial?: string } };
    };
    assert.equal(inspections.inspection.system.serial, first?.serial);
  });

  test('install once, come up from their disks and say so; who fails or is silent is known by its cause', async (t) => {
    for (const { mac } of specs) await site.bootswarm('machine', 'boot', mac, 'install', 'web');
    const stories = await untilOver(INSTALLED_MS);
    const states = stories.map((machine) => machine?.work?.state);
    assert.deepEqual(states.slice(0, -2), Array(MACHINES - 2).fill('active'));
    const failed = stories.at(-1)?.work;
    assert.deepEqual([failed?.state, failed?.cause], ['failed', 'install_failed']);
    const silent = stories.at(-2)?.work;
    assert.deepEqual([silent?.state, silent?.cause], ['failed', 'no_first_boot']);
    for (const name of names.slice(0, -2))
      assert.match(fleet.eventsOf(name).at(-1)?.detail ?? '', /from the disk$/, name);
    t.diagnostic(
      `${(cpuSeconds(fleet.process.pid) / MACHINES).toFixed(2)} s of CPU for each machine, from power-on to active`,
    );
  });

  test('keep what is on their disks over a power cycle, and install nothing twice', async () => {
    const [first = ''] = names;
    const before = fleet.eventsOf(first).length;
    await fleet.power('cycle', first);
    await fleet.process.waitForLine(new RegExp(`"machine":"${first}".*from the disk`), BOOTED_MS);
    for (const deadline = Date.now() + BOOTED_MS; Date.now() < deadline; await sleep(200))
      if (fleet.eventsOf(first).at(-1)?.event === 'up') break;
    const since = fleet.eventsOf(first).slice(before);
    assert.deepEqual(
      since.filter(({ event }) => event === 'disk' || event === 'agent'),
      [],
    );
    assert.match(since.at(-1)?.detail ?? '', new RegExp(`^${release} from the disk`));
  });

  test('that are off are silent', async () => {
    const [first = ''] = names;
    await fleet.power('off', first);
    const before = fleet.process.output.text.length;
    await sleep(2_000);
    assert.doesNotMatch(fleet.process.output.text.slice(before), new RegExp(`"machine":"${first}"`));
    await assert.rejects(fleet.power('on', 'nobody'), /no machine nobody is played here/);
  });

  function stagesOf(name: string): readonly string[] {
    return fleet.eventsOf(name).map(({ event }) => event);
  }

  /** Waits until the edge says something of a machine. */
  async function told(mac: string, words: string, timeoutMs: number): Promise<void> {
    await site.edge.waitForLine(new RegExp(`^(?=.*"mac":"${mac}")(?=.*${words})`), timeoutMs);
  }

  async function untilOver(timeoutMs: number): Promise<readonly (Machine | undefined)[]> {
    for (const deadline = Date.now() + timeoutMs; ; await sleep(2_000)) {
      const machines = (await site.bootswarm('machine', 'list')) as readonly Machine[];
      const stories = specs.map(({ mac }) => machines.find(({ macs }) => macs.includes(mac)));
      const over = stories
        .map((machine) => machine?.work)
        .filter((work) => work?.state === 'active' || (work?.isOver === true && work.cause !== undefined));
      if (over.length === stories.length) return stories;
      if (Date.now() > deadline)
        throw new Error(`not over: ${stories.map((machine) => JSON.stringify(machine?.work)).join('\n')}`);
    }
  }
});

/** Fields 14 and 15 of proc_pid_stat(5). */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
