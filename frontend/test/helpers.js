// What several tests share.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

export const reference = JSON.parse(readFileSync(new URL('reference.json', import.meta.url)));

/** Equal lengths, NaN at the same places, and errors at most `tolerance` times the largest value (or 1). */
export function close(found, wanted, tolerance, what) {
  assert.equal(found.length, wanted.length, what);
  const scale = Math.max(1, ...Array.from(wanted, v => (Number.isNaN(v) ? 0 : Math.abs(v))));
  wanted.forEach((v, k) => assert.ok(Number.isNaN(v) ? Number.isNaN(found[k]) : Math.abs(found[k] - v) <= tolerance * scale, `${what}: ${found[k]} for ${v}`));
}
