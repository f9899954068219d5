import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { lobbyId } from "../../app/contract/fixed.ts";
import { type Seeded, seedContent } from "../../scripts/seed-content.ts";
import type { TestCharla } from "../support/charla.ts";
import { say } from "../support/chat.ts";
import { composer, isLive, isTooWide, line, scroller, send, wheel } from "../support/flow-b-page.ts";
import {
	eventually,
	hasReadAll,
	noProblems,
	openStage,
	roomWith,
	type Stage,
	type Visitor,
	visit,
	writePast,
} from "../support/flow-b-people.ts";
import { long } from "../support/long.ts";

let charla: TestCharla;
let stage: Stage;
let seeded: Seeded;
let empty: string;
/** A message of Ana's in the room of design. */
let mineInDesign: number;
before(async () => {
	stage = await openStage();
	charla = stage.charla;
	seeded = await seedContent(charla.chat);
	empty = (await roomWith(charla, seeded.people.Ana, [], { name: "Ideas", kind: "private" })).id;
	const { Ana, Bruno } = seeded.people;
	const design = seeded.rooms.design.id;
	const { messages } = await charla.chat.rooms.open(Ana, { roomId: design });
	const mine = messages.filter((message) => message.author.id === Ana.id);
	mineInDesign = mine[0]?.seq as number;
	await charla.chat.messages.edit(Ana, {
		roomId: design,
		clientId: crypto.randomUUID(),
		seq: mineInDesign,
		body: `${mine[0]?.body} Just a little, with \`code\` and https://example.org/a`,
	});
	const gone = await say(charla.chat, Bruno, design, "Never mind");
	await charla.chat.messages.remove(Bruno, { roomId: design, clientId: crypto.randomUUID(), seq: gone });
	await say(
		charla.chat,
		Bruno,
		design,
		"```js\n// every colour of a listing\nconst answer = /x+/.test('yes') ? 42 : null; class A extends B { get(name) { return super.get(name) + `x`; } }\n```",
	);
});
after(() => stage.close());

type State = { name: string; path: string; act?: (page: Page) => Promise<void>; as?: "nobody" };

const key = (combination: string) => async (page: Page) => {
	await isLive(page);
	await page.locator("[data-key].is-mine").last().focus();
	await page.keyboard.press(combination);
};

const command =
	(words: string, opens: "dialog" | "complementary" = "dialog") =>
	async (page: Page) => {
		await isLive(page);
		await composer(page).fill(words);
		await composer(page).press("Enter");
		await page.getByRole(opens).locator("dl, ol, p").first().waitFor();
	};

