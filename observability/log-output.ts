import { closeSync, openSync, writeSync } from "node:fs";
import Transport from "winston-transport";
import type { Line } from "./log-line.ts";

/** winston's key for the line as its format made it. */
export const formatted = Symbol.for("message");

/** While lines are being lost, it is told this often at most, ms: telling is a line too. */
const toldEvery = 60_000;

/**
 * Standard output, with all lines of one turn of the event loop in one write: a write is a system call, and on a busy instance
 * one for each message would cost more than everything else about its line. What a process that ends has not written yet is
 * written as it ends. With `accessLog`, lines about requests go to that file; where it cannot be written, to the others after all.
 *
 * A full disk or a reader that went away costs lines and nothing else; `onLost` hears how many, first at once and then now and then.
 */
export class Output extends Transport {
	#lines = "";
	#waiting = 0;
	#access = "";
	#waitingAccess = 0;
	#file: number | null = null;
	#lost = 0;
	#toldAt = Number.NEGATIVE_INFINITY;
	readonly #onLost: (lines: number) => void;
	readonly #write = () => this.flush();

	constructor(onLost: (lines: number) => void, accessLog?: string | null) {
		super();
		this.#onLost = onLost;
		if (accessLog) this.#file = opened(accessLog);
		// Unheard, an error of the stream ends the process. What becomes of each write is told to its callback.
		if (!process.stdout.listeners("error").includes(unheard)) process.stdout.on("error", unheard);
		process.once("exit", this.#write);
	}

	override log(info: Record<symbol, string> & { line?: Line }, done: () => void): void {
		if (this.#waiting + this.#waitingAccess === 0) setImmediate(this.#write);
		if (this.#file !== null && info.line?.event === "http.request") {
			this.#access += `${info[formatted]}\n`;
			this.#waitingAccess++;
		} else {
			this.#lines += `${info[formatted]}\n`;
			this.#waiting++;
		}
		done();
	}

	/** Writes now what waits for the end of the turn. */
	flush(): void {
		if (this.#waitingAccess > 0 && !this.#appended(this.#access)) {
			this.#lines += this.#access;
			this.#waiting += this.#waitingAccess;
		}
		this.#access = "";
		this.#waitingAccess = 0;
		const [lines, count] = [this.#lines, this.#waiting];
		this.#lines = "";
		this.#waiting = 0;
		if (count > 0) process.stdout.write(lines, (error) => this.#written(error ? count : 0));
	}

	#written(lost: number): void {
		this.#lost += lost;
		// It works again: the rest is told, whenever it was told last.
		if (this.#lost === 0 || (lost > 0 && performance.now() - this.#toldAt < toldEvery)) return;
		const lines = this.#lost;
		this.#lost = 0;
		this.#toldAt = performance.now();
		this.#onLost(lines);
	}

	/** In one go, so that a line is never torn: to a file the system takes all or, when the disk is full, next to nothing. */
	#appended(text: string): boolean {
		try {
			writeSync(this.#file as number, text);
			return true;
		} catch {
			return false;
		}
	}

	override close(): void {
		this.flush();
		if (this.#file !== null) closeSync(this.#file);
		this.#file = null;
		process.off("exit", this.#write);
	}
}

function opened(file: string): number | null {
	try {
		return openSync(file, "a", 0o640);
	} catch (error) {
		// There is no log yet to say it in.
		console.error(`ACCESS_LOG cannot be written, so requests are logged with everything else: ${(error as Error).message}`);
		return null;
	}
}

function unheard(): void {}
