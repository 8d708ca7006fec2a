/** What a person reads in the browser when a login is over. Plain text; no secret may be in it. */
export type Page = {
  readonly tone: 'good' | 'bad';
  readonly title: string;
  readonly text: string;
  /** What to do now; what stands between backticks is shown as a command. */
  readonly next: readonly string[];
};

// Everything is in the page: nothing is loaded, and no script runs.
const STYLE = `
:root { color-scheme: light dark; --ink: #1d2430; --soft: #566072; --paper: #ffffff; --desk: #eef1f6;
  --line: #dde2ea; --good: #12805c; --bad: #b3261e; --code: #f3f5f9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebf1; --soft: #a3adbd; --paper: #1c212b;
  --desk: #12151c; --line: #323947; --good: #4cc79a; --bad: #ff8a80; --code: #11151d; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.25rem; background: var(--desk);
  color: var(--ink); font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
main { width: 100%; max-width: 36rem; background: var(--paper); border: 1px solid var(--line);
  border-radius: 1rem; padding: clamp(1.5rem, 5vw, 2.75rem); box-shadow: 0 1rem 3rem rgb(0 0 0 / .08); }
svg { display: block; width: 3rem; height: 3rem; margin-bottom: 1.25rem; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; letter-spacing: -.01em; text-wrap: balance; }
p { margin: 0; color: var(--soft); overflow-wrap: anywhere; }
h2 { margin: 1.75rem 0 .5rem; padding-top: 1.25rem; border-top: 1px solid var(--line); font-size: .9rem; }
ul { margin: 0; padding: 0; list-style: none; } li + li { margin-top: .75rem; }
code { display: block; margin-top: .4rem; padding: .6rem .8rem; border-radius: .5rem; background: var(--code);
  border: 1px solid var(--line); overflow-wrap: anywhere;
  font: .875rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
footer { margin-top: 1.75rem; font-size: .8125rem; color: var(--soft); }
.good { color: var(--good); } .bad { color: var(--bad); }`;

const SIGN = { good: 'M15 25l6 6 12-13', bad: 'M24 14v13M24 33.2v.1' };

/** The page as HTML that stands alone: light or dark as the reader prefers, wide or narrow. */
export function renderPage({ tone, title, text, next }: Page): string {
  const steps = next.map((step) => `<li>${withCommands(step)}</li>`).join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)} – tap-jira</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
<svg class="${tone}" viewBox="0 0 48 48" fill="none" stroke="currentColor" stroke-width="3.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><circle cx="24" cy="24" r="21"/><path d="${SIGN[tone]}"/></svg>
<h1>${escaped(title)}</h1>
<p>${escaped(text)}</p>
<h2>What is next</h2>
<ul>
${steps}
</ul>
<footer>This page was made by tap-jira on your own machine. You can close it.</footer>
</main>
</body>
</html>
`;
}

function withCommands(step: string): string {
  return step
    .split('`')
    .map((part, i) => (i % 2 === 1 ? `<code>${escaped(part)}</code>` : escaped(part)))
    .join('');
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
