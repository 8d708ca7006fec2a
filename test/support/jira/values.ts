import { Special } from './model.ts';
import type { View } from './model.ts';
import { formatInstant } from './time-zone.ts';

type AdfNode = { type: string; content?: AdfNode[]; [key: string]: unknown };

const inline = (text: string): AdfNode[] =>
  text
    .split('\n')
    .flatMap((line, number): AdfNode[] => [
      ...(number > 0 ? [{ type: 'hardBreak' }] : []),
      ...(line === '' ? [] : [{ type: 'text', text: line }]),
    ]);

/** Wiki markup as an Atlassian document: headings, code blocks, paragraphs and line breaks. */
export const toAdf = (text: string): AdfNode => ({
  type: 'doc',
  version: 1,
  content: text
    .split(/\n{2,}/)
    .filter((block) => block !== '')
    .map((block): AdfNode => {
      const heading = /^h([1-6])\. (.*)$/.exec(block);
      if (heading !== null)
        return { type: 'heading', attrs: { level: Number(heading[1]) }, content: inline(heading[2] ?? '') };
      const code = /^\{code(?::(\w+))?\}\n?([\s\S]*?)\n?\{code\}$/.exec(block);
      if (code !== null)
        return {
          type: 'codeBlock',
          attrs: code[1] === undefined ? {} : { language: code[1] },
          content: [{ type: 'text', text: code[2] }],
        };
      return { type: 'paragraph', content: inline(block) };
    }),
});

/** Rich text: wiki markup in version 2 of the API, an Atlassian document in version 3. */
export const wiki = (text: string): Special =>
  new Special(text, (view) => JSON.stringify(view.api === 3 ? toAdf(text) : text));

/** A person of the site by name: name and key on Data Center, an account id on Cloud. */
export const person = (name: string): Special => new Special(name, (view) => view.person(name));

/** A point in time, written in the reader's zone. */
export const instant = (ms: number): Special =>
  new Special(ms, (view) => `"${formatInstant(ms, view.zone)}"`);

/** JSON text as it is, for example a number beyond 2^53. */
export const rawJson = (text: string): Special => new Special(undefined, () => text);

/** The address of a resource of the API, such as `status/3`. */
export const link = (path: string): Special =>
  new Special(path, (view) => JSON.stringify(`${view.base}/rest/api/${view.api}/${path}`));

/** A value that looks different on Data Center and on Cloud. */
export const byFlavour = (datacenter: unknown, cloud: unknown): Special =>
  new Special(cloud, (view) => writeValue(view.flavour === 'cloud' ? cloud : datacenter, view));

const names = new Map<string, string>();

/** A property name as JSON, with its colon. */
export const writeName = (name: string): string => {
  let text = names.get(name);
  if (text === undefined) {
    text = `${JSON.stringify(name)}:`;
    if (names.size < 10_000) names.set(name, text);
  }
  return text;
};

const writeObject = (value: object, view: View): string => {
  if (Array.isArray(value)) return `[${value.map((item) => writeValue(item, view)).join(',')}]`;
  let text = '';
  for (const name of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[name];
    if (member === undefined) continue;
    text += `${text === '' ? '' : ','}${writeName(name)}${writeValue(member, view)}`;
  }
  return `{${text}}`;
};

/** The JSON of a value as the view's reader gets it. */
export const writeValue = (value: unknown, view: View): string => {
  if (value instanceof Special) return value.render(view);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (!Object.isFrozen(value)) return writeObject(value, view);
  let text = view.memo.get(value);
  if (text === undefined) {
    text = writeObject(value, view);
    view.memo.set(value, text);
  }
  return text;
};
