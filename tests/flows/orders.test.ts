import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import type { Locator, Page } from "playwright-core";
import { smallCatalogue } from "../../lambdas/shop/catalogue.ts";
import { composer, openFlow, say, type Talker } from "../support/flow-a-people.ts";
import { isTooWide } from "../support/flow-b-page.ts";
import { long } from "../support/long.ts";

const flow = openFlow();

const card = (page: Page, name: string): Locator => page.locator(".order").filter({ hasText: name });
const isNow = (page: Page, name: string, state: string) =>
	card(page, name).locator(".order-state").getByText(state, { exact: true }).waitFor();
const pair = async (...given: Parameters<typeof flow.talk>) => {
	await flow.charla.shop.put(smallCatalogue);
	const { room, people } = await flow.talk(...given);
	return { room, ana: people[0] as Talker, bruno: people[1] as Talker };
};

test("[O9][O10] one orders, the other sees the card and approves it, and both see what became of it without a reload", async (t) => {
	const { ana, bruno } = await pair(t, ["Ana", "Bruno"]);
	await say(bruno.page, "/cart add 123456 789012*2");
	for (const { page } of [ana, bruno]) {
		await isNow(page, bruno.name, "Waiting");
		assert.deepEqual(
			await card(page, bruno.name)
				.locator(".order-lines li")
				.allInnerTexts()
				.then((all) => all.map((text) => text.replace(/\s+/g, " "))),
			["1 × Cuaderno A5 de puntos 123456 €4.50", "2 × Lápiz de grafito 2B 789012 €2.40"],
		);
		assert.match(await card(page, bruno.name).innerText(), /Total\s+€6\.90/);
	}
	assert.equal(await composer(bruno.page).inputValue(), "", "the command is done, and nobody's message");
	assert.equal(await bruno.page.locator("[data-key].is-mine").count(), 0);
	assert.deepEqual(await card(bruno.page, bruno.name).getByRole("button").allInnerTexts(), ["Withdraw"]);
	await card(ana.page, bruno.name).getByRole("button", { name: "Approve" }).click();
	await isNow(bruno.page, bruno.name, "Approved");
	await isNow(ana.page, bruno.name, "Approved");
	assert.equal(await card(ana.page, bruno.name).getByRole("button").count(), 0, "nothing is left to decide");
	await card(bruno.page, bruno.name).getByText("What happened to it").click();
	assert.match(
		await card(bruno.page, bruno.name).locator("ol").innerText(),
		new RegExp(`Ordered by ${bruno.name},.*\\n?.*Approved by ${ana.name},`, "s"),
	);
	// After a reload it is the same card.
	await bruno.page.reload();
	await isNow(bruno.page, bruno.name, "Approved");
});

long("[O9] where the card's script does not come, the order stands there in words, and the room goes on", async (t) => {
	const { ana, bruno } = await pair(t, ["Ana", "Bruno"], { expected: [/order-card/] });
	await ana.context.route("**/order-card-*.js", (route) => route.abort());
	await say(bruno.page, "/cart add 123456");
	await isNow(bruno.page, bruno.name, "Waiting");
	await ana.page.locator("[data-key] .body").getByText("Cuaderno A5 de puntos").waitFor();
	await say(ana.page, "Is that yours?");
	await bruno.page.getByText("Is that yours?", { exact: true }).waitFor();
	assert.equal(await ana.page.locator(".order").count(), 0);
	assert.equal(await ana.page.locator(".error-page").count(), 0);
});

