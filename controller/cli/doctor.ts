import type { Finding } from '@bootswarm/edge-node/doctor';
import { type Command, InvalidArgumentError } from 'commander';
import { tableText } from './output.ts';
import { inSession } from './session.ts';

/** Exit code where something was found that keeps machines from booting; 1 is for the command's own errors. */
const FAILED = 3;

interface Options {
  readonly interface: readonly string[];
  readonly relay?: readonly string[];
  readonly data: string;
  readonly httpPort: number;
  readonly swarmPort: number;
  readonly controller?: string;
}

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .summary('look at what an edge needs of its host and network')
    .description(
      'Run on an edge, as root: looks at its interfaces, relays, other DHCP servers, MTU, spanning tree, clock,\n' +
        `ports and firmware files, and says what to do. Ends with ${FAILED} where something keeps machines from booting.`,
    )
    .requiredOption('--interface <name...>', 'interfaces that the edge serves on')
    .option('--relay <address...>', 'addresses of the relays (giaddr) that are to be reached')
    .option('--data <folder>', 'where the edge keeps its state', '/var/lib/bootswarm/edge')
    .option('--http-port <port>', "TCP port of the edge's HTTP", portOf, 8480)
    .option('--swarm-port <port>', "TCP port of the edge's swarm", portOf, 8481)
    .addHelpText(
      'after',
      '\nExample:\n  bootswarm --controller http://controller:8470 doctor --interface eth1 --relay 10.1.2.1',
    )
    .action((_options: unknown, command: Command) =>
      inSession(command, async ({ output, signal }) => {
        const {
          interface: interfaces,
          relay = [],
          data,
          httpPort,
          swarmPort,
          controller,
        } = command.optsWithGlobals<Options>();
        // System calls are loaded with it, which no other command needs.
        const { examine } = await import('@bootswarm/edge-node/doctor');
        const findings: Finding[] = [];
        for await (const finding of examine({
          interfaces,
          relays: relay,
          dataFolder: data,
          controllerUrl: controller,
          httpPort,
          swarmPort,
        })) {
          signal.throwIfAborted();
          findings.push(finding);
        }
        output.result({ findings }, () => findingsText(findings));
        if (findings.some(({ result }) => result === 'failed')) process.exitCode = FAILED;
      }),
    );
}

function findingsText(findings: readonly Finding[]): string {
  const rows = findings.map(({ check, about, result, seen }) => [result, check, about, seen]);
  const remedies = findings
    .filter(({ result }) => result === 'failed' || result === 'warn')
    .map(({ check, about, remedy }) => `${check} ${about}\n  what to do: ${remedy}`);
  return [tableText(['RESULT', 'CHECK', 'ABOUT', 'SEEN'], rows), ...remedies].join('\n\n');
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new InvalidArgumentError('must be a port between 1 and 65535');
  return port;
}
