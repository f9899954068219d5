import { randomUUID } from "node:crypto";

/** What a system says over its WebSocket, as far as the load generator must understand it. */
export type Dialect = {
	/** What to ask for in the upgrade request. */
	target(room: string): string;
	/** Sends whatever the protocol wants first. */
	greeting: string | null;
	/** What a frame is. A `message` may still be something else than a delivery: then it bears no number. */
	kind(bytes: Buffer, start: number): "message" | "ack" | "ping" | "welcome" | "turned-away" | "other";
	/** Which call an ack answers, and whether it was accepted. */
	ack(text: string): { call: number; ok: boolean };
	/** A frame that posts a text. */
	post(call: number, room: string, text: string): string;
	pong: string;
	/** Whether a message without a number is the server's word that one is in: what comes after it is complete. */
	isWelcome(text: string): boolean;
};

const char = (letter: string) => letter.charCodeAt(0);
const [zero, two, three, four, a, m] = [char("0"), char("2"), char("3"), char("4"), char("a"), char("m")];

/** Engine.IO 4 with Socket.IO 5 inside: "4" a message, then "0" connected, "2" an event, "3" an ack, "4" turned away. */
const socketIo = {
	greeting: "40",
	pong: "3",
	kind(bytes: Buffer, start: number) {
		const first = bytes[start];
		if (first === two) return "ping" as const;
		if (first !== four) return "other" as const;
		const second = bytes[start + 1];
		if (second === two) return "message" as const;
		if (second === three) return "ack" as const;
		if (second === zero) return "welcome" as const;
		return second === four ? ("turned-away" as const) : ("other" as const);
	},
};

export const charla: Dialect = {
	...socketIo,
	target: () => "/socket.io/?EIO=4&transport=websocket",
	// Being connected is not enough: the welcome says that the socket stands in its rooms.
	kind(bytes, start) {
		const kind = socketIo.kind(bytes, start);
		return kind === "welcome" ? "other" : kind;
	},
	isWelcome: (text) => text.startsWith('42["signal",{"kind":"welcome"'),
	ack: (text) => ({ call: Number.parseInt(text.slice(2), 10), ok: text.includes('[{"ok":true') }),
	post: (call, room, text) => `42${call}["message:post",{"roomId":"${room}","clientId":"${randomUUID()}","body":"${text}","replyTo":null}]`,
};

export const bareSocketIo: Dialect = {
	...socketIo,
	target: (room) => `/socket.io/?EIO=4&transport=websocket&room=${room}`,
	isWelcome: () => false,
	ack: (text) => ({ call: Number.parseInt(text.slice(2), 10), ok: text.includes('"id"') }),
	post: (call, _room, text) => `42${call}["message",{"id":"${randomUUID()}","body":"${text}"}]`,
};

/** Our own: "m" and JSON is a message, "a" and a number an ack; going in, a number stands before the JSON. */
export const rawWs: Dialect = {
	target: (room) => `/?room=${room}`,
	greeting: null,
	pong: "",
	kind(bytes, start) {
		const first = bytes[start];
		if (first === m) return "message";
		if (first === a) return "ack";
		return first === zero ? "welcome" : "other";
	},
	isWelcome: () => false,
	ack: (text) => ({ call: Number(text.slice(1)), ok: true }),
	post: (call, _room, text) => `${call}{"id":"${randomUUID()}","body":"${text}"}`,
};
