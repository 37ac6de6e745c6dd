import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Machine } from './machine.ts';
import { matches, SelectorText, selectorOf } from './selector.ts';
import { SELECTOR_FIELDS, selectorField } from './selector-fields.ts';
import { parseSelector, selectorText } from './selector-syntax.ts';

const G = 1024 ** 3;
const machine: Machine = {
  id: 'm-1',
  macs: ['52:54:00:00:00:01', '52:54:00:00:00:02'],
  uuid: '4c4c4544-0042-3510-8052-b4c04f4a3232',
  name: 'web-1',
  class: 'compute',
  segment: 'lab',
  state: 'available',
  labels: { rack: 'r1', 'team.name': 'a, "b" \\ c' },
  location: { links: [{ mac: '52:54:00:00:00:01', switch: 'leaf 1', port: 'xe-0/0/7' }] },
  properties: {
    memoryBytes: 64 * G,
    cpus: 32,
    accelerators: ['10de:20b0', '10de:20b0'],
    extra: { tier: '1' },
  },
};

const cases: readonly (readonly [selector: string, holds: boolean])[] = [
  ['', true],
  ['  ', true],
  ['class=compute', true],
  ['class=storage', false],
  ['class=storage|compute', true],
  ['class!=storage', true],
  ['class!=storage|compute', false],
  ['class=compute,state=available', true],
  [' class = compute , state = broken ', false],
  ['memory>=64G', true],
  ['memory>64G', false],
  ['memory>=65536M,memory<=0.0625T', true],
  ['memory<64g', false],
  ['cpus=16|32', true],
  ['cpus!=32', false],
  ['disk>=1', false],
  ['disk<1T', false],
  ['disk!=0', true],
  ['accelerators>=2,accelerator=10de:*', true],
  ['accelerator=1002:*', false],
  ['mac=52-54-00-00-00-02', true],
  ['mac=525400000003', false],
  ['mac!=52:54:00:00:00:01', false],
  ['mac=52:54:00:*', true],
  ['uuid=4C4C4544-0042-3510-8052-B4C04F4A3232', true],
  ['uuid=4C4C4544*', true],
  ['name=web-*', true],
  ['name=*-1', true],
  ['name=w*b*1', true],
  ['name=w*x*1', false],
  ['name=web-1*web-1', false],
  ['name=web-*-1', false],
  ['name=*', true],
  ['name="web-*"', false],
  ['serial=*', false],
  ['serial!=*', true],
  ['label.rack=r1|r2', true],
  ['rack=r1', true],
  ['label.rack!=r1', false],
  ['label.row!=7', true],
  ['label.constructor=*', false],
  ['label.team.name="a, \\"b\\" \\\\ c"', true],
  ['switch="leaf 1",port=xe-*', true],
  ['property.tier=1', true],
  ['hardware=accepted', true],
  ['segment!=lab', false],
];

for (const [text, holds] of cases)
  test(`'${text}' ${holds ? 'means' : 'does not mean'} the machine`, () => {
    assert.equal(matches(selectorOf(text), machine), holds);
  });

