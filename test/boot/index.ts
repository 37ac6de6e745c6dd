/** A whole site in a lab, for tests that need one. */
export { program } from './program.ts';
export { Site } from './site.ts';
