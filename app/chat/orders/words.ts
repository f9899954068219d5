import type { Language } from "../../contract/language.ts";
import { type Cart, type CartLine, type Item, money, totalOf } from "../../contract/orders.ts";

/** What the desk writes into a room, for whoever reads messages and knows of no cards: older pages, excerpts, notifications. */
const words = {
	en: {
		ordered: "Order by {name}: {lines}.",
		total: "Total {total}.",
		open: "Waiting for approval.",
		approved: "Approved by {by}.",
		rejected: "Rejected by {by}.",
		withdrawn: "Withdrawn by {by}.",
		catalogue: "In the catalogue:",
		more: "… and more: /item and an id shows one.",
		empty: "The catalogue is empty.",
		unknown: "There is no item {id}.",
		gone: "not available any more",
		noPrice: "no price",
	},
	es: {
		ordered: "Pedido de {name}: {lines}.",
		total: "Total {total}.",
		open: "Espera aprobación.",
		approved: "Aprobado por {by}.",
		rejected: "Rechazado por {by}.",
		withdrawn: "Retirado por {by}.",
		catalogue: "En el catálogo:",
		more: "… y más: /item y un código muestra uno.",
		empty: "El catálogo está vacío.",
		unknown: "No existe el artículo {id}.",
		gone: "ya no está disponible",
		noPrice: "sin precio",
	},
} as const;

const fill = (text: string, vars: Record<string, string>) => text.replace(/\{(\w+)\}/g, (_, key: string) => vars[key] ?? "");

/** Names are somebody's words: what would be markup in them is written out. */
const literal = (text: string) => text.replace(/[\\`*_[\]<>#|~]/g, "\\$&");

/** An order as a sentence. */
export function cartWords(cart: Cart, language: Language): string {
	const t = words[language];
	const line = ({ quantity, name }: CartLine) => `${quantity} × ${literal(name)}`;
	const shown = cart.lines.slice(0, 10).map(line).join(", ");
	const { sums, isWhole } = totalOf(cart.lines);
	const last = cart.history.at(-1);
	return [
		fill(t.ordered, { name: literal(cart.user.name), lines: cart.lines.length > 10 ? `${shown}, …` : shown }),
		sums.length > 0 && isWhole ? fill(t.total, { total: sums.map((sum) => money(sum.amount, sum.currency, language)).join(" + ") }) : "",
		fill(t[cart.state], { by: literal(last?.by.name ?? "") }),
	]
		.filter(Boolean)
		.join(" ");
}

/** The catalogue, or one item of it, as a message. */
export function itemsWords(items: readonly Item[], hasMore: boolean, language: Language): string {
	const t = words[language];
	if (items.length === 0) return t.empty;
	return [t.catalogue, "", ...items.map((item) => `- ${itemWords(item, language)}`), ...(hasMore ? ["", t.more] : [])].join("\n");
}
export function itemWords(item: Item, language: Language): string {
	const t = words[language];
	const price = item.price === null || item.currency === null ? t.noPrice : money(item.price, item.currency, language);
	return `\`${item.id}\` ${literal(item.name)} · ${item.present ? price : t.gone}`;
}
export const unknownItemWords = (id: string, language: Language): string => fill(words[language].unknown, { id: literal(id.slice(0, 64)) });
