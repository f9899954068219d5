import type { Language } from "./language.ts";

/** Slash commands: what the completion shows and the help lists. `usage` is shown in every language: … stands for what to add. */
export type Command = { name: string; usage: string; words: Record<Language, string> };

export const commands: readonly Command[] = [
	{ name: "help", usage: "/help", words: { en: "Show what you can type", es: "Mostrar lo que puedes escribir" } },
	{ name: "fact", usage: "/fact", words: { en: "Ask the bot for a Chuck Norris fact", es: "Pedirle al bot un dato de Chuck Norris" } },
	{
		name: "journey",
		usage: "/journey",
		words: { en: "Show how far your last message has come", es: "Ver hasta dónde llegó tu último mensaje" },
	},
	{ name: "status", usage: "/status", words: { en: "Show how your connection is doing", es: "Ver cómo va tu conexión" } },
	{ name: "slo", usage: "/slo", words: { en: "Show how well Charla keeps its promises", es: "Ver cómo cumple Charla lo que promete" } },
	{ name: "topic", usage: "/topic …", words: { en: "Change the topic of this room", es: "Cambiar el tema de esta sala" } },
	{ name: "rename", usage: "/rename …", words: { en: "Rename this room", es: "Cambiar el nombre de esta sala" } },
	{ name: "invite", usage: "/invite …", words: { en: "Bring somebody into this room", es: "Traer a alguien a esta sala" } },
	{ name: "msg", usage: "/msg …", words: { en: "Open a direct conversation", es: "Abrir una conversación directa" } },
	{
		name: "item",
		usage: "/item",
		words: {
			en: "Show the catalogue; with an id, that item: /item 123456",
			es: "Ver el catálogo; con un código, ese artículo: /item 123456",
		},
	},
	{
		name: "cart",
		usage: "/cart add …",
		words: { en: "Order items: /cart add 123456 789012*2; more: /cart", es: "Pedir artículos: /cart add 123456 789012*2; más: /cart" },
	},
	{ name: "leave", usage: "/leave", words: { en: "Leave this room", es: "Salir de esta sala" } },
	{ name: "shrug", usage: "/shrug …", words: { en: "Add ¯\\_(ツ)_/¯ to your message", es: "Añadir ¯\\_(ツ)_/¯ a tu mensaje" } },
];

/** Splits "/name rest" into its parts; null when the text is no command (also `//text`, which is literal). */
export function readCommand(text: string): { name: string; rest: string } | null {
	const match = /^\/([a-z]+)(?:\s+([\s\S]*))?$/i.exec(text.trim());
	return match ? { name: (match[1] as string).toLowerCase(), rest: (match[2] ?? "").trim() } : null;
}
