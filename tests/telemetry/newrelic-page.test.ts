import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { newPerson } from "../support/browser.ts";
import { freshDatabase } from "../support/database.ts";
import { type ExportingServer, eventually, startExporting } from "../support/exporting-server.ts";
import { long } from "../support/long.ts";
import { startCollector } from "../support/newrelic-collector.ts";
import { startOtlpReceiver } from "../support/otlp-receiver.ts";

const licenseKey = "0123456789abcdef0123456789abcdef01234567";
const beacon = "bam.eu01.nr-data.net";
const rest = "https://js-agent.newrelic.com/nr-stand-in.min.js";

/** What the loader New Relic hands out does, as far as a page and its policy notice: its own settings, and the rest of itself after the load. */
const loader = `;window.NREUM||(NREUM={});NREUM.init={privacy:{cookies_enabled:true},session_replay:{enabled:true},session:{expiresMs:7}};
(function(){var nonce=document.currentScript.nonce;addEventListener("load",function(){
	var script=document.createElement("script");script.setAttribute("nonce",nonce);script.src=${JSON.stringify(rest)};document.head.appendChild(script);
});"</script><!--"})();`;

/** Of an account with a browser application. */
const browserSettings = {
	application_id: "1588819526",
	browser_key: "NRJS-0123456789abcdef012",
	beacon,
	error_beacon: beacon,
	js_agent_file: "",
	js_agent_loader: loader,
	"browser_monitoring.loader": "rum",
};

/** A server whose agent has connected to New Relic. */
async function scene(t: TestContext, handedOut: Record<string, unknown>, env: Record<string, string>): Promise<ExportingServer> {
	const collector = await startCollector("well", handedOut);
	const receiver = await startOtlpReceiver();
	const database = await freshDatabase();
	t.after(async () => {
		await database[Symbol.asyncDispose]();
		await receiver.close();
		await collector.close();
	});
	const server = await startExporting(t, {
		receiver,
		databaseUrl: database.url,
		env: { ...collector.env, NEW_RELIC_LICENSE_KEY: licenseKey, ...env },
	});
	await collector.called("agent_settings");
	return server;
}

async function pageAt(server: ExportingServer, path = "/") {
	const answer = await fetch(`${server.url}${path}`);
	const policy = answer.headers.get("content-security-policy") ?? "";
	const html = await answer.text();
	const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] as string;
	const connects = /connect-src ([^;]*)/.exec(policy)?.[1];
	/** The agent's element: its nonce as the HTML has it, and its text. */
	const [, attributes = "", text = ""] = /<script([^>]*)>((?:(?!<\/script>)[\s\S])*NREUM[\s\S]*?)<\/script>/.exec(html) ?? [];
	return { html, policy, nonce, connects, agent: text === "" ? null : { attributes, text } };
}

for (const mode of ["split", "bridge"])
	test(`the page carries New Relic's browser agent with its nonce, and the policy lets it report there and nowhere else (${mode})`, async (t) => {
		const server = await scene(t, browserSettings, { NEW_RELIC_BROWSER: "on", TELEMETRY: mode });
		let page = await pageAt(server);
		for (const end = Date.now() + 60_000; !page.agent && Date.now() < end; ) page = await pageAt(server);
		assert.ok(page.agent, "the agent is in the page once it has connected");
		assert.ok(page.agent.attributes.includes(`nonce="${page.nonce}"`), page.agent.attributes);
		assert.equal(page.connects, `'self' ws://${new URL(server.url).host} https://${beacon}`);
		assert.ok(page.policy.includes("require-trusted-types-for 'script'; trusted-types charla-html default;"));
		assert.ok(page.policy.includes(`script-src 'nonce-${page.nonce}' 'strict-dynamic';`));
		const info = JSON.parse(/NREUM\.info = (\{.*?\});/.exec(page.agent.text)?.[1] as string) as Record<string, unknown>;
		assert.deepEqual(info, {
			agent: "",
			beacon,
			errorBeacon: beacon,
			licenseKey: browserSettings.browser_key,
			applicationID: browserSettings.application_id,
		});
		assert.ok(!page.html.includes(licenseKey), "the key of the server stays there");
		assert.ok(page.html.indexOf(page.agent.text) < page.html.indexOf("</head>"));
		// Each answer has a nonce of its own, and so has the agent in it.
		const again = await pageAt(server);
		assert.notEqual(again.nonce, page.nonce);
		assert.ok(again.agent?.attributes.includes(`nonce="${again.nonce}"`));
		// An address that is a secret is not told.
		const owner = await pageAt(server, "/owner/0123456789abcdef");
		assert.equal(owner.agent, null);
		assert.equal(owner.connects, `'self' ws://${new URL(server.url).host}`);
	});

