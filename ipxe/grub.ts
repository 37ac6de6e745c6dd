import type { BootPlan } from './plan.ts';
import { pathOfUrl } from './tree-path.ts';

const WAIT_SECONDS = 10;
/** Each asking anew nests a script in the last; before GRUB's stack ends, the machine starts over. */
const TRIES = 30;

/**
 * GRUB's script for one machine, by the plan that iPXE would be given. Debian 12's signed GRUB has no http module:
 * kernel and initramfs come from this tree by TFTP. What GRUB cannot show itself, it hands to iPXE, which firmware
 * with Secure Boot refuses, as nobody signed it.
 * @param mac of the card that it boots by, where that is known.
 */
export function renderGrub(plan: BootPlan, mac: string | undefined): string {
  return `${['# Bootswarm: rendered for this machine', ...linesOf(plan, mac)].join('\n')}\n`;
}

function linesOf(plan: BootPlan, mac: string | undefined): readonly string[] {
  switch (plan.kind) {
    case 'local':
      return [
        echo('booting from the local disk'),
        // Back to the firmware, which goes on to its next boot entry.
        'exit',
      ];
    case 'live':
      return renderLive(plan, mac);
    case 'wait':
      return again(`${plan.reason}. Asking again in ${WAIT_SECONDS} s.`);
    default:
      return [
        echo('going on in iPXE'),
        'if chainloader /snponly.efi; then boot; fi',
        ...again('iPXE did not start: Secure Boot refuses it. Boot a release, or the local disk.'),
      ];
  }
}

function renderLive(plan: BootPlan & { kind: 'live' }, mac: string | undefined): readonly string[] {
  const bootif = mac === undefined ? [] : [`BOOTIF=01-${mac.replaceAll(':', '-')}`];
  const words = [...bootif, ...plan.kernelArguments].map(quoted);
  return [
    echo(`loading ${plan.release}`),
    `if linux ${[pathOfUrl(plan.kernelUrl), ...words].join(' ')}; then`,
    `  if initrd ${pathOfUrl(plan.initramfsUrl)}; then boot; fi`,
    'fi',
    ...again(`${plan.release} did not load. Trying again in ${WAIT_SECONDS} s.`),
  ];
}

function again(reason: string): readonly string[] {
  return [
    echo(reason),
    `sleep ${WAIT_SECONDS}`,
    // GRUB cannot count; a text that grows can be compared.
    'set tries="x$tries"',
    'export tries',
    `if [ "$tries" = "${'x'.repeat(TRIES)}" ]; then reboot; fi`,
    'configfile /grub/grub.cfg',
  ];
}

function echo(text: string): string {
  return `echo ${quoted(`Bootswarm: ${text}`)}`;
}

/** Between single quotes GRUB's shell takes everything as it stands. */
function quoted(text: string): string {
  return /^[A-Za-z0-9._:/=,@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
