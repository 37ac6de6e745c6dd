import { readFileSync } from 'node:fs';
import { problem } from '@bootswarm/controller/contract';
import { channelId, isChannelId, makeSigningKey, type SigningKey } from '@bootswarm/images/format';
import type { ArtefactFolder } from '@bootswarm/images/swarm';
import { Channels, releaseOf } from './catalogue/channels.ts';
import { GarbageCollector } from './catalogue/garbage.ts';
import { MiniImages } from './catalogue/mini.ts';
import { ReleasePins } from './catalogue/release-pins.ts';
import {
  type CheckIntent,
  holdRelease,
  namedByMachines,
  namedBySegments,
  ReleaseUses,
} from './catalogue/release-uses.ts';
import { Releases } from './catalogue/releases.ts';
import { RetentionSetting } from './catalogue/retention.ts';
import { Uploads } from './catalogue/uploads.ts';
import { DesiredStateFeed } from './edges/desired-state-feed.ts';
import { Edges } from './edges/edges.ts';
import { Policy } from './edges/policy.ts';
import { Segments } from './edges/segments.ts';
import { EventLog } from './events/event-log.ts';
import { RecordedStore } from './events/recorded-store.ts';
import type { WebhookCourier } from './events/webhook-courier.ts';
import { Webhooks } from './events/webhooks.ts';
import { KeptAnswers } from './http/kept-answers.ts';
import { AssignedInstalls } from './machines/assigned-installs.ts';
import { Assignments, assignmentsIn, namedByAssignments } from './machines/assignments.ts';
import { FleetWorkBoard } from './machines/fleet-work.ts';
import { Inspections } from './machines/inspections.ts';
import { JournalIntake } from './machines/journal.ts';
import { LifeWatch } from './machines/life-watch.ts';
import { Lives } from './machines/lives.ts';
import { MachineIndex } from './machines/machine-index.ts';
import { type CheckFit, Machines } from './machines/machines.ts';
import { Registration } from './machines/registration.ts';
import { Reservations } from './machines/reservations.ts';
import { MachineRules } from './machines/rules.ts';
import { upgradeMachines } from './machines/upgrade.ts';
import { networkRule } from './outgoing/network-rule.ts';
import type { PowerDesk } from './power/desk.ts';
import { makePower, type PowerSettings } from './power/make-power.ts';
import type { Secrets } from './power/secrets.ts';
import { namedByProfiles, Profiles } from './profiles/profiles.ts';
import type { RolloutDesk } from './rollouts/desk.ts';
import { makeRollouts, type RolloutSettings } from './rollouts/make-rollouts.ts';
import type { Rollouts } from './rollouts/rollouts.ts';
import type { StateStore } from './store/state-store.ts';
import { type Reads, transact } from './store/transact.ts';
import { EdgeSwarm } from './swarm/edge-swarm.ts';
import type { Seeds } from './swarm/seeds.ts';
import { Trust } from './trust/trust.ts';

/** All that the controller does, over one store and one folder of artefacts. */
export interface Services {
  readonly version: string;
  readonly store: StateStore;
  readonly artefacts: ArtefactFolder;
  readonly uploads: Uploads;
  readonly trust: Trust;
  readonly channels: Channels;
  readonly releases: Releases;
  readonly pins: ReleasePins;
  readonly uses: ReleaseUses;
  readonly retention: RetentionSetting;
  readonly garbage: GarbageCollector;
  readonly segments: Segments;
  readonly policy: Policy;
  readonly edges: Edges;
  readonly machines: Machines;
  readonly journals: JournalIntake;
  readonly lives: Lives;
  readonly lifeWatch: LifeWatch;
  readonly inspections: Inspections;
  readonly registration: Registration;
  readonly reservations: Reservations;
  readonly rules: MachineRules;
  readonly assignments: Assignments;
  readonly assignedInstalls: AssignedInstalls;
  readonly work: FleetWorkBoard;
  readonly profiles: Profiles;
  readonly mini: MiniImages;
  readonly power: PowerDesk;
  readonly secrets: Secrets;
  readonly rollouts: Rollouts;
  readonly rolloutDesk: RolloutDesk;
  readonly feed: DesiredStateFeed;
  readonly edgeSwarm: EdgeSwarm;
  readonly events: EventLog;
  readonly webhooks: Webhooks;
  readonly answers: KeptAnswers;
  /** Left out where nothing is sent. */
  readonly courier?: WebhookCourier;
  /** Left out where it gives edges nothing but HTTP. */
  readonly seeds?: Seeds;
}

