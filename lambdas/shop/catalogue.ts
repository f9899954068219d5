import type { Item } from "../../app/contract/orders.ts";

const item = (id: string, name: string, price: number): Item => ({ id, name, price, currency: "EUR", present: true });

/** A few things to order, so that a first `curl` shows something. The two ids everybody knows come first. */
export const smallCatalogue: readonly Item[] = [
	item("123456", "Cuaderno A5 de puntos", 450),
	item("789012", "Lápiz de grafito 2B", 120),
	item("234567", "Café en grano, 1 kg", 1890),
	item("345678", "Cable USB-C, 2 m", 990),
	item("456789", "Pilas AA, 8 unidades", 640),
	item("567890", "Té verde, 20 bolsitas", 310),
	item("678901", "Adaptador HDMI", 1575),
];
