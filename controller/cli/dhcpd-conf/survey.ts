import { type NotTaken, notTaken } from './not-taken.ts';
import { type OptionType, optionTypeOf } from './option-values.ts';
import { readSettings, type Scope, type Settings, within } from './settings.ts';
import type { Statement } from './syntax.ts';

/** A subnet declaration, with all that holds in it but what is global. */
export interface Network {
  readonly statement: Statement;
  readonly network: string;
  readonly netmask: string;
  readonly settings: Settings;
  /** Of the shared network around it. */
  readonly sharedName: string | undefined;
}

/** A range of addresses, which lies in whichever subnet holds it. */
export interface Range {
  readonly statement: Statement;
  readonly first: string;
  readonly last: string;
  readonly isForBootp: boolean;
  readonly isForKnown: boolean;
  /** Names of classes; undefined where it is for everybody. */
  readonly classes: readonly string[] | undefined;
}

export interface Declared {
  readonly statement: Statement;
  readonly name: string;
  readonly settings: Settings;
  /** What belongs to that kind of declaration alone. */
  readonly rest: readonly Statement[];
}

const BY_SCOPE: Readonly<Record<Scope, ReadonlySet<string>>> = {
  global: new Set(['subnet', 'shared-network', 'group', 'host', 'class', 'subclass']),
  group: new Set(['subnet', 'shared-network', 'group', 'host', 'class', 'subclass']),
  network: new Set(['subnet', 'pool', 'range', 'group', 'host', 'class', 'subclass']),
  pool: new Set(['range']),
  class: new Set(['match']),
  host: new Set(['hardware', 'fixed-address', 'host-identifier', 'uid']),
};
const NOTHING: Settings = { options: {}, firmware: {} };

/** What a file declares, with the parameters that hold for each declaration; nothing is decided on yet. */
export class Survey {
  readonly networks: Network[] = [];
  readonly ranges: Range[] = [];
  readonly hosts: Declared[] = [];
  readonly classes: Declared[] = [];
  readonly subclasses: Declared[] = [];
  readonly notTaken: NotTaken[] = [];
  /** Options that the file itself defines. */
  readonly own = new Map<string, OptionType>();
  readonly global: Settings;

  constructor(statements: readonly Statement[]) {
    this.#define(statements);
    const { settings, rest } = this.#read(statements, 'global');
    this.global = settings;
    // Global options hold by the policy; the rest comes down into each network.
    this.#declarations(rest, { ...settings, options: {} }, NOTHING, undefined);
  }

  lose(lost: NotTaken): void {
    this.notTaken.push(lost);
  }

  #define(statements: readonly Statement[]): void {
    for (const { tokens, block } of statements) {
      const [first, name, ...type] = tokens;
      const defined = first?.text.toLowerCase() === 'option' ? optionTypeOf(type) : undefined;
      // A name of a space of its own, such as `PXE.mtftp-ip`, numbers nothing of DHCP.
      if (name && defined && !name.text.includes('.')) this.own.set(name.text.toLowerCase(), defined);
      if (block) this.#define(block);
    }
  }

  #read(statements: readonly Statement[], scope: Scope) {
    return readSettings(statements, scope, this.own, BY_SCOPE[scope], (lost) => this.lose(lost));
  }

  /** @param net holds for networks in it. @param group holds for hosts and comes of the groups around them. */
  #declarations(
    statements: readonly Statement[],
    net: Settings,
    group: Settings,
    sharedName: string | undefined,
  ): void {
    for (const statement of statements) {
      const [word = '', name = ''] = statement.tokens.map(({ text }) => text);
      const block = statement.block ?? [];
      switch (word.toLowerCase()) {
        case 'subnet':
          this.#subnet(statement, net, group, sharedName);
          break;
        case 'shared-network': {
          const { settings, rest } = this.#read(block, 'network');
          this.#declarations(rest, within(net, settings), group, name);
          break;
        }
        case 'group': {
          const holdsNetworks = block.some(({ tokens }) =>
            /^(subnet|shared-network|group)$/i.test(tokens[0]?.text ?? ''),
          );
          const { settings, rest } = readSettings(
            block,
            holdsNetworks ? 'group' : 'host',
            this.own,
            BY_SCOPE.group,
            (lost) => this.lose(lost),
          );
          this.#declarations(rest, within(net, settings), within(group, settings), sharedName);
          break;
        }
        case 'pool': {
          const { settings, rest } = this.#read(block, 'pool');
          this.#pool(rest, settings.isForKnown ?? net.isForKnown ?? false);
          break;
        }
        case 'range':
          this.#range(statement, net.isForKnown ?? false, undefined);
          break;
        case 'host': {
          const { settings, rest } = this.#read(block, 'host');
          const givesHostNames = net.givesHostNames === true;
          this.hosts.push({
            statement,
            name,
            settings: within({ ...group, givesHostNames }, settings),
            rest,
          });
          break;
        }
        case 'class':
        case 'subclass': {
          const { settings, rest } = this.#read(block, 'class');
          const declared = { statement, name, settings: within(group, settings), rest };
          (word.toLowerCase() === 'class' ? this.classes : this.subclasses).push(declared);
        }
      }
    }
  }

  #subnet(statement: Statement, net: Settings, group: Settings, sharedName: string | undefined): void {
    const [, network, word, netmask] = statement.tokens.map(({ text }) => text);
    if (network === undefined || word?.toLowerCase() !== 'netmask' || netmask === undefined) {
      this.lose(notTaken(statement, "it is no 'subnet ADDRESS netmask MASK'"));
      return;
    }
    const { settings, rest } = this.#read(statement.block ?? [], 'network');
    const held = within(net, settings);
    this.networks.push({ statement, network, netmask, settings: held, sharedName });
    this.#declarations(rest, held, group, sharedName);
  }

  #pool(statements: readonly Statement[], isForKnown: boolean): void {
    const classes: string[] = [];
    for (const statement of statements) {
      const [permission, , , name] = statement.tokens.map(({ text }) => text);
      if (permission?.toLowerCase() === 'allow' && name !== undefined) classes.push(name);
      else if (permission?.toLowerCase() === 'deny')
        this.lose(
          notTaken(statement, 'a pool is for classes, and cannot shut one out: name those that may have it'),
        );
    }
    for (const statement of statements)
      if (statement.tokens[0]?.text.toLowerCase() === 'range')
        this.#range(statement, isForKnown, classes.length > 0 ? classes : undefined);
  }

  #range(statement: Statement, isForKnown: boolean, classes: readonly string[] | undefined): void {
    const words = statement.tokens.slice(1).map(({ text }) => text);
    const isForBootp = words[0]?.toLowerCase() === 'dynamic-bootp';
    const [first, last = first] = isForBootp ? words.slice(1) : words;
    if (first === undefined || last === undefined) this.lose(notTaken(statement, 'it names no address'));
    else this.ranges.push({ statement, first, last, isForBootp, isForKnown, classes });
  }
}
