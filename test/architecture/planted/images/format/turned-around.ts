// Planted: a front door must not import the rooms that use it.
export * from '@bootswarm/controller/contract';