function states(): State[] {
	const lobby = `/rooms/${lobbyId}`;
	const design = `/rooms/${seeded.rooms.design.id}`;
	return [
		{ name: "first screen", path: "/", as: "nobody" },
		{
			name: "first screen, refused",
			path: "/",
			as: "nobody",
			async act(page) {
				await page.locator("input[name=name]").fill("Ana");
				await page.locator("input[name=name]").press("Enter");
				await page.getByRole("alert").waitFor();
			},
		},
		{ name: "room with unread messages", path: lobby, act: isLive },
		{ name: "code, quotes, edited, deleted", path: design, act: isLive },
		{ name: "empty room", path: `/rooms/${empty}`, act: isLive },
		{ name: "direct conversation", path: `/rooms/${seeded.rooms.direct.id}`, act: isLive },
		{ name: "members", path: `${design}?panel=members`, act: isLive },
		{ name: "about", path: `${design}?panel=about`, act: isLive },
		{ name: "help", path: `${design}?panel=help`, act: isLive },
		{ name: "actions of a message", path: design, act: key("Enter") },
		{ name: "editing", path: design, act: key("e") },
		{ name: "replying", path: design, act: key("r") },
		{
			name: "deleting",
			path: design,
			async act(page) {
				await key("Enter")(page);
				await page.getByRole("menu").waitFor();
				await page.keyboard.press("End");
				await page.keyboard.press("Enter");
				await page.getByRole("dialog").waitFor();
			},
		},
		{ name: "journey", path: design, act: command("/journey", "complementary") },
		{ name: "connection", path: design, act: command("/status") },
		{ name: "service levels", path: design, act: command("/slo") },
		{ name: "shortcuts", path: design, act: key("?") },
		{ name: "switcher", path: design, act: key("Control+k") },
		{
			name: "completion",
			path: design,
			async act(page) {
				await isLive(page);
				await composer(page).focus();
				await page.keyboard.type("/");
				await page.getByRole("listbox").waitFor();
			},
		},
		{
			name: "too long",
			path: design,
			async act(page) {
				await isLive(page);
				await composer(page).fill("x".repeat(4003));
				await page.getByRole("button", { name: /\b2 (messages|mensajes)$/ }).waitFor();
			},
		},
		{
			name: "not sent",
			path: design,
			async act(page) {
				await isLive(page);
				await composer(page).fill("/nosuch");
				// On a phone Enter begins a new line.
				await page.getByRole("button", { name: /^(Send|Enviar)$/ }).click();
				await page.locator(".pending-note.is-failed").last().waitFor();
			},
		},
		{
			name: "rooms, and my menu",
			path: "/rooms",
			async act(page) {
				await page.locator("details.me summary").click();
				await page.locator(".me-menu").waitFor();
			},
		},
		{ name: "new room", path: "/rooms/new" },
		{ name: "browse", path: "/rooms/browse" },
		{ name: "people", path: "/people" },
		{ name: "pages", path: `${design}/pages/1` },
		...["reply", "edit", "delete"].map((deed) => ({ name: `a page to ${deed}`, path: `${design}/messages/${mineInDesign}/${deed}` })),
		{ name: "not found", path: "/rooms/nowhere" },
		{
			name: "leaving with something unsent",
			path: design,
			async act(page) {
				await isLive(page);
				await composer(page).fill("Not sent yet");
				await page.goto("/rooms");
				await page.locator("[data-connection='online']").waitFor();
				await page.locator("details.me summary").click();
				await page.locator(".me-menu form[action='/leave'] button").click();
				await page.getByRole("dialog").waitFor();
			},
		},
	];
}

/** The states in which a dialog is open. */
const dialogs = ["deleting", "journey", "connection", "service levels", "shortcuts", "switcher", "leaving with something unsent"] as const;

/** Waits for what moves on the page. What is in a closed menu is at a standstill and never ends, and some go on for ever. */
async function atRest(page: Page): Promise<void> {
	await page.evaluate(async () => {
		const ends = (animation: Animation) => {
			const effect = animation.effect as KeyframeEffect | null;
			return effect?.target?.checkVisibility() && effect.getComputedTiming().endTime !== Number.POSITIVE_INFINITY;
		};
		await Promise.allSettled(
			document
				.getAnimations()
				.filter(ends)
				.map((animation) => animation.finished),
		);
	});
}

/** What axe has to say about the page as it stands, a line for each place. */
async function violations(page: Page, only?: string[]): Promise<string[]> {
	// Nothing may be half faded in while colours are measured.
	await atRest(page);
	const axe = new AxeBuilder({ page });
	if (only) axe.withRules(only);
	const { violations } = await axe.analyze();
	// A wide listing is reached by the arrow keys and then Tab, as everything in a list of one tab stop: see [73] of display.
	const isRoving = (id: string, target: unknown) =>
		id === "scrollable-region-focusable" && /^\S*pre\b/.test(String(target).split(" ").at(-1) ?? "");
	return violations.flatMap((violation) =>
		violation.nodes
			.filter((node) => !isRoving(violation.id, node.target))
			.map((node) => `${violation.id}: ${node.target.join(" ")} ${(node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? ""}`),
	);
}

/** What the theme decides, and nothing else. */
const colours = ["color-contrast", "link-in-text-block"];

type Look = { phone?: boolean; states?: readonly string[] };

