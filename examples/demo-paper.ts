import { styleText } from 'node:util';

const pretty = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';
const COLUMNS = 80;

/** Prints a line; on a terminal as it is, else in ASCII, so that any log can hold it. */
export function say(line = ''): void {
  console.log(process.stdout.isTTY ? line : line.replaceAll(/[^\x20-\x7E\n]/gu, '?'));
}

/** Prints the title of a part of the demo. */
export function title(text: string): void {
  say();
  say(bold(`== ${text} ${'='.repeat(Math.max(2, COLUMNS - 4 - text.length))}`));
}

/** Prints a command as a person would type it. */
export function command(line: string): void {
  say(`  ${dim('$')} ${bold(line)}`);
}

/** Prints that something was checked and holds. */
export function good(text: string): void {
  say(`  ${pretty ? styleText('green', 'ok') : 'ok'}  ${text}`);
}

/** Prints rows of cells as columns; the last cell of a row is cut after `longest` characters. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  longest = Infinity,
): void {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((cells) => cells[i]!.length)));
  const line = (cells: readonly string[]): string => {
    const padded = cells.slice(0, -1).map((cell, i) => cell.padEnd(widths[i]!));
    const last = [...cells.at(-1)!];
    const shown = last.length > longest ? `${last.slice(0, longest - 3).join('')}...` : last.join('');
    return `    ${[...padded, shown].join('  ')}`;
  };
  say(dim(line(head)));
  for (const cells of rows) say(line(cells));
}

/** A number as a person writes it. */
export function count(number: number): string {
  return number.toLocaleString('en-US');
}

function bold(text: string): string {
  return pretty ? styleText('bold', text) : text;
}

function dim(text: string): string {
  return pretty ? styleText('dim', text) : text;
}
