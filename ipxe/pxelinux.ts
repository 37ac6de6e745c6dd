import type { BootPlan } from './plan.ts';
import { pathOfUrl } from './tree-path.ts';

const WAIT_SECONDS = 10;
/** Debian's iPXE as a Linux kernel, which PXELINUX starts like any other. */
const IPXE_KERNEL = 'ipxe.lkrn';

/**
 * A configuration of PXELINUX (its wiki: PXELINUX, SYSLINUX, Config) for one machine, by the plan that iPXE would be
 * given. Kernel and initramfs come from this tree by TFTP. What PXELINUX cannot show or fetch itself, it hands to iPXE.
 */
export function renderPxelinux(plan: BootPlan): string {
  return `${['# Bootswarm: rendered for this machine', 'DEFAULT bootswarm', ...linesOf(plan)].join('\n')}\n`;
}

function linesOf(plan: BootPlan): readonly string[] {
  switch (plan.kind) {
    case 'local':
      return ['PROMPT 0', 'LABEL bootswarm', '  LOCALBOOT 0'];
    case 'live':
      return [
        'PROMPT 0',
        `SAY Bootswarm: loading ${plan.release}`,
        'LABEL bootswarm',
        `  KERNEL ${pathOfUrl(plan.kernelUrl)}`,
        `  INITRD ${pathOfUrl(plan.initramfsUrl)}`,
        ...(plan.kernelArguments.length > 0 ? [`  APPEND ${plan.kernelArguments.join(' ')}`] : []),
        // BOOTIF: by which of several network cards the machine came.
        '  IPAPPEND 2',
      ];
    case 'wait':
      return [
        'PROMPT 1',
        // In tenths of a second.
        `TIMEOUT ${WAIT_SECONDS * 10}`,
        `SAY Bootswarm: ${plan.reason}. Asking again in ${WAIT_SECONDS} s.`,
        'LABEL bootswarm',
        '  CONFIG pxelinux.cfg/default',
      ];
    default:
      return ['PROMPT 0', 'SAY Bootswarm: going on in iPXE', 'LABEL bootswarm', `  KERNEL ${IPXE_KERNEL}`];
  }
}
