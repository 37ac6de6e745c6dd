// Planted: the command line must know the controller by the contract alone.
import { problem } from '../contract/errors.ts';
import { LmdbStore } from '../server/store/lmdb-store.ts';

export const fine = import('@bootswarm/controller/contract');
export const inside = import('@bootswarm/controller/server');
export { examine } from '@bootswarm/edge-node/doctor';
export { judgeRelay } from '../../edge-node/service/doctor/judge.ts';
export { LmdbStore, problem };
