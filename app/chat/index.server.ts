import type { ActivityStore } from "../contract/activity.ts";
import type { CallInput, FormInput, Posted } from "../contract/calls.ts";
import type { CaughtUp, Fact } from "../contract/facts.ts";
import { lobbyId } from "../contract/fixed.ts";
import type { Language } from "../contract/language.ts";
import type { Cart } from "../contract/orders.ts";
import { refuse } from "../contract/refusals.ts";
import type { Member, Message, MessageJourney, MyRoom, OpenedRoom, OpenRoom, Page, Person, Stretch } from "../contract/shapes.ts";
import { openOverview, postgresActivity } from "./activity/index.ts";
import { type AskFact, answerWithFact, callsBot, run } from "./commands/index.ts";
import { type ImportPorts, openImports } from "./imports/index.ts";
import * as members from "./members/index.ts";
import * as messages from "./messages/index.ts";
import * as orders from "./orders/index.ts";
import { answerWithItems, asksForItems, type Desk } from "./orders/index.ts";
import * as people from "./people/index.ts";
import type { Ports } from "./ports.ts";
import { findChange, openLane } from "./room-log/index.ts";
import * as rooms from "./rooms/index.ts";

export { openConsumers, openReadText, openRelay } from "./activity/index.ts";
export { openFacts } from "./commands/index.ts";
export { uuidv7 } from "./ids.ts";
export type { News, Ports, Publish } from "./ports.ts";

/** The import desk's files and core, and how a round of its work is run. */
type Importing = ImportPorts & { round?: (work: () => Promise<void>) => Promise<void> };

type Log = {
	info?(message: string, fields?: Record<string, unknown>): void;
	warn(message: string, fields?: Record<string, unknown>): void;
};

/**
 * The domain: every use case is `(me, input)`, checks who is asking by `standing`, and announces what happened after it
 * is committed. It knows no HTTP, no sockets and no telemetry.
 */
