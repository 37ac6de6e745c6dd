import { parseWindow, RolloutOrder, type RolloutWindow } from '@bootswarm/controller/contract';
import { type Command, InvalidArgumentError } from 'commander';
import { problem } from './problems.ts';
import { parseReference } from './references.ts';

/** How operators write an order on the command line. */
export interface OrderOptions {
  readonly release: string;
  readonly profile?: string;
  readonly byAgent?: true;
  readonly match: string;
  readonly reservation?: string;
  readonly waves?: string;
  readonly atOnce?: number;
  readonly perEdge?: number;
  readonly perSegment?: number;
  readonly perRack?: number;
  readonly perUplink?: number;
  readonly signMinutes?: number;
  readonly firstBootMinutes?: number;
  readonly healthUrl?: string;
  readonly healthCommand?: readonly string[];
  readonly healthSeconds?: number;
  readonly failures?: string;
  readonly approve?: true;
  readonly approveAfterFirst?: true;
  readonly soakMinutes?: number;
  readonly window?: string;
  readonly onFailure?: string;
  readonly rollbackTo?: string;
  readonly hookBefore?: string;
  readonly hookAfter?: string;
  readonly hookSecret?: string;
  readonly hookSeconds?: number;
  readonly power?: string;
  readonly skipTaken?: true;
  readonly edgeWaitMinutes?: number;
}

export function addOrderOptions(command: Command): Command {
  return command
    .argument('<name>', 'of the rollout')
    .requiredOption('--release <release>', 'NAME/VERSION/ARCHITECTURE, or NAME/@CHANNEL')
    .requiredOption(
      '--match <selector>',
      "which machines, such as class=web: 'machine list --match' shows them",
    )
    .option('--profile <profile>', 'install by it; without it machines boot the release live')
    .option('--by-agent', 'live: the agent verifies the root and runs it')
    .option('--reservation <name>', 'machines of this reservation may be used')
    .option(
      '--waves <waves>',
      'sizes, shares, and rest or by=rack|segment|uplink at the end (default: 1,5%,25%,rest)',
    )
    .option('--at-once <number>', 'machines in flight (default: 50)', count)
    .option('--per-edge <number>', 'of them at each edge', count)
    .option('--per-segment <number>', 'of them in each segment', count)
    .option('--per-rack <number>', 'of them in each rack', count)
    .option('--per-uplink <number>', 'of them behind each uplink (the site of the edges)', count)
    .option('--sign-minutes <minutes>', 'from power on to the first sign of a machine (default: 15)', count)
    .option('--first-boot-minutes <minutes>', 'from power on to up (default: 60)', count)
    .option('--health-url <url>', 'must answer 2xx; {machine}, {mac} and {address} are filled in')
    .option('--health-command <program...>', "of the controller's --rollout-commands, and its arguments")
    .option('--health-seconds <seconds>', 'within which it must pass (default: 300)', count)
    .option('--failures <most>', 'machines of a wave that may fail, or a share such as 5% (default: 0)')
    .option('--approve', 'each wave waits for approval')
    .option('--approve-after-first', 'each wave but the first waits for approval')
    .option('--soak-minutes <minutes>', 'for which a wave must last before the next (default: 0)', count)
    .option('--window <window>', "when machines are taken on: 'mon,tue 22:00-04:00 Europe/Berlin'")
    .option('--on-failure <what>', 'stop or rollback (default: stop)')
    .option('--rollback-to <release>', 'for machines of which it is not known what they ran')
    .option('--hook-before <url>', 'called before each machine (drain) until it answers 2xx')
    .option('--hook-after <url>', 'called after each machine (put back)')
    .option('--hook-secret <name>', "that signs hooks: 'bootswarm secret set NAME'")
    .option('--hook-seconds <seconds>', 'within which a hook must agree (default: 300)', count)
    .option('--power <how>', 'cycle, or none: machines boot when they do (default: cycle)')
    .option('--skip-taken', 'leave machines out that another rollout is at work on')
    .option('--edge-wait-minutes <minutes>', 'that machines wait for their edges to have the release', count);
}

function count(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0) throw new InvalidArgumentError('must be a whole number');
  return number;
}

/** @throws Problem argument_invalid */
export function orderOf(name: string, options: OrderOptions): RolloutOrder {
  const { release, rollbackTo, hookBefore, hookAfter } = options;
  if ((hookBefore ?? hookAfter) !== undefined && options.hookSecret === undefined)
    throw invalid('hookSecret', 'rollout', 'has hooks, which need --hook-secret NAME');
  const parsed = RolloutOrder.safeParse(
    withoutUndefined({
      name,
      release: parseReference(release),
      profile: options.profile,
      by: options.byAgent ? 'agent' : undefined,
      match: options.match,
      reservation: options.reservation,
      waves: options.waves,
      limits: {
        atOnce: options.atOnce,
        perEdge: options.perEdge,
        perSegment: options.perSegment,
        perRack: options.perRack,
        perUplink: options.perUplink,
      },
      gates: {
        signMinutes: options.signMinutes,
        firstBootMinutes: options.firstBootMinutes,
        health: healthOf(options),
        failuresMost: options.failures,
        approval: options.approve ? 'always' : options.approveAfterFirst ? 'after-first' : undefined,
        soakMinutes: options.soakMinutes,
      },
      window: windowOf(options.window),
      onFailure: options.onFailure,
      rollbackTo: rollbackTo === undefined ? undefined : parseReference(rollbackTo),
      hooks: { before: hookOf(hookBefore, options), after: hookOf(hookAfter, options) },
      power: options.power,
      taken: options.skipTaken ? 'skip' : undefined,
      edgeWaitMinutes: options.edgeWaitMinutes,
    }),
  );
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') ?? 'order';
  throw invalid(field, name, `is no order for a rollout: ${field} ${issue?.message}`);
}

function healthOf({ healthUrl, healthCommand, healthSeconds }: OrderOptions): unknown {
  if (healthUrl !== undefined) return { kind: 'url', url: healthUrl, withinSeconds: healthSeconds };
  if (healthCommand === undefined) return undefined;
  const [command, ...args] = healthCommand;
  return { kind: 'command', command, args, withinSeconds: healthSeconds };
}

function hookOf(url: string | undefined, { hookSecret, hookSeconds }: OrderOptions): unknown {
  return url === undefined ? undefined : { url, secret: hookSecret, withinSeconds: hookSeconds };
}

function windowOf(text: string | undefined): RolloutWindow | undefined {
  if (text === undefined) return undefined;
  try {
    return parseWindow(text);
  } catch (error) {
    throw invalid('window', text, (error as Error).message);
  }
}

/** What was not given keeps its default. */
function withoutUndefined(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(entries.map(([key, each]) => [key, withoutUndefined(each)]));
}

function invalid(field: string, text: string, reason: string): Error {
  return problem('argument_invalid', { field, facts: { text, reason } });
}