/** Every state, or those named, in one language: whole in the first of the themes, by what a theme decides in the others. */
async function look(
	language: string,
	themes: ("light" | "dark" | "contrast")[],
	{ phone = false, states: names }: Look = {},
): Promise<string[]> {
	const found: string[] = [];
	// axe brings its own script, which the page's policy rightly refuses; these browsers do without the policy.
	const options = {
		language,
		bypassCSP: true,
		path: null,
		expected: [/status of (404|409|422)/],
		...(phone ? { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true } : {}),
	};
	await using ana = await visit(charla, { me: seeded.people.Ana, ...options });
	await using nobody: Visitor = await visit(charla, options);
	await nobody.context.clearCookies();
	for (const person of [ana, nobody]) await person.context.addCookies([{ name: "theme", value: themes[0] as string, url: charla.url }]);
	const looked = states().filter(({ name }) => !names || names.includes(name));
	assert.ok(looked.length > 0 && looked.length === (names?.length ?? looked.length), "a state named here is not there");
	for (const state of looked) {
		const { page } = state.as === "nobody" ? nobody : ana;
		await page.goto(state.path);
		await state.act?.(page);
		for (const theme of themes) {
			// As the switch does, which would close the menu or dialog that is looked at.
			await page.evaluate((name) => document.documentElement.setAttribute("data-theme", name), theme);
			for (const violation of await violations(page, theme === themes[0] ? undefined : colours))
				found.push(`${state.name}, ${theme}: ${violation}`);
		}
	}
	noProblems(ana, nobody);
	return [...new Set(found)];
}

test("[85][89] axe finds nothing on the first screen and in a room, in each theme", async () => {
	assert.deepEqual(await look("en", ["light", "dark", "contrast"], { states: ["first screen", "room with unread messages"] }), []);
});

long("[85][89] axe finds nothing on any page and in any state, in English, in each theme", async () => {
	assert.deepEqual(await look("en", ["light", "dark", "contrast"]), []);
});

long("[85][89] nor in Spanish on a phone, in each theme", async () => {
	assert.deepEqual(await look("es", ["dark", "light"], { phone: true }), []);
});

long("[89] placeholders and every colour of a listing have a contrast of 4.5 or more in each theme", async () => {
	for (const theme of ["light", "dark", "contrast"]) {
		await using ana = await visit(charla, { me: seeded.people.Ana, path: null });
		await ana.context.addCookies([{ name: "theme", value: theme, url: charla.url }]);
		const { page } = ana;
		await page.goto(`/rooms/${seeded.rooms.design.id}`);
		await page.locator(".hljs-keyword").first().waitFor();
		const low = await page.evaluate(() => {
			const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
			const paint = (color: string, under: number[]) => {
				canvas.fillStyle = `rgb(${under.join(" ")})`;
				canvas.fillRect(0, 0, 1, 1);
				canvas.fillStyle = color;
				canvas.fillRect(0, 0, 1, 1);
				return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
			};
			const behind = (element: Element | null): number[] =>
				element ? paint(getComputedStyle(element).backgroundColor, behind(element.parentElement)) : [255, 255, 255];
			const luminance = (rgb: number[]) => {
				const [r, g, b] = rgb.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4)) as [
					number,
					number,
					number,
				];
				return 0.2126 * r + 0.7152 * g + 0.0722 * b;
			};
			const found: string[] = [];
			let measured = 0;
			const measure = (what: string, color: string, element: Element) => {
				const ground = behind(element);
				const [a, b] = [luminance(paint(color, ground)), luminance(ground)];
				const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
				measured++;
				if (ratio < 4.5) found.push(`${what} ${ratio.toFixed(2)}`);
			};
			for (const span of document.querySelectorAll("[class^=hljs-], pre code, .body a, .name, .moment"))
				measure(span.className || span.tagName, getComputedStyle(span).color, span);
			const field = document.querySelector("textarea[name=body]") as Element;
			measure("placeholder", getComputedStyle(field, "::placeholder").color, field);
			return measured > 10 ? found : [`only ${measured} measured`];
		});
		assert.deepEqual([...new Set(low)], [], theme);
		noProblems(ana);
	}
});

long("[85] with forced colours what is chosen, unread and on its way can still be told apart", async () => {
	await using ana = await visit(charla, { me: seeded.people.Ana, path: `/rooms/${seeded.rooms.design.id}`, forcedColors: "active" });
	const { page } = ana;
	await isLive(page);
	assert.ok(await page.evaluate(() => matchMedia("(forced-colors: active)").matches));
	const current = page.locator(".room-line[aria-current=page]");
	assert.notEqual(
		await current.evaluate((link) => getComputedStyle(link).outlineStyle),
		"none",
		"the open room is marked by more than a background",
	);
	await composer(page).focus();
	const frame = await page
		.locator(".paper")
		.evaluate((paper) => [getComputedStyle(paper).outlineStyle, getComputedStyle(paper).borderTopStyle]);
	assert.ok(
		frame.some((style) => style !== "none"),
		"the field has an edge",
	);
	await send(page, "Seen in forced colours");
	const hilo = await line(page, "Seen in forced colours")
		.locator(".hilo")
		.evaluate((thread) => [
			getComputedStyle(thread.firstElementChild as Element).backgroundColor,
			getComputedStyle(thread.firstElementChild as Element, "::before").backgroundColor,
		]);
	assert.notEqual(hilo[0], hilo[1], "the thread shows how far it is filled");
	noProblems(ana);
});

