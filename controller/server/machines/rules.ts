import { isDeepStrictEqual } from 'node:util';
import { applyRules, Machine, MachineRule, problem, RULES_MOST } from '@bootswarm/controller/contract';
import type { StateStore } from '../store/state-store.ts';
import { type Reads, transact } from '../store/transact.ts';
import { MACHINES_PREFIX, machineKey } from './keys.ts';

const KEY = 'machine-rules';
/** The number of the rules that every machine was last brought to. */
const APPLIED_KEY = 'machine-rules-applied';
/** Machines that one transaction brings to new rules. */
const BATCH = 200;

interface Held {
  /** Counts up with every change. */
  readonly number: number;
  readonly rules: readonly MachineRule[];
}

/**
 * What is set of machines that are of a kind. Whatever changes a machine's facts applies the rules in its own
 * transaction; a change of the rules brings all machines to them, batch by batch, and goes on after a crash.
 */
export class MachineRules {
  readonly #store: StateStore;

  constructor(store: StateStore) {
    this.#store = store;
  }

  async list(): Promise<MachineRule[]> {
    return [...(await heldIn(this.#store)).rules];
  }

  /** The rules; the transaction of `reads` loses where they change meanwhile. */
  async within(reads: Pick<Reads, 'get'>): Promise<readonly MachineRule[]> {
    return (await heldIn(reads)).rules;
  }

  /** @throws Problem not_found */
  async show(name: string): Promise<MachineRule> {
    const found = await ruleIn(this.#store, name);
    if (!found) throw problem('not_found', { facts: { kind: 'rule', name } });
    return found;
  }

  /** Puts a rule in the place of the one of that name, or adds it. @throws Problem input_invalid */
  async replace(name: string, rule: MachineRule): Promise<MachineRule> {
    if (rule.name !== name)
      throw problem('input_invalid', { field: 'name', facts: { reason: `must be ${name}, as in the path` } });
    await this.#change((rules) => {
      const others = rules.filter((each) => each.name !== name);
      if (others.length >= RULES_MOST)
        throw problem('input_invalid', {
          field: 'name',
          facts: { reason: `must not be one more: there are ${RULES_MOST} rules already` },
        });
      return [...others, rule].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    });
    return rule;
  }

  /** @throws Problem not_found */
  async remove(name: string): Promise<void> {
    await this.#change((rules) => {
      if (!rules.some((each) => each.name === name))
        throw problem('not_found', { facts: { kind: 'rule', name } });
      return rules.filter((each) => each.name !== name);
    });
  }

  /** Brings all machines to the rules as they stand, where that is not done yet. */
  async catchUp(): Promise<void> {
    const { number } = await heldIn(this.#store);
    if ((await this.#store.get(APPLIED_KEY))?.value === number || number === 0) return;
    for (let after = MACHINES_PREFIX; ; ) {
      const entries = await this.#store.list(MACHINES_PREFIX, { after, limit: BATCH });
      const ids = entries.map(({ key }) => key.slice(MACHINES_PREFIX.length));
      if (ids.length > 0) await this.#apply(ids);
      const last = entries.at(-1);
      if (last === undefined || entries.length < BATCH) break;
      after = last.key;
    }
    // Of rules that changed meanwhile, who changed them brings the machines there.
    await this.#store.commit({ put: { [APPLIED_KEY]: number } });
  }

  async #change(change: (rules: readonly MachineRule[]) => readonly MachineRule[]): Promise<void> {
    await transact(this.#store, 'the rules', async (reads) => {
      const { number, rules } = await heldIn(reads);
      const changed = change(rules);
      if (isDeepStrictEqual(changed, rules)) return { result: undefined };
      return { put: { [KEY]: { number: number + 1, rules: changed } satisfies Held }, result: undefined };
    });
    await this.catchUp();
  }

  #apply(ids: readonly string[]): Promise<void> {
    return transact(this.#store, 'machines that rules are about', async (reads) => {
      const { rules } = await heldIn(reads);
      const put: Record<string, unknown> = {};
      for (const id of ids) {
        const entry = await reads.get(machineKey(id));
        if (!entry) continue;
        const machine = Machine.parse(entry.value);
        const ruled = applyRules(rules, machine);
        if (!isDeepStrictEqual(ruled, machine)) put[machineKey(id)] = ruled;
      }
      return { put, result: undefined };
    });
  }
}

/** The rule of that name; a transaction whose `reads` they are loses where rules change meanwhile. */
export async function ruleIn(reads: Pick<Reads, 'get'>, name: string): Promise<MachineRule | undefined> {
  return (await heldIn(reads)).rules.find((rule) => rule.name === name);
}

async function heldIn(reads: Pick<Reads, 'get'>): Promise<Held> {
  const held = (await reads.get(KEY))?.value as Held | undefined;
  return { number: held?.number ?? 0, rules: (held?.rules ?? []).map((rule) => MachineRule.parse(rule)) };
}
