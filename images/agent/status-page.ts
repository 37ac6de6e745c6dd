import type { StatusView } from './status.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A page that needs nothing but itself, for whoever stands before a machine that does not come up. */
export function renderStatusPage(view: StatusView): string {
  const rows = Object.entries({
    doing: view.doing,
    intent: view.intent ?? 'none yet',
    edge: view.edge === undefined ? 'unknown' : `${view.edge}${view.isHeard ? '' : ' (does not answer)'}`,
    mac: view.mac ?? 'unknown',
    uuid: view.uuid ?? 'unknown',
    addresses: view.addresses.join(' ') || 'none',
    agent: `${view.version}, kernel ${view.kernel}`,
  }).map(([name, value]) => `<tr><th>${escaped(name)}<td>${escaped(value)}`);
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="5">
<meta name="viewport" content="width=device-width"><title>Bootswarm ${escaped(view.mac ?? '')}</title>
<style>body{font:15px/1.5 sans-serif;margin:2em auto;max-width:60em;padding:0 1em;color-scheme:light dark}
th{text-align:left;padding-right:2em;vertical-align:top}pre{white-space:pre-wrap}</style>
<h1>Bootswarm agent</h1>
<table>${rows.join('\n')}</table>
<h2>Last lines</h2>
<pre>${escaped(view.lines.join('\n'))}</pre></html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