long("[86] whoever wants less motion gets none", async () => {
	await using ana = await visit(charla, { me: seeded.people.Ana, path: `/rooms/${seeded.rooms.design.id}`, reducedMotion: "reduce" });
	const { page } = ana;
	await isLive(page);
	const moving = () =>
		page.evaluate(() =>
			document
				.getAnimations()
				.filter((animation) => {
					const timing = animation.effect?.getComputedTiming();
					return Number(timing?.duration ?? 0) > 20 || timing?.iterations === Infinity;
				})
				.map((animation) => (animation as CSSAnimation).animationName ?? (animation as CSSTransition).transitionProperty),
		);
	await page.getByRole("link", { name: /members$/ }).click();
	await page.getByRole("heading", { name: "Members" }).waitFor();
	assert.deepEqual(await moving(), []);
	await send(page, "Without any motion");
	assert.deepEqual(await moving(), []);
	await page.keyboard.press("Control+k");
	await page.getByRole("dialog").waitFor();
	assert.deepEqual(await moving(), []);
	await page.keyboard.press("Escape");
	const smooth = await page.evaluate(
		() => [...document.querySelectorAll("*")].filter((element) => getComputedStyle(element).scrollBehavior === "smooth").length,
	);
	assert.equal(smooth, 0);
	noProblems(ana);
});

long("[87] at 320 px, which is 400 %, and with text twice as large nothing is lost and the page may be zoomed", async () => {
	const lobby = `/rooms/${lobbyId}`;
	await using ana = await visit(charla, { me: seeded.people.Ana, path: null, viewport: { width: 320, height: 256 } });
	const { page } = ana;
	const paths = [
		lobby,
		`${lobby}?panel=members`,
		`${lobby}?panel=about`,
		"/rooms",
		"/rooms/new",
		"/rooms/browse",
		"/people",
		`${lobby}/pages/1`,
	];
	const lost: string[] = [];
	for (const path of paths) {
		await page.goto(path);
		if (await isTooWide(page)) lost.push(`${path} is too wide`);
		for (const cut of await cutOff(page)) lost.push(`${path}: ${cut}`);
	}
	assert.doesNotMatch((await page.locator("meta[name=viewport]").getAttribute("content")) ?? "", /user-scalable\s*=\s*no|maximum-scale/);
	await page.goto(lobby);
	await isLive(page);
	const reading = (await scroller(page).boundingBox())?.height ?? 0;
	assert.ok(reading >= 60, `${reading} px are left to read in a window as low as that`);
	assert.ok(await composer(page).isVisible());
	await composer(page).fill("Written at 400 %");
	await page.getByRole("button", { name: "Send" }).click();
	await line(page, "Written at 400 %").waitFor();
	// What opens over the page can be reached to its last line: by the wheel, as the keyboard's focus does.
	await line(page, "Written at 400 %").getByRole("button", { name: "More actions" }).click();
	for (const [menu, last] of [
		["[role=menu]", "[role=menuitem]:last-of-type"],
		[".me-menu", "button"],
	] as const) {
		if (menu === ".me-menu") {
			await page.keyboard.press("Escape");
			await page.goto("/rooms");
			await page.locator(".me summary").click();
		}
		const box = await page.locator(menu).boundingBox();
		assert.ok(box && box.y >= -1 && box.y + box.height <= 257, `${menu} is in the window: ${JSON.stringify(box)}`);
		const control = page.locator(`${menu} ${last}`).last();
		await control.scrollIntoViewIfNeeded();
		const at = await control.boundingBox();
		assert.ok(at && at.y >= -1 && at.y + at.height <= 257, `${menu} can be scrolled to its end: ${JSON.stringify(at)}`);
	}

	for (const size of [
		{ width: 1280, height: 800 },
		{ width: 640, height: 800 },
	]) {
		await page.setViewportSize(size);
		for (const path of [...paths, "/"]) {
			await page.goto(path);
			// As the browser's own setting of the text size does.
			await page.addStyleTag({ content: "html { font-size: 200% !important; }" }).catch(async () => {
				await page.evaluate(() => document.documentElement.style.setProperty("font-size", "200%", "important"));
			});
			if (await isTooWide(page)) lost.push(`${path} at 200 % of ${size.width} is too wide`);
			for (const cut of await cutOff(page)) lost.push(`${path} at 200 % of ${size.width}: ${cut}`);
		}
	}
	assert.deepEqual(lost, []);
	const own = ana.problems.filter((problem) => !/style-src|stylesheet|inline style/.test(problem));
	assert.deepEqual(own, []);
});

