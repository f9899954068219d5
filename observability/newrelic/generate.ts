import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { conditions, policies } from "./conditions.ts";
import { dashboard } from "./dashboards.ts";
import { serviceLevels } from "./service-levels.ts";
import { asInFiles, runbookBase } from "./target.ts";

const fileOf = (name: string): string => fileURLToPath(new URL(`${name}.json`, import.meta.url));

/** What the push would send, as files: to be read, compared and imported by hand, with account 0 for the account. */
export function generated(): { file: string; content: string }[] {
	const of = (name: string, what: unknown) => ({ file: fileOf(name), content: `${asJson(what)}\n` });
	return [
		of("dashboard", dashboard(asInFiles)),
		of("alerts", { policies: policies(asInFiles), conditions: conditions(asInFiles, runbookBase) }),
		of("service-levels", serviceLevels(asInFiles)),
	];
}

/** Writes them anew; gives the names of those that changed. */
export function generate(): string[] {
	return generated().flatMap(({ file, content }) => {
		if (read(file) === content) return [];
		writeFileSync(file, content);
		return [file];
	});
}

/** The files that are not what the contract says. */
export const outdated = (): string[] => generated().flatMap(({ file, content }) => (read(file) === content ? [] : [file]));

/** As the formatter has it: a list of numbers is one line. */
const asJson = (what: unknown): string => JSON.stringify(what, null, "\t").replace(/\[\s+(\d+)\s+\]/g, "[$1]");

function read(file: string): string | null {
	try {
		return readFileSync(file, "utf8");
	} catch {
		return null;
	}
}
