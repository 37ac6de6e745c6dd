import { renderIso, renderMemtest, renderMenu, renderRefused } from './menu.ts';

/** What an iPXE script is to make a machine do. */
export type BootPlan =
  | { readonly kind: 'local' }
  | {
      readonly kind: 'live';
      readonly release: string;
      readonly kernelUrl: string;
      readonly initramfsUrl: string;
      readonly kernelArguments: readonly string[];
    }
  | {
      readonly kind: 'menu';
      readonly title: string;
      /** 0 waits for somebody. */
      readonly timeoutSeconds: number;
      readonly entries: readonly { readonly label: string; readonly isLocked: boolean }[];
      /** Asked for what was picked. */
      readonly scriptUrl: string;
    }
  /** A kernel of the operator's own. */
  | {
      readonly kind: 'kernel';
      readonly label: string;
      readonly kernelUrl: string;
      readonly initramfsUrl: string | undefined;
      readonly kernelArguments: readonly string[];
    }
  | { readonly kind: 'iso'; readonly label: string; readonly url: string }
  | { readonly kind: 'memtest'; readonly firmwareUrl: string }
  /** To begin anew with the VLAN tag that was lost when the network card's own ROM handed over (quirk 26). */
  | { readonly kind: 'vlan'; readonly tag: number }
  /** Back to the menu, from which a locked entry was picked with another password. */
  | { readonly kind: 'refused'; readonly scriptUrl: string }
  | {
      readonly kind: 'wait';
      /** What it waits for, for the console. */
      readonly reason: string;
      /** Asked again after the pause. */
      readonly scriptUrl: string;
    };

/** What the screen says about where the machine is, when it did not boot. */
export interface Whereabouts {
  readonly edge: string;
  readonly segment: string;
}

const FETCH_TRIES = 5;
const WAIT_SECONDS = 10;
const FAILED_SECONDS = 60;

/**
 * Path and query with which a machine asks for its script. iPXE fills in its own settings; with a server in
 * front it stays below the 128 bytes of DHCP's `file` field.
 */
export const SCRIPT_PATH = '/boot.ipxe?mac=${mac:hexhyp}&uuid=${uuid}&platform=${platform}';

/** The script for one machine. Pure text: the same plan gives the same script. */
export function renderScript(plan: BootPlan, where: Whereabouts): string {
  return `${['#!ipxe', ...linesOf(plan, where)].join('\n')}\n`;
}

function linesOf(plan: BootPlan, where: Whereabouts): readonly string[] {
  switch (plan.kind) {
    case 'local':
      return renderLocal();
    case 'live':
      return renderLive(plan, where);
    case 'menu':
      return renderMenu(plan, where);
    case 'kernel':
      return renderKernel(plan, where);
    case 'iso':
      return renderIso(plan, where);
    case 'memtest':
      return renderMemtest(plan, where);
    case 'refused':
      return renderRefused(plan);
    case 'vlan':
      return renderVlan(plan);
    case 'wait':
      return renderWait(plan);
  }
}

/** UEFI goes on to its next boot entry by itself; a BIOS may not, so its first disk is named. */
function renderLocal(): readonly string[] {
  return [
    'echo Bootswarm: booting from the local disk',
    'iseq ${platform} efi && exit 0 ||',
    'sanboot --no-describe --drive 0x80 ||',
    'echo Bootswarm: the first disk does not boot. Handing back to the BIOS.',
    'exit 1',
  ];
}

function renderLive(plan: BootPlan & { kind: 'live' }, where: Whereabouts): readonly string[] {
  return renderFetch(plan.release, plan, where);
}

function renderKernel(plan: BootPlan & { kind: 'kernel' }, where: Whereabouts): readonly string[] {
  return renderFetch(plan.label, plan, where);
}

interface Fetched {
  readonly kernelUrl: string;
  readonly initramfsUrl: string | undefined;
  readonly kernelArguments: readonly string[];
}

/** @param what is loaded, for the console. */
function renderFetch(what: string, fetched: Fetched, where: Whereabouts): readonly string[] {
  const { kernelUrl, initramfsUrl } = fetched;
  // On UEFI the kernel finds its initramfs by this name. BOOTIF tells the initramfs which of several network
  // cards the machine came by.
  const kernelArguments = [
    ...(initramfsUrl === undefined ? [] : ['initrd=initramfs']),
    'BOOTIF=01-${netX/mac:hexhyp}',
    ...fetched.kernelArguments,
  ].join(' ');
  return [
    ':start',
    'set tries:int32 0',
    ':fetch',
    'inc tries',
    'imgfree',
    `echo Bootswarm: loading ${what}`,
    'set what the kernel',
    `kernel --name kernel ${kernelUrl} ${kernelArguments} || goto again`,
    ...(initramfsUrl === undefined
      ? []
      : ['set what the initramfs', `initrd --name initramfs ${initramfsUrl} || goto again`]),
    'set what the boot itself',
    'boot || goto again',
    ':again',
    `iseq \${tries} ${FETCH_TRIES} && goto failed ||`,
    'echo Bootswarm: ${what} failed, trying again in ${tries} s',
    'sleep ${tries}',
    // A native driver's reset of the link or a slow spanning tree costs the lease (quirk 25).
    'isset ${net0/ip} || dhcp ||',
    'goto fetch',
    ...renderFailure(what, where),
  ];
}

function renderFailure(loaded: string, where: Whereabouts): readonly string[] {
  const rule = '='.repeat(72);
  return [
    ':failed',
    'echo',
    `echo ${rule}`,
    'echo Bootswarm: this machine did NOT boot.',
    `echo   failed:   \${what}, ${FETCH_TRIES} times`,
    `echo   loading:  ${loaded}`,
    'echo   machine:  ${net0/mac}  uuid ${uuid}',
    'echo   network:  ${net0/ip}/${net0/netmask} gateway ${net0/gateway}',
    `echo   segment:  ${where.segment}, edge ${where.edge}`,
    'echo   to see why, on the controller: bootswarm trace ${net0/mac}',
    `echo ${rule}`,
    `prompt --timeout ${FAILED_SECONDS * 1000} Trying again in ${FAILED_SECONDS} s. Press a key for the iPXE shell. && shell ||`,
    'goto start',
  ];
}

function renderWait(plan: BootPlan & { kind: 'wait' }): readonly string[] {
  return [
    `echo Bootswarm: ${plan.reason}. Asking again in ${WAIT_SECONDS} s.`,
    ':again',
    `sleep ${WAIT_SECONDS}`,
    `chain --replace ${plan.scriptUrl} || goto again`,
  ];
}

/** The DHCP server behind the tag names the script of that VLAN, which then has no class with a tag. */
function renderVlan({ tag }: BootPlan & { kind: 'vlan' }): readonly string[] {
  const device = `net0-${tag}`;
  return [
    `echo Bootswarm: going on in VLAN ${tag}`,
    `isset \${${device}/mac} || vcreate --tag ${tag} net0 || goto failed`,
    ':again',
    `dhcp ${device} && chain --replace \${${device}/filename} ||`,
    ':failed',
    `echo Bootswarm: no boot in VLAN ${tag}. Trying again in ${WAIT_SECONDS} s.`,
    `sleep ${WAIT_SECONDS}`,
    'goto again',
  ];
}
