import { after, before, test } from "node:test";
import { bringProgram, type Program } from "./debian-package.ts";

/**
 * `test`, `before` and `after` of a file, or of a part of it, that needs programs which are not of npm. Where one cannot be had, its tests
 * are skipped and the run says why; where `CI` is set they fail instead: what a build leaves out nobody would notice.
 */
export async function withPrograms(...programs: Program[]): Promise<{ test: typeof test; before: typeof before; after: typeof after }> {
	try {
		for (const program of programs) await bringProgram(program);
		return { test, before, after };
	} catch (error) {
		if (process.env.CI) throw error;
		const skip = (error as Error).message;
		const skipped = (name: string) => test(name, { skip });
		const nothing = () => undefined;
		return { test: skipped as typeof test, before: nothing, after: nothing };
	}
}
