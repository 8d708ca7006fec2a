import { scannedText, scanObject, skipValue } from './scan.ts';

type Member = { readonly nameStart: number; readonly valueStart: number; readonly valueEnd: number };

/**
 * `text` (a JSON object) with members of the object it has under `name` replaced or added; every other byte stays,
 * so that indentation and order are the author's. What is added is laid out like the member before it.
 */
export function setMembers(text: string, name: string, members: Readonly<Record<string, string>>): string {
  const bytes = Buffer.from(text);
  const object = membersOf(bytes, 0).get(name)?.valueStart;
  if (object === undefined) throw new TypeError(`there is no object "${name}"`);
  const present = membersOf(bytes, object);
  const edits: { readonly from: number; readonly to: number; readonly text: string }[] = [];
  const added: string[] = [];
  for (const [key, value] of Object.entries(members)) {
    const member = present.get(key);
    const written = JSON.stringify(value);
    if (member !== undefined) edits.push({ from: member.valueStart, to: member.valueEnd, text: written });
    else added.push(`${JSON.stringify(key)}: ${written}`);
  }
  const last = [...present.values()].at(-1);
  const comma = last === undefined ? ', ' : `,${spaceBefore(bytes, last.nameStart)}`;
  const at = last?.valueEnd ?? object + 1;
  if (added.length > 0)
    edits.push({ from: at, to: at, text: `${last === undefined ? '' : comma}${added.join(comma)}` });
  let result: Buffer = bytes;
  for (const { from, to, text: by } of edits.toSorted((a, b) => b.from - a.from))
    // the last first: places stay true
    result = Buffer.concat([result.subarray(0, from), Buffer.from(by), result.subarray(to)]);
  return result.toString();
}

/** Of members of one name the last one counts, as it does for `JSON.parse`. */
function membersOf(bytes: Buffer, at: number): Map<string, Member> {
  const members = new Map<string, Member>();
  scanObject(bytes, at, bytes.length, (nameStart, nameEnd, valueStart) => {
    const valueEnd = skipValue(bytes, valueStart, bytes.length);
    const key = scannedText(bytes, nameStart, nameEnd);
    members.delete(key);
    members.set(key, { nameStart: nameStart - 1, valueStart, valueEnd });
    return valueEnd;
  });
  return members;
}

/** The white space in front of a name. */
function spaceBefore(bytes: Buffer, nameStart: number): string {
  return /\s*$/.exec(bytes.toString('latin1', 0, nameStart))![0];
}
