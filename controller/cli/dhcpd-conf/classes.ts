import type { DhcpClass } from '@bootswarm/controller/contract';
import { type Match, matchOf, matchOfData } from './class-match.ts';
import { notTaken } from './not-taken.ts';
import type { Declared, Survey } from './survey.ts';
import { type Token, textOf } from './syntax.ts';

/** The classes of a file, and by the file's names which of ours stand for each. */
export interface Classes {
  readonly classes: readonly DhcpClass[];
  readonly byName: ReadonlyMap<string, readonly string[]>;
}

/** Of lists of the policy, as the contract bounds them. */
const MACS_MOST = 1024;

/** @param unique makes a name of ours that nothing else has. */
export function classesOf(survey: Survey, unique: (text: string) => string): Classes {
  const classes: DhcpClass[] = [];
  const byName = new Map<string, readonly string[]>();
  for (const declared of survey.classes) {
    const members = survey.subclasses.filter(({ name }) => name === declared.name);
    const made = membersOf(declared, members, survey).map(
      ({ match, settings }): DhcpClass => ({
        name: unique(declared.name),
        match,
        ...(settings.isRefused ? { refuse: 'deny booting in dhcpd.conf' } : {}),
        ...(Object.keys(settings.options).length > 0 ? { options: settings.options } : {}),
        ...(Object.keys(settings.firmware).length > 0 ? { firmware: settings.firmware } : {}),
      }),
    );
    classes.push(...made);
    byName.set(
      declared.name,
      made.map(({ name }) => name),
    );
  }
  for (const orphan of survey.subclasses)
    if (!byName.has(orphan.name)) survey.lose(notTaken(orphan.statement, 'its class is not in this file'));
  return { classes, byName };
}

interface Member {
  readonly match: Match;
  readonly settings: Declared['settings'];
}

function membersOf(declared: Declared, subclasses: readonly Declared[], survey: Survey): readonly Member[] {
  const made: Member[] = [];
  let data: string | undefined;
  for (const statement of declared.rest) {
    const [, second] = statement.tokens;
    if (second?.text.toLowerCase() !== 'if') {
      data = dataOf(statement.tokens.slice(1));
      continue;
    }
    const match = matchOf(statement.tokens.slice(2), survey.own);
    if (match) made.push({ match, settings: declared.settings });
    else
      survey.lose(
        notTaken(
          statement,
          `class ${declared.name} is left out: no class can ask for that here, only for what begins or equals vendor class, user class, architecture, MAC, OUI, circuit-id or remote-id`,
        ),
      );
  }
  if (declared.rest.length === 0 && subclasses.length === 0)
    survey.lose(notTaken(declared.statement, 'it matches nobody'));
  made.push(...subclassMembers(declared, data, subclasses, survey));
  return made;
}

/** `pick-first-value(option dhcp-client-identifier, hardware)`: what stays the same is the hardware address. */
function dataOf(tokens: readonly Token[]): string {
  const text = textOf(tokens);
  return /^pick-first-value ?\(.*\bhardware\)$/.test(text) ? 'hardware' : text;
}

function subclassMembers(
  declared: Declared,
  data: string | undefined,
  subclasses: readonly Declared[],
  survey: Survey,
): readonly Member[] {
  const made: Member[] = [];
  const macs: string[] = [];
  for (const subclass of subclasses) {
    const value = subclass.statement.tokens[2];
    const match = value && data !== undefined ? matchOfData(data, value, survey.own) : undefined;
    const hasOwn =
      Object.keys(subclass.settings.options).length > 0 || Object.keys(subclass.settings.firmware).length > 0;
    if (!match)
      survey.lose(notTaken(subclass.statement, `no class can ask for that here: ${data ?? 'nothing'}`));
    else if (match.macs && !hasOwn && !subclass.settings.isRefused) macs.push(...match.macs);
    else
      made.push({
        match,
        settings: {
          ...declared.settings,
          ...subclass.settings,
          options: { ...declared.settings.options, ...subclass.settings.options },
          firmware: { ...declared.settings.firmware, ...subclass.settings.firmware },
        },
      });
  }
  const distinct = [...new Set(macs)];
  for (let at = 0; at < distinct.length; at += MACS_MOST)
    made.unshift({ match: { macs: distinct.slice(at, at + MACS_MOST) }, settings: declared.settings });
  return made;
}
