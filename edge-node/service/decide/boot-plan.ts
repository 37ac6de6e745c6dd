import {
  type BootCause,
  type DesiredState,
  type JournalRecord,
  type MenuEntry,
  matchMachine,
  type Segment,
  type Sighting,
} from '@bootswarm/controller/contract';
import {
  type Artefact,
  artefactOf,
  BOOT_STYLES,
  edgeArtefacts,
  findArtefact,
  type Manifest,
  releaseId,
} from '@bootswarm/images/format';
import { type BootPlan, SCRIPT_PATH } from '@bootswarm/ipxe';
import { profileFor } from './first-boot.ts';
import { type InstallerPlan, type InstallView, planInstaller } from './installer-plan.ts';
import { holdsAfterDhcp } from './known-classes.ts';
import { planWork, type WorkPlan } from './work-plan.ts';

/** systemd's rescue shell, on the console and without a password: who can pick it can also pick the disk. */
const RESCUE_ARGUMENTS = ['systemd.unit=rescue.target', 'systemd.setenv=SYSTEMD_SULOGIN_FORCE=1'];

/** What is at hand to boot a machine with. */
export interface Holdings {
  readonly state: Pick<DesiredState, 'machines' | 'policy' | 'releases' | 'mini'>;
  /** Whether an artefact is whole and verified here. */
  readonly isReady: (sha256: string) => boolean;
  /** Whether its bytes came last with another SHA-256 than the manifest's; nobody's did unless told. */
  readonly isCorrupt?: (sha256: string) => boolean;
  readonly httpUrl: string;
  /** Names of the classes that held when the machine last spoke DHCP. */
  readonly classes?: readonly string[];
  /** Left out where nobody is installed. */
  readonly installs?: InstallView;
}

type Waiting = Extract<BootPlan, { kind: 'wait' }>;
type Live = Extract<BootPlan, { kind: 'live' }>;

/** The boot of a release: the whole of it is here, or is waited for. */
type ReleasePlan = (Live & { readonly leadsTo?: 'agent' }) | (Waiting & { readonly cause?: BootCause });

/** A plan; of one that waits for a release, also why. */
export type PlannedBoot =
  | Exclude<BootPlan, Waiting | Live>
  /** Of a mini image, also that its agent will report. */
  | (Live & { readonly leadsTo?: 'agent' })
  /** Of one whose agent is to write to disks, also what became of that. */
  | WorkPlan
  | (Waiting & { readonly cause?: BootCause })
  /** Of a machine that is to be installed, also what is to be remembered of it. */
  | InstallerPlan;

/** An entry that was picked from the menu of a segment. */
export interface MenuPick {
  readonly entry: number;
  /** Whether the menu's password was given with it. */
  readonly isUnlocked: boolean;
}

/**
 * What the script of a machine is to do: its own intent, else its segment's; a release only once all of it is here.
 * @param pick of the segment's menu, which only a machine with that intent is shown.
 */
export function planBoot(
  sighting: Sighting,
  segment: Segment,
  holdings: Holdings,
  pick?: MenuPick,
): PlannedBoot {
  const caller = { segment: segment.name, client: sighting, classes: holdings.classes ?? [] };
  const tag = holdings.state.policy.classes.findLast(
    (each) => each.vlan !== undefined && holdsAfterDhcp(each, caller),
  )?.vlan;
  if (tag !== undefined) return { kind: 'vlan', tag };
  const machine = matchMachine(holdings.state.machines, sighting);
  const intent = machine?.intent ?? segment.defaultIntent;
  switch (intent.kind) {
    case 'local':
      return intent;
    case 'live':
      return intent.by === 'agent'
        ? planLiveByAgent(intent.release, sighting, holdings)
        : planRelease(intent.release, holdings);
    case 'inspect':
    case 'rescue':
      return planMini(sighting, holdings);
    case 'install':
    case 'wipe': {
      if (!machine || !holdings.installs) return { kind: 'local' };
      const { address, httpUrl } = holdings.installs;
      const whose = { machine, mac: sighting.mac, address, segment, httpUrl };
      return planWork(intent, machine, holdings.installs, {
        planMini: () => planMini(sighting, holdings),
        waitFor: (release) => waitFor(release, holdings),
        faultOf: (profile, release) => {
          const filled = profileFor({ ...whose, profile, release });
          return filled.ok ? undefined : filled.reason;
        },
      });
    }
    case 'menu':
      return planMenu(segment, holdings, pick);
    case 'installer':
      if (!machine || !holdings.installs) return { kind: 'local' };
      return planInstaller(intent, { machine, sighting, segment }, holdings.installs, (release) =>
        planRelease(release, holdings),
      );
  }
}

