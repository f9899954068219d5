import { readStage, type StageConfig, StageError, stages } from "../../infra/config.ts";

/** What was asked for on the command line: `--stage prod`, switches, and nothing that is not known. */
export type Asked = { config: StageConfig; env: Record<string, string | undefined>; switches: Set<string>; values: Map<string, string> };

/**
 * Reads the command line and the stage. `--stage` goes before CHAT_STAGE; without a region of its own a stage is built for the one AWS's
 * own settings name. Throws with every problem at once.
 */
export function ask(
	argv: readonly string[],
	env: Record<string, string | undefined>,
	known: { switches?: string[]; values?: string[] } = {},
): Asked {
	const switches = new Set<string>();
	const values = new Map<string, string>();
	const problems: string[] = [];
	for (let i = 0; i < argv.length; i++) {
		const [name = "", inline] = (argv[i] as string).split(/=(.*)/s);
		if (name.startsWith("--") && known.switches?.includes(name.slice(2)) && inline === undefined) switches.add(name.slice(2));
		else if (name.startsWith("--") && ["stage", ...(known.values ?? [])].includes(name.slice(2))) {
			const value = inline ?? argv[++i];
			if (value === undefined || value.startsWith("--")) problems.push(`${name} needs a value. Example: ${name} ${stages[0]}`);
			else values.set(name.slice(2), value);
		} else {
			const may = [
				"--stage <name>",
				...(known.values ?? []).map((each) => `--${each} <name>`),
				...(known.switches ?? []).map((each) => `--${each}`),
			];
			problems.push(`${argv[i]} is not known here. Example: ${may.join(" ")}`);
		}
	}
	const region = env.CHAT_REGION ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION;
	const whole = {
		...env,
		...(values.has("stage") ? { CHAT_STAGE: values.get("stage") } : {}),
		...(region ? { CHAT_REGION: region } : {}),
	};
	try {
		const config = readStage(whole);
		if (problems.length > 0) throw new StageError([]);
		return { config, env: whole, switches, values };
	} catch (error) {
		if (!(error instanceof StageError)) throw error;
		throw new StageError([...problems, ...error.problems]);
	}
}

/** Runs a command's main function, and says in words what is wrong. */
export function run(main: () => Promise<number>): void {
	main().then(
		(code) => {
			process.exitCode = code;
		},
		(error: unknown) => {
			console.error(error instanceof StageError ? error.message : error);
			process.exitCode = 1;
		},
	);
}
