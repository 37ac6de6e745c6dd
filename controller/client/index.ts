/** A typed client of the controller, made of the table of its endpoints: controller/decisions/0014. */
export { type CallSettings, tagOf } from './call.ts';
export { type ControllerClient, connect } from './connect.ts';
export { isProblem } from './problem.ts';
