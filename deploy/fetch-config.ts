/** What configuration is fetched from: the Parameter Store and the Secrets Manager, or a test's stand-in for them. */
export type Stores = {
	/** All parameters right below a path, by their whole names. */
	parameters(path: string): Promise<{ name: string; value: string }[]>;
	/** The text of a secret. */
	secret(arn: string): Promise<string>;
};

/** A reference within a value: `{{arn}}` is the whole secret, `{{arn#key}}` one key of a secret that is JSON. */
const reference = /\{\{(arn:aws[\w-]*:secretsmanager:[^{}#\s]+)(?:#([^{}\s]+))?\}\}/g;

/**
 * Reads the server's environment from where infra/ put it: below `path` there is one parameter for each variable, named like it, and
 * a value names its secrets by ARN. Throws with everything that is wrong at once; neither a value nor a secret is ever repeated.
 */
export async function fetchConfig(stores: Stores, path: string): Promise<Record<string, string>> {
	const parameters = await stores.parameters(path);
	const problems: string[] = [];
	if (parameters.length === 0) problems.push(`there is no parameter below ${path}. Was the stage deployed, and may this instance read it?`);

	const arns = [...new Set(parameters.flatMap(({ value }) => [...value.matchAll(reference)].map((match) => match[1] as string)))];
	const secrets = new Map<string, string>();
	await Promise.all(
		arns.map(async (arn) => {
			try {
				secrets.set(arn, await stores.secret(arn));
			} catch (error) {
				problems.push(`the secret ${arn} cannot be read: ${(error as Error).name}`);
			}
		}),
	);

	const env: Record<string, string> = {};
	for (const { name, value } of parameters) {
		const variable = name.slice(path.length).replace(/^\//, "");
		if (!/^[A-Z][A-Z0-9_]*$/.test(variable)) {
			problems.push(`${name} is not named like a variable`);
			continue;
		}
		const text = value.replace(reference, (_whole, arn: string, key?: string) => {
			const secret = secrets.get(arn);
			if (secret === undefined || key === undefined) return secret ?? "";
			const part = partOf(secret, key);
			if (part === null) problems.push(`${name} asks for ${key}, which the secret ${arn} does not have`);
			return part ?? "";
		});
		if (text.includes("{{")) problems.push(`${name} holds a reference that is not understood`);
		env[variable] = text;
	}
	if (problems.length > 0) throw new Error(`The configuration cannot be fetched:\n${problems.map((each) => `  - ${each}`).join("\n")}`);
	return env;
}

function partOf(secret: string, key: string): string | null {
	try {
		const value = (JSON.parse(secret) as Record<string, unknown>)[key];
		return typeof value === "string" || typeof value === "number" ? String(value) : null;
	} catch {
		return null;
	}
}
