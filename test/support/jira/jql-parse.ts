/** Reads JQL into a tree. Meaning is given to it in `jql.ts`. */

export type Operand = { readonly text: string; readonly quoted: boolean; readonly call: boolean };

export type Term = {
  readonly kind: 'term';
  readonly field: string;
  readonly operator: string;
  readonly operands: readonly Operand[];
};

export type Clause =
  | Term
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Clause[] }
  | { readonly kind: 'not'; readonly part: Clause };

export type SortKey = { readonly field: string; readonly direction: 'asc' | 'desc' | undefined };

export type Query = { readonly where: Clause | undefined; readonly order: readonly SortKey[] };

/** Words that must be quoted; the part of Jira's list that could be a project key. */
export const RESERVED = new Set(
  `abort access add after alias all alter and any are as asc audit avg be before begin between boolean break by
  byte catch cf changed char character check checkpoint collate collation column commit connect continue count
  create current date decimal declare decrement default defaults define delete delimiter desc difference
  distinct divide do double drop else empty encoding end equals escape exclusive exec execute exists explain
  false fetch file field first float for from function go goto grant greater group having identified if
  immediate in increment index initial inner inout input insert int integer intersect intersection into is
  isempty isnull join last left less like limit lock long max min minus mode modify modulo more multiply next
  noaudit not notin nowait null number object of on option or order outer output power previous prior
  privileges public raise raw remainder rename resource return returns revoke right row rowid rownum rows
  select session set share size sqrt start strict string subtract sum synonym table then to trans transaction
  trigger true uid union unique update user validate values view when whenever where while with`.split(/\s+/),
);

type Token = { readonly text: string; readonly kind: 'word' | 'string' | 'symbol'; readonly at: number };

/** Thrown for text that is not JQL; the message is Jira's. */
export class JqlSyntaxError extends Error {}

const fail = (message: string): never => {
  throw new JqlSyntaxError(`Error in the JQL Query: ${message}`);
};

const SYMBOLS = ['>=', '<=', '!=', '!~', '=', '>', '<', '~', '(', ')', ','];

const readString = (text: string, from: number): { value: string; end: number } => {
  const quote = text[from];
  let value = '';
  let at = from + 1;
  while (at < text.length && text[at] !== quote) {
    if (text[at] === '\\') {
      at += 1;
      value += { n: '\n', r: '\r', t: '\t' }[text[at] ?? ''] ?? text[at] ?? '';
    } else value += text[at];
    at += 1;
  }
  if (at >= text.length)
    fail(`The quoted string '${value}' has not been completed. (line 1, character ${from})`);
  return { value, end: at + 1 };
};

const tokenize = (text: string): Token[] => {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text[at]!;
    const symbol = SYMBOLS.find((candidate) => text.startsWith(candidate, at));
    const word = /^[^\s()=,!<>~"']+/.exec(text.slice(at, at + 500))?.[0];
    if (/\s/.test(char)) at += 1;
    else if (char === '"' || char === "'") {
      const { value, end } = readString(text, at);
      tokens.push({ text: value, kind: 'string', at });
      at = end;
    } else if (symbol !== undefined) {
      tokens.push({ text: symbol, kind: 'symbol', at });
      at += symbol.length;
    } else if (word !== undefined) {
      tokens.push({ text: word, kind: 'word', at });
      at += word.length;
    } else fail(`The character '${char}' is a reserved JQL character. (line 1, character ${at + 1})`);
  }
  return tokens;
};

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  #is(...texts: string[]): boolean {
    const token = this.#tokens[this.#at];
    return token !== undefined && token.kind !== 'string' && texts.includes(token.text.toLowerCase());
  }

  #accept(...texts: string[]): boolean {
    const found = this.#is(...texts);
    if (found) this.#at += 1;
    return found;
  }

  #expect(text: string): void {
    const token = this.#tokens[this.#at];
    if (this.#accept(text)) return;
    if (token === undefined) fail(`Expecting '${text}' before the end of the query.`);
    else fail(`Expecting '${text}' but got '${token.text}'. (line 1, character ${token.at + 1})`);
  }

  query(): Query {
    const where = this.#tokens.length === 0 || this.#is('order') ? undefined : this.#or();
    const order: SortKey[] = [];
    if (this.#accept('order')) {
      this.#expect('by');
      do {
        const field = this.#name();
        const direction = this.#accept('asc') ? 'asc' : this.#accept('desc') ? 'desc' : undefined;
        order.push({ field, direction });
      } while (this.#accept(','));
    }
    const rest = this.#tokens[this.#at];
    if (rest !== undefined)
      fail(`Expecting either 'OR' or 'AND' but got '${rest.text}'. (line 1, character ${rest.at + 1})`);
    return { where, order };
  }

  #or(): Clause {
    const parts = [this.#and()];
    while (this.#accept('or', '||', '|')) parts.push(this.#and());
    return parts.length === 1 ? parts[0]! : { kind: 'or', parts };
  }

  #and(): Clause {
    const parts = [this.#not()];
    while (this.#accept('and', '&&', '&')) parts.push(this.#not());
    return parts.length === 1 ? parts[0]! : { kind: 'and', parts };
  }

  #not(): Clause {
    if (this.#accept('not', '!')) return { kind: 'not', part: this.#not() };
    if (!this.#accept('(')) return this.#term();
    const inner = this.#or();
    this.#expect(')');
    return inner;
  }

  #term(): Term {
    const field = this.#name();
    const token = this.#tokens[this.#at];
    if (this.#accept('=', '!=', '>=', '<=', '>', '<', '~', '!~'))
      return { kind: 'term', field, operator: token!.text, operands: [this.#operand()] };
    if (this.#accept('is'))
      return {
        kind: 'term',
        field,
        operator: this.#accept('not') ? 'is not' : 'is',
        operands: this.#empty(),
      };
    const negated = this.#accept('not');
    if (this.#accept('in')) {
      const operands: Operand[] = [];
      this.#expect('(');
      do operands.push(this.#operand());
      while (this.#accept(','));
      this.#expect(')');
      return { kind: 'term', field, operator: negated ? 'not in' : 'in', operands };
    }
    const expected = "Expecting operator but got '";
    if (token === undefined)
      return fail(
        "Expecting operator before the end of the query. The valid operators are '=', '!=', '<', '>', '<=', '>=', '~', '!~', 'IN', 'NOT IN', 'IS' and 'IS NOT'.",
      );
    return fail(`${expected}${token.text}'. (line 1, character ${token.at + 1})`);
  }

  #empty(): Operand[] {
    if (!this.#accept('empty', 'null')) fail("Expecting 'EMPTY' or 'NULL'.");
    return [];
  }

  #name(): string {
    return this.#operand().text;
  }

  #operand(): Operand {
    const token = this.#tokens[this.#at];
    if (token === undefined || token.kind === 'symbol')
      return fail('Expecting either a value, list or function but got the end of the query.');
    if (token.kind === 'word' && RESERVED.has(token.text.toLowerCase()))
      return fail(
        `'${token.text}' is a reserved JQL word. You must surround it in quotation marks to use it in a query. (line 1, character ${token.at + 1})`,
      );
    this.#at += 1;
    const call = token.kind === 'word' && this.#is('(');
    if (call) {
      this.#expect('(');
      this.#expect(')');
    }
    return { text: token.text, quoted: token.kind === 'string', call };
  }
}

/** Parses a query; throws `JqlSyntaxError`. */
export const parseJql = (text: string): Query => new Parser(tokenize(text)).query();
