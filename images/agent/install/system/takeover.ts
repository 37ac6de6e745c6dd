import type { InstallMachine, Takeover } from '@bootswarm/controller/contract';
import { type Change, enable, file, firstOf, programIn, remove, type SystemView, unitIn } from './view.ts';

type Machine = Pick<InstallMachine, 'hostname' | 'domain'>;

/** What of a takeover is not in the image; undefined where all is. */
export function takeoverLacks(view: SystemView, takeover: Takeover): string | undefined {
  switch (takeover.kind) {
    case 'salt':
      return unitIn(view, 'salt-minion.service') === undefined ? 'salt-minion' : undefined;
    case 'puppet':
      return puppetOf(view) === undefined ? 'puppet' : undefined;
    case 'ansible-pull':
      return ['ansible-pull', 'git'].find((name) => programIn(view, name) === undefined);
  }
}

/** Hands the new system over to who looks after it: it asks them at its first boot by the name that it has here. */
export function takeoverChanges(view: SystemView, takeover: Takeover, machine: Machine): readonly Change[] {
  const { hostname, domain } = machine;
  const name = domain === undefined ? hostname : `${hostname}.${domain}`;
  switch (takeover.kind) {
    case 'salt':
      return [
        file(
          '/etc/salt/minion.d/bootswarm.conf',
          `master: ${quoted(takeover.master)}\nid: ${quoted(name)}\n`,
        ),
        ...['/etc/salt/pki/minion', '/etc/salt/minion_id'].filter((path) => view.has(path)).map(remove),
        ...enabled(view, 'salt-minion.service'),
      ];
    case 'puppet': {
      const puppet = puppetOf(view);
      if (!puppet) return [];
      const lines = ['[main]', `certname = ${name}`, `server = ${takeover.server}`, ''];
      return [
        file(puppet.config, [...lines, '[agent]', `environment = ${takeover.environment}`, ''].join('\n')),
        ...[puppet.keys].filter((path) => view.has(path)).map(remove),
        ...enabled(view, 'puppet.service'),
      ];
    }
    case 'ansible-pull': {
      const unit = '/etc/systemd/system/bootswarm-ansible-pull.service';
      const program = programIn(view, 'ansible-pull') ?? '/usr/bin/ansible-pull';
      return [file(unit, pullUnit(program, takeover)), enable(unit, 'bootswarm-ansible-pull.service')];
    }
  }
}

function puppetOf(view: SystemView): { readonly config: string; readonly keys: string } | undefined {
  if (view.has('/opt/puppetlabs/bin/puppet'))
    return { config: '/etc/puppetlabs/puppet/puppet.conf', keys: '/etc/puppetlabs/puppet/ssl' };
  if (programIn(view, 'puppet') === undefined) return undefined;
  const keys = firstOf(view, ['/var/lib/puppet/ssl', '/etc/puppet/ssl']) ?? '/var/lib/puppet/ssl';
  return { config: '/etc/puppet/puppet.conf', keys };
}

/** systemd.service(5): it goes on until it has succeeded once. */
function pullUnit(program: string, pull: Extract<Takeover, { kind: 'ansible-pull' }>): string {
  const checkout = pull.checkout === undefined ? [] : [`--checkout=${pull.checkout}`];
  const words = [program, `--url=${pull.url}`, ...checkout, '--', pull.playbook];
  // `%` begins a specifier there; the contract has no blanks, quotes, dollars and backslashes.
  const command = words.map((word) => word.replaceAll('%', '%%')).join(' ');
  return [
    '[Unit]',
    'Description=Hand this system over to Ansible, once',
    'Wants=network-online.target',
    'After=network-online.target',
    'ConditionPathExists=!/var/lib/bootswarm/ansible-pulled',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=exec',
    'StateDirectory=bootswarm',
    'Environment=HOME=/root',
    `ExecStart=${command}`,
    'ExecStopPost=/bin/sh -c "[ $SERVICE_RESULT != success ] || touch /var/lib/bootswarm/ansible-pulled"',
    'Restart=on-failure',
    'RestartSec=60',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}

function enabled(view: SystemView, unit: string): readonly Change[] {
  const path = unitIn(view, unit);
  return path === undefined ? [] : [enable(path, unit)];
}

/** JSON's strings are YAML's. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
