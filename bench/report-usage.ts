// Loaded before a measured program: notes the program's largest resident memory when it ends.
import { appendFileSync } from 'node:fs';

process.on('exit', () => {
  const file = process.env['USAGE_FILE'];
  if (file !== undefined) appendFileSync(file, `${Math.round(process.resourceUsage().maxRSS / 1024)}\n`);
});
