import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { type NewPerson, newPerson } from "../support/browser.ts";
import { fixedPort, freshDataDir, startServer, untilReady } from "../support/crash-charla.ts";
import { freshDatabase } from "../support/database.ts";
import { away, composer, hurry, isAlive, line, reached, say, until } from "../support/flow-a-people.ts";
import { versionBefore } from "../support/version-before.ts";

const own = fileURLToPath(new URL("../../", import.meta.url));
/** So long a page is watched that must not load itself anew, ms. */
const watched = 3000;

/** The same sources as another build: what a page compares is a hash of this file. */
function otherBuild(): string {
	const folder = mkdtempSync(join(tmpdir(), "charla-other-build-"));
	for (const entry of readdirSync(own)) if (entry !== "build" && !entry.startsWith(".")) symlinkSync(join(own, entry), join(folder, entry));
	cpSync(join(own, "build"), join(folder, "build"), { recursive: true });
	const file = join(folder, "build/server/index.js");
	writeFileSync(file, `${readFileSync(file, "utf8")}\n// another build\n`);
	return folder;
}

/** What the browser and Remix say of a file that only the version before had. */
const gone = [/404/, /Failed to fetch dynamically imported module/, /Error loading route module/];

const toast = (page: Page, words: string | RegExp) => page.getByRole("status").getByText(words);
const mark = (page: Page) => page.evaluate(() => void Object.assign(window, { notReloaded: true }));
const isMarked = (page: Page) => page.evaluate(() => "notReloaded" in window);

test("[I19] a server of another version comes up behind the same address: pages of the one before go on, say so in their language, and reload with their drafts when told to, never by themselves", async (t) => {
	const before = versionBefore((text) => t.diagnostic(text));
	t.diagnostic(
		"root" in before ? `the version before is ${before.commit}` : `the version before is another build of the same sources: ${before.why}`,
	);
	const older = "root" in before ? before.root : otherBuild();
	if (!("root" in before)) t.after(() => rmSync(older, { recursive: true, force: true }));
	await using database = await freshDatabase();
	const folder = freshDataDir();
	const port = await fixedPort();
	const url = `http://127.0.0.1:${port}`;
	async function start(root?: string) {
		const env = {
			DATABASE_URL: database.url,
			DATA_DIR: folder.dataDir,
			PORT: String(port),
			SESSION_SECRET: "a secret of at least thirty-two characters",
			DRAIN_SECONDS: "0",
			RATE_LIMITS: "off",
		};
		const server = startServer(env, { root });
		await untilReady(url, server);
		return async () => {
			server.child.kill("SIGTERM");
			await server.ended;
		};
	}
	let stop = await start(older);
	t.after(() => stop().then(folder.remove));
	const enter = async (name: string, language: string): Promise<NewPerson> => {
		const person = await newPerson(url, { name, language, expected: [...away, ...gone] });
		t.after(() => person.close());
		hurry(person);
		await isAlive(person.page);
		return person;
	};
	const [ana, elena, bruno] = [await enter("Ana", "en"), await enter("Elena", "es"), await enter("Bruno", "en")];
	await say(ana.page, "Said on the version before");
	await line(elena.page, "Said on the version before").waitFor();
	await composer(ana.page).pressSequentially("Half a thou");
	// An answer that has been begun.
	await line(elena.page, "Said on the version before").hover();
	await line(elena.page, "Said on the version before").getByRole("button", { name: "Responder" }).click();
	await elena.page.getByText("Respondes a Ana").waitFor();
	await composer(elena.page).pressSequentially("Una respuesta a med");
	await Promise.all([ana, elena, bruno].map(({ page }) => mark(page)));

	await stop();
	stop = await start();
	await toast(ana.page, "There is a newer Charla. Your drafts stay.").waitFor();
	await toast(elena.page, /^Hay una (versión nueva de Charla|Charla más nueva)\. Tus borradores se quedan\.$/).waitFor();
	await toast(bruno.page, "There is a newer Charla. Your drafts stay.").waitFor();

	// The page of before goes on, with what was begun in it.
	await say(bruno.page, "From a page of the version before");
	await reached(bruno.page, "From a page of the version before", /^(Stored|Delivered|Seen)/);
	for (const { page } of [ana, elena]) await line(page, "From a page of the version before").waitFor();
	await bruno.page.getByRole("button", { name: "Later" }).click();
	await toast(bruno.page, "There is a newer Charla").waitFor({ state: "detached" });
	await sleep(watched);
	for (const { page, name } of [ana, elena, bruno]) assert.ok(await isMarked(page), `the page of ${name} loaded itself anew`);
	assert.equal(await composer(ana.page).inputValue(), "Half a thou");
	assert.equal(await composer(elena.page).inputValue(), "Una respuesta a med");
	await elena.page.getByText("Respondes a Ana").waitFor();

	await ana.page.getByRole("button", { name: "Reload" }).click();
	await elena.page.getByRole("button", { name: "Recargar" }).click();
	for (const [{ page, name }, draft] of [
		[ana, "Half a thou"],
		[elena, "Una respuesta a med"],
	] as const) {
		await until(async () => !(await isMarked(page).catch(() => true)), `the page of ${name} is a new one`);
		await isAlive(page);
		await until(async () => (await composer(page).inputValue()) === draft, `the draft of ${name} is there`);
		assert.equal(await toast(page, /There is a newer Charla|Hay una versión nueva de Charla/).count(), 0, "it is the newer one now");
	}
	await composer(ana.page).press("End");
	await ana.page.keyboard.type("ght");
	await ana.page.keyboard.press("Enter");
	await line(elena.page, "Half a thought").waitFor();
	await line(bruno.page, "Half a thought").waitFor();
	// Who goes on with the page of before to a part of it that the server no longer has is given the newer page; the draft stays.
	await composer(bruno.page).pressSequentially("Not yet");
	const room = bruno.page.url();
	const isThere = bruno.page.getByRole("heading", { name: "Rooms you can join" });
	await bruno.page.getByRole("link", { name: "Browse rooms" }).click();
	await until(async () => (await isThere.isVisible()) || !(await isMarked(bruno.page).catch(() => true)), "the page answers the click");
	if (!(await isThere.isVisible())) {
		await isAlive(bruno.page);
		await bruno.page.getByRole("link", { name: "Browse rooms" }).click();
		await isThere.waitFor();
	}
	await bruno.page.goto(room);
	await isAlive(bruno.page);
	await until(async () => (await composer(bruno.page).inputValue()) === "Not yet", "the draft of Bruno is there");
	for (const { problems, name } of [ana, elena, bruno]) assert.deepEqual(problems, [], `${name} met problems`);
});
