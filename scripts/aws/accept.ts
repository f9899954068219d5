/** `npm run synth -- --accept` ends here: takes the footprint as it is now for the one that must not be replaced. */
import { stages } from "../../infra/config.ts";
import { writeBaseline } from "../../infra/stateful.ts";
import { synthesized } from "../../infra/testing.ts";

for (const stage of stages) {
	writeBaseline(stage, synthesized(stage).templates);
	console.log(`infra/baseline/${stage}.json is what is accepted now. Look at its difference before you commit it.`);
}
