// Planted: a decision must not read files, sockets or clocks.
import { readFileSync } from 'node:fs';
import { socket } from '../sockets/udp.ts';

export const decision = [readFileSync, socket, Date.now()];