test("without being asked for, no page carries it, whatever New Relic hands out", async (t) => {
	const server = await scene(t, browserSettings, { TELEMETRY: "split" });
	const page = await pageAt(server);
	assert.equal(page.agent, null);
	assert.equal(page.connects, `'self' ws://${new URL(server.url).host}`);
});

test("where New Relic hands nothing out the page goes without, and the log says so once", async (t) => {
	const server = await scene(t, {}, { NEW_RELIC_BROWSER: "on", TELEMETRY: "split" });
	const told = () => server.lines().filter((line) => /handed out no settings for browsers/.test(String(line.detail)));
	await eventually(
		() => told().length > 0,
		() => "a line that says so",
	);
	for (let i = 0; i < 3; i++) {
		const page = await pageAt(server);
		assert.equal(page.agent, null);
		assert.ok(!page.html.includes("NREUM"));
		assert.equal(page.connects, `'self' ws://${new URL(server.url).host}`);
	}
	await server.stop();
	assert.equal(told().length, 1);
	assert.equal(told()[0]?.signal, "agent");
});

long("in a browser it loads the rest of itself and reports, with our settings; the page comes to life as without it", async (t) => {
	const server = await scene(t, browserSettings, { NEW_RELIC_BROWSER: "on", TELEMETRY: "split" });
	for (const end = Date.now() + 60_000; !(await pageAt(server)).agent && Date.now() < end; );
	// The very first page comes before its network is ours.
	const expected = [/^console: Failed to load resource: net::ERR_NAME_NOT_RESOLVED \(https:\/\/js-agent\.newrelic\.com\//];
	await using ana = await newPerson(server.url, { name: "Ana", enter: false, expected });
	const reported: string[] = [];
	const asked: string[] = [];
	await ana.context.route(/^https:/, (route) => {
		asked.push(route.request().url());
		const { hostname } = new URL(route.request().url());
		if (hostname === "js-agent.newrelic.com")
			return route.fulfill({
				contentType: "text/javascript",
				body: `fetch("https://"+NREUM.info.beacon+"/1/"+NREUM.info.licenseKey,{method:"POST",body:JSON.stringify(NREUM.init)});`,
			});
		if (hostname === beacon) reported.push(route.request().postData() ?? "");
		return route.fulfill({ status: 200, headers: { "access-control-allow-origin": "*" }, body: "{}" });
	});
	await ana.page.goto("/");
	await ana.page.getByRole("textbox").first().fill("Ana");
	await ana.page.getByRole("textbox").first().press("Enter");
	await ana.page.waitForURL(/\/rooms\//);
	const composer = ana.page.locator("textarea").first();
	await composer.fill("hello from a page that is watched");
	await composer.press("Enter");
	await ana.page.locator(".body", { hasText: "hello from a page that is watched" }).waitFor();
	await ana.page.reload();
	await ana.page.locator(".body", { hasText: "hello from a page that is watched" }).waitFor();
	await eventually(
		() => reported.length >= 2,
		() => `reports of the agent; asked for were ${asked.join(", ")}; ${ana.problems.join("\n")}`,
	);
	const init = JSON.parse(reported[0] as string) as Record<string, { enabled?: boolean; cookies_enabled?: boolean; expiresMs?: number }>;
	assert.equal(init.privacy?.cookies_enabled, false, "whatever New Relic's own settings say");
	for (const part of ["session_replay", "session_trace", "jserrors", "ajax", "user_actions", "logging", "soft_navigations"])
		assert.equal(init[part]?.enabled, false, part);
	assert.equal(init.session?.expiresMs, 7, "what else they say stands");
	assert.deepEqual([...new Set(asked.map((url) => new URL(url).origin))].sort(), [
		"https://bam.eu01.nr-data.net",
		"https://js-agent.newrelic.com",
	]);
	// Alive: what React knows is on the page, and one default policy that takes scripts from these two places alone.
	const trusted = await ana.page.evaluate(
		(urls) => {
			const { defaultPolicy } = (
				window as unknown as { trustedTypes: { defaultPolicy: Record<string, (text: string) => { toString(): string }> } }
			).trustedTypes;
			return [...urls.map((url) => String(defaultPolicy.createScriptURL?.(url))), String(defaultPolicy.createHTML?.("<img src=x>"))];
		},
		["/assets/x.js", rest, "https://evil.example/x.js"],
	);
	assert.deepEqual(trusted, ["/assets/x.js", rest, "", ""]);
	assert.deepEqual(ana.problems, []);
});