export function openChat(
	given: Ports & { askFact: AskFact; desk: Desk; log: Log; importing?: Importing | null; activity?: ActivityStore | null },
) {
	const { askFact, desk, log, importing, activity, ...ports } = given;
	const { sql } = ports;
	const names = people.rememberNames(sql);
	const lane = openLane(sql);
	const standing = members.openStanding(sql);
	const movePointers = members.openPointers(ports);

	return {
		people: {
			/** Makes a guest and brings them to the lobby. */
			async enter(input: FormInput<"enter">): Promise<Person> {
				const person = await people.enter(ports, input);
				await rooms.bring(ports, person, lobbyId);
				return person;
			},
			find: (me: Person, input: { text: string }): Promise<Person[]> => people.find(ports, me, input),
		},
		rooms: {
			mine: (me: Person): Promise<MyRoom[]> => rooms.selectMyRooms(sql, me.id),
			browse: (me: Person): Promise<OpenRoom[]> => rooms.selectPublicRooms(sql, me.id),
			/** A room with its members and the stretch to show first: around `at`, or from the first unread on. */
			async open(me: Person, input: { roomId: string; at?: number | null }): Promise<OpenedRoom> {
				const here = await standing(me, input.roomId);
				// The room's head is read before its messages: what lands in between arrives again as a fact, and folds to nothing.
				const room = await rooms.selectMyRoom(sql, me.id, input.roomId);
				const [seen, list] = await Promise.all([
					messages.opening(sql, names, here, room, input.at ?? null),
					members.selectMembers(sql, input.roomId),
				]);
				return { room, members: list, ...seen };
			},
			async members(me: Person, input: { roomId: string }): Promise<Member[]> {
				await standing(me, input.roomId);
				return members.selectMembers(sql, input.roomId);
			},
			create: (me: Person, input: FormInput<"room:create">): Promise<MyRoom> => rooms.create(ports, me, input),
			direct: (me: Person, input: FormInput<"room:direct">): Promise<MyRoom> => rooms.direct(ports, me, input),
			join: (me: Person, input: FormInput<"room:join">): Promise<MyRoom> => rooms.join(ports, me, input),
			async invite(me: Person, input: FormInput<"room:invite">): Promise<Person> {
				return rooms.invite(ports, await standing(me, input.roomId), input);
			},
			async change(me: Person, input: FormInput<"room:change">): Promise<void> {
				return rooms.change(ports, await standing(me, input.roomId), input);
			},
			async leave(me: Person, input: FormInput<"room:leave">): Promise<void> {
				return members.leave(ports, await standing(me, input.roomId));
			},
			since: (me: Person, input: CallInput<"room:since">): Promise<CaughtUp[]> => messages.since(sql, names, me, input.cursors),
			async pointers(me: Person, { roomId, ...move }: CallInput<"pointer:move">): Promise<{ readSeq: number; readMsg: number }> {
				const { readSeq, readMsg } = await movePointers(await standing(me, roomId), move);
				return { readSeq, readMsg };
			},
			/** Proves that I am in the room, for what is not stored (typing, who is here). */
			async stand(me: Person, input: { roomId: string }): Promise<void> {
				await standing(me, input.roomId);
			},
		},
		messages: {
			/** Posts a text or carries out the command it is. Both doors, socket and form, end here. */
			async post(me: Person, input: CallInput<"message:post">, language: Language = "en"): Promise<Posted> {
				const isCommand = input.body.trimStart().startsWith("/");
				// A plain message is the hot path: the statement that stores it asks for membership itself.
				const isPlain = !isCommand && input.replyTo === null;
				// Whoever left by this very command is no member any more, and has done what they ask for again.
				const isLeft = async (error: unknown) => {
					if (isCommand && (await findChange(sql, input.roomId, me.id, input.clientId)) !== null) return null;
					throw error;
				};
				const here = isPlain ? members.claim(me, input.roomId) : await standing(me, input.roomId).catch(isLeft);
				if (!here) return { id: input.clientId, seq: null, notice: "left", goTo: "/rooms" };
				const outcome =
					isCommand && here.role !== null ? await run(ports, here, input.body, { desk, clientId: input.clientId, language }) : null;
				if (outcome?.kind === "done") return { id: input.clientId, ...outcome.posted };
				const body = outcome?.body ?? input.body;
				const { id, seq, message } = await messages.post(ports, lane, names, here, { ...input, body });
				const answer =
					message && callsBot(body)
						? answerWithFact(ports, lane, names, askFact, message, language)
						: message && asksForItems(body)
							? answerWithItems(ports, lane, names, desk, message, language)
							: null;
				answer?.catch((error: unknown) => log.warn("bot.failed", { room_id: input.roomId, seq, exception_message: String(error) }));
				return { id, seq };
			},
			async edit(me: Person, input: CallInput<"message:edit">): Promise<{ seq: number }> {
				return messages.edit(ports, await standing(me, input.roomId), input);
			},
			async remove(me: Person, input: CallInput<"message:delete">): Promise<{ seq: number }> {
				return messages.remove(ports, await standing(me, input.roomId), input);
			},
			async journey(me: Person, input: CallInput<"message:journey">): Promise<MessageJourney> {
				return messages.journey(sql, await standing(me, input.roomId), input.seq);
			},
			async stretch(me: Person, { roomId, ...where }: CallInput<"message:stretch">): Promise<Stretch> {
				return messages.stretch(sql, names, await standing(me, roomId), where);
			},
			/** One message with the room it stands in. */
			async one(me: Person, input: { roomId: string; seq: number }): Promise<{ room: MyRoom; message: Message }> {
				const here = await standing(me, input.roomId);
				const message = await messages.one(sql, names, here, input.seq);
				return { room: await rooms.selectMyRoom(sql, me.id, input.roomId), message };
			},
			async page(me: Person, input: { roomId: string; page: number | null; size: number }): Promise<Page> {
				const here = await standing(me, input.roomId);
				const room = await rooms.selectMyRoom(sql, me.id, input.roomId);
				return messages.page(sql, names, here, room, input.page, input.size);
			},
		},
		orders: {
			async decide(me: Person, { roomId, ...input }: CallInput<"cart:decide">): Promise<{ version: number }> {
				return orders.decide(ports, desk, await standing(me, roomId), input);
			},
			/** Orders of a room, newest first: those before `before` (a cart's id), and whether there are more. */
			async ofRoom(
				me: Person,
				input: { roomId: string; before: string | null },
			): Promise<{ room: MyRoom; carts: Cart[]; hasMore: boolean }> {
				await standing(me, input.roomId);
				const room = await rooms.selectMyRoom(sql, me.id, input.roomId);
				const before = input.before === null ? null : await orders.ask(desk.cart(input.before));
				// A cart of another room says nothing about this one, not even that it is there.
				if (before && before.room !== input.roomId) throw refuse("order-not-found");
				const carts = await desk.ofRoom(input.roomId, before, orders.pageOf + 1);
				return { room, carts: carts.slice(0, orders.pageOf), hasMore: carts.length > orders.pageOf };
			},
			/** Every order of a room as a table, oldest last. */
			async csv(me: Person, input: { roomId: string }): Promise<string> {
				await standing(me, input.roomId);
				return orders.cartsCsv(await orders.allOf(desk, input.roomId));
			},
			/** For the API, which knows people and rooms by name; null where there is none. */
			person: (name: string): Promise<Person | null> => people.maybeByName(ports, name),
			linkedRoom: (name: string): Promise<string | null> => orders.linkedRoom(sql, name),
			/** Shows what waits to be shown; how many carts were seen. */
			showWaiting: (): Promise<number> => orders.showWaiting(ports, desk),
		},
		/** Files administrators bring; null where nothing is imported. That the asker is one is for the door to see to. */
		imports: importing
			? openImports({
					ports,
					lane,
					names,
					importing,
					log: { info: () => undefined, ...log },
					...(importing.round ? { round: importing.round } : {}),
				})
			: null,
		/** What happens in rooms, in numbers: of all of them for administrators, of one for its owners. */
		activity: openOverview(sql, standing, activity ?? postgresActivity(sql)),
		/** What an instance needs to keep its own sockets complete; asks for nobody in particular. */
		log: {
			heads: (roomIds: readonly string[]): Promise<Map<string, number>> => rooms.selectHeads(sql, roomIds),
			after: (roomId: string, seq: number): Promise<Fact[]> => messages.factsAfter(sql, names, roomId, seq),
			/** Who came into which room within the last so many seconds, by the database's clock; some may be on the way in still. */
			joinedWithin: (seconds: number): Promise<{ userId: string; roomId: string }[]> => members.selectJoinedWithin(sql, seconds),
			/** How many others have a message and how many saw it: for operators, who need not be in the room. */
			reach: (roomId: string, seq: number) => messages.reach(sql, roomId, seq),
			/** The lobby's last few messages, shown behind the first screen. */
			glimpse: () => messages.glimpse(sql, names, lobbyId),
		},
	};
}

export type Chat = ReturnType<typeof openChat>;
