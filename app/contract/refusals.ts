import type { Language } from "./language.ts";

/** The closed list of refusals: an expected answer with an HTTP status and a sentence in the person's language. */
export const refusals = {
	malformed: {
		status: 400,
		en: "Charla could not read that request. Your text is kept; reload the page and try again.",
		es: "Charla no pudo leer esa petición. Tu texto sigue aquí; recarga la página e inténtalo de nuevo.",
	},
	"unknown-call": {
		status: 400,
		en: "This version of the page asked for something the server does not know. Reload to get the current one.",
		es: "Esta versión de la página pidió algo que el servidor no conoce. Recarga para usar la actual.",
	},
	"not-signed-in": {
		status: 401,
		en: "You are not signed in any more. Enter again; what you wrote is kept.",
		es: "Tu sesión ya no está abierta. Entra otra vez; lo que escribiste se conserva.",
	},
	"foreign-origin": {
		status: 403,
		en: "That request came from another site, so it was not carried out.",
		es: "Esa petición vino de otro sitio, así que no se llevó a cabo.",
	},
	"not-found": {
		status: 404,
		en: "There is no such room, or you are not in it.",
		es: "Esa sala no existe, o no estás en ella.",
	},
	"message-not-found": { status: 404, en: "That message does not exist in this room.", es: "Ese mensaje no existe en esta sala." },
	"not-yours": {
		status: 403,
		en: "Only the person who wrote a message can change it.",
		es: "Solo quien escribió un mensaje puede cambiarlo.",
	},
	"not-owner": { status: 403, en: "Only an owner of the room can do that.", es: "Solo quien administra la sala puede hacer eso." },
	"owner-link-spent": {
		status: 410,
		en: "This link does not work any more: it was used, it is older than a day, or Charla has started again since. As long as nobody is administrator, each start prints a new one.",
		es: "Este enlace ya no sirve: se usó, tiene más de un día o Charla volvió a arrancar desde entonces. Mientras nadie administre, cada arranque imprime uno nuevo.",
	},
	"needs-script": {
		status: 422,
		en: "The page itself shows that, and needs JavaScript for it. Nothing was posted.",
		es: "Eso lo muestra la propia página y necesita JavaScript. No se publicó nada.",
	},
	"key-reused": {
		status: 409,
		en: "Another text was sent under this one's mark already, so this one was not stored. It is kept; send it again and it goes out as new.",
		es: "Con la marca de este texto ya se envió otro, así que este no se guardó. Lo tienes aquí: envíalo otra vez y saldrá como nuevo.",
	},
	deleted: { status: 409, en: "That message was deleted.", es: "Ese mensaje se eliminó." },
	empty: {
		status: 422,
		en: "There is nothing to send yet. Write something first.",
		es: "Aún no hay nada que enviar. Escribe algo primero.",
	},
	"too-long": {
		status: 422,
		en: "That is longer than {limit} characters. Shorten it or split it in two.",
		es: "Pasa de {limit} caracteres. Acórtalo o divídelo en dos.",
	},
	"name-empty": {
		status: 422,
		en: "Choose a name of at least one letter or digit.",
		es: "Elige un nombre con al menos una letra o un número.",
	},
	"name-too-long": { status: 422, en: "A name has at most {limit} characters.", es: "Un nombre tiene como máximo {limit} caracteres." },
	"name-invalid": {
		status: 422,
		en: "That name has characters that cannot be shown safely. Use letters, digits, spaces and simple punctuation.",
		es: "Ese nombre tiene caracteres que no se pueden mostrar bien. Usa letras, números, espacios y puntuación sencilla.",
	},
	"name-taken": {
		status: 409,
		en: "Somebody here already has that name, or one that looks the same. Choose another.",
		es: "Alguien ya usa ese nombre, o uno que se ve igual. Elige otro.",
	},
	"name-reserved": {
		status: 409,
		en: "That name is kept for Charla itself, so that nobody can speak in its place. Choose another.",
		es: "Ese nombre queda para la propia Charla, para que nadie hable en su lugar. Elige otro.",
	},
	"lobby-stays": {
		status: 409,
		en: "Nobody leaves the lobby: it is where everyone meets.",
		es: "Del Lobby no se sale: es donde se encuentra todo el mundo.",
	},
	"unknown-command": {
		status: 422,
		en: "There is no command {command}. Type /help for the list, or // to begin a message with a slash.",
		es: "No existe la orden {command}. Escribe /help para ver la lista, o // para empezar un mensaje con barra.",
	},
	"command-incomplete": { status: 422, en: "That command needs more: {usage}", es: "A esa orden le falta algo: {usage}" },
	"unknown-items": {
		status: 422,
		en: "Not in the catalogue: {items}. Nothing was ordered; /item shows what there is.",
		es: "El catálogo no tiene: {items}. No se pidió nada; /item muestra lo que hay.",
	},
	"too-many-items": {
		status: 422,
		en: "One order has at most {lines} different items, and {quantity} of each. Nothing was ordered.",
		es: "Un pedido tiene como máximo {lines} artículos distintos y {quantity} de cada uno. No se pidió nada.",
	},
	"order-not-found": { status: 404, en: "There is no such order in this room.", es: "Ese pedido no existe en esta sala." },
	"order-decided": {
		status: 409,
		en: "Somebody decided this order already. It is shown as it is now.",
		es: "Alguien ya decidió este pedido. Se muestra como está ahora.",
	},
	"not-decider": {
		status: 403,
		en: "An owner of the room or an administrator decides about orders; whoever ordered can withdraw.",
		es: "Un pedido lo decide quien administra la sala o Charla; quien hizo el pedido puede retirarlo.",
	},
	"import-not-found": { status: 404, en: "There is no such import.", es: "Esa importación no existe." },
	"import-decided": {
		status: 409,
		en: "Somebody decided about this file already. It is shown as it is now.",
		es: "Alguien ya decidió sobre este archivo. Se muestra como está ahora.",
	},
	"import-too-large": {
		status: 413,
		en: "That file is larger than {limit} MB. Split it. Nothing was kept of it.",
		es: "Ese archivo pasa de {limit} MB. Divídelo. No se guardó nada.",
	},
	"nobody-by-name": { status: 404, en: "There is nobody called {name} here.", es: "Aquí no hay nadie que se llame {name}." },
	"too-fast": {
		status: 429,
		en: "That is faster than people can read. It goes on in {seconds} s.",
		es: "Eso va más rápido de lo que se puede leer. Sigue en {seconds} s.",
	},
	"too-many-sockets": {
		status: 429,
		en: "Charla is open in too many tabs. Close one and reload.",
		es: "Charla está abierta en demasiadas pestañas. Cierra una y recarga.",
	},
	"going-away": {
		status: 503,
		en: "The server is restarting. Your message is kept and goes out in a moment.",
		es: "El servidor se está reiniciando. Tu mensaje se conserva y sale en un momento.",
	},
	busy: {
		status: 503,
		en: "Charla is very full right now. You get in by yourself as soon as there is room; what you write is kept.",
		es: "Charla está muy llena ahora mismo. Entrarás en cuanto haya sitio, sin hacer nada; lo que escribas se conserva.",
	},
	unavailable: {
		status: 503,
		en: "The database does not answer right now. Your text is kept; Charla keeps trying.",
		es: "La base de datos no responde ahora. Tu texto se conserva; Charla sigue intentándolo.",
	},
	/** Said by the page itself, when it asked and heard nothing. */
	"no-answer": {
		status: 503,
		en: "The server cannot be reached right now. What you wrote is still here; try again when there is a connection.",
		es: "Ahora no se puede llegar al servidor. Lo que escribiste sigue aquí; inténtalo cuando haya conexión.",
	},
	failed: {
		status: 500,
		en: "Something went wrong on our side (reference {reference}). Your text is kept.",
		es: "Algo falló de nuestro lado (referencia {reference}). Tu texto se conserva.",
	},
} as const;

