import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Machine } from '@bootswarm/controller/contract';
import { applyPlayedProfile, Fleet, publishPlayed, publishPlayedMini, specOf } from '../fleet/index.ts';
import { Lab } from '../lab/index.ts';
import { Site } from './site.ts';
import type { StageReport } from './stages.ts';

const MACHINES = 12;
/** Sizes of waves: a canary, a few, and the rest. */
const WAVES = [1, 4, 7] as const;
const PROFILE = 'web';
const INSPECTED_MS = 180_000;
const WAVE_MS = 300_000;
const LOOK_MS = 1_000;
/** For so long nobody has a controller: installations go on by their edge alone. */
const AWAY_MS = 10_000;
const AT_ONCE = 4;

/** How a wave went. */
interface WaveEnd {
  readonly active: readonly string[];
  /** Causes by name. */
  readonly failed: ReadonlyMap<string, string>;
}

/**
 * `npm run demo -- --rollout`: twelve played machines are inspected, reserved, and installed by a canary and two waves,
 * through a gate that lets no wave begin after a failure. In the middle of a wave the controller is killed and started again. Then a
 * release that cannot be installed stops at its canary, which goes back to the one before.
 * @throws at the first thing that is not as it should be.
 */
export async function rolloutDemo(report: StageReport): Promise<void> {
  await using lab = await Lab.create('demo');
  const commands = `${lab.folder}/power-commands`;
  mkdirSync(commands);
  const segment = await lab.addSegment({ relay: 'dhcrelay' });
  const site = await Site.start(lab, ['--power-commands', commands]);
  await site.addEdge('edge1', lab.core.bridge);
  await site.addSegment(segment, 'edge1');
  report.tell({ stage: 'site', detail: 'a controller, and an edge for a segment behind dhcrelay' });
  const mini = await publishPlayedMini(site);
  const good = await publishPlayed(site, PROFILE, '1');
  const bad = await publishPlayed(site, PROFILE, '2');
  await applyPlayedProfile(site, PROFILE, good);
  await site.releaseReady(mini);
  report.tell({ stage: 'publish', detail: `${good} and ${bad} by bootswarm image publish` });

  const machines = Array.from({ length: MACHINES }, (_, at) =>
    specOf(at + 1, { conduct: [{ release: `${PROFILE}/2/`, does: 'fails' }] }),
  );
  const fleet = await Fleet.start(site, segment, { machines });
  const story = new RolloutStory(site, fleet, report);
  await story.inspect(fleet.installPowerCommand(commands));
  await site.bootswarm('machine', 'reserve', PROFILE, '--count', String(MACHINES));
  report.tell({ stage: 'reserve', detail: `bootswarm machine reserve ${PROFILE} --count ${MACHINES}` });
  await story.rollOut(good);
  await story.stopAtCanary(bad, good);
  report.tell({
    stage: 'done',
    detail: `${MACHINES} machines run ${good}; each was installed once, the controller was killed meanwhile, and ${bad} reached its canary alone`,
  });
}

/** What an operator does with twelve machines. */
class RolloutStory {
  readonly #site: Site;
  readonly #fleet: Fleet;
  readonly #report: StageReport;
  readonly #names: ReadonlyMap<string, string>;

  constructor(site: Site, fleet: Fleet, report: StageReport) {
    this.#site = site;
    this.#fleet = fleet;
    this.#report = report;
    this.#names = new Map(fleet.machines.map(({ mac, name }) => [mac, name]));
  }

  /** Every machine is known with its BMC, and its agent has looked at it. */
  async inspect(powerCommand: string): Promise<void> {
    const macs = [...this.#names.keys()];
    await inTurn(macs, async (mac) => {
      await this.#site.bootswarm('machine', 'bmc', mac, 'command', '--program', powerCommand);
      await this.#site.bootswarm('machine', 'boot', mac, 'inspect');
    });
    await this.#power(macs, 'on');
    this.#tell('inspect', `bootswarm machine power ... on: ${macs.length} machines boot from the network`);
    for (const mac of macs)
      await this.#site.edge.waitForLine(
        new RegExp(`^(?=.*"mac":"${mac}")(?=.*waiting: inspected)`),
        INSPECTED_MS,
      );
    this.#tell('inspected', 'by DHCP, TFTP, HTTP and their agents');
  }

