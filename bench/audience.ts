import { Connection } from "./connection.ts";
import { DeliveryCheck, type Faults, findNumber, numberedText } from "./delivery-check.ts";
import type { Running } from "./systems.ts";

/** Connections opened at the same time while an audience comes together; a storm opens all at once. */
const atOnce = 100;
/** How long one connection may take until it is welcomed, ms. */
const welcomeWithin = 30_000;
/** How long to wait while nothing more comes, ms. What is missing afterwards is lost. */
export const settleWithin = 5_000;

export type Member = { connection: Connection; room: Room; index: number };
export type Room = { id: string; members: Member[]; check: DeliveryCheck };
export type Seat = { room: string; cookie: string | null };

/** What a load wants to hear while it runs. */
export type Ears = {
	ack(call: number, at: number): void;
	delivery?(room: Room, sender: number, n: number, at: number): void;
};

/**
 * Opens one connection and calls `welcomed` once it is in its room; `failed` with the reason when it does not get there or
 * is lost later. `hear` gets every text that bears a number, `ack` every answer.
 */
export function takeSeat(
	running: Pick<Running, "port" | "dialect">,
	seat: Seat,
	on: {
		welcomed(): void;
		failed(reason: string): void;
		hear?(number: number, at: number): void;
		ack?(call: number, ok: boolean, at: number): void;
	},
): Connection {
	const { dialect } = running;
	const headers: Record<string, string> = seat.cookie ? { Cookie: seat.cookie } : {};
	const connection: Connection = new Connection(
		running.port,
		dialect.target(seat.room),
		headers,
		{
			frame(bytes, start, end, at) {
				const kind = dialect.kind(bytes, start);
				if (kind === "message") {
					const number = findNumber(bytes, start, end);
					if (number >= 0) on.hear?.(number, at);
					else if (dialect.isWelcome(bytes.toString("latin1", start, end))) on.welcomed();
				} else if (kind === "ack") {
					const { call, ok } = dialect.ack(bytes.toString("latin1", start, end));
					on.ack?.(call, ok, at);
				} else if (kind === "ping") connection.send(dialect.pong);
				else if (kind === "welcome") on.welcomed();
				else if (kind === "turned-away") on.failed(bytes.toString("latin1", start, end));
			},
			closed: (reason) => on.failed(reason),
		},
		() => {
			if (dialect.greeting) connection.send(dialect.greeting);
		},
	);
	return connection;
}

/** Everybody connected to one server, room by room, with the check of what they hear. */
export class Audience {
	readonly rooms: Room[];
	ears: Ears = { ack: () => undefined };
	acked = 0;
	posted = 0;
	deliveries = 0;
	#running: Running;
	#broken: Error | null = null;

	private constructor(running: Running, senders: number) {
		this.#running = running;
		this.rooms = running.rooms.map(({ id, cookies }) => ({ id, members: [], check: new DeliveryCheck(cookies.length, senders) }));
	}

	/** Connects everybody; the first `senders` members of each room may post. Throws when one cannot get in. */
	static async gather(running: Running, senders: number): Promise<Audience> {
		const audience = new Audience(running, senders);
		const seats = running.rooms.flatMap(({ cookies }, r) =>
			cookies.map((cookie, index) => ({ room: audience.rooms[r] as Room, index, cookie })),
		);
		for (let i = 0; i < seats.length; i += atOnce) {
			await Promise.all(seats.slice(i, i + atOnce).map((seat) => audience.#seat(seat.room, seat.index, seat.cookie)));
		}
		return audience;
	}

	#seat(room: Room, index: number, cookie: string | null): Promise<void> {
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => reject(new Error(`${this.#running.name}: no welcome within ${welcomeWithin} ms`)), welcomeWithin);
			const connection = takeSeat(
				this.#running,
				{ room: room.id, cookie },
				{
					welcomed: () => {
						clearTimeout(timer);
						resolve();
					},
					failed: (reason) => {
						clearTimeout(timer);
						this.#broken ??= new Error(`${this.#running.name} lost a connection: ${reason}`);
						reject(this.#broken);
					},
					hear: (number, at) => {
						this.deliveries++;
						const { sender, n } = room.check.heard(index, number);
						this.ears.delivery?.(room, sender, n, at);
					},
					ack: (call, ok, at) => {
						if (!ok) this.#broken ??= new Error(`${this.#running.name} refused a message`);
						this.acked++;
						this.ears.ack(call, at);
					},
				},
			);
			room.members[index] = { connection, room, index };
		});
	}

	/** Posts the next message of a room's sender; its number among that sender's. */
	post(room: Room, sender: number, call: number): number {
		const n = room.check.take(sender);
		this.posted++;
		(room.members[sender] as Member).connection.send(this.#running.dialect.post(call, room.id, numberedText(sender, n)));
		return n;
	}

	/** Waits until everything posted is acked and heard by everybody, or until nothing comes any more. */
	async settle(within: number): Promise<void> {
		let last = -1;
		let since = performance.now();
		const open = () => this.acked < this.posted || this.rooms.some((room) => room.check.missing > 0);
		while (open() && performance.now() - since < within) {
			await new Promise((resolve) => setTimeout(resolve, 5));
			if (this.deliveries + this.acked !== last) since = performance.now();
			last = this.deliveries + this.acked;
		}
		if (this.#broken) throw this.#broken;
		if (this.acked < this.posted) throw new Error(`${this.#running.name} left ${this.posted - this.acked} messages without an answer`);
	}

	/** What went wrong with deliveries so far. */
	faults(): Faults {
		const all = this.rooms.map((room) => room.check.faults());
		const sum = (key: keyof Faults) => all.reduce((total, faults) => total + faults[key], 0);
		return { lost: sum("lost"), duplicated: sum("duplicated"), reordered: sum("reordered") };
	}

	leave(): void {
		for (const room of this.rooms) for (const { connection } of room.members) connection.close();
	}
}
