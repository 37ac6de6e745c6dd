import { renderIso, renderMemtest, renderMenu, renderRefused } from './menu.ts';
import type { BootPlan, Whereabouts } from './plan.ts';

const FETCH_TRIES = 5;
const WAIT_SECONDS = 10;
const FAILED_SECONDS = 60;

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
