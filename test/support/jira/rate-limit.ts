import { acceptsJson, html, json } from './http.ts';
import type { Answer, JiraRequest } from './http.ts';
import type { JiraUser, RateLimit, ServerState } from './state.ts';

/** What the limits say of a request: headers for its answer, or a refusal in its place. */
export type Verdict = { readonly headers: Record<string, string>; readonly refusal?: Answer };

const bucketVerdict = (
  state: ServerState,
  limit: Extract<RateLimit, { kind: 'bucket' }>,
  request: JiraRequest,
  name: string,
  now: number,
): Verdict => {
  const interval = limit.intervalSeconds * 1000;
  const bucket = state.buckets.get(name) ?? { tokens: limit.limit, at: now };
  const refills = Math.max(0, Math.floor((now - bucket.at) / interval));
  bucket.tokens = Math.min(limit.limit, bucket.tokens + refills * limit.fillRate);
  bucket.at += refills * interval;
  const allowed = bucket.tokens > 0;
  if (allowed) bucket.tokens -= 1;
  state.buckets.set(name, bucket);
  // A user whose quota is zero waits for ever: Long.MAX_VALUE.
  const wait =
    limit.limit === 0 ? '9223372036854775807' : String(Math.ceil((bucket.at + interval - now) / 1000));
  const headers = {
    'X-RateLimit-Limit': String(limit.limit),
    'X-RateLimit-Remaining': String(bucket.tokens),
    'X-RateLimit-FillRate': String(limit.fillRate),
    'X-RateLimit-Interval-Seconds': String(limit.intervalSeconds),
    // Sent on success too, then as 0.
    'Retry-After': allowed ? '0' : wait,
  };
  if (allowed) return { headers };
  const message = 'Rate limit exceeded.';
  return {
    headers,
    refusal: acceptsJson(request) ? json({ message }, 429) : html(429, 'Too Many Requests', message),
  };
};

const burstVerdict = (
  state: ServerState,
  limit: Extract<RateLimit, { kind: 'burst' }>,
  name: string,
  now: number,
): Verdict => {
  const length = limit.windowMs ?? 1000;
  const at = Math.floor(now / length) * length;
  const kept = state.buckets.get(name);
  const window = kept?.at === at ? kept : { tokens: limit.limit, at };
  const allowed = window.tokens > 0;
  if (allowed) window.tokens -= 1;
  state.buckets.set(name, window);
  const seconds = Math.max(1, Math.ceil(length / 1000));
  const headers: Record<string, string> = {
    'X-RateLimit-Limit': String(limit.limit),
    'X-RateLimit-Remaining': String(window.tokens),
    RateLimit: `"jira-burst-based";r=${window.tokens};t=${seconds}`,
    'RateLimit-Policy': `"jira-burst-based";q=${limit.limit};w=${seconds}`,
  };
  if (window.tokens < limit.limit / 5) headers['X-RateLimit-NearLimit'] = 'true';
  if (allowed) return { headers };
  headers['Retry-After'] = String(Math.max(1, Math.ceil((at + length - now) / 1000)));
  headers['RateLimit-Reason'] = 'jira-burst-based';
  headers['X-RateLimit-Reset'] = `${new Date(at + length + 59_999).toISOString().slice(0, 16)}Z`;
  return { headers, refusal: json({ errorMessages: ['Rate limit exceeded.'] }, 429) };
};

/** Counts a request of a logged-in user against the limits, if there are any. */
export const rateLimit = (
  state: ServerState,
  request: JiraRequest,
  user: JiraUser | undefined,
  now: number,
): Verdict => {
  const limit = state.options.rateLimit;
  if (limit === undefined || user === undefined) return { headers: {} };
  const node = request.number % (state.options.nodes ?? 1);
  if (limit.kind === 'bucket') return bucketVerdict(state, limit, request, `${user.name} ${node}`, now);
  const template = request.route
    .replace(/\/rest\/api\/\w+/, '')
    .replace(/\/issue\/(?!bulkfetch)[^/]+/, '/issue/*');
  return burstVerdict(state, limit, `${user.name} ${request.method} ${template}`, now);
};
