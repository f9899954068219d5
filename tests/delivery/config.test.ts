import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { aboutInstance } from "../../deploy/about-instance.ts";
import { fetchConfig } from "../../deploy/fetch-config.ts";
import { awsStores } from "../../deploy/stores.ts";
import { openCloud } from "../../scripts/rehearse/cloud.ts";
import { runProgram } from "../../scripts/rehearse/program.ts";

const arn = (name: string) => `arn:aws:secretsmanager:eu-west-1:111122223333:secret:${name}`;
const path = "/chat/dev/env";
const secret = "canary-of-a-secret";

async function cloud(t: TestContext, parameters: Record<string, string>) {
	const secrets = { [arn("database")]: JSON.stringify({ password: secret, port: 5432 }), [arn("session")]: `${secret}-whole` };
	const here = await openCloud({
		host: "127.0.0.1",
		parameters: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [`${path}/${name}`, value])),
		secrets,
	});
	t.after(() => here.close());
	const before = { ...process.env };
	Object.assign(process.env, { AWS_ENDPOINT_URL: here.endpoint, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" });
	t.after(() => {
		for (const name of ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) {
			if (before[name] === undefined) delete process.env[name];
			else process.env[name] = before[name];
		}
	});
	return here;
}

test("every variable is fetched, over as many pages as there are, with its secrets put in", async (t) => {
	const many = Object.fromEntries(Array.from({ length: 23 }, (_, n) => [`MANY_${n}`, String(n)]));
	const here = await cloud(t, {
		...many,
		DATABASE_URL: `postgres://chat:{{${arn("database")}#password}}@db:{{${arn("database")}#port}}/chat`,
		SESSION_SECRET: `{{${arn("session")}}}`,
	});
	const env = await fetchConfig(awsStores("eu-west-1"), path);
	assert.equal(Object.keys(env).length, 25);
	assert.equal(env.DATABASE_URL, `postgres://chat:${secret}@db:5432/chat`);
	assert.equal(env.SESSION_SECRET, `${secret}-whole`);
	assert.equal(here.asked.filter((action) => action === "AmazonSSM.GetParametersByPath").length, 3);
	assert.equal(here.asked.filter((action) => action === "secretsmanager.GetSecretValue").length, 2, "each secret is asked for once");
});

test("[D5] whatever is wrong is told at once, and no secret with it", async (t) => {
	await cloud(t, {
		GONE: `{{${arn("gone")}}}`,
		KEY: `{{${arn("database")}#user}}`,
		ODD: `{{${arn("session")}#a}} {{what is this}}`,
		"lower-case": "x",
	});
	await assert.rejects(fetchConfig(awsStores("eu-west-1"), path), (error: Error) => {
		for (const part of [arn("gone"), "asks for user", "not understood", "lower-case"])
			assert.ok(error.message.includes(part), `${part} in ${error.message}`);
		assert.ok(!error.message.includes(secret));
		return true;
	});
	await assert.rejects(fetchConfig(awsStores("eu-west-1"), "/chat/other/env"), /no parameter below \/chat\/other\/env/);
});

test("with-config.ts becomes the program, with the configuration as its environment and none of it on the command line", async (t) => {
	const here = await cloud(t, { GREETING: `{{${arn("session")}}}` });
	const folder = mkdtempSync(join(tmpdir(), "charla-with-config-"));
	t.after(() => rmSync(folder, { recursive: true, force: true }));
	const program = join(folder, "program.mjs");
	writeFileSync(program, `console.log(JSON.stringify({ pid: process.pid, greeting: process.env.GREETING, args: process.argv.slice(2) }))`);
	const withConfig = fileURLToPath(new URL("../../deploy/with-config.ts", import.meta.url));
	const run = async (more: Record<string, string>, asks = true) => {
		const said = { stdout: "", stderr: "" };
		const env = {
			PATH: process.env.PATH,
			AWS_REGION: "eu-west-1",
			AWS_ENDPOINT_URL: here.endpoint,
			AWS_ACCESS_KEY_ID: "a",
			AWS_SECRET_ACCESS_KEY: "b",
			...(asks ? { CHAT_ENV_PATH: path } : {}),
			...more,
		};
		const ended = await runProgram(process.execPath, [withConfig, program, "one", "two"], {
			env,
			hear: (stream, line) => {
				said[stream] += `${line}\n`;
			},
		});
		return { ...ended, ...said };
	};
	const fetched = await run({});
	const { greeting, args } = JSON.parse(fetched.stdout) as { greeting: string; args: string[] };
	assert.deepEqual([greeting, args], [`${secret}-whole`, ["one", "two"]]);
	assert.equal(JSON.parse((await run({ GREETING: "given" }, false)).stdout).greeting, "given");
	const wrong = await run({ CHAT_ENV_PATH: "/chat/other/env" });
	assert.equal(wrong.code, 1);
	assert.match(wrong.stderr, /no parameter below/);
});

test("an instance knows its type, image, zone and account from its metadata, and its deployment from the hook; elsewhere nothing is made up", async (t) => {
	const document = {
		accountId: "123456789012",
		availabilityZone: "eu-west-1a",
		imageId: "ami-1",
		instanceType: "t3.small",
		region: "eu-west-1",
	};
	const server = createServer((request, response) => {
		if (request.method === "PUT" && request.url === "/latest/api/token") return response.end("a-token");
		const isAllowed =
			request.headers["x-aws-ec2-metadata-token"] === "a-token" && request.url === "/latest/dynamic/instance-identity/document";
		return response.writeHead(isAllowed ? 200 : 401).end(isAllowed ? JSON.stringify(document) : "");
	});
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
	const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const folder = mkdtempSync(join(tmpdir(), "charla-about-"));
	t.after(() => rmSync(folder, { recursive: true, force: true }));
	const file = join(folder, "deployment");
	writeFileSync(file, "d-ABC\n");
	assert.deepEqual(await aboutInstance(file, endpoint), {
		AWS_ACCOUNT_ID: "123456789012",
		AVAILABILITY_ZONE: "eu-west-1a",
		IMAGE_ID: "ami-1",
		INSTANCE_TYPE: "t3.small",
		DEPLOYMENT_ID: "d-ABC",
	});
	server.closeAllConnections();
	await new Promise((done) => server.close(done));
	// Not there any more, and no deployment by a hook.
	writeFileSync(file, "\n");
	assert.deepEqual(await aboutInstance(file, endpoint), {});
	assert.deepEqual(await aboutInstance(join(folder, "nothing"), endpoint), {});
});

test("the shell in the hooks is sound", () => {
	for (const name of ["stop", "move-people", "before-install", "after-install", "start", "validate", "after-allow-traffic"]) {
		const file = fileURLToPath(new URL(`../../deploy/hooks/${name}.sh`, import.meta.url));
		assert.equal(spawnSync("bash", ["-n", file]).status, 0, name);
	}
});

describe("hooks keep within their time", () => {
	const root = new URL("../../", import.meta.url);
	const hook = (name: string) => readFileSync(new URL(`deploy/hooks/${name}.sh`, root), "utf8");
	const { hooks, files } = parse(readFileSync(new URL("appspec.yml", root), "utf8")) as {
		hooks: Record<string, { location: string; timeout: number }[]>;
		files: { source: string; destination: string }[];
	};
	const allowed = (name: string) =>
		Object.values(hooks)
			.flat()
			.find(({ location }) => location.endsWith(`/${name}.sh`))?.timeout as number;
	/** What every `timeout` of a script may take, added up. */
	const patience = (text: string) =>
		Array.from(
			text.matchAll(/\btimeout (?:--kill-after=(\d+) )?(\d+) /g),
			([, more = "0", seconds]) => Number(more) + Number(seconds),
		).reduce((sum, each) => sum + each, 0);

	test("[D3] a stop is over before CodeDeploy's patience, and not before the server's own", () => {
		const unit = Number(/^TimeoutStopSec=(\d+)$/m.exec(readFileSync(new URL("deploy/chat.service", root), "utf8"))?.[1]);
		assert.ok(patience(hook("stop")) < allowed("stop"), `${patience(hook("stop"))} s of ${allowed("stop")}`);
		assert.ok(Number(/timeout --kill-after=5 (\d+) systemctl stop chat\.service/.exec(hook("stop"))?.[1]) > unit);
	});

	test("[D3] a start says what is wrong before CodeDeploy ends it", () => {
		const until = Number(/while \[ "\$SECONDS" -lt (\d+) \]/.exec(hook("start"))?.[1]);
		const attempt = Number(/timeout (\d+) \.\/current\/bin\/node/.exec(hook("start"))?.[1]);
		assert.ok(until + attempt + 10 < allowed("start"), `${until} and ${attempt} s of ${allowed("start")}`);
	});

	test("[D6] what asks people to move is called off by name when the server stops", () => {
		const named =
			/for seconds in ([\d ]+);/
				.exec(hook("move-people"))?.[1]
				?.split(" ")
				.map((seconds) => `chat-move-${seconds}.timer`) ?? [];
		assert.equal(named.length, 2);
		assert.match(hook("move-people"), /--unit="chat-move-\$seconds"/);
		const stopped = /systemctl stop (chat-move-.*?) 2>/.exec(hook("stop"))?.[1]?.split(" ");
		assert.deepEqual(stopped, named);
	});

	test("logs are rotated by size within the hour: the timer's hours are installed, and it is enabled", () => {
		const installed = files.find(({ source }) => source === "deploy/logrotate/hourly.conf");
		assert.equal(installed?.destination, "/etc/systemd/system/logrotate.timer.d");
		// The first clears what the distribution says.
		assert.deepEqual(readFileSync(new URL(installed?.source ?? "", root), "utf8").match(/^OnCalendar=.*/gm), [
			"OnCalendar=",
			"OnCalendar=hourly",
		]);
		assert.match(readFileSync(new URL("deploy/logrotate/chat", root), "utf8"), /^\tmaxsize 100M$/m);
		assert.match(
			hook("after-install"),
			/systemctl daemon-reload\nsystemctl enable --quiet logrotate\.timer && systemctl restart logrotate\.timer \|\|/,
		);
	});
});
