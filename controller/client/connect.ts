import { Client, type ClientOptions, type Endpoint } from '@bootswarm/controller/contract';
import { type Call, callOf } from './call.ts';
import { RESOURCES } from './resources.ts';

type Table = typeof RESOURCES;

/** The calls of operators by the thing that they are about. */
type Resources = {
  readonly [Name in keyof Table]: {
    readonly [Verb in keyof Table[Name]]: Table[Name][Verb] extends infer E extends Endpoint
      ? Call<E>
      : never;
  };
};

/** Calls by resource, and any endpoint of the contract by `call`. */
export type ControllerClient = Client & Resources;

/** A client of a controller. Nothing is sent yet. */
export function connect(options: ClientOptions): ControllerClient {
  const client = new Client(options);
  const resources = Object.entries(RESOURCES).map(([name, verbs]) => [
    name,
    Object.fromEntries(
      Object.entries(verbs).map(([verb, endpoint]: [string, Endpoint]) => [verb, callOf(client, endpoint)]),
    ),
  ]);
  // Each function is made of the very endpoint that its type is made of.
  return Object.assign(client, Object.fromEntries(resources) as Resources);
}
