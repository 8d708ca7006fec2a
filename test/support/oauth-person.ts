/** What a browser shows. */
export type Shown = { readonly url: string; readonly status: number; readonly html: string };

/** Somebody who logs in to the simulated Jira and answers its question, with cookies and forms but no browser. */
export class OAuthPerson {
  readonly #cookies = new Map<string, string>();
  readonly #name: string;
  readonly #password: string;

  constructor(name = 'ada', password = 'correct horse') {
    this.#name = name;
    this.#password = password;
  }

  /** Opens the address that the program shows, logs in, and is asked whether to allow the access. */
  async arrive(address: string): Promise<Shown> {
    const shown = await this.visit(address);
    if (!shown.html.includes('os_username')) return shown;
    return this.#submit(shown, { os_username: this.#name, os_password: this.#password });
  }

  async allow(address: string): Promise<Shown> {
    return this.#submit(await this.arrive(address), { approve: 'Allow' });
  }

  async deny(address: string): Promise<Shown> {
    return this.#submit(await this.arrive(address), { deny: 'Deny' });
  }

  /** Allows, and says where Jira then sends the browser, without going there. */
  async allowAndStay(address: string): Promise<string> {
    const question = await this.arrive(address);
    const { headers } = await this.#send(...formOf(question, { approve: 'Allow' }));
    return headers.get('location')!;
  }

  async visit(url: string): Promise<Shown> {
    return this.#follow(url, await this.#send(url));
  }

  async #submit(shown: Shown, answers: Readonly<Record<string, string>>): Promise<Shown> {
    const [url, form] = formOf(shown, answers);
    return this.#follow(url, await this.#send(url, form));
  }

  async #follow(url: string, response: Response): Promise<Shown> {
    const location = response.headers.get('location');
    if (location === null) return { url, status: response.status, html: await response.text() };
    return this.visit(new URL(location, url).href);
  }

  async #send(url: string, form?: URLSearchParams): Promise<Response> {
    const cookie = [...this.#cookies].map((pair) => pair.join('=')).join('; ');
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie },
      ...(form === undefined ? {} : { method: 'POST', body: form }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      this.#cookies.set(name!, value!);
    }
    return response;
  }
}

/** The verification code on a page of Jira. */
export function codeOn({ html }: Shown): string {
  return /id="verifier">([^<]+)</.exec(html)![1]!;
}

function formOf({ url, html }: Shown, answers: Readonly<Record<string, string>>): [string, URLSearchParams] {
  const action = /<form method="post" action="([^"]+)"/.exec(html)?.[1];
  if (action === undefined) throw new Error(`no form at ${url}: ${html}`);
  const hidden = [...html.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)];
  const fields = hidden.map(([, name, value]): [string, string] => [
    name!,
    value!.replaceAll(/&#(\d+);/g, (_all, code: string) => String.fromCharCode(Number(code))),
  ]);
  return [new URL(action, url).href, new URLSearchParams([...fields, ...Object.entries(answers)])];
}