/** The mini image, whose agent asks this edge what to do. */
function planMini({ mac }: Sighting, holdings: Holdings): ReleasePlan {
  const { amd64, arm64 } = holdings.state.mini ?? {};
  // Nothing that a script is asked with tells arm64: where there are both, it is the one for amd64.
  const release = amd64 ?? arm64;
  if (release !== undefined)
    return withArguments(planRelease(release, holdings), mac === '' ? [] : [`bootswarm.mac=${mac}`]);
  const reason = 'no mini image is chosen: bootswarm mini use RELEASE';
  return { kind: 'wait', cause: 'release_not_ready', reason, scriptUrl: holdings.httpUrl + SCRIPT_PATH };
}

/** The mini image, with the words for the system that is to take it over. */
function planLiveByAgent(release: string, sighting: Sighting, holdings: Holdings): ReleasePlan {
  const manifest = holdings.state.releases.find((each) => releaseId(each) === release);
  return (
    waitFor(release, holdings) ?? withArguments(planMini(sighting, holdings), manifest?.kernelArguments ?? [])
  );
}

function planMenu({ name, menu }: Segment, holdings: Holdings, pick: MenuPick | undefined): PlannedBoot {
  const scriptUrl = holdings.httpUrl + SCRIPT_PATH;
  if (!menu) return { kind: 'wait', cause: 'menu_missing', reason: `segment ${name} has no menu`, scriptUrl };
  const entry = pick && menu.entries[pick.entry];
  if (!entry) {
    const { title, timeoutSeconds, entries } = menu;
    const shown = entries.map(({ label, ...rest }) => ({ label, isLocked: 'locked' in rest && rest.locked }));
    return { kind: 'menu', title, timeoutSeconds, entries: shown, scriptUrl };
  }
  if ('locked' in entry && entry.locked && !pick.isUnlocked) return { kind: 'refused', scriptUrl };
  return planEntry(entry, holdings);
}

function planEntry(entry: MenuEntry, holdings: Holdings): PlannedBoot {
  switch (entry.kind) {
    case 'local':
      return { kind: 'local' };
    case 'live':
      return planRelease(entry.release, holdings);
    case 'rescue':
      return withArguments(planRelease(entry.release, holdings), RESCUE_ARGUMENTS);
    case 'memtest':
      return { kind: 'memtest', firmwareUrl: `${holdings.httpUrl}/firmware` };
    case 'kernel':
      return {
        kind: 'kernel',
        label: entry.label,
        kernelUrl: entry.kernel,
        initramfsUrl: entry.initramfs,
        kernelArguments: entry.arguments,
      };
    case 'iso':
      return { kind: 'iso', label: entry.label, url: entry.url };
  }
}

function withArguments(plan: ReleasePlan, more: readonly string[]): ReleasePlan {
  return plan.kind === 'live' ? { ...plan, kernelArguments: [...plan.kernelArguments, ...more] } : plan;
}

/** What a machine waits for that needs a release; undefined where all of it is here. */
export function waitFor(
  release: string,
  {
    state,
    isReady,
    isCorrupt = () => false,
    httpUrl,
  }: Pick<Holdings, 'state' | 'isReady' | 'isCorrupt' | 'httpUrl'>,
): (Waiting & { readonly cause?: BootCause }) | undefined {
  const wait = (cause: BootCause, reason: string): Waiting & { readonly cause: BootCause } => ({
    kind: 'wait',
    cause,
    reason,
    scriptUrl: httpUrl + SCRIPT_PATH,
  });
  const manifest = state.releases.find((each) => releaseId(each) === release);
  if (!manifest) return wait('release_not_ready', `this edge does not know ${release} yet`);
  // Without the index of its chunks a release boots as well: it saves the edge bytes, and the machine nothing.
  const wanted = edgeArtefacts(manifest).filter(({ role }) => role !== 'chunks');
  const ready = wanted.filter(({ sha256 }) => isReady(sha256));
  const corrupt = wanted.find(({ sha256 }) => !isReady(sha256) && isCorrupt(sha256));
  if (corrupt)
    return wait('artefact_corrupt', `${corrupt.name} of ${release} came with a wrong SHA-256: not served`);
  if (ready.length < wanted.length) {
    const reason = `this edge is fetching ${release}: ${ready.length} of ${wanted.length} files`;
    return wait('release_not_ready', reason);
  }
  return undefined;
}

