import type { Cart } from "../../contract/orders.ts";

const head = [
	"order",
	"ordered_at",
	"ordered_by",
	"via",
	"state",
	"decided_at",
	"decided_by",
	"item",
	"name",
	"quantity",
	"price",
	"currency",
];

/**
 * Orders as a table, a line for each item, as RFC 4180 has it. What a spreadsheet would take for a formula is put behind an
 * apostrophe: names come from whoever can order.
 */
export function cartsCsv(carts: readonly Cart[]): string {
	const rows = carts.flatMap((cart) => {
		const decided = cart.state === "open" ? null : cart.history.at(-1);
		return cart.lines.map((line) => [
			cart.id,
			new Date(cart.createdAt).toISOString(),
			cart.user.name,
			cart.via,
			cart.state,
			decided ? new Date(decided.at).toISOString() : "",
			decided?.by.name ?? "",
			line.id,
			line.name,
			String(line.quantity),
			line.price === null ? "" : (line.price / 100).toFixed(2),
			line.currency ?? "",
		]);
	});
	// The mark tells spreadsheets that it is UTF-8.
	return `\ufeff${[head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

/** A cell, quoted where it has to be. */
export function cell(text: string): string {
	// Also where a spreadsheet would trim what stands before, and in the full-width forms some of them read alike.
	const safe = /^[\s\u00a0\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/.test(text) ? `'${text}` : text;
	return /[",\r\n;]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
