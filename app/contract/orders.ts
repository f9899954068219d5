import type { Language } from "./language.ts";

/** The order desk: what is in the catalogue, what people asked for, and what became of it. */

/** Something that can be ordered. `price` is in hundredths of `currency`; null where nobody said. */
export type Item = { id: string; name: string; price: number | null; currency: string | null; present: boolean };

/** An item as a shop keeps it: with the traceparent of the import that brought it, when that was recorded. */
export type ShelvedItem = Item & { tp?: string };

/** Somebody an order speaks of: a person of the chat, or only a name where the order came from outside. */
export type Party = { id: string | null; name: string };

/** An item as it was when it was ordered: a later change of the catalogue changes no order. */
export type CartLine = { id: string; name: string; price: number | null; currency: string | null; quantity: number };

/** Open until somebody decides; `withdrawn` by whoever ordered. */
export const cartStates = ["open", "approved", "rejected", "withdrawn"] as const;
export type CartState = (typeof cartStates)[number];
export const verdicts = ["approved", "rejected", "withdrawn"] as const;
export type Verdict = (typeof verdicts)[number];

export type CartEvent = { at: number; by: Party; what: "created" | Verdict };

export type Cart = {
	id: string;
	lines: CartLine[];
	user: Party;
	/** Id of the room that shows and decides it; null for an order no room knows of. */
	room: string | null;
	state: CartState;
	/** Ordered in its room, or through the API: what comes from outside is shown only in rooms that are linked. */
	via: "chat" | "api";
	/** Grows by one with each change. */
	version: number;
	/** ms since 1970. */
	createdAt: number;
	/** Everything that happened to it, oldest first. */
	history: CartEvent[];
	/** The request or command it was ordered by, as W3C's traceparent; absent when nobody recorded that. */
	tp?: string;
};

/** Item codes: what fits a shelf label, a URL and a chat command alike. */
export const itemId = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export const orderLimits = {
	/** Different items in one order: what one read of DynamoDB answers (BatchGetItem), and more than a card can show well. */
	lines: 100,
	/** Of one item; more is a typing error. */
	quantity: 999,
	/** Items on one page of the catalogue when nobody says, and at most. */
	page: 50,
	pageMost: 200,
} as const;

/** What a key may be used for. */
export const scopes = ["items:read", "carts:read", "carts:write"] as const;
export type Scope = (typeof scopes)[number];

/** A sum for people; `amount` is in hundredths. */
export function money(amount: number, currency: string, language: Language): string {
	try {
		return new Intl.NumberFormat(language, { style: "currency", currency }).format(amount / 100);
	} catch {
		// A catalogue may name what is no currency code.
		return `${(amount / 100).toFixed(2)} ${currency}`;
	}
}

/** Sums by currency, in hundredths, in the order they first appear; `isWhole` is false where a price is missing. */
export function totalOf(lines: readonly CartLine[]): { sums: { currency: string; amount: number }[]; isWhole: boolean } {
	const sums = new Map<string, number>();
	let isWhole = true;
	for (const { price, currency, quantity } of lines)
		if (price === null || currency === null) isWhole = false;
		else sums.set(currency, (sums.get(currency) ?? 0) + price * quantity);
	return { sums: [...sums].map(([currency, amount]) => ({ currency, amount })), isWhole };
}
