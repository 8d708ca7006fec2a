import { spawn } from 'node:child_process';

/** What decides how a browser is opened: `process.platform`, and the environment. */
export type Desktop = {
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
};

/** Opens an address in the user's browser, without a shell. False if this machine has no way to do that. */
export function openBrowser(address: string, desktop: Desktop): Promise<boolean> {
  const opener = openerOf(desktop);
  if (opener === undefined) return Promise.resolve(false);
  const [command, ...args] = opener;
  return new Promise((resolve) => {
    const child = spawn(command, [...args, address], { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('spawn', () => resolve(true));
    child.unref();
  });
}

function openerOf({ platform, env }: Desktop): readonly [string, ...string[]] | undefined {
  if (platform === 'darwin') return ['open'];
  // `start` is a word of the shell, which would read the & of an address as its own.
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler'];
  // Without a screen, xdg-open would start a browser in the terminal.
  const screen = (env['DISPLAY'] ?? '') + (env['WAYLAND_DISPLAY'] ?? '');
  return screen === '' ? undefined : ['xdg-open'];
}
