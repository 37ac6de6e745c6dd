import {
  type BuiltInVariable,
  type DesiredState,
  type FirstBootVariables,
  faultText,
  type InstallerKind,
  type InstallerProfile,
  parseAnswerTemplate,
  parseSubnet,
  renderAnswerTemplate,
  type Segment,
  variablesOf,
} from '@bootswarm/controller/contract';
import { findArtefact, type Manifest, releaseId } from '@bootswarm/images/format';

/** The file that holds the answers, under the name by which the installer asks for it. */
const ANSWER_FILE: Readonly<Record<InstallerKind, string>> = {
  preseed: 'preseed.cfg',
  kickstart: 'ks.cfg',
  autoinstall: 'user-data',
};

/** Whose answers, and where they are asked for. */
export interface AnswerContext {
  readonly profile: InstallerProfile;
  readonly machine: Pick<DesiredState['machines'][number], 'id' | 'macs' | 'uuid' | 'epoch' | 'variables'>;
  readonly mac: string;
  readonly address: string;
  readonly segment: Segment;
  /** The release of the profile. */
  readonly manifest: Manifest;
  /** Of this edge, as the machine reaches it. */
  readonly httpUrl: string;
  /** Epoch and token, as they stand in URLs. */
  readonly ticket: string;
}

type Rendered =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: string };

/** The answers for one machine. */
export function renderAnswers(context: AnswerContext): Rendered {
  const { profile, machine } = context;
  const parsed = parseAnswerTemplate(profile.answers);
  if (!parsed.ok) return { ok: false, reason: faultText(parsed.fault) };
  const lookUp = variablesOf(profile, machine.variables ?? {}, builtInOf(context));
  const rendered = renderAnswerTemplate(parsed.template, lookUp);
  return rendered.ok ? rendered : { ok: false, reason: faultText(rendered.fault) };
}

/**
 * A file of the folder that an installer was told of; undefined where there is none of that name.
 * `isAnswers` marks the one with which it can begin.
 */
export function answerFile(
  name: string,
  context: AnswerContext,
): (Rendered & { readonly isAnswers: boolean }) | undefined {
  const { profile, machine } = context;
  if (name === ANSWER_FILE[profile.kind]) return { ...renderAnswers(context), isAnswers: true };
  if (profile.kind !== 'autoinstall') return undefined;
  // cloud-init's NoCloud source asks for these beside it; a JSON string is one of YAML too.
  if (name === 'vendor-data') return { ok: true, text: '', isAnswers: false };
  if (name !== 'meta-data') return undefined;
  const instance = JSON.stringify(`${machine.id}-${machine.epoch ?? 0}`);
  const text = `instance-id: ${instance}\nlocal-hostname: ${JSON.stringify(hostnameOf(context))}\n`;
  return { ok: true, text, isAnswers: false };
}

/** By which the installer finds its answers and its packages. */
export function installerArguments(context: AnswerContext): readonly string[] {
  const { profile, segment, httpUrl, ticket } = context;
  const folder = `${httpUrl}/answers/${ticket}`;
  const file = `${folder}/${ANSWER_FILE[profile.kind]}`;
  const tree = treeOf(context);
  switch (profile.kind) {
    case 'preseed':
      // netcfg asks for these before the answers can be fetched (debian-installer's manual, B.2.2).
      return [
        'auto=true',
        'priority=critical',
        `url=${file}`,
        `hostname=${hostnameOf(context)}`,
        ...(segment.domain === undefined ? [] : [`domain=${segment.domain}`]),
        // Where DHCP names no name server it asks for one, whatever the priority.
        ...(segment.dnsServers.length === 0 ? ['netcfg/get_nameservers='] : []),
      ];
    case 'kickstart':
      // Without the prefix for Anaconda of RHEL 6 and before; later ones pass over those.
      return [
        `inst.ks=${file}`,
        `ks=${file}`,
        ...(tree === undefined ? [] : [`inst.repo=${tree}`, `repo=${tree}`]),
        'ip=dhcp',
        'ksdevice=bootif',
      ];
    case 'autoinstall':
      // One word to iPXE, PXELINUX and the kernel; GRUB's is quoted by its renderer.
      return ['autoinstall', `ds=nocloud-net;s=${folder}/`, 'ip=dhcp'];
  }
}

/** Of its reservation; else its id. */
export function hostnameOf({
  machine,
  segment,
  mac,
}: Pick<AnswerContext, 'machine' | 'segment' | 'mac'>): string {
  const own = segment.reservations.find(
    ({ mac: reserved, uuid }) =>
      (reserved !== undefined && (reserved === mac || machine.macs.includes(reserved))) ||
      (uuid !== undefined && uuid === machine.uuid),
  );
  return own?.hostname ?? machine.id;
}

function treeOf({ manifest, httpUrl }: AnswerContext): string | undefined {
  return findArtefact(manifest, 'tree-index') && `${httpUrl}/trees/${releaseId(manifest)}`;
}

function builtInOf(context: AnswerContext): Readonly<Record<BuiltInVariable, string | undefined>> {
  const { manifest, httpUrl, ticket } = context;
  const tree = treeOf(context);
  return {
    ...machineVariables(context, manifest),
    'tree.url': tree,
    'tree.path': tree?.slice(httpUrl.length),
    'installed.url': `${httpUrl}/installed/${ticket}`,
  };
}

/** What an edge fills in of a machine, wherever its system comes from. */
export function machineVariables(
  context: Pick<AnswerContext, 'machine' | 'mac' | 'address' | 'segment' | 'httpUrl'>,
  release: Pick<Manifest, 'name' | 'version' | 'architecture'>,
): FirstBootVariables {
  const { machine, mac, address, segment, httpUrl } = context;
  return {
    'machine.id': machine.id,
    'machine.mac': mac,
    'machine.uuid': machine.uuid ?? '',
    'machine.address': address,
    'machine.hostname': hostnameOf(context),
    'segment.name': segment.name,
    'segment.subnet': segment.subnet,
    'segment.netmask': netmaskOf(segment.subnet),
    'segment.router': segment.router ?? '',
    'segment.dns': segment.dnsServers.join(','),
    'segment.domain': segment.domain ?? '',
    'edge.url': httpUrl,
    'edge.host': httpUrl.replace(/^[a-z]+:\/\//, ''),
    'release.id': releaseId(release),
    'release.name': release.name,
    'release.version': release.version,
    'release.architecture': release.architecture,
  };
}

function netmaskOf(subnet: string): string {
  const { prefixLength } = parseSubnet(subnet);
  const mask = 2 ** 32 - 2 ** (32 - prefixLength);
  return [24, 16, 8, 0].map((shift) => Math.floor(mask / 2 ** shift) % 256).join('.');
}
