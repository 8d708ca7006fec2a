import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

type Reply = {
  readonly id?: number;
  readonly result?: object;
  readonly error?: { readonly message: string };
};

// Nothing outside this machine is asked for.
const FLAGS = [
  '--headless=new',
  '--no-sandbox', // as root in a container
  '--no-first-run',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--hide-scrollbars',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
  '--remote-debugging-pipe',
];

/** A real browser without a window, driven over a pipe. */
export class Chromium {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #id = 0;

  private constructor(child: ChildProcess, profile: string) {
    this.#child = child;
    this.#profile = profile;
    let rest = '';
    (child.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => {
      const messages = (rest + text).split('\0');
      rest = messages.pop()!;
      for (const message of messages) this.#receive(JSON.parse(message) as Reply);
    });
  }

  static async open(binary: string): Promise<Chromium> {
    const profile = await mkdtemp(join(tmpdir(), 'chromium-'));
    const child = spawn(binary, [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      env: { ...process.env, HOME: profile },
    });
    await once(child, 'spawn');
    return new Chromium(child, profile);
  }

  #receive(reply: Reply): void {
    this.#waiting.get(reply.id ?? -1)?.(reply);
    this.#waiting.delete(reply.id ?? -1);
  }

  async send<T>(method: string, params: object = {}, sessionId?: string): Promise<T> {
    const id = ++this.#id;
    const reply = new Promise<Reply>((resolve) => this.#waiting.set(id, resolve));
    (this.#child.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { result, error } = await reply;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result as T;
  }

  /** A new tab with cookies of its own. */
  async newPage(): Promise<BrowserPage> {
    const { browserContextId } = await this.send<{ browserContextId: string }>('Target.createBrowserContext');
    const target = { url: 'about:blank', browserContextId };
    const { targetId } = await this.send<{ targetId: string }>('Target.createTarget', target);
    const attach = { targetId, flatten: true };
    const { sessionId } = await this.send<{ sessionId: string }>('Target.attachToTarget', attach);
    return new BrowserPage((method, params) => this.send(method, params, sessionId));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    await Promise.race([this.send('Browser.close').catch(() => undefined), ended, sleep(5000)]);
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await ended;
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

export type View = { readonly width: number; readonly height: number; readonly scheme: 'light' | 'dark' };

/** A tab: goes to addresses, clicks and types as a person does, by mouse and keyboard. */
export class BrowserPage {
  readonly #send: <T>(method: string, params?: object) => Promise<T>;

  constructor(send: <T>(method: string, params?: object) => Promise<T>) {
    this.#send = send;
  }

  async goTo(url: string): Promise<void> {
    await this.#send('Page.navigate', { url });
  }

  async evaluate<T>(expression: string): Promise<T> {
    const { result } = await this.#send<{ result: { value: T } }>('Runtime.evaluate', {
      expression,
      returnByValue: true,
    });
    return result.value;
  }

  /** The value of an expression once it is one; pages come and go meanwhile. */
  async until<T>(expression: string): Promise<T> {
    for (let tries = 0; tries < 200; tries++) {
      const value = await this.evaluate<T>(`document.readyState === 'complete' && (${expression})`).catch(
        () => undefined,
      );
      if (value !== undefined && value !== null && value !== false && value !== '') return value;
      await sleep(50);
    }
    throw new Error(`the browser never came to ${expression}; it shows: ${await this.text()}`);
  }

  text(): Promise<string> {
    return this.evaluate<string>('document.body.innerText');
  }

  async click(selector: string): Promise<void> {
    const element = `document.querySelector(${JSON.stringify(selector)})`;
    const { x, y } = await this.until<{ x: number; y: number }>(
      `${element} && (({ x, y, width, height }) => ({ x: x + width / 2, y: y + height / 2 }))(${element}.getBoundingClientRect())`,
    );
    for (const type of ['mousePressed', 'mouseReleased'])
      await this.#send('Input.dispatchMouseEvent', { type, x, y, button: 'left', clickCount: 1 });
  }

  async type(selector: string, text: string): Promise<void> {
    await this.click(selector);
    await this.#send('Input.insertText', { text });
  }

  async look({ width, height, scheme }: View): Promise<void> {
    await this.#send('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor: width < 500 ? 2 : 1,
      mobile: width < 500,
    });
    const features = [{ name: 'prefers-color-scheme', value: scheme }];
    await this.#send('Emulation.setEmulatedMedia', { features });
  }

  async screenshot(path: string): Promise<void> {
    const { data } = await this.#send<{ data: string }>('Page.captureScreenshot', { format: 'png' });
    await writeFile(path, Buffer.from(data, 'base64'));
  }
}
