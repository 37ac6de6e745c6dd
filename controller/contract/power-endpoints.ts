import { z } from 'zod';
import { Bmc } from './bmc.ts';
import type { Endpoint } from './endpoint.ts';
import { Machine } from './machine.ts';
import { Name } from './names.ts';
import { PowerOrder, SecretInfo } from './power.ts';

const ByName = z.object({ name: Name });
const ByMachine = z.object({ machine: z.string().min(1).max(64) });

/** Longest that a call waits for an action on a machine's power, in seconds. */
const POWER_WAIT_MOST_SECONDS = 60;

/** Power, and the secrets that it takes. */
export const powerEndpoints = {
  listSecrets: {
    method: 'get',
    path: '/v1/secrets',
    summary: 'The names of all secrets. Nothing tells what is in them',
    audience: 'operator',
    result: z.array(SecretInfo),
  },
  setSecret: {
    method: 'put',
    path: '/v1/secrets/{name}',
    summary: 'Keep a secret under a name, in the place of the one before',
    audience: 'operator',
    params: ByName,
    body: z.strictObject({ value: z.string().min(1).max(1000) }),
    result: SecretInfo,
  },
  removeSecret: {
    method: 'delete',
    path: '/v1/secrets/{name}',
    summary: 'Remove a secret that no machine needs',
    audience: 'operator',
    params: ByName,
    result: z.strictObject({}),
  },
  setBmc: {
    method: 'put',
    path: '/v1/machines/{machine}/bmc',
    summary: 'By which a machine is turned on and off. A MAC that is not known yet registers a machine',
    audience: 'operator',
    params: ByMachine,
    body: Bmc,
    result: Machine,
  },
  removeBmc: {
    method: 'delete',
    path: '/v1/machines/{machine}/bmc',
    summary: "Forget a machine's BMC",
    audience: 'operator',
    params: ByMachine,
    result: Machine,
  },
  orderPower: {
    method: 'post',
    path: '/v1/machines/{machine}/power',
    summary: "Begin an action on a machine's power; it goes on by itself",
    audience: 'operator',
    params: ByMachine,
    body: PowerOrder,
    result: Machine,
  },
  showPower: {
    method: 'get',
    path: '/v1/machines/{machine}/power',
    summary: "How a machine's power stands, once it has more than `after` changes or the wait is over",
    audience: 'operator',
    params: ByMachine,
    query: z.object({
      after: z.coerce.number().int().min(0).default(0),
      waitSeconds: z.coerce.number().int().min(0).max(POWER_WAIT_MOST_SECONDS).default(0),
    }),
    result: Machine,
  },
} as const satisfies Readonly<Record<string, Endpoint>>;
