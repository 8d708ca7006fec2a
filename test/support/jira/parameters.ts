import { json, problem } from './http.ts';
import type { Answer, JiraRequest } from './http.ts';

/** Thrown by a route to answer with an error. */
export class Refusal extends Error {
  readonly answer: Answer;
  constructor(answer: Answer) {
    super(`refused with ${answer.status}`);
    this.answer = answer;
  }
}

/** Ends a route with an error answer. */
export const refuse = (answer: Answer): never => {
  throw new Refusal(answer);
};

const INVALID = {
  errorMessages: ['Invalid request payload. Refer to the REST API documentation and try again.'],
};

/** Refuses a body that is JSON but not what the operation takes. Note the absence of `errors`. */
export const invalidPayload = (): never => refuse(json(INVALID, 400));

/** Reads a POST body as a JSON object, with Jira's checks in Jira's order. */
export const readBody = (
  request: JiraRequest,
  allowed: readonly string[] | undefined,
): Record<string, unknown> => {
  const type = request.headers['content-type'];
  if (type?.includes('application/json') !== true)
    refuse(
      problem(
        415,
        'Unsupported Media Type',
        `Content-Type '${type ?? 'null'}' is not supported.`,
        request.route,
      ),
    );
  if (request.body.trim() === '')
    refuse(json({ errorMessages: ['No content to map to Object due to end of input'] }, 400));
  let body: unknown;
  try {
    body = JSON.parse(request.body);
  } catch {
    const message = 'There was an error parsing JSON. Check that your request body is valid.';
    refuse(json({ errorMessages: [message] }, 400));
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return invalidPayload();
  if (allowed !== undefined && Object.keys(body).some((name) => !allowed.includes(name))) invalidPayload();
  return body as Record<string, unknown>;
};

/** A list of texts from a body; `undefined` and `null` are empty. */
export const readTexts = (value: unknown): string[] => {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return invalidPayload();
  return value.map((item: unknown) =>
    typeof item === 'string' || typeof item === 'number' ? String(item) : invalidPayload(),
  );
};

/** A whole number from a body or a query; digits in a text will do. */
export const readNumber = (value: unknown, fallback: number): number => {
  if (value === undefined) return fallback;
  if (value === null) return 0;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? Math.trunc(number) : invalidPayload();
};

/** A whole number from the query string, refused as Cloud's framework does when it is none. */
export const queryNumber = (request: JiraRequest, name: string, fallback: number): number => {
  const text = request.query.get(name);
  if (text === null || text === '') return fallback;
  if (!/^-?\d+$/.test(text)) {
    const detail = `Failed to convert '${name}' with value: '${text}'`;
    refuse(problem(400, 'Bad Request', detail, request.route));
  }
  return Number(text);
};
