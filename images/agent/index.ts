/**
 * The agent without its machine, for whoever plays one: the same orders, words and tickets, with disks and firmware of
 * his own. The program in the mini image is main.ts.
 */
export { Agent, type AgentParts } from './agent.ts';
export { EdgeClient } from './edge-client.ts';
export { parseArguments } from './kernel-arguments.ts';
export { ReleaseFetch, type ReleaseSource } from './release-fetch.ts';
export { Status } from './status.ts';