long("[87] at 320 px and with text twice as large dialogs and what is written lose nothing either", async () => {
	const lost: string[] = [];
	const wanted = [...dialogs, "actions of a message", "editing", "replying", "completion", "too long", "not sent", "a page to edit"];
	const looked = states().filter(({ name }) => (wanted as string[]).includes(name));
	assert.equal(looked.length, wanted.length);
	for (const [scale, viewport] of [
		[1, { width: 320, height: 256 }],
		[2, { width: 640, height: 512 }],
		[2, { width: 1280, height: 800 }],
	] as const) {
		await using ana = await visit(charla, { me: seeded.people.Ana, path: null, viewport, expected: [/status of (404|422)/] });
		const { page } = ana;
		// As the browser's own setting of the text size does, from the first paint on.
		await page.addInitScript((size) => {
			const set = () => document.documentElement?.style.setProperty("font-size", `${size * 100}%`, "important");
			new MutationObserver(set).observe(document, { childList: true });
			set();
		}, scale);
		for (const state of looked) {
			await page.goto(state.path);
			await state.act?.(page);
			const where = `${state.name}, ${viewport.width} px, text x ${scale}`;
			if (await isTooWide(page)) lost.push(`${where}: too wide`);
			for (const cut of await cutOff(page)) lost.push(`${where}: ${cut}`);
			// Whatever floats is within the window, and every part of it can be brought into sight there.
			const float = page.locator("dialog[open], [role=menu]:not(dialog *), [role=listbox]:not(dialog *)").last();
			if ((await float.count()) === 0) continue;
			const box = await float.boundingBox();
			const fits =
				box && box.x >= -1 && box.y >= -1 && box.x + box.width <= viewport.width + 1 && box.y + box.height <= viewport.height + 1;
			if (!fits) lost.push(`${where}: it reaches out of the window ${JSON.stringify(box)}`);
			const parts = float.locator("button, a, input, h2, h3, p, dt, dd, blockquote, [role=option], [role=menuitem]");
			for (const part of await parts.all()) {
				if (!(await part.isVisible())) continue;
				await part.scrollIntoViewIfNeeded();
				const at = await part.boundingBox();
				const isSeen = at && at.y < viewport.height && at.y + at.height > 0 && at.x >= -1 && at.x + at.width <= viewport.width + 1;
				if (!isSeen) lost.push(`${where}: ${(await part.innerText()).slice(0, 40)} cannot be brought into sight ${JSON.stringify(at)}`);
			}
		}
		noProblems(ana);
	}
	assert.deepEqual(lost, []);
});

/** Controls and texts that stick out of the window sideways, or whose text is cut without being told by an ellipsis. */
async function cutOff(page: Page): Promise<string[]> {
	// A panel that slides in is out of the window until it has arrived.
	await atRest(page);
	return page.evaluate(() => {
		const found: string[] = [];
		for (const element of document.querySelectorAll<HTMLElement>(
			"button, a, input, select, textarea, h1, h2, h3, p, dt, dd, label, legend",
		)) {
			if (
				!element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) ||
				element.closest(".hidden, .switch legend, .skip, .toasts, .glimpse, .line-actions, pre")
			)
				continue;
			const box = element.getBoundingClientRect();
			if (box.width === 0 || box.height === 0) continue;
			const name = (element.getAttribute("aria-label") ?? element.innerText ?? element.tagName).slice(0, 40);
			if (box.left < -1 || box.right > innerWidth + 1)
				found.push(`${name} reaches from ${Math.round(box.left)} to ${Math.round(box.right)} of ${innerWidth}`);
			const style = getComputedStyle(element);
			const isCut =
				element.scrollWidth > element.clientWidth + 2 &&
				style.overflowX === "hidden" &&
				style.textOverflow !== "ellipsis" &&
				element.tagName !== "INPUT";
			if (isCut && element.clientWidth > 1) found.push(`${name} is cut`);
		}
		return found;
	});
}

