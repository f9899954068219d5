import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { findChromium } from "../../scripts/find-chromium.ts";

const flags = [
	"--headless",
	"--no-sandbox",
	"--disable-gpu",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
	// A small /dev/shm, as containers have it, crashes pages otherwise.
	"--disable-dev-shm-usage",
];
/** How often is looked whether anybody still has a page open, ms. */
const IDLE_CHECK = 500;

let shared: Promise<Browser> | null = null;
let idleChecks = 0;
/** Contexts being opened: on a busy machine that takes longer than the watch waits. */
let opening = 0;

/**
 * The one Chromium of this process. It closes by itself once nobody has had a page open for a second, so that a test file
 * ends when its tests do, and starts again when asked for. Throws where there is no Chromium.
 */
export function openBrowser(): Promise<Browser> {
	idleChecks = 0;
	shared ??= launch();
	return shared;
}

async function launch(): Promise<Browser> {
	const executablePath = findChromium();
	if (!executablePath) throw new Error("There is no Chromium here: npm test brings it, or set CHROMIUM_PATH.");
	// "--headless" is among our flags; playwright's own would ask for its own build.
	// Its socket lies in TMPDIR, and a path of more than about sixty characters aborts it.
	const browser = await chromium.launch({ executablePath, args: flags, timeout: 60_000, env: { ...process.env, TMPDIR: "/tmp" } });
	const watch = setInterval(() => {
		idleChecks = browser.contexts().length > 0 || opening > 0 ? 0 : idleChecks + 1;
		if (idleChecks > 1) void browser.close();
	}, IDLE_CHECK);
	// The browser keeps this process alive; its watch must not.
	watch.unref();
	const mine = shared;
	browser.on("disconnected", () => {
		clearInterval(watch);
		if (shared === mine) shared = null;
	});
	return browser;
}

/** Closes it now: whoever is at the end of a file need not wait for the watch. */
export async function closeBrowser(): Promise<void> {
	await (await shared)?.close();
}

export type PersonOptions = Omit<BrowserContextOptions, "locale" | "colorScheme" | "javaScriptEnabled" | "timezoneId"> & {
	/** Nickname to enter with. */
	name: string;
	/** What the browser asks pages for: "es", "en-GB" ... English when not given. */
	language?: string;
	/** What the system prefers; light when not given. */
	theme?: "light" | "dark";
	/** False: as with scripts switched off. */
	javaScript?: boolean;
	/** IANA name of the time zone; that of the machine when not given. */
	timezone?: string;
	/** False: the first page is left open and nobody enters. */
	enter?: boolean;
	/** That page, for who need not enter; the first screen when not given. */
	at?: string;
	/** Messages that are no problem here, where a test provokes them: compared with each whole line of `problems`. */
	expected?: RegExp[];
};

/** Somebody with a browser of their own. `problems` gathers what went wrong in any page of theirs, a line each. */
export type NewPerson = AsyncDisposable & {
	name: string;
	context: BrowserContext;
	page: Page;
	problems: string[];
	close(): Promise<void>;
};

/**
 * Opens the first screen at `baseUrl` in a context of its own, enters under the name, and answers once the first room is
 * shown: `await using ana = await newPerson(url, { name: "Ana" })`. Scripts that fail, errors on the console and whatever
 * the content security policy refused end up in `problems`. Throws, with what the page shows, when entering fails.
 */
export async function newPerson(baseUrl: string, options: PersonOptions): Promise<NewPerson> {
	const { name, language = "en", theme = "light", javaScript = true, timezone, enter = true, at = "/", expected = [], ...others } = options;
	opening++;
	const context = await openContext({
		viewport: { width: 1280, height: 800 },
		...others,
		baseURL: baseUrl,
		locale: language,
		colorScheme: theme,
		javaScriptEnabled: javaScript,
		...(timezone === undefined ? {} : { timezoneId: timezone }),
	}).finally(() => {
		opening--;
	});
	try {
		const problems = await gatherProblems(context, expected);
		const page = await context.newPage();
		await page.goto(at);
		if (enter) await enterAs(page, name, problems);
		const close = () => context.close();
		return { name, context, page, problems, close, [Symbol.asyncDispose]: close };
	} catch (error) {
		await context.close();
		throw error;
	}
}

async function openContext(options: BrowserContextOptions): Promise<BrowserContext> {
	const browser = await openBrowser();
	return browser.newContext(options);
}

/** A session, given as a browser sends it (`name=value`), as a context is given it. */
export function cookieFor(session: string) {
	const at = session.indexOf("=");
	const [name, value] = [session.slice(0, at), session.slice(at + 1)];
	return { name, value, domain: "127.0.0.1", path: "/", httpOnly: true, sameSite: "Lax" as const, expires: -1, secure: false };
}

/** Fills in the first screen and sends it; ends in a room. */
export async function enterAs(page: Page, name: string, problems: string[] = []): Promise<void> {
	const form = page.locator("form", { has: page.locator('input[name="name"]') });
	await form.locator('input[name="name"]').fill(name);
	await form.locator('button[type="submit"], button:not([type]), input[type="submit"]').first().click();
	try {
		await page.waitForURL(/\/rooms\/[^/]+/);
	} catch (error) {
		const shown = await page
			.locator("body")
			.ariaSnapshot()
			.catch(() => "(nothing to be read)");
		throw new Error(`${name} did not get into a room. ${page.url()} shows:\n${shown}\n${problems.join("\n")}`, { cause: error });
	}
}

async function gatherProblems(context: BrowserContext, expected: RegExp[]): Promise<string[]> {
	const problems: string[] = [];
	const add = (line: string) => {
		if (!expected.some((pattern) => pattern.test(line))) problems.push(line);
	};
	context.on("console", (message) => {
		if (message.type() === "error") add(`console: ${message.text()} (${message.location().url})`);
	});
	context.on("weberror", (webError) => add(`page error: ${webError.error().stack ?? webError.error().message}`));
	// The console tells most refusals too, but in words that change with each Chromium.
	await context.exposeBinding("charlaRefusedByPolicy", (_source, line: string) => add(`content security policy: ${line}`));
	await context.addInitScript(() => {
		document.addEventListener("securitypolicyviolation", (violation) => {
			const tell = (window as unknown as { charlaRefusedByPolicy: (line: string) => void }).charlaRefusedByPolicy;
			tell(`${violation.effectiveDirective} refused ${violation.blockedURI} ${violation.sample}`);
		});
	});
	return problems;
}