function planRelease(
  release: string,
  holdings: Pick<Holdings, 'state' | 'isReady' | 'isCorrupt' | 'httpUrl'>,
): ReleasePlan {
  const waiting = waitFor(release, holdings);
  const manifest = holdings.state.releases.find((each) => releaseId(each) === release);
  if (waiting) return waiting;
  // Where a channel came to point to it: nothing else that boots may name it.
  if (!manifest || manifest.bootStyle === 'disk-image') {
    const reason = `${release} is a disk image, which a profile installs: nothing boots it over the network`;
    return {
      kind: 'wait',
      cause: 'release_not_bootable',
      reason,
      scriptUrl: holdings.httpUrl + SCRIPT_PATH,
    };
  }
  return planLive(manifest, holdings.httpUrl);
}

/**
 * What of an artefact's SHA-256 stands in its URL. Firmware writes the URL on the screen, letter by letter through the
 * BIOS: two whole ones take 0.1 s of a boot in emulation.
 */
export function artefactId(sha256: string): string {
  return sha256.slice(0, 16);
}

function planLive(manifest: Manifest, httpUrl: string): ReleasePlan {
  const urlOf = ({ sha256, name }: Artefact): string => `${httpUrl}/artefacts/${artefactId(sha256)}/${name}`;
  const root = findArtefact(manifest, 'root');
  const isMini = manifest.bootStyle === 'mini';
  return {
    kind: 'live',
    release: releaseId(manifest),
    kernelUrl: urlOf(artefactOf(manifest, 'kernel')),
    initramfsUrl: urlOf(artefactOf(manifest, 'initramfs')),
    kernelArguments: [
      ...manifest.kernelArguments,
      ...(root ? BOOT_STYLES[manifest.bootStyle].rootArguments(urlOf(root)) : []),
      // The agent could ask DHCP for it; the machine has it already.
      ...(isMini ? [`bootswarm.edge=${httpUrl}`] : []),
    ],
    ...(isMini ? { leadsTo: 'agent' as const } : {}),
  };
}

/** For the journal. */
export function planText(plan: PlannedBoot): string {
  switch (plan.kind) {
    case 'local':
      return 'reason' in plan ? `boot from the local disk: ${plan.reason}` : 'boot from the local disk';
    case 'live': {
      if ('failure' in plan) return `boot ${plan.release}, whose agent shows what failed: ${plan.failure}`;
      const times = 'install' in plan ? plan.install.progress.attempts : 0;
      return times > 0 ? `run the installer ${plan.release}, start ${times}` : `boot live ${plan.release}`;
    }
    case 'menu':
      return 'show the menu';
    case 'kernel':
      return `boot ${plan.label}: ${plan.kernelUrl}`;
    case 'iso':
      return `boot ${plan.label}: ${plan.url}`;
    case 'memtest':
      return 'boot memtest86+';
    case 'vlan':
      return `begin anew in VLAN ${plan.tag}`;
    case 'refused':
      return "a locked entry of the menu, without the menu's password";
    case 'wait':
      return plan.reason;
  }
}

/** For the journal: what the machine is expected to fetch now from this edge, and what holds it up. */
export function outlookOf(plan: PlannedBoot): Pick<JournalRecord, 'next' | 'cause' | 'spentEpoch'> {
  switch (plan.kind) {
    case 'live':
      if ('leadsTo' in plan) return { next: 'agent' };
      return { next: 'install' in plan ? 'installer' : 'kernel' };
    case 'local': {
      if (!('spentEpoch' in plan)) return { next: 'nothing' };
      const cause = 'cause' in plan ? plan.cause : undefined;
      const spent = plan.spentEpoch > 0 ? { spentEpoch: plan.spentEpoch } : {};
      return cause === undefined ? { next: 'nothing', ...spent } : { next: 'nothing', cause, ...spent };
    }
    case 'wait':
      return { next: 'script', ...(plan.cause === undefined ? {} : { cause: plan.cause }) };
    default:
      return { next: 'nothing' };
  }
}
