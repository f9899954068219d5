import assert from "node:assert/strict";
import { test } from "node:test";

const isLong = process.env.CHARLA_TESTS === "long";

/**
 * `test` for what is too long for every commit: it is there in the long runs (`npm run test:browser` and its like, or a file
 * named to `npm test --`), and in `npm test` it is not registered at all. A file that holds nothing else is a `*.long.test.ts`.
 */
export const long: typeof test = isLong ? test : ((() => undefined) as unknown as typeof test);

/**
 * Asserts that something took `most` ms and no longer, in the long runs alone: beside other tests on a busy machine a duration
 * says nothing. What never ends is the test's time-out to tell.
 */
export function tookAtMost(most: number, took: number, what: string): void {
	if (isLong) assert.ok(took <= most, `${what} took ${Math.round(took)} ms instead of ${most} at most`);
}
