import type { Machine, MiniSetting, Profile } from '@bootswarm/controller/contract';
import { channelId, isChannelId, type Manifest } from '@bootswarm/images/format';
import { type Channels, releaseOf } from '../catalogue/channels.ts';
import type { CheckIntent } from '../catalogue/release-uses.ts';
import type { MachineIndex } from '../machines/machine-index.ts';
import type { CheckFit } from '../machines/machines.ts';
import type { NetworkRule } from '../outgoing/network-rule.ts';
import type { PowerDesk } from '../power/desk.ts';
import type { Secrets } from '../power/secrets.ts';
import type { StateStore } from '../store/state-store.ts';
import type { Reads } from '../store/transact.ts';
import { Board } from './board.ts';
import { type DeskParts, RolloutDesk } from './desk.ts';
import { Errands } from './errands.ts';
import { BmcHands, type PowerHands } from './power-hands.ts';
import { Rollouts } from './rollouts.ts';
import { Sight } from './sight.ts';

export interface RolloutSettings {
  readonly store: StateStore;
  readonly index: Pick<MachineIndex, 'find'>;
  readonly channels: Pick<Channels, 'list'>;
  readonly profiles: () => Promise<readonly Profile[]>;
  readonly mini: () => Promise<MiniSetting>;
  readonly manifestOf: (reference: string) => Promise<Manifest | undefined>;
  readonly hold: (reference: string, reads: Reads) => Promise<Readonly<Record<string, unknown>>>;
  readonly checkIntent: CheckIntent;
  readonly checkFit: CheckFit;
  readonly power: Pick<PowerDesk, 'order' | 'show'>;
  readonly secrets: Pick<Secrets, 'hold' | 'reveal'>;
  /** Folder of programs that health checks may run. */
  readonly commands: string | undefined;
  /** Where hooks and health URLs may be. */
  readonly isAllowed: NetworkRule;
  readonly onDefect: (error: unknown) => void;
  /** In the place of BMCs. */
  readonly hands?: PowerHands;
  /** How long the desk waits before it has power switched. */
  readonly pace?: Pick<DeskParts, 'settleMs' | 'listenMs'>;
}

/** Rollouts, and the desk that moves them, over one store. */
export function makeRollouts(settings: RolloutSettings): {
  readonly rollouts: Rollouts;
  readonly rolloutDesk: RolloutDesk;
} {
  const { store, index, channels, manifestOf, mini, secrets, power, commands, isAllowed, ...rest } = settings;
  const board = new Board();
  const sight = new Sight({ store, manifestOf, mini });
  const errands = new Errands({
    store,
    power: settings.hands ?? new BmcHands(power),
    reveal: (secret) => secrets.reveal(secret),
    commands,
    isAllowed,
  });
  const commits = { store, checkIntent: rest.checkIntent, checkFit: rest.checkFit };
  const rolloutDesk = new RolloutDesk({
    ...{ ...commits, board, sight, errands, onDefect: rest.onDefect },
    ...settings.pace,
  });
  const machinesOf = (match: string): Promise<readonly Machine[]> => index.find({ match });
  const releases = async () => {
    const pointers = new Map(
      (await channels.list()).map((pointer) => [channelId(pointer), releaseOf(pointer)]),
    );
    return (reference: string) => (isChannelId(reference) ? pointers.get(reference) : reference);
  };
  const rollouts: Rollouts = new Rollouts({
    ...commits,
    ...{ board, sight, desk: rolloutDesk, machinesOf, releases, manifestOf, mini, commands, isAllowed },
    profiles: rest.profiles,
    past: () => rollouts.list(),
    hold: rest.hold,
    holdSecret: (name, reads) => secrets.hold(name, reads),
  });
  return { rollouts, rolloutDesk };
}
