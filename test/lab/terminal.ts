const ESCAPE = '\u001b';
/** What follows ESC: a control sequence with its parameters and command, or one or two characters. */
const SEQUENCE = /^(?:\[([0-9;?=]*)([@-~])|[()].|[^[()])/;

/**
 * A filter for what firmware writes to a serial terminal: escapes go, and what moves the cursor to another
 * row becomes a newline, since firmware places its text with cursor positions where a program would print
 * newlines. It keeps its place between chunks, so make one for each terminal.
 */
export function createTerminalFilter(): (chunk: string) => string {
  let pending = '';
  let row = 1;

  const printed = (text: string): string =>
    text.replace(/\r\n|\p{Cc}/gu, (control) => {
      if (control === '\t') return control;
      if (control === '\n' || control === '\r\n') row += 1;
      return control.includes('\n') || control === '\r' ? '\n' : '';
    });

  const moved = (parameters: string | undefined, command: string | undefined): string => {
    if (command !== 'H' && command !== 'f') return '';
    const target = Number.parseInt(parameters ?? '', 10) || 1;
    if (target === row) return '';
    row = target;
    return '\n';
  };

  return (chunk) => {
    const whole = pending + chunk;
    const cut = unfinishedFrom(whole);
    pending = whole.slice(cut);
    const [before = '', ...escapes] = whole.slice(0, cut).split(ESCAPE);
    const after = escapes.map((piece) => {
      const [sequence = '', parameters, command] = SEQUENCE.exec(piece) ?? [];
      return moved(parameters, command) + printed(piece.slice(sequence.length));
    });
    return printed(before) + after.join('');
  };
}

/** Where a sequence begins that the end of the chunk has cut in two; the text's length when none is. */
function unfinishedFrom(text: string): number {
  const last = text.lastIndexOf(ESCAPE);
  if (last >= 0 && !SEQUENCE.test(text.slice(last + 1))) return last;
  return text.endsWith('\r') ? text.length - 1 : text.length;
}
