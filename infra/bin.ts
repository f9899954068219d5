/**
 * The templates of one stage. Reads the environment, once; everything else is handed what it needs. Run by the CDK (`npm run synth`,
 * `npm run deploy`), and alone: `CHAT_STAGE=prod node infra/bin.ts` writes to build/cdk.out.
 */
import { fileURLToPath } from "node:url";
import { readStage, StageError } from "./config.ts";
import { buildFootprint } from "./footprint.ts";

try {
	const outdir = process.env.CDK_OUTDIR ?? fileURLToPath(new URL("../build/cdk.out", import.meta.url));
	buildFootprint(readStage(process.env), { outdir }).app.synth();
} catch (error) {
	console.error(error instanceof StageError ? error.message : error);
	process.exit(1);
}
