import { setTimeout as sleep } from 'node:timers/promises';
import { type BmcOf, type PowerSeen, problem } from '@bootswarm/controller/contract';
import type { Driver, PowerCommand } from './driver.ts';
import { plainText } from './plain-text.ts';
import {
  Collection,
  ComputerSystem,
  Manager,
  networkBoot,
  powerOf,
  resetTypeOf,
  ServiceRoot,
  Task,
  VirtualMedia,
} from './redfish-documents.ts';
import { RedfishSession, type SessionOptions } from './redfish-session.ts';
import type { Answer, Json } from './redfish-wire.ts';

const ROOT = '/redfish/v1/';
/** RFC 9110, 15.5.13: the resource changed since its ETag was read. */
const PRECONDITION_FAILED = 412;

interface RedfishOptions extends SessionOptions {
  /** Between two looks at a task. */
  readonly taskPollMs?: number;
}

/** Redfish (DSP0266) over HTTPS. */
export class RedfishDriver implements Driver {
  readonly #bmc: BmcOf<'redfish'>;
  readonly #session: RedfishSession;
  readonly #taskPollMs: number;
  #systemPath: string | undefined;

  constructor({ taskPollMs = 1000, ...options }: RedfishOptions) {
    this.#bmc = options.bmc;
    this.#session = new RedfishSession(options);
    this.#taskPollMs = taskPollMs;
  }

  async status(signal: AbortSignal): Promise<PowerSeen> {
    const { value } = await this.#system(signal);
    const seen = powerOf(value);
    if (seen) return seen;
    throw this.#session.wire.garbage('the status', `PowerState ${plainText(value.PowerState)}`);
  }

  async order(order: PowerCommand, signal: AbortSignal): Promise<void> {
    const what = `power ${order}`;
    const { value } = await this.#system(signal);
    const reset = value.Actions?.['#ComputerSystem.Reset'];
    if (!reset) throw this.#unable(what, 'its system has no action for it');
    const allowed = reset['ResetType@Redfish.AllowableValues'];
    const type = resetTypeOf(order, allowed);
    if (type === undefined) throw this.#unable(what, `it allows ${plainText((allowed ?? []).join(', '))}`);
    await this.#act(what, reset.target, { ResetType: type }, signal);
  }

