// The library and the page hold what their JSDoc says.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

const here = fileURLToPath(new URL('.', import.meta.url));

test('examples/call passes the strict type check', { timeout: 120_000 }, async () => {
  const tsc = fileURLToPath(new URL('node_modules/typescript/bin/tsc', import.meta.url));
  const [failed, output] = await new Promise((resolve) => {
    execFile(process.execPath, [tsc, '--project', here], (error, stdout) =>
      resolve([error, stdout]),
    );
  });
  assert.equal(failed, null, output);
});