long("[88] targets are 24 px and more, 44 on touch, in every state, and nothing needs a pointer that hovers", async () => {
	const design = `/rooms/${seeded.rooms.design.id}`;
	for (const [least, options] of [
		[24, {}],
		[44, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }],
	] as const) {
		const expected = [/status of (404|409|422)/];
		await using ana = await visit(charla, { me: seeded.people.Ana, path: null, expected, ...options });
		await using nobody = await visit(charla, { path: null, expected, ...options });
		await nobody.context.clearCookies();
		const small: string[] = [];
		for (const state of states()) {
			const { page } = state.as === "nobody" ? nobody : ana;
			await page.goto(state.path);
			await state.act?.(page);
			for (const target of await smallTargets(page, least)) small.push(`${state.name}: ${target}`);
		}
		assert.deepEqual([...new Set(small)], [], `below ${least} px`);
		noProblems(ana, nobody);
	}
	// On touch the way to a message's actions is there without hovering.
	await using phone = await visit(charla, {
		me: seeded.people.Ana,
		path: design,
		viewport: { width: 360, height: 740 },
		hasTouch: true,
		isMobile: true,
	});
	await isLive(phone.page);
	const actions = phone.page.getByRole("button", { name: "More actions" }).last();
	assert.equal(await actions.evaluate((button) => getComputedStyle(button.parentElement as Element).opacity), "1");
	await actions.tap();
	await phone.page.getByRole("menuitem", { name: "Copy link" }).waitFor();
	noProblems(phone);
});

/**
 * Buttons, links and fields whose clickable area is below `least` in one direction. Links within a sentence may be as high as
 * its lines; a time beside a name is a second way to what the menu of the message offers, and for a finger the name of a room in
 * its head one to what the button beside it opens (exceptions of 2.5.5 and 2.5.8).
 */
async function smallTargets(page: Page, least: number): Promise<string[]> {
	return page.evaluate((least) => {
		const found: string[] = [];
		for (const element of document.querySelectorAll<HTMLElement>(
			"button, a[href], input:not([type=hidden]), select, textarea, summary, [role=option]",
		)) {
			if (
				!element.checkVisibility({ visibilityProperty: true }) ||
				element.closest(".hidden, .skip") ||
				element.matches(least > 24 ? ".body a, .moment, h1 a" : ".body a, .moment")
			)
				continue;
			const target = element.matches("input[type=checkbox], input[type=radio]") ? (element.closest("label") ?? element) : element;
			const box = target.getBoundingClientRect();
			if (box.width === 0 || box.height === 0) continue;
			if (box.width < least - 0.5 || box.height < least - 0.5)
				found.push(
					`${(element.getAttribute("aria-label") ?? element.innerText ?? element.id).trim().slice(0, 40)} (${element.className}) ${Math.round(box.width)} x ${Math.round(box.height)}`,
				);
		}
		return found;
	}, least);
}

long("[85] scrolled history keeps the roles and order it had", async () => {
	const { Ana, Bruno } = seeded.people;
	const room = await roomWith(charla, Ana, [Bruno], { name: "Long history" });
	await writePast(
		charla,
		room.id,
		Array.from({ length: 300 }, (_, at) => ({ author: at % 3 ? Ana : Bruno, body: `Line ${at}`, at: Date.now() - (300 - at) * 60_000 })),
	);
	// So that it opens at the end, with history above.
	await hasReadAll(charla, Bruno, room.id);
	await using ana = await visit(charla, { me: Bruno, path: `/rooms/${room.id}`, bypassCSP: true });
	const { page } = ana;
	await isLive(page);
	const before = await page.locator("[data-seq]").count();
	await eventually(async () => {
		await wheel(page, -3000);
		assert.ok((await page.locator("[data-seq]").count()) > before);
	});
	assert.deepEqual(await violations(page), []);
	const seqs = await page.locator("[data-seq]").evaluateAll((rows) => rows.map((row) => Number((row as HTMLElement).dataset.seq)));
	assert.deepEqual(
		seqs,
		[...seqs].sort((a, b) => a - b),
	);
	noProblems(ana);
});
