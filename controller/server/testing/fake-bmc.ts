import type { PowerSeen } from '@bootswarm/controller/contract';
import type { Driver, PowerCommand } from '../power/driver.ts';

/** A machine's power, and the BMC before it: every call of a driver is one of `calls`, what it does one of `acts`. */
export class FakeBmc {
  power: PowerSeen = 'off';
  override = false;
  readonly calls: string[] = [];
  readonly acts: string[] = [];
  /** Throws, or never resolves, before or after the call has its effect. */
  onCall: (moment: 'before' | 'after', call: string) => Promise<void> = async () => {};
  /** Takes orders, and leaves the power as it is. */
  lies = false;
  /** Drivers that are open. */
  open = 0;

  driver(): Driver {
    this.open += 1;
    const call = async (name: string, act: () => void): Promise<void> => {
      this.calls.push(name);
      await this.onCall('before', name);
      act();
      await this.onCall('after', name);
    };
    return {
      status: async () => {
        await call('status', () => {});
        return this.power;
      },
      order: (order) => call(order, () => this.#act(order)),
      bootFromNetworkOnce: () =>
        call('override', () => {
          this.override = true;
        }),
      insertMedia: (image) => call('insert', () => this.acts.push(`insert ${image}`)),
      ejectMedia: () => call('eject', () => this.acts.push('eject')),
      [Symbol.asyncDispose]: async () => {
        this.open -= 1;
      },
    };
  }

  #act(order: PowerCommand): void {
    if (this.lies) return;
    this.acts.push(order === 'on' && this.override ? 'on from the network' : order);
    if (order !== 'off') this.override = false;
    if (order !== 'reset') this.power = order;
  }
}
