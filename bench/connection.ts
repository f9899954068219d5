import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

/**
 * A WebSocket client of one purpose: to hear a hundred thousand frames a second on one core, so that the server is what
 * is measured. It reads frames in place, out of one buffer all connections share, and makes no string of a delivery.
 */

/** Reading is synchronous, one connection after the other, so one buffer is enough for all. */
const shared = Buffer.allocUnsafe(64 * 1024);
// Not zero: a server would skip the unmasking it has to do for a browser.
const mask = Buffer.from([0x5a, 0xc3, 0x17, 0x9e]);
const opcode = { text: 1, close: 8, ping: 9, pong: 10 };

export type Listener = {
	/** A text frame: its bytes are from `start` to `end`, valid during the call only. `at` is when they were read, ms. */
	frame(bytes: Buffer, start: number, end: number, at: number): void;
	/** The connection is over; why, when it did not end by us. */
	closed(reason: string): void;
};

export class Connection {
	#socket: Socket;
	#listener: Listener;
	#upgraded = false;
	/** The beginning of a frame (or of the answer's head) whose rest has not come yet. */
	#rest: Buffer | null = null;
	#over = false;

	/** Opens a connection; `opened` is called when the server has agreed to speak WebSocket. */
	constructor(port: number, target: string, headers: Record<string, string>, listener: Listener, opened: () => void) {
		this.#listener = listener;
		const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
		const request =
			`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
			`Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n${lines.join("")}\r\n`;
		const onread = {
			buffer: shared,
			callback: (length: number) => {
				this.#read(length, opened);
				return true;
			},
		};
		this.#socket = connect({ port, host: "127.0.0.1", noDelay: true, onread });
		this.#socket.once("connect", () => this.#socket.write(request, "latin1"));
		this.#socket.once("error", (error: NodeJS.ErrnoException) => this.#end(error.code ?? error.message));
		this.#socket.once("close", () => this.#end("closed by the server"));
	}

	/** Sends one text frame, masked as browsers do. Texts of the bench are ASCII and shorter than 64 KB. */
	send(text: string): void {
		this.#write(opcode.text, Buffer.from(text, "latin1"));
	}

	/** Ends the connection without a word to the listener. */
	close(): void {
		this.#over = true;
		this.#socket.destroy();
	}

	#write(code: number, payload: Buffer): void {
		const { length } = payload;
		const head = length < 126 ? 2 : 4;
		const frame = Buffer.allocUnsafe(head + 4 + length);
		frame[0] = 0x80 | code;
		frame[1] = 0x80 | (length < 126 ? length : 126);
		if (head === 4) frame.writeUInt16BE(length, 2);
		mask.copy(frame, head);
		for (let i = 0; i < length; i++) frame[head + 4 + i] = (payload[i] as number) ^ (mask[i & 3] as number);
		this.#socket.write(frame);
	}

	#end(reason: string): void {
		if (this.#over) return;
		this.#over = true;
		this.#listener.closed(reason);
		this.#socket.destroy();
	}

	#read(length: number, opened: () => void): void {
		if (this.#over) return;
		const at = performance.now();
		let bytes = shared;
		let end = length;
		if (this.#rest) {
			bytes = Buffer.concat([this.#rest, shared.subarray(0, length)]);
			end = bytes.length;
			this.#rest = null;
		}
		let start = 0;
		if (!this.#upgraded) {
			const head = bytes.subarray(0, end).indexOf("\r\n\r\n");
			if (head < 0) {
				this.#rest = Buffer.from(bytes.subarray(0, end));
				return;
			}
			const status = bytes.toString("latin1", 9, 12);
			if (status !== "101") return this.#end(`refused with ${status}`);
			this.#upgraded = true;
			start = head + 4;
			opened();
		}
		start = this.#frames(bytes, start, end, at);
		if (start < end && !this.#over) this.#rest = Buffer.from(bytes.subarray(start, end));
	}

	/** Hands over every complete frame; returns where the first incomplete one begins. */
	#frames(bytes: Buffer, from: number, end: number, at: number): number {
		let start = from;
		while (end - start >= 2) {
			const short = (bytes[start + 1] as number) & 127;
			const head = short < 126 ? 2 : short === 126 ? 4 : 10;
			if (end - start < head) break;
			const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(start + 2) : bytes.readUIntBE(start + 4, 6);
			const stop = start + head + length;
			if (stop > end) break;
			const code = (bytes[start] as number) & 15;
			if (code === opcode.text) this.#listener.frame(bytes, start + head, stop, at);
			else if (code === opcode.ping) this.#write(opcode.pong, Buffer.from(bytes.subarray(start + head, stop)));
			else if (code === opcode.close)
				this.#end(`closed by the server with code ${length >= 2 ? bytes.readUInt16BE(start + head) : "none"}`);
			if (this.#over) break;
			start = stop;
		}
		return start;
	}
}
