import { type DesiredState, matchMachine, type Segment, type Sighting } from '@bootswarm/controller/contract';
import { type Artefact, artefactOf, type Manifest, releaseId } from '@bootswarm/images/format';
import { type BootPlan, SCRIPT_PATH } from '@bootswarm/ipxe';

/** What is at hand to boot a machine with. */
export interface Holdings {
  readonly state: Pick<DesiredState, 'machines' | 'releases'>;
  /** Whether an artefact is whole and verified here. */
  readonly isReady: (sha256: string) => boolean;
  readonly httpUrl: string;
}

/** What the script of a machine is to do: its own intent, else its segment's; a release only once all of it is here. */
export function planBoot(
  sighting: Sighting,
  segment: Segment,
  { state, isReady, httpUrl }: Holdings,
): BootPlan {
  const intent = matchMachine(state.machines, sighting)?.intent ?? segment.defaultIntent;
  if (intent.kind === 'local') return intent;
  const wait = (reason: string): BootPlan => ({ kind: 'wait', reason, scriptUrl: httpUrl + SCRIPT_PATH });
  if (intent.kind === 'menu') return wait('menus are not rendered yet');
  const { release } = intent;
  const manifest = state.releases.find((each) => releaseId(each) === release);
  if (!manifest) return wait(`this edge does not know ${release} yet`);
  const ready = manifest.artefacts.filter((artefact) => isReady(artefact.sha256));
  if (ready.length < manifest.artefacts.length)
    return wait(`this edge is fetching ${release}: ${ready.length} of ${manifest.artefacts.length} files`);
  return planLive(manifest, httpUrl);
}

function planLive(manifest: Manifest, httpUrl: string): BootPlan {
  const urlOf = (artefact: Artefact): string => `${httpUrl}/artefacts/${artefact.sha256}/${artefact.name}`;
  return {
    kind: 'live',
    release: releaseId(manifest),
    kernelUrl: urlOf(artefactOf(manifest, 'kernel')),
    initramfsUrl: urlOf(artefactOf(manifest, 'initramfs')),
    kernelArguments: [...manifest.kernelArguments, `fetch=${urlOf(artefactOf(manifest, 'root'))}`],
  };
}

/** For the journal. */
export function planText(plan: BootPlan): string {
  switch (plan.kind) {
    case 'local':
      return 'boot from the local disk';
    case 'live':
      return `boot live ${plan.release}`;
    case 'wait':
      return plan.reason;
  }
}
