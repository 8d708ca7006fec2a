import { Special } from './model.ts';
import { toAdf } from './values.ts';

/** A small stream of reproducible chance. */
export type Dice = {
  /** A number in [0, 1). */
  readonly next: () => number;
  /** A whole number in [0, count). */
  readonly below: (count: number) => number;
  readonly pick: <T>(items: readonly T[]) => T;
};

/** Dice that always fall the same way for one seed. */
export const diceOf = (seed: number): Dice => {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bf03635) | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (count: number): number => Math.floor(next() * count);
  return { next, below, pick: (items) => items[below(items.length)]! };
};

const VERBS = ['Fix', 'Speed up', 'Document', 'Remove', 'Migrate', 'Monitor', 'Rewrite', 'Investigate'];
const THINGS = [
  'checkout timeout',
  'invoice export',
  'login with passkeys',
  'search index',
  'flaky deployment',
  'currency rounding',
  'e-mail templates',
  'audit trail',
  'Überweisung an Dritte',
  '支払い画面',
];
const PLACES = [
  'on mobile',
  'in production',
  'for new customers',
  'after midnight',
  'behind the proxy',
  '🚀 for launch',
];

const SENTENCES = [
  'The customer sees a blank page after pressing *Pay* twice.',
  'Logs show a retry every 30 s until the queue is full; see [runbook|https://wiki.example.com/x/1].',
  'Expected: one e-mail per order. Actual: none, or three.',
  "It works on staging, so the difference must be the proxy's time-out of 60 seconds.",
  'Rollback with {{deployctl undo}} brought the error rate back to 0.02 %.',
  'Reported by support for 14 accounts in São Paulo, Zürich and 東京.',
  'A "quoted" path such as C:\\temp\\export.csv must survive as it is.',
  'Acceptance: the nightly job ends before 06:00 and nobody is paged 😴.',
];

/** A summary line. */
export const summaryOf = (dice: Dice): string =>
  `${dice.pick(VERBS)} ${dice.pick(THINGS)} ${dice.pick(PLACES)}`;

/** A sentence of a comment. */
export const sentenceOf = (dice: Dice): string => dice.pick(SENTENCES);

const CODE = "{code:sql}\nselect id, total from orders where state = 'open';\n{code}";

type Block = { readonly text: string; readonly wikiJson: string; readonly adfJson: string };

const blockOf = (text: string): Block => ({
  text,
  wikiJson: JSON.stringify(text).slice(1, -1),
  adfJson: JSON.stringify(toAdf(text).content).slice(1, -1),
});

const HEAD = blockOf('h3. What happens');
const EXAMPLE = blockOf(CODE);
const BLOCKS = Array.from({ length: 128 }, (_, at): Block => {
  const dice = diceOf(at);
  const sentences = Array.from({ length: 3 + (at % 4) }, () => sentenceOf(dice));
  return blockOf(sentences.join(at % 5 === 0 ? '\n' : ' '));
});

/** A description of about so many characters, put together from blocks whose JSON is known. */
export const descriptionOf = (dice: Dice, length: number): Special => {
  const blocks = length > 400 ? [HEAD, EXAMPLE] : [HEAD];
  let size = HEAD.text.length + (length > 400 ? CODE.length : 0);
  while (size < length) {
    const block = dice.pick(BLOCKS);
    blocks.push(block);
    size += block.text.length + 2;
  }
  return new Special(HEAD.text, (view) =>
    view.api === 3
      ? `{"type":"doc","version":1,"content":[${blocks.map((block) => block.adfJson).join(',')}]}`
      : `"${blocks.map((block) => block.wikiJson).join('\\n\\n')}"`,
  );
};