long("[O10] by keyboard alone: /ca completes, the card is reached by Tab, Enter withdraws", async (t) => {
	const { ana, bruno } = await pair(t, ["Ana", "Bruno"]);
	const { page } = bruno;
	await composer(page).focus();
	await page.keyboard.type("/ca");
	await page.getByRole("option", { name: /\/cart add/ }).waitFor();
	await page.keyboard.press("Enter");
	assert.equal(await composer(page).inputValue(), "/cart ");
	await page.keyboard.type("add 123456");
	await page.keyboard.press("Enter");
	await isNow(page, bruno.name, "Waiting");
	await page.locator("[data-key]").last().focus();
	for (let i = 0; i < 8 && (await page.evaluate(() => document.activeElement?.textContent)) !== "Withdraw"; i++)
		await page.keyboard.press("Tab");
	await page.keyboard.press("Enter");
	await isNow(page, bruno.name, "Withdrawn");
	await isNow(ana.page, bruno.name, "Withdrawn");
});

long("[O9] what is not in the catalogue is refused where it was written, and can be put right; /item says what there is", async (t) => {
	const { bruno } = await pair(t, ["Ana", "Bruno"], { language: "es" });
	const { page } = bruno;
	await say(page, "/cart add 123456 000000");
	await page.getByText("El catálogo no tiene: 000000.").first().waitFor();
	assert.equal(await page.locator(".order").count(), 0);
	await page.getByRole("button", { name: "Descartar" }).click();
	await say(page, "/item");
	await page.getByText("En el catálogo:").waitFor();
	await say(page, "/item 789012");
	await page
		.locator("[data-key] .body")
		.filter({ hasText: /Lápiz de grafito 2B · 1,20\s€/ })
		.last()
		.waitFor();
	await say(page, "/cart add 789012");
	await isNow(page, bruno.name, "En espera");
});

long("[O9][O10] without JavaScript the same: the command by form, the buttons by form, a refusal in words", async (t) => {
	const { room, ana, bruno } = await pair(t, ["Ana", "Bruno"]);
	const plain = await flow.browser(t, { me: bruno.me, cookie: bruno.cookie }, { javaScript: false, expected: [/status of (409|422|403)/] });
	const { page } = plain;
	const send = async (text: string) => {
		await page.goto(`/rooms/${room.id}`);
		await composer(page).fill(text);
		await page.getByRole("button", { name: "Send" }).click();
	};
	await send("/cart add 000000");
	await page.getByRole("alert").filter({ hasText: "Not in the catalogue: 000000." }).waitFor();
	await send("/cart add 123456");
	await isNow(page, bruno.name, "Waiting");
	await isNow(ana.page, bruno.name, "Waiting");
	const owner = await flow.browser(t, { me: ana.me, cookie: ana.cookie }, { javaScript: false, expected: [/status of (409|422|403)/] });
	await owner.page.goto(`/rooms/${room.id}`);
	await card(owner.page, bruno.name).getByRole("button", { name: "Reject" }).click();
	await isNow(owner.page, bruno.name, "Rejected");
	await isNow(ana.page, bruno.name, "Rejected");
	// Bruno's page is old: what it still offers is refused in words.
	await card(page, bruno.name).getByRole("button", { name: "Withdraw" }).click();
	await page.getByRole("alert").filter({ hasText: "Somebody decided this order already." }).waitFor();

	// However long: nothing waits for a script to be moved into place.
	const many = Array.from({ length: 100 }, (_, i) => ({
		id: `M${i}`,
		name: `Thing number ${i} of a hundred`,
		price: 100,
		currency: "EUR",
		present: true,
	}));
	await flow.charla.shop.put(many);
	await send(`/cart add ${many.map((item) => item.id).join(" ")}`);
	await page.locator(".order").last().getByText("Thing number 99 of a hundred").waitFor();
	await page.locator(".order").last().getByRole("button", { name: "Withdraw" }).waitFor();

	await send("/cart list");
	await page.getByRole("heading", { name: `Orders in ${room.name}` }).waitFor();
	await page.locator(".order.is-rejected").getByText("Rejected", { exact: true }).waitFor();
	await page.getByRole("link", { name: "Back to the conversation" }).click();
	await composer(page).waitFor();
});

