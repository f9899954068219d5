import { openAuth } from "../../app/auth/index.server.ts";
import { lobbyId } from "../../app/contract/fixed.ts";
import type { Person } from "../../app/contract/shapes.ts";
import { openStorage, type Sql } from "../../app/storage/index.server.ts";
import { testChat } from "../support/chat.ts";
import { openPollingOnly } from "../support/crash-polling.ts";
import { type Fleet, secret } from "./fleet.ts";
import { type Ledger, openLedger } from "./ledger.ts";
import type { Link } from "./links.ts";
import { type ChaosPerson, openPerson } from "./person.ts";

/** People of one room besides the lobby. */
const groupSize = 20;
/** Of so many people one comes by polling. */
const pollingEvery = 10;
/** Of so many one comes by a line that can be slowed down; they are all in the first group. */
const slowEvery = 12;
const isSlow = (n: number): boolean => n % slowEvery === slowEvery - 1 && n % pollingEvery !== 0;
/** Pages that load at the same time. */
const loadingAtOnce = 20;

export type Crowd = Awaited<ReturnType<typeof openCrowd>>;

/** Brings so many people in front of a fleet, all in the lobby and each in a group, through the balancer. */
export async function openCrowd(fleet: Fleet, count: number, tell: (line: string) => void = () => undefined) {
	const log = { info() {}, warn() {}, error() {} };
	const storage = await openStorage({ databaseUrl: fleet.database.url, dataDir: "", log });
	const { sql } = storage;
	const { people: guests, groups } = await enterAll(sql, count);
	const polling = await openPollingOnly(fleet.balancer.port);
	const slowLine: Link = await fleet.network.links.open({ host: "127.0.0.1", port: fleet.balancer.port });
	const ledger: Ledger = openLedger();
	const people: ChaosPerson[] = [];
	const slow: ChaosPerson[] = [];
	const watcher = guests.pop() as Guest;

	for (let i = 0; i < guests.length; i += loadingAtOnce) {
		const some = guests.slice(i, i + loadingAtOnce).map(async ({ person, cookie }, k) => {
			const n = i + k;
			const url = n % pollingEvery === 0 ? polling.url : isSlow(n) ? `http://127.0.0.1:${slowLine.port}` : fleet.url;
			const roomId = n % 2 === 0 ? lobbyId : groupOf(n, groups);
			const opened = await openPerson({ name: person.name, url, cookie, roomId, ledger });
			people.push(opened);
			if (isSlow(n)) slow.push(opened);
		});
		await Promise.all(some);
		if (people.length % 100 < loadingAtOnce) tell(`${people.length} people are in`);
	}

	return {
		people,
		/** Those whose line `slowLine` is. */
		slow,
		slowLine,
		/** The group they are in. */
		slowRoom: groups[0] as string,
		/** Somebody who only looks who is here, asked of each instance directly. */
		watcher,
		ledger,
		sql,
		groups,
		async close(): Promise<void> {
			for (const person of people) person.close();
			polling.close();
			await storage.close();
		},
	};
}

function groupOf(n: number, groups: readonly string[]): string {
	return groups[isSlow(n) ? 0 : n % groups.length] as string;
}

export type Guest = { person: Person; cookie: string };

/**
 * Makes people and their rooms by the domain itself, past the servers: nobody is connected yet. There is one more than
 * `count`, who is in no group and watches.
 */
export async function enterAll(sql: Sql, count: number): Promise<{ people: Guest[]; groups: string[] }> {
	const { chat } = await testChat({ sql });
	const auth = openAuth({ sql, secret, secure: false });
	const people: Guest[] = [];
	const groups: string[] = [];
	for (let n = 0; n <= count; n++) {
		const person = await chat.people.enter({ name: n === count ? "Watcher" : `Person ${n + 1}` });
		const [set] = await auth.signIn(person);
		people.push({ person, cookie: (set as string).split(";")[0] as string });
	}
	for (let g = 0; g < Math.max(1, Math.floor(count / groupSize)); g++) {
		const owner = people[g % count] as Guest;
		groups.push((await chat.rooms.create(owner.person, { name: `Group ${g + 1}`, topic: "", kind: "public" })).id);
	}
	for (let n = 0; n < count; n++) {
		const roomId = groupOf(n, groups);
		// Who made it is in it.
		if (roomId !== groups[n]) await chat.rooms.join((people[n] as Guest).person, { roomId });
	}
	return { people, groups };
}