export async function makeServices(
  inner: StateStore,
  artefacts: ArtefactFolder,
  power: PowerSettings & {
    readonly rollouts?: Pick<RolloutSettings, 'commands' | 'hands' | 'pace'>;
    /** Where webhooks, hooks and health URLs may be; any but loopback and the like where it is left out. */
    readonly webhookNetworks?: readonly string[];
  },
): Promise<Services> {
  const store = new RecordedStore(inner);
  const key = await ensureSigningKey(store);
  await upgradeMachines(store);
  const uploads = new Uploads(store, artefacts);
  const releases = new Releases(store);
  const trust = new Trust(store);
  const channels = new Channels(store, trust);
  const hold = (reference: string, reads: Reads) =>
    isChannelId(reference) ? channels.hold(reads, reference) : holdRelease(reads, reference);
  const manifestOf = async (reference: string) => {
    const pointer = (await channels.list()).find((each) => channelId(each) === reference);
    return (await releases.find(pointer ? releaseOf(pointer) : reference))?.manifest;
  };
  const profiles = new Profiles({ store, hold, manifestOf });
  const mini = new MiniImages({ store, hold, manifestOf });
  const checkIntent: CheckIntent = async (intent, reads) => {
    const profile = 'profile' in intent ? await profiles.hold(intent.profile, reads) : {};
    const release = 'release' in intent ? intent.release : undefined;
    if (release === undefined) return profile;
    const held = await hold(release, reads);
    if ((await manifestOf(release))?.bootStyle === 'disk-image')
      throw problem('release_not_bootable', { field: 'release', facts: { release } });
    return { ...profile, ...held };
  };
  const checkFit: CheckFit = async (machine, reads) => {
    if (machine.intent && 'profile' in machine.intent)
      await profiles.requireFit(machine.intent, machine, reads);
  };
  const policy = new Policy(store);
  const segments = new Segments(store, policy, checkIntent);
  const assignedInstalls = new AssignedInstalls({
    ...{ store, checkIntent, checkFit },
    intentBy: (choice, reads) => profiles.intentBy(choice, reads),
  });
  const lifeWatch = new LifeWatch({ store, installs: assignedInstalls });
  const index = new MachineIndex(store);
  const machines = new Machines(store, checkIntent, checkFit, index);
  const rules = new MachineRules(store);
  await rules.catchUp();
  const assignments = new Assignments({
    store,
    machines: () => index.all(),
    requireFit: (assignment, reads) => profiles.requireAssignable(assignment, reads),
    hold: async ({ profile, release }, reads) => ({
      ...(await profiles.hold(profile, reads)),
      ...(release === undefined ? {} : await hold(release, reads)),
    }),
  });
  const edges = new Edges(store, key.publicKey);
  const pins = new ReleasePins(store, releases);
  const retention = new RetentionSetting(store);
  const uses = new ReleaseUses([
    () => pins.namings(),
    (reads) => channels.namings(reads),
    (reads) => mini.namings(reads),
    async () => namedByMachines(await machines.list()),
    async () => namedBySegments(await segments.list()),
    async () => namedByProfiles(await profiles.list()),
    () => rolled.rollouts.namings(),
    async (reads) => namedByAssignments(await assignmentsIn(reads)),
  ]);
  const isAllowed = networkRule(power.webhookNetworks ?? []);
  const powered = makePower(store, () => machines.list(), power);
  const rolled = makeRollouts({
    ...{ store, index, channels, manifestOf, hold, checkIntent, checkFit, isAllowed, commands: undefined },
    profiles: () => profiles.list(),
    mini: () => mini.show(),
    ...powered,
    onDefect: power.onDefect ?? (() => {}),
    ...power.rollouts,
  });
  const garbage = new GarbageCollector({ store, folder: artefacts, releases, uses, uploads, retention });
  const readFleet = async () => ({
    segments: await segments.list(),
    policy: await policy.show(),
    edges: await edges.list(),
    machines: await machines.list(),
    profiles: await profiles.list(),
    manifests: (await releases.list()).map((release) => release.manifest),
    channels: await channels.list(),
    trustRoot: await trust.firstRoot(),
    mini: await mini.show(),
    rollouts: await rolled.rollouts.list(),
  });
  const events = new EventLog(store);
  const feed = new DesiredStateFeed(store, readFleet, key.privateKey);
  return {
    version: versionOf(),
    store,
    artefacts,
    uploads,
    trust,
    channels,
    releases,
    pins,
    uses,
    retention,
    garbage,
    segments,
    policy,
    machines,
    journals: new JournalIntake(store),
    lives: new Lives(store),
    lifeWatch,
    inspections: new Inspections(store, rules),
    registration: new Registration({ store, index, rules }),
    reservations: new Reservations(store, index),
    rules,
    assignments,
    assignedInstalls,
    work: new FleetWorkBoard(),
    profiles,
    mini,
    ...powered,
    ...rolled,
    edges,
    edgeSwarm: new EdgeSwarm({ edges: () => edges.list() }),
    feed,
    events,
    webhooks: new Webhooks(store, events, isAllowed),
    answers: new KeptAnswers(store),
  };
}

/** The key that signs desired states. Edges learn its public half when they join. */
function ensureSigningKey(store: StateStore): Promise<SigningKey> {
  return transact(store, 'the signing key', async (reads) => {
    const entry = await reads.get('signing-key');
    if (entry) return { result: entry.value as SigningKey };
    const made = makeSigningKey();
    return { put: { 'signing-key': made }, result: made };
  });
}

function versionOf(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
