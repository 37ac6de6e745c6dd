export { sampleRollout } from './sample-rollout.ts';
export { SimulatedFleet } from './simulated-fleet.ts';