  /** Wave after wave, as long as none fails; during the second the controller is killed. */
  async rollOut(release: string): Promise<void> {
    const macs = [...this.#names.keys()];
    for (const [at, size] of WAVES.entries()) {
      const first = WAVES.slice(0, at).reduce((sum, each) => sum + each, 0);
      const wave = macs.slice(first, first + size);
      await this.#begin(at === 0 ? 'canary' : `wave ${at}`, wave, release);
      if (at === 1) await this.#killController(wave);
      const { active, failed } = await this.#over(wave);
      if (failed.size > 0) throw new Error(`the gate is shut: ${[...failed].join(', ')}`);
      this.#tell('gate', `${active.length} of ${wave.length} active: the next wave may begin`);
    }
    for (const { name } of this.#fleet.machines) this.#requireOnce(name, release);
  }

  /** A release that cannot be installed: its canary fails, nobody else is touched, and the canary goes back. */
  async stopAtCanary(bad: string, good: string): Promise<void> {
    const [canary = ''] = this.#names.keys();
    const touched = (): number =>
      this.#fleet.machines.slice(1).flatMap(({ name }) => this.#fleet.eventsOf(name)).length;
    const before = touched();
    await this.#begin('canary', [canary], bad);
    const { failed } = await this.#over([canary]);
    if (failed.size !== 1) throw new Error(`${bad} was installed, and should not be`);
    this.#tell('stopped', `${bad}: ${[...failed].map((each) => each.join(' ')).join(', ')}; no wave begins`);
    await this.#begin('rollback', [canary], good);
    const { active } = await this.#over([canary]);
    if (active.length !== 1) throw new Error(`the canary did not come back to ${good}`);
    if (touched() !== before) throw new Error('machines beside the canary were touched');
    this.#tell('rolled back', `the canary runs ${good} again, and nobody else was touched`);
  }

  async #begin(what: string, macs: readonly string[], release: string): Promise<void> {
    await inTurn(macs, (mac) =>
      this.#site.bootswarm('machine', 'boot', mac, 'install', PROFILE, '--release', release),
    );
    await this.#power(macs, 'cycle');
    this.#tell(
      what,
      `${macs.length} machines: bootswarm machine boot ... install ${PROFILE} --release ${release}; power cycle`,
    );
  }

  /** Once the first of a wave writes to its disk. */
  async #killController(wave: readonly string[]): Promise<void> {
    const names = wave.map((mac) => this.#names.get(mac)).join('|');
    await this.#fleet.process.waitForLine(new RegExp(`"machine":"(${names})","event":"disk"`), WAVE_MS);
    await this.#site.controller.kill9();
    this.#tell('killed', 'the controller, by SIGKILL, while disks are written to');
    await sleep(AWAY_MS);
    const installed = wave.filter((mac) =>
      this.#events(mac).some(({ detail }) => detail.endsWith('from the disk')),
    );
    this.#tell(
      'alone',
      `${installed.length} of ${wave.length} came up by their edge alone, ${AWAY_MS / 1000} s later`,
    );
    await this.#site.startController();
    this.#tell('started', 'the controller again, with what it had kept');
  }

  /** Waits until each is active, or has failed for good. */
  async #over(macs: readonly string[]): Promise<WaveEnd> {
    for (const deadline = Date.now() + WAVE_MS; ; await sleep(LOOK_MS)) {
      const known = (await this.#site.bootswarm('machine', 'list')) as readonly Machine[];
      const wave = known.filter((machine) => machine.macs.some((mac) => macs.includes(mac)));
      // Of the epoch that was armed last: what came of those before says nothing of it.
      const works = wave.map(({ macs: [mac = ''], work, epoch }) => ({
        name: this.#names.get(mac) ?? mac,
        work: work?.epoch === epoch && work?.isOver ? work : undefined,
      }));
      const active = works.filter(({ work }) => work?.state === 'active').map(({ name }) => name);
      const failed = new Map(
        works.flatMap(({ name, work }) => (work?.cause === undefined ? [] : [[name, work.cause] as const])),
      );
      if (active.length + failed.size === macs.length) return { active, failed };
      if (Date.now() > deadline) throw new Error(`${macs.length - active.length} machines are not over`);
    }
  }

  #requireOnce(name: string, release: string): void {
    const written = this.#fleet
      .eventsOf(name)
      .filter(({ event, detail }) => event === 'disk' && detail !== 'empty');
    if (written.length !== 1 || !written[0]?.detail.startsWith(release))
      throw new Error(`${name} was installed ${written.length} times`);
  }

  async #power(macs: readonly string[], action: 'on' | 'cycle'): Promise<void> {
    await this.#site.bootswarm('machine', 'power', ...macs, action);
  }

  #events(mac: string): ReturnType<Fleet['eventsOf']> {
    return this.#fleet.eventsOf(this.#names.get(mac) ?? '');
  }

  #tell(stage: string, detail: string): void {
    this.#report.tell({ stage, detail });
  }
}

/** A few commands at a time: each is a process. */
async function inTurn(macs: readonly string[], act: (mac: string) => Promise<unknown>): Promise<void> {
  for (let first = 0; first < macs.length; first += AT_ONCE)
    await Promise.all(macs.slice(first, first + AT_ONCE).map(act));
}