  async bootFromNetworkOnce(signal: AbortSignal): Promise<void> {
    const what = 'the boot override';
    const path = await this.#systemOf(signal);
    for (let isFirst = true; ; isFirst = false) {
      const { value, etag } = await this.#system(signal);
      const boot = networkBoot(value);
      if (!boot) throw this.#unable(what, 'it offers neither Pxe nor a UEFI network device as its target');
      const match = etag ?? value['@odata.etag'];
      // Some services change the ETag with every reading; those take any.
      const headers = match === undefined ? {} : { 'if-match': isFirst ? match : '*' };
      const patch = { method: 'PATCH', path, body: { Boot: boot }, headers, what } as const;
      const answer = await this.#session.tryAsk(patch, signal);
      if (answer.status === PRECONDITION_FAILED && isFirst && match !== undefined) continue;
      if (answer.status >= 300) throw this.#session.refusal(what, answer);
      await this.#awaitTask(what, answer, signal);
      break;
    }
    const { BootSourceOverrideEnabled: enabled } = (await this.#system(signal)).value.Boot ?? {};
    if (enabled === 'Once') return;
    const seen = `the override is ${plainText(enabled ?? 'not shown')}`;
    throw problem('bmc_lied', { facts: { address: this.#bmc.address, what, seen } });
  }

  async insertMedia(image: string, signal: AbortSignal): Promise<void> {
    const what = 'the insertion of an image';
    const { path, media } = await this.#cd(what, signal);
    if (media.Inserted === true && media.Image === image) return;
    if (media.Inserted === true) await this.#eject(path, media, signal);
    const action = media.Actions?.['#VirtualMedia.InsertMedia'];
    if (action) return this.#act(what, action.target, { Image: image }, signal);
    await this.#patch(what, path, { Image: image, Inserted: true }, signal);
  }

  async ejectMedia(signal: AbortSignal): Promise<void> {
    const { path, media } = await this.#cd('the ejection', signal);
    if (media.Inserted === true) await this.#eject(path, media, signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#session[Symbol.asyncDispose]();
  }

  #eject(path: string, media: VirtualMedia, signal: AbortSignal): Promise<void> {
    const action = media.Actions?.['#VirtualMedia.EjectMedia'];
    return action
      ? this.#act('the ejection', action.target, {}, signal)
      : this.#patch('the ejection', path, { Image: null, Inserted: false }, signal);
  }

  async #act(what: string, path: string, body: Json, signal: AbortSignal): Promise<void> {
    await this.#awaitTask(
      what,
      await this.#session.ask({ method: 'POST', path, body, what }, signal),
      signal,
    );
  }

  async #patch(what: string, path: string, body: Json, signal: AbortSignal): Promise<void> {
    await this.#awaitTask(
      what,
      await this.#session.ask({ method: 'PATCH', path, body, what }, signal),
      signal,
    );
  }

  /** DSP0266, 7.11: 202 and where to look; whoever does not say where is done as far as we can tell. */
  async #awaitTask(what: string, first: Answer, signal: AbortSignal): Promise<void> {
    const path = first.location;
    if (first.status !== 202 || path === undefined) return;
    for (;;) {
      await sleep(this.#taskPollMs, undefined, { signal });
      const answer = await this.#session.ask({ method: 'GET', path, what: `the task of ${what}` }, signal);
      const { TaskState: state, Messages: messages } = Task.safeParse(answer.body).data ?? {};
      if (['Exception', 'Killed', 'Cancelled'].includes(state ?? '')) {
        const said = messages?.find(({ Message }) => Message)?.Message ?? '';
        const reason = `its task ended as ${state}: ${plainText(said)}`;
        throw problem('bmc_refused', { facts: { address: this.#bmc.address, what, reason } });
      }
      // A monitor answers 202 as long as the task runs; a task itself always 200.
      if (state === 'Completed' || (state === undefined && answer.status !== 202)) return;
    }
  }

  async #system(signal: AbortSignal) {
    return this.#session.get(ComputerSystem, await this.#systemOf(signal), signal);
  }

  async #systemOf(signal: AbortSignal): Promise<string> {
    if (this.#systemPath !== undefined) return this.#systemPath;
    const { value: root } = await this.#session.get(ServiceRoot, ROOT, signal);
    const what = 'the list of systems';
    if (!root.Systems) throw this.#session.wire.garbage(what, 'the service has no Systems');
    const { value: systems } = await this.#session.get(Collection, root.Systems['@odata.id'], signal);
    const paths = systems.Members.map((member) => member['@odata.id']);
    const { systemId } = this.#bmc;
    const wanted = systemId === undefined ? paths : paths.filter((path) => idOf(path) === systemId);
    const [path] = wanted;
    if (path === undefined || wanted.length > 1) {
      const ids = plainText(paths.map(idOf).join(', ')) || 'none';
      throw this.#unable(what, `it has the systems ${ids}: name one of them with --system-id`);
    }
    this.#systemPath = path;
    return path;
  }

  /** The slot for CDs: of the system, or of the manager that it is managed by. */
  async #cd(what: string, signal: AbortSignal) {
    const { value: system } = await this.#system(signal);
    const collections = system.VirtualMedia
      ? [system.VirtualMedia]
      : await this.#mediaOfManagers(system, signal);
    for (const collection of collections) {
      const { value: slots } = await this.#session.get(Collection, collection['@odata.id'], signal);
      for (const { '@odata.id': path } of slots.Members) {
        const { value: media } = await this.#session.get(VirtualMedia, path, signal);
        if (media.MediaTypes?.some((type) => type === 'CD' || type === 'DVD')) return { path, media };
      }
    }
    throw this.#unable(what, 'it has no slot for a CD');
  }

  async #mediaOfManagers({ Links: links }: ComputerSystem, signal: AbortSignal) {
    const found = [];
    for (const { '@odata.id': path } of links?.ManagedBy ?? []) {
      const { value } = await this.#session.get(Manager, path, signal);
      if (value.VirtualMedia) found.push(value.VirtualMedia);
    }
    return found;
  }

  #unable(what: string, reason: string): Error {
    return problem('bmc_unable', { facts: { kind: 'redfish', what, reason } });
  }
}

function idOf(path: string): string {
  return path.replace(/\/$/, '').split('/').at(-1) ?? '';
}
