/** One token of JSON, or the white space around it. */
const TOKEN = /\s+|"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s"{}[\]:,]+/gy;

/** The tokens of a JSON text as they are written, white space left out: nothing is decoded, so nothing is lost. */
export function tokensOf(json: string): string[] {
  const tokens: string[] = [];
  let end = 0;
  for (const { 0: token, index } of json.matchAll(TOKEN)) {
    end = index + token.length;
    if (!/^\s/.test(token)) tokens.push(token);
  }
  if (end !== json.length) throw new Error(`not JSON at ${end}: ${json.slice(end, end + 40)}`);
  return tokens;
}

/** The texts of all objects of a JSON text, inner ones too, in the order in which they end. */
export function objectsOf(json: string): string[] {
  const open: number[] = [];
  const objects: string[] = [];
  for (const { 0: token, index } of json.matchAll(TOKEN)) {
    if (token === '{') open.push(index);
    else if (token === '}') objects.push(json.slice(open.pop(), index + 1));
  }
  return objects;
}
