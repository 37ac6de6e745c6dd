import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ERRORS, type ErrorCode, problem } from './errors.ts';

const controller = fileURLToPath(new URL('..', import.meta.url));

/** Every call of `problem` in the contract and the server, as it stands in the source. */
const calls = ['contract', 'server']
  .flatMap((room) =>
    readdirSync(controller + room, { recursive: true, encoding: 'utf8' }).map((file) => `${room}/${file}`),
  )
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && file !== 'server/start-problems.ts')
  .flatMap((file) => {
    const text = readFileSync(controller + file, 'utf8');
    return [...text.matchAll(/\bproblem\(([\s\S]*?)\)(?:;|\)|$)/gm)].map((match) => match[1] ?? '');
  });

for (const [code, { status, message, remedy }] of Object.entries(ERRORS)) {
  test(`${code} has a status, a message and a remedy that read as they should`, () => {
    assert.ok(status >= 400 && status < 600);
    assert.match(message, /^\S.*[^.\s]$/s, 'a message is no sentence of its own');
    assert.match(remedy, /^\S.*[.'`]?$/);
    assert.ok(remedy.length > 10);
  });

  test(`${code} is used, and every brace of it is filled`, () => {
    const uses = calls.filter((call) => call.includes(`'${code}'`));
    assert.notEqual(uses.length, 0);
    const facts = Object.fromEntries(holesOf(message + remedy).map((name) => [name, `<${name}>`]));
    const filled = problem(code as ErrorCode, { facts });
    assert.doesNotMatch(filled.message + filled.remedy, /[{}]/);
    for (const use of uses)
      for (const hole of holesOf(message + remedy))
        assert.match(use, new RegExp(`\\b${hole}\\b|facts[,}\\s]`), `${hole} in problem(${use})`);
  });
}

function holesOf(text: string): readonly string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
}
