// HTTP of a generated client: authentication, timeouts, retries, typed errors, server-sent events. No dependency.

/** A server that asks for a longer wait, in seconds, is not asked again: the error has its `retryAfter`. */
const MAX_WAIT = 60;

export type Query = Record<string, string | number | boolean | undefined>;

/** An answer that is no success; `problem` is its body where that is JSON. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: unknown,
    readonly retryAfter?: number,
  ) {
    const detail = (problem as { detail?: string; title?: string } | null) ?? {};
    super(`status ${status}: ${detail.detail ?? detail.title ?? 'no detail'}`);
    this.name = new.target.name;
  }
}
export class BadRequestError extends ApiError {}
export class UnauthorizedError extends ApiError {}
export class ForbiddenError extends ApiError {}
export class NotFoundError extends ApiError {}
export class ConflictError extends ApiError {}
/** 422: the request can be read and is not acceptable. */
export class UnprocessableError extends ApiError {}
export class TooManyRequestsError extends ApiError {}
export class ServerError extends ApiError {}
/** No answer: not reached, or not within the timeout. */
export class ConnectionFailedError extends Error {}

const ERRORS: Record<number, typeof ApiError> = {
  400: BadRequestError,
  401: UnauthorizedError,
  403: ForbiddenError,
  404: NotFoundError,
  409: ConflictError,
  422: UnprocessableError,
  429: TooManyRequestsError,
};

export interface Settings {
  baseUrl: string;
  bearer?: string;
  basic?: [user: string, password: string];
  apiKey?: [header: string, value: string];
  queryKey?: [name: string, value: string];
  timeoutMs?: number;
  retries?: number;
  fetch?: typeof fetch;
  sleep?: (ms: number) => Promise<void>;
}

export interface Call {
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
  idempotencyKey?: string;
  /** Makes a key where none is given. */
  keyed?: boolean;
}

/** Sends requests of one API. */
export class Transport {
  constructor(private readonly settings: Settings) {}

  /** The JSON of a good answer; undefined where it has no body. */
  async call<T>(method: string, path: string, call: Call = {}): Promise<T> {
    const answer = await this.answer(method, path, call);
    const text = await answer.text();
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** Name and data of each server-sent event. */
  async *events(method: string, path: string, call: Call = {}): AsyncGenerator<[string, unknown]> {
    const headers = { ...call.headers, Accept: 'text/event-stream' };
    const answer = await this.answer(method, path, { ...call, headers });
    let [rest, name, data] = ['', 'message', ''];
    const decoder = new TextDecoder();
    const reader = answer.body?.getReader();
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      const lines = (rest + decoder.decode(part.value, { stream: true })).split(/\r?\n/);
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.startsWith('event:')) name = line.slice(6).trim();
        else if (line.startsWith('data:')) data += line.slice(5).replace(/^ /, '');
        else if (line === '' && data !== '') {
          yield [name, JSON.parse(data)];
          [name, data] = ['message', ''];
        }
      }
    }
  }

  /**
   * What may be repeated (GET, PUT, DELETE, and whatever has an idempotency key) is, after 429, 502, 503, 504 and a failed
   * connection: after Retry-After, else after a growing, random wait.
   */
  private async answer(method: string, path: string, call: Call): Promise<Response> {
    const { retries = 3, timeoutMs = 60_000, fetch: send = fetch } = this.settings;
    const sleep = this.settings.sleep ?? ((ms) => new Promise<void>((done) => setTimeout(done, ms)));
    const key = call.idempotencyKey ?? (call.keyed ? crypto.randomUUID() : undefined);
    const repeatable = ['GET', 'HEAD', 'PUT', 'DELETE'].includes(method) || key !== undefined;
    const request = this.request(method, call, key);
    for (let attempt = 0; ; attempt++) {
      const last = attempt >= retries || !repeatable;
      let answer: Response;
      try {
        answer = await send(this.url(path, call.query), { ...request, signal: AbortSignal.timeout(timeoutMs) });
      } catch (error) {
        if (last) throw new ConnectionFailedError(`${method} ${path}: ${String(error)}`);
        await sleep(backoff(attempt));
        continue;
      }
      if (answer.status < 400) return answer;
      const error = await failure(answer);
      if (last || ![429, 502, 503, 504].includes(answer.status) || (error.retryAfter ?? 0) > MAX_WAIT) throw error;
      await sleep(error.retryAfter === undefined ? backoff(attempt) : error.retryAfter * 1000);
    }
  }

  private url(path: string, query: Query = {}): string {
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const { queryKey } = this.settings;
    if (queryKey !== undefined) given.push(queryKey);
    const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
    return this.settings.baseUrl.replace(/\/$/, '') + path + (text === '' ? '' : `?${text}`);
  }

  private request(method: string, call: Call, key?: string): RequestInit {
    const headers: Record<string, string> = { Accept: 'application/json', ...call.headers };
    if (call.body !== undefined) headers['Content-Type'] = 'application/json';
    if (this.settings.bearer !== undefined) headers['Authorization'] = `Bearer ${this.settings.bearer}`;
    const { basic } = this.settings;
    if (basic !== undefined) headers['Authorization'] = `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(basic.join(':'))))}`;
    if (this.settings.apiKey !== undefined) headers[this.settings.apiKey[0]] = this.settings.apiKey[1];
    if (key !== undefined) headers['Idempotency-Key'] = key;
    return { method, headers, ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }) };
  }
}

/** Milliseconds before the next attempt: doubled each time, with full jitter. */
export function backoff(attempt: number): number {
  return Math.random() * Math.min(8000, 500 * 2 ** attempt);
}

async function failure(answer: Response): Promise<ApiError> {
  const problem: unknown = await answer.json().catch(() => null);
  const kind = ERRORS[answer.status] ?? (answer.status >= 500 ? ServerError : ApiError);
  return new kind(answer.status, problem, retryAfter(answer.headers.get('Retry-After')));
}

/** Seconds of a Retry-After header, which is a number or a date. */
export function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const seconds = Number(value);
  return Math.max(0, Number.isNaN(seconds) ? (Date.parse(value) - Date.now()) / 1000 : seconds);
}