long("[O6][O8] an order of the API appears in the linked room before everybody's eyes, and goes into the table", async (t) => {
	const { room, ana, bruno } = await pair(t, ["Ana", "Bruno"]);
	await say(ana.page, "/cart link");
	await ana.page.getByText("This room takes orders from the API now.").waitFor();
	const answer = await fetch(`${flow.charla.url}/api/cart`, {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: JSON.stringify({ items: ["345678", "345678"], user: bruno.name, room: room.id }),
	});
	assert.equal(answer.status, 200);
	for (const { page } of [ana, bruno]) await isNow(page, bruno.name, "Waiting");
	await card(ana.page, bruno.name).getByText("What happened to it").click();
	await card(ana.page, bruno.name).getByText("ordered through the API").waitFor();

	await say(ana.page, "/cart list");
	await ana.page.waitForURL(/\/orders$/);
	await card(ana.page, bruno.name).getByRole("button", { name: "Approve" }).click();
	await isNow(ana.page, bruno.name, "Approved");
	await isNow(bruno.page, bruno.name, "Approved");
	const [download] = await Promise.all([
		ana.page.waitForEvent("download"),
		ana.page.getByRole("link", { name: "As a table (CSV)" }).click(),
	]);
	assert.equal(download.suggestedFilename(), "orders.csv");
	const table = await readFile(await download.path(), "utf8");
	assert.match(table, new RegExp(`,${bruno.name},api,approved,[^,]+,${ana.name},345678,"?Cable USB-C, 2 m"?,2,9\\.90,EUR\\r\\n`));
});

long("[85][O10] axe finds nothing wrong with cards in any state and theme, and nothing is too wide for 320 px", async (t) => {
	const { room, ana, bruno } = await pair(t, ["Ana", "Bruno"]);
	const long = {
		id: `L-${"9".repeat(60)}`,
		name: `A name ${"without an end ".repeat(8)}${"w".repeat(80)}`,
		price: 12_345_678_900,
		currency: "COP",
		present: true,
	};
	await flow.charla.shop.put([long]);
	for (const [words, verdict] of [
		["123456 789012*2", "approved"],
		["234567", "rejected"],
		["345678", "withdrawn"],
		[`${long.id}*999`, null],
	] as const) {
		const clientId = crypto.randomUUID();
		await flow.charla.chat.messages.post(bruno.me, { roomId: room.id, clientId, body: `/cart add ${words}`, replyTo: null });
		const [cart] = (await flow.charla.chat.orders.ofRoom(ana.me, { roomId: room.id, before: null })).carts;
		if (verdict && cart)
			await flow.charla.chat.orders.decide(verdict === "withdrawn" ? bruno.me : ana.me, { roomId: room.id, cartId: cart.id, verdict });
	}
	// axe brings a script of its own, which the page's policy rightly refuses.
	const { page, context } = await flow.browser(
		t,
		{ me: ana.me, cookie: ana.cookie },
		{ bypassCSP: true, viewport: { width: 320, height: 640 } },
	);
	for (const [theme, path] of [
		["light", `/rooms/${room.id}`],
		["light", `/rooms/${room.id}/orders`],
		["dark", `/rooms/${room.id}`],
		["contrast", `/rooms/${room.id}`],
	] as const) {
		await context.addCookies([{ name: "theme", value: theme, url: flow.charla.url }]);
		await page.goto(path);
		await page.locator(".order").nth(3).waitFor();
		await page.locator(".order summary").last().click();
		const axe = new AxeBuilder({ page });
		// The rest of the page is the same in every theme, and looked at elsewhere.
		if (theme !== "light") axe.include(".order");
		const { violations } = await axe.analyze();
		assert.deepEqual(
			violations.flatMap((violation) => violation.nodes.map((node) => `${violation.id}: ${node.target.join(" ")}`)),
			[],
			`${theme} ${path}`,
		);
		assert.equal(await isTooWide(page), false, `${theme} ${path}`);
		const cut = await page
			.locator(".order")
			.evaluateAll((orders) => orders.filter((order) => order.scrollWidth > order.clientWidth + 1).length);
		assert.equal(cut, 0, "nothing stands out of its card");
	}
});
