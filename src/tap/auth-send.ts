import type { HttpResponse, Send } from '../shared/http/request.ts';
import type { Authorize } from './auth.ts';

/** How requests get their `Authorization` header. */
export type Authorization = {
  readonly authorize: Authorize;
  /** After a 401: true if the request is worth sending once more, with a new header. */
  readonly renew?: (refused: string, response: HttpResponse) => Promise<boolean>;
};

/** Sends each request with its header; after a 401 that a new token can remedy, once more. */
export function authorized(send: Send, { authorize, renew }: Authorization): Send {
  return async (request, signal) => {
    const sendWith = (authorization: string): Promise<HttpResponse> =>
      send({ ...request, headers: { ...request.headers, authorization } }, signal);
    const header = authorize(request);
    const first = typeof header === 'string' ? header : await header;
    const response = await sendWith(first);
    if (response.status !== 401 || renew === undefined || !(await renew(first, response))) return response;
    return sendWith(await authorize(request));
  };
}