export type RefusalCode = keyof typeof refusals;
export type RefusalDetails = Record<string, string | number>;

/** An expected "no". Told apart by `code`: a class does not survive the line between server.ts and the routes' bundle. */
export class Refusal extends Error {
	code: RefusalCode;
	details: RefusalDetails;
	constructor(code: RefusalCode, details: RefusalDetails) {
		super(code);
		this.name = "Refusal";
		this.code = code;
		this.details = details;
	}
}

/** Makes the refusal to throw: `throw refuse("too-long", { limit: 4000 })`. */
export function refuse(code: RefusalCode, details: RefusalDetails = {}): Refusal {
	return new Refusal(code, details);
}

/** The refusal in an unknown error, or null when it is a bug. */
export function asRefusal(error: unknown): Refusal | null {
	const code = (error as { code?: unknown } | null)?.code;
	return typeof code === "string" && Object.hasOwn(refusals, code) && (error as Error).name === "Refusal" ? (error as Refusal) : null;
}

/** The sentence for a person. Unknown codes (an older page, a newer server) read as `failed`. */
export function refusalWords(code: string, language: Language, details: RefusalDetails = {}): string {
	const entry = refusals[Object.hasOwn(refusals, code) ? (code as RefusalCode) : "failed"];
	const words = entry[language].replace(/\{(\w+)\}/g, (_, key: string) => String(details[key] ?? "–"));
	// What was expected may have been recorded all the same.
	const isNew = details.reference && !entry[language].includes("{reference}");
	return isNew ? `${words} (${language === "es" ? "referencia" : "reference"} ${details.reference})` : words;
}