const faults: readonly (readonly [selector: string, term: number, column: number, reason: RegExp])[] = [
  ['class', 1, 6, /'class' needs a comparison and a value, as in class=compute/],
  ['clas=compute', 1, 1, /no field 'clas': choose one of id, name, mac/],
  ['class=compute,', 2, 15, /a field must come here/],
  [',class=compute', 1, 1, /a field must come here/],
  ['class=compute,memory>=64Q', 2, 23, /'memory' is a number such as 64G; K, M, G and T are powers of 1024/],
  ['memory="64G"', 1, 8, /is a number/],
  ['memory>=1|2', 1, 12, /takes one value/],
  ['memory=99999999999T', 1, 8, /is a number/],
  ['class>compute', 1, 6, /text, which is compared by = and != alone/],
  ['class=', 1, 7, /'class' has no value here/],
  ['class=a||b', 1, 9, /'class' has no value here/],
  ['class=a b', 1, 9, /a comma, a \| or the end must come here: text with blanks/],
  ['class=a=b', 1, 8, /a comma, a \|/],
  ['class=(a)', 1, 7, /has no value here: text with blanks or other signs goes in double quotes/],
  ['class="a', 1, 7, /quotes of 'class' do not end/],
  ['class="a\\n"', 1, 7, /hold a \\ before anything but/],
  ['label.=a', 1, 1, /the name in 'label.' must be 1 to 63/],
  ['label.Rack=a', 1, 1, /the name in 'label.Rack' must be/],
  ['label.__proto__=a', 1, 1, /must be/],
  ['mac=52:54:00', 1, 5, /'52:54:00' can be no mac: write it as in mac=52:54:00:12:34:56/],
  ['name=*a*b*c*d*e*f*g*h*', 1, 6, /more than 8 stars/],
  [`name=${Array(300).fill('a').join('|')}`, 1, 518, /more than 256 values/],
  [Array(70).fill('class=a').join(','), 64, 512, /more than 64 terms/],
  ['a'.repeat(4001), 1, 4001, /longer than 4000/],
];

for (const [text, term, column, reason] of faults)
  test(`'${text.slice(0, 40)}' is refused with its place`, () => {
    const parsed = parseSelector(text);
    assert.ok(!parsed.ok);
    assert.deepEqual([parsed.fault.term, parsed.fault.column], [term, column]);
    assert.match(parsed.fault.reason, reason);
    assert.ok(!SelectorText.safeParse(text).success);
  });

test('every field takes its own example', () => {
  for (const field of SELECTOR_FIELDS)
    assert.ok(parseSelector(`${field}=${selectorField(field)?.example}`).ok, field);
});

describe('selectors of chance', () => {
  const sign = fc.constantFrom(
    ...'cas=mery<>!|," \\*.GK19é𐍈\n'.split(''),
    'class',
    'memory',
    'label.',
    'mac',
  );
  const anything = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(sign).map((signs) => signs.join('')),
  );

  test('are parsed without a throw, or refused with a place inside them', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const parsed = parseSelector(text);
        if (parsed.ok) matches(parsed.selector, machine);
        else assert.ok(parsed.fault.column >= 1 && parsed.fault.column <= text.length + 1, text);
      }),
      { numRuns: 5000 },
    );
  });

  test('come back the same from their text', () => {
    const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
    const word = fc.constantFrom('a', 'web-*', '*', '10.1.*', 'x/y');
    const textTerm = fc
      .tuple(
        fc.constantFrom('class', 'name', 'label.rack', 'property.x', 'switch'),
        fc.constantFrom('=', '!='),
        fc.array(fc.oneof(word, fc.string({ unit: 'binary' }).map(quoted)), { minLength: 1, maxLength: 4 }),
      )
      .map(([field, comparison, values]) => field + comparison + values.join('|'));
    const number = fc
      .tuple(fc.nat(1_000_000), fc.constantFrom('', 'K', 'M', 'g', '.5', '.000001K'))
      .map((all) => all.join(''));
    const numberTerm = fc
      .tuple(fc.constantFrom('memory', 'cpus'), fc.constantFrom('=', '>=', '<', '!='), number)
      .map((all) => all.join(''));
    fc.assert(
      fc.property(fc.array(fc.oneof(textTerm, numberTerm), { maxLength: 6 }), (terms) => {
        const selector = selectorOf(terms.join(','));
        const text = selectorText(selector);
        assert.deepEqual(selectorOf(text), selector);
        assert.equal(selectorText(selectorOf(text)), text);
      }),
      { numRuns: 2000 },
    );
  });

  test('with many stars take no time over long texts', () => {
    const selector = selectorOf(`name=${'*a'.repeat(8)}b`);
    const began = performance.now();
    for (let n = 0; n < 1000; n++) matches(selector, { ...machine, name: 'a'.repeat(100) });
    assert.ok(performance.now() - began < 20_000);
  });
});
