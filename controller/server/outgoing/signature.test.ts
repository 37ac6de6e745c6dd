import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { signedHeaders } from './signature.ts';

const runbook = readFileSync(new URL('../../../deploy/runbook.md', import.meta.url), 'utf8');
const [, snippet = ''] = /```python\n(.*?)```/s.exec(runbook) ?? [];
const hasPython = spawnSync('python3', ['--version']).status === 0;
const skip = hasPython ? false : 'there is no python3 on this host to run the snippet with';

interface Received {
  readonly secret: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the runbook's check says of what came. */
function isOurs(received: Received): boolean {
  const program = `import json, sys\ngiven = json.load(sys.stdin)\nsecret, headers, body = given["secret"], given["headers"], given["body"].encode()\n${snippet}\nprint(ok)`;
  const { stdout, stderr } = spawnSync('python3', ['-c', program], {
    input: JSON.stringify(received),
    encoding: 'utf8',
  });
  assert.match(stdout, /^(True|False)\n$/, stderr);
  return stdout === 'True\n';
}

const WHSEC = `whsec_${Buffer.from('0123456789abcdef01234567').toString('base64')}`;
const BODY = '{"type":"rollout.moved","data":{"subject":"frühling"}}';

function received(secret: string, at = new Date()): Received {
  return { secret, headers: signedHeaders(secret, 'evt_7', at, BODY), body: BODY };
}

for (const [what, secret] of [
  ['of Standard Webhooks', WHSEC],
  ['that is any text', 'correct horse battery'],
] as const)
  test(`the runbook's check takes what was signed by a secret ${what}`, { skip }, () => {
    assert.equal(isOurs(received(secret)), true);
  });

test("the runbook's check takes what two secrets signed, while one takes the other's place", { skip }, () => {
  const mine = received(WHSEC);
  const other = signedHeaders('another', 'evt_7', new Date(), BODY)['webhook-signature'];
  const signature = `${other} ${mine.headers['webhook-signature']}`;
  assert.equal(isOurs({ ...mine, headers: { ...mine.headers, 'webhook-signature': signature } }), true);
});

const forged: readonly (readonly [string, Received])[] = [
  ['another body', { ...received(WHSEC), body: BODY.replace('moved', 'added') }],
  ['another secret', { ...received(WHSEC), secret: 'another' }],
  ['another id', { ...received(WHSEC), headers: { ...received(WHSEC).headers, 'webhook-id': 'evt_8' } }],
  ['what was signed ten minutes ago', received(WHSEC, new Date(Date.now() - 600_000))],
];
for (const [what, each] of forged)
  test(`the runbook's check refuses ${what}`, { skip }, () => {
    assert.equal(isOurs(each), false);
  });
