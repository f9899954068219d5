import { test } from "node:test";

/**
 * `test` for what is too long for every commit: it is there in the long runs (`npm run test:browser` and its like, or a file
 * named to `npm test --`), and in `npm test` it is not registered at all. A file that holds nothing else is a `*.long.test.ts`.
 */
export const long: typeof test = process.env.CHARLA_TESTS === "long" ? test : ((() => undefined) as unknown as typeof test);
