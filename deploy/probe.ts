/**
 * `npm run probe -- [--url http://127.0.0.1:3000] [--kept file] [--within 30]`: two people, who enter by the form, open a conversation of
 * their own and talk: what one writes is stored, reaches the other, and is seen. Ends with 0 when it did, with 1 and the reason
 * when not. Nobody else sees any of it but two names; with --kept the same two come back the next time.
 */
import { parseArgs } from "node:util";
import { probe } from "./probe/talk.ts";

const { values } = parseArgs({
	options: {
		url: { type: "string", default: `http://127.0.0.1:${process.env.PORT ?? 3000}` },
		kept: { type: "string" },
		within: { type: "string", default: "30" },
	},
});
try {
	const seconds = Number(values.within);
	if (!(seconds > 0 && seconds <= 3600)) throw new Error("--within is a number of seconds. Example: --within 30");
	if (!URL.canParse(values.url)) throw new Error("--url is an address. Example: --url http://127.0.0.1:3000");
	const { stored, delivered, seen, build } = await probe({ url: values.url.replace(/\/$/, ""), kept: values.kept, within: seconds * 1000 });
	console.log(`A message was stored in ${stored} ms, reached the other in ${delivered} ms and was seen in ${seen} ms, by build ${build}`);
	process.exit(0);
} catch (error) {
	console.error(`Two people cannot talk: ${error instanceof Error ? error.message : error}`);
	process.exit(1);
}
