import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MachineStory, RolloutMachine, RolloutPlan, RolloutStory } from '@bootswarm/controller/contract';
import type { Manifest } from '@bootswarm/images/format';
import { EmulatedMachines, Fleet, installPowerCommand, specOf } from '../fleet/index.ts';
import { Lab } from '../lab/index.ts';
import { writeRelease } from './build-folder.ts';
import { readyToInstall } from './install-ground.ts';
import { Site } from './site.ts';
import type { StageReport } from './stages.ts';

const PLAYED = 10;
const EMULATED = 2;
const MACHINES = PLAYED + EMULATED;
/** Of the racks that are played. */
const RACK_SIZE = 5;
/** Of the machines, of the reservation and of the profile. */
const NAME = 'web';
/** Two cores emulate two machines, through firmware and a mini image into what it installs. */
const INSPECTED_MS = 15 * 60_000;
const WAVE_MS = 40 * 60_000;
const LOGIN_MS = 5 * 60_000;
const LOOK_MS = 1_000;
/** For so long nobody has a controller: installations go on by their edge alone. */
const AWAY_MS = 10_000;
const AT_ONCE = 4;
/** Of a root that is none. */
const NOISE_BYTES = 2 ** 20;

/** What a profile has in common for a played disk and one of QEMU: there is one of either. */
const LAYOUT = { disks: [{ minSize: '4GiB' }], root: { size: '3GiB' }, lvm: { group: 'data' } };
const ORDER = ['--profile', NAME, '--reservation', NAME, '--first-boot-minutes', '40'] as const;

/**
 * `npm run demo -- --rollout`: twelve machines, two of them in QEMU and ten played at the level of protocols, are
 * imported, inspected, reserved, and installed by a rollout: a canary, a wave of four, and the rest, each after an
 * operator's approval. In the second wave the controller is killed and started again. Then a release that cannot be
 * installed stops at its canary, and the rollout takes that back to what it had.
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
  const { release: good, folder } = await readyToInstall(site, lab.folder, (stage, detail) =>
    report.tell({ stage, detail }),
  );
  const bad = await publishBroken(site, folder);
  report.tell({ stage: 'publish', detail: `${bad}: the same kernel, and a root that is none` });

  const specs = Array.from({ length: MACHINES }, (_, at) =>
    specOf(at + 1, { conduct: [{ release: bad, does: 'fails' }] }),
  );
  const fleet = await Fleet.start(site, segment, { machines: specs.slice(0, PLAYED) });
  await using emulated = await EmulatedMachines.start(segment, lab.folder, specs.slice(PLAYED));
  installPowerCommand(commands, 'played', fleet.socket);
  installPowerCommand(commands, 'emulated', emulated.socket);

  const story = new RolloutDemo(site, fleet, emulated, report);
  await story.register();
  await story.inspect();
  await story.rollOut(good);
  await story.stopAtCanary(bad, good);
  report.tell({
    stage: 'done',
    detail: `${MACHINES} machines run ${good}; the controller was killed meanwhile, and ${bad} reached its canary alone`,
  });
}

/** Publishes what agents verify, fetch, and cannot install. @returns the release. */
async function publishBroken(site: Site, folder: string): Promise<string> {
  const read = (name: string): Buffer => readFileSync(`${folder}/${name}`);
  const { name, bootStyle, kernelArguments } = JSON.parse(read('manifest.json').toString()) as Manifest;
  const broken = `${site.lab.folder}/broken`;
  const files = { kernel: read('vmlinuz'), initramfs: read('initrd.img'), root: randomBytes(NOISE_BYTES) };
  await writeRelease(broken, files, { name, version: '2', bootStyle, kernelArguments });
  return site.publish(broken);
}

/** What an operator does with twelve machines, by the command line. */
class RolloutDemo {
  readonly #site: Site;
  readonly #fleet: Fleet;
  readonly #emulated: EmulatedMachines;
  readonly #report: StageReport;
  /** By id. */
  #names: ReadonlyMap<string, string> = new Map();

  constructor(site: Site, fleet: Fleet, emulated: EmulatedMachines, report: StageReport) {
    this.#site = site;
    this.#fleet = fleet;
    this.#emulated = emulated;
    this.#report = report;
  }

