/**
 * Whether every combination is booted, which takes hours (`BOOTSWARM_TEST=all npm test`); else one of each kind.
 */
export const isThorough = process.env['BOOTSWARM_TEST'] === 'all';
