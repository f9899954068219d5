import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
export const cdkOut = `${root}build/cdk.out`;

/** How the CDK is started; a test puts something else in its place. */
export type Cdk = (args: string[], env: Record<string, string | undefined>) => Promise<number>;

/** Runs the CDK of this repository on infra/, with its output where the person sees it, and gives its exit code. */
export const cdk: Cdk = (args, env) =>
	new Promise((resolve, reject) => {
		const child = spawn(process.execPath, [`${root}node_modules/aws-cdk/bin/cdk`, ...args], {
			cwd: `${root}infra`,
			stdio: "inherit",
			env: {
				...(env as NodeJS.ProcessEnv),
				CDK_DISABLE_CLI_TELEMETRY: "true",
				CDK_OUTDIR: undefined,
				// The CDK starts `node bin.ts`, and that has to be this one.
				PATH: `${root}node_modules/.bin:${env.PATH ?? "/usr/bin:/bin"}`,
			},
		});
		child.on("error", reject);
		child.on("close", (code) => resolve(code ?? 1));
	});