  async register(): Promise<void> {
    const rows = [...this.#fleet.machines, ...this.#emulated.specs].map(({ name, mac, uuid }, at) => ({
      ...{ name, macs: [mac], uuid, class: NAME, rack: `r${Math.floor(at / RACK_SIZE) + 1}` },
    }));
    const file = `${this.#site.lab.folder}/machines.yaml`;
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(rows));
    await this.#run('machine', 'import', file);
    await inTurn(this.#fleet.machines, ({ name }) =>
      this.#run('machine', 'bmc', name, 'command', '--program', 'played'),
    );
    await inTurn(this.#emulated.specs, ({ name }) =>
      this.#run('machine', 'bmc', name, 'command', '--program', 'emulated'),
    );
    const known = (await this.#run('machine', 'list', '--match', `class=${NAME}`)) as MachineStory[];
    this.#names = new Map(known.map(({ id, name = '' }) => [id, name]));
    const emulated = this.#emulated.specs.map(({ name, firmware }) => `${name} (${firmware})`);
    this.#tell(
      'import',
      `${known.length} machines of a file; ${emulated.join(' and ')} in QEMU, the rest played`,
    );
  }

  /** Every machine is looked at by its agent, and set aside. */
  async inspect(): Promise<void> {
    const specs = [...this.#fleet.machines, ...this.#emulated.specs];
    const names = specs.map(({ name }) => name);
    await inTurn(names, (name) => this.#run('machine', 'boot', name, 'inspect'));
    await this.#run('machine', 'power', ...names, 'on');
    this.#tell('power on', `${names.length} machines boot from the network to be inspected`);
    for (const { mac } of specs)
      await this.#site.edge.waitForLine(
        new RegExp(`^(?=.*"mac":"${mac}")(?=.*waiting: inspected)`),
        INSPECTED_MS,
      );
    this.#tell('inspected', 'each by its agent');
    const asked = ['--count', String(MACHINES), '--match', `class=${NAME}`];
    await this.#run('machine', 'reserve', NAME, ...asked);
    this.#tell('reserve', `bootswarm machine reserve ${NAME} ${asked.join(' ')}`);
  }

  /** A canary, four, and the rest; while four are written to the controller is killed. */
  async rollOut(release: string): Promise<void> {
    const file = `${this.#site.lab.folder}/profile.yaml`;
    const profile = { name: NAME, kind: 'image', release, layout: LAYOUT };
    writeFileSync(file, JSON.stringify({ ...profile, kernelArguments: ['console=ttyS0,115200n8'] }));
    await this.#run('profile', 'apply', file);
    const order = ['--release', release, '--match', `class=${NAME}`, ...ORDER];
    const waves = ['--waves', '1,4,rest', '--approve-after-first'];
    await this.#showPlan('first', [...order, ...waves]);
    await this.#run('rollout', 'start', 'first', ...order, ...waves);
    this.#tell('start', `bootswarm rollout start first ${[...order, ...waves].join(' ')}`);

    await this.#follow('first', ({ waves: [canary] }) => canary?.state === 'done');
    await this.#approve('first', 1);
    await this.#killController('first');
    await this.#follow('first', ({ waves: [, second] }) => second?.state === 'done');
    await this.#approve('first', 2);
    await this.#follow('first', ({ state }) => state === 'done');
    for (const { name } of this.#fleet.machines) this.#requireOnce(name, release);
    for (const { name } of this.#emulated.specs) {
      const { seconds } = (await this.#emulated.running(name)?.waitFor(/login: /, LOGIN_MS)) ?? {};
      if (seconds === undefined) throw new Error(`${name} is off`);
      this.#tell('login', 'the login prompt of what is on its disk', name);
    }
  }

  /** A release that cannot be installed: its canary fails and goes back, and nobody else is touched. */
  async stopAtCanary(bad: string, good: string): Promise<void> {
    const touched = (): number =>
      this.#fleet.machines
        .filter(({ name }) => name !== canary)
        .flatMap(({ name }) => this.#fleet.eventsOf(name)).length;
    // The racks that are played: a machine in QEMU takes minutes for each try.
    const order = ['--release', bad, '--match', `class=${NAME},rack=r1|r2`, ...ORDER];
    const more = ['--waves', '1,rest', '--on-failure', 'rollback'];
    const plan = await this.#showPlan('second', [...order, ...more]);
    const canary = this.#names.get(plan.waves[0]?.machines[0] ?? '') ?? '';
    const before = touched();
    await this.#run('rollout', 'start', 'second', ...order, ...more);
    this.#tell('start', `bootswarm rollout start second ${[...order, ...more].join(' ')}`);
    await this.#follow('second', ({ state }) => state === 'rolled_back');
    const { machines } = (await this.#run('rollout', 'show', 'second', '--machines')) as {
      readonly machines: readonly RolloutMachine[];
    };
    const steps = Map.groupBy(machines, ({ step }) => step);
    const undone = steps.get('undone') ?? [];
    if (undone.length !== 1 || steps.get('waiting')?.length !== PLAYED - 1)
      throw new Error(`not the canary alone: ${machines.map(({ step }) => step).join(', ')}`);
    const disk = this.#fleet.eventsOf(canary).findLast(({ event }) => event === 'disk');
    if (!disk?.detail.startsWith(good)) throw new Error(`${canary} did not come back to ${good}`);
    if (touched() !== before) throw new Error(`others than ${canary} were touched`);
    this.#tell('went back', `to ${good}, and nobody else was touched`, canary);
  }

  async #showPlan(name: string, order: readonly string[]): Promise<RolloutPlan> {
    const plan = (await this.#run('rollout', 'plan', name, ...order)) as RolloutPlan;
    const waves = plan.waves.map(({ machines }) => machines.map((id) => this.#names.get(id)).join(' '));
    this.#tell(
      'plan',
      `${waves.join(' | ')}; ${(plan.estimate.bytes / 2 ** 20).toFixed(0)} MiB to be fetched`,
    );
    return plan;
  }

  async #approve(name: string, wave: number): Promise<void> {
    await this.#follow(name, ({ waves }) => waves[wave]?.state === 'awaiting');
    await this.#run('rollout', 'approve', name);
    this.#tell('approve', `bootswarm rollout approve ${name}: wave ${wave + 1} may begin`);
  }

  /** Once a machine of the wave is written to. */
  async #killController(name: string): Promise<void> {
    const isWritten = /"event":"disk","detail":"empty"/;
    const since = this.#fleet.process.output.text.length;
    await this.#fleet.process.output.waitFor(isWritten, WAVE_MS, since);
    await this.#site.controller.kill9();
    this.#tell('killed', 'the controller, by SIGKILL, while disks are written to');
    await sleep(AWAY_MS);
    const up = this.#fleet.process.output.text.slice(since).match(/"event":"up"/g)?.length ?? 0;
    this.#tell('alone', `${up} machines came up by their edge alone, ${AWAY_MS / 1000} s later`);
    await this.#site.startController();
    this.#tell('started', `the controller again; rollout ${name} goes on by itself`);
  }

  /** Waits, and tells what changes. @throws where the rollout ends otherwise. */
  async #follow(name: string, isThere: (rollout: RolloutStory) => boolean): Promise<void> {
    let told = '';
    for (const deadline = Date.now() + WAVE_MS; ; await sleep(LOOK_MS)) {
      const rollout = (await this.#run('rollout', 'show', name)) as RolloutStory;
      const { state, waves, wave, counts, cause, detail } = rollout;
      const steps = Object.entries(counts).map(([step, machines]) => `${machines} ${step}`);
      const now = `${name} ${state}, wave ${wave + 1} ${waves[wave]?.state}: ${steps.join(', ')}`;
      if (now !== told) this.#tell('rollout', now);
      told = now;
      if (isThere(rollout)) return;
      if (['stopped', 'rolled_back', 'done'].includes(state) || Date.now() > deadline)
        throw new Error(`rollout ${name} is ${state}: ${cause ?? ''} ${detail ?? ''}`);
    }
  }

  #requireOnce(name: string, release: string): void {
    const events = this.#fleet.eventsOf(name).filter(({ event }) => event === 'disk');
    const written = events.filter(({ detail }) => detail !== 'empty');
    if (written.length !== 1 || !written[0]?.detail.startsWith(release))
      throw new Error(`${name} was installed ${written.length} times`);
  }

  #run(...args: readonly string[]): Promise<unknown> {
    return this.#site.bootswarm(...args);
  }

  #tell(stage: string, detail: string, machine?: string): void {
    this.#report.tell({ stage, detail, ...(machine === undefined ? {} : { machine }) });
  }
}

/** A few commands at a time: each is a process. */
async function inTurn<T>(all: readonly T[], act: (one: T) => Promise<unknown>): Promise<void> {
  for (let first = 0; first < all.length; first += AT_ONCE)
    await Promise.all(all.slice(first, first + AT_ONCE).map(act));
}
