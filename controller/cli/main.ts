/** The `bootswarm` command: wiring. It speaks to the controller by the contract alone. */
import { Command } from 'commander';
import { addAssignment } from './assignment.ts';
import { addChannel } from './channel.ts';
import { addDhcp } from './dhcp.ts';
import { addDoctor } from './doctor.ts';
import { addEdge } from './edge.ts';
import { addEvents } from './events.ts';
import { addImage } from './image.ts';
import { addInventory } from './inventory.ts';
import { addLogin } from './login.ts';
import { addMachine } from './machine.ts';
import { addMenu } from './menu.ts';
import { addMini } from './mini.ts';
import { addProfile } from './profile.ts';
import { addRollout } from './rollout.ts';
import { addRule } from './rule.ts';
import { addSecret } from './secret.ts';
import { addSegment } from './segment.ts';
import { addTrace } from './trace.ts';
import { addTrust } from './trust.ts';
import { addWebhook } from './webhook.ts';

const program = new Command('bootswarm')
  .description('Installs and boots datacenters over the network.')
  .option('--controller <url>', "the controller's URL (default: BOOTSWARM_URL, or what 'login' kept)")
  .option('--json', 'print results, progress and errors as JSON')
  .showHelpAfterError('(--help shows how)');

addLogin(program);
addImage(program);
addChannel(program);
addTrust(program);
addSegment(program);
addDhcp(program);
addMenu(program);
addMini(program);
addEdge(program);
addMachine(program);
addRule(program);
addAssignment(program);
addProfile(program);
addRollout(program);
addSecret(program);
addTrace(program);
addEvents(program);
addWebhook(program);
addInventory(program);
addDoctor(program);

// `bootswarm ... | head` closes the pipe early: no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

await program.parseAsync();
