/** Every number both sides agree on, each with its reason. Times are milliseconds unless the name says otherwise. */
export const limits = {
	/** Characters (code points) in one message: a long letter; more is a file. */
	body: 4000,
	/** Characters in a nickname: fits a phone's message header on one line. */
	name: 32,
	/** Characters in a room's name: fits the room list without being cut at 240 px. */
	roomName: 60,
	/** Characters in a room's topic: one line on a desktop. */
	topic: 200,
	/** Messages the live view loads at a time: two screens on a desktop. */
	window: 50,
	/** Messages the browser keeps in the page at most, so that a room of any length stays smooth. */
	mounted: 200,
	/** Facts one catch-up answer carries for one room; a browser further behind is told to reset. */
	catchUp: 200,
	/** Facts behind at which catching up costs more than loading the newest window: five answers. */
	resetBehind: 1000,
	/** Deleted messages after a read pointer that a room is told with: beyond it nobody reads the count to the last one. */
	unreadDeleted: 1000,
	/** Rooms one catch-up may ask for. */
	catchUpRooms: 500,
	/** Messages on a numbered page, as the original had it. */
	page: 5,
	/** Sizes a reader may choose for numbered pages. */
	pageSizes: [5, 10, 25, 50],
	/** Consecutive messages by one person within this time stand as a group. */
	group: 5 * 60_000,
	/** How long a browser waits for an answer before it sends the same message again. */
	ackTimeout: 5000,
	/** A queued message older than this asks before it is sent. */
	staleQueue: 24 * 3600_000,
	/** A typing notice is sent at most this often, and shown this long. */
	typingEvery: 3000,
	typingShown: 5000,
	/** A message counts as read when it was on a visible, focused screen this long. */
	readAfter: 500,
	/** Bytes of one socket frame or form: a 4,000 character message in any script is below 24 KB. */
	frame: 64 * 1024,
	/** Calls one socket may make in a second before it is slowed. */
	callsPerSecond: 20,
	/** Sockets one person may hold: ten tabs and devices. */
	socketsPerPerson: 10,
	/** People present in a room up to which coming and going is told to everybody; beyond it the panel asks. */
	presencePerRoom: 200,
	/** Members up to which pointers are shown per person; beyond it the furthest pointer stands for all. */
	pointersPerPerson: 50,
} as const;

/** Token buckets: `burst` at once, then `perSecond`. Source: product decisions, docs/rules.md S3. */
export const rates = {
	"message:post": { burst: 10, perSecond: 1 },
	"message:edit": { burst: 5, perSecond: 5 },
	typing: { burst: 2, perSecond: 1 / 3 },
	/** Joining, leaving, inviting, renaming, opening conversations: each is a fact for everybody in the room. */
	"room:change": { burst: 20, perSecond: 1 },
	"room:create": { burst: 10, perSecond: 10 / 3600 },
	/** New guests from one address: a class behind one router, not a robot. docs/decisions/004. */
	enter: { burst: 60, perSecond: 60 / 3600 },
	/** ShoppinAPI, by key or address: a script that fills a catalogue's worth of carts, not a flood. */
	api: { burst: 60, perSecond: 20 },
	/** Files of one administrator: a folder's worth at once, not a loop. */
	import: { burst: 60, perSecond: 1 / 5 },
	/** One room takes this from everybody together: above it reading is impossible. */
	room: { burst: 200, perSecond: 50 },
	call: { burst: 40, perSecond: 20 },
} as const;
export type Rate = { burst: number; perSecond: number };
