/** A figure the simulation stands on, and where it comes from. */
export type Cost = { value: number; unit: string; source: string };

const fleets = "npm run bench -- --instances 1 --instances 3, 28 November 2026, docs/scale.md";

/**
 * What things cost, measured on this code. CPU times are of one core of the machine of docs/scale.md. When the code changes, measure
 * again and change this file alone.
 */
export const costs = {
	deliver: {
		value: 0.014,
		unit: "ms of an instance's CPU per delivery that leaves in a write of its own",
		source:
			"npm run bench -- --scenario 50x20: 27,125 deliveries per CPU-second, less 18 % for PostgreSQL and a twentieth of a message each",
	},
	joined: { value: 0.002, unit: "ms of an instance's CPU per further delivery in the same write", source: fleets },
	message: { value: 0.143, unit: "ms of an instance's CPU per message taken in", source: fleets },
	hint: { value: 0.194, unit: "ms of an instance's CPU per message heard from another", source: fleets },
	store: {
		value: 0.13,
		unit: "ms of PostgreSQL's CPU per message",
		source: "npm run bench -- --scenario 50x20: 18 % of the CPU; less where many come at once (0.06 in the fleets)",
	},
	connect: { value: 1.24, unit: "ms of an instance's CPU per connection made", source: fleets },
	connectStore: { value: 0.2, unit: "ms of PostgreSQL's CPU per connection made", source: fleets },
	socket: { value: 21.7, unit: "KB alive per open socket", source: fleets },
	factBytes: { value: 430, unit: "bytes per delivery", source: "docs/performance.md" },
} as const satisfies Record<string, Cost>;

/** What the simulation supposes and nobody measured here, each with its reason. */
export const supposed = {
	socketsPerInstance: {
		value: 10_000,
		unit: "sockets",
		source: "an instance that starts again has them all back within the patience of a browser",
	},
	databaseCores: { value: 32, unit: "cores", source: "the largest single PostgreSQL most people rent without asking anybody" },
	instanceLoad: { value: 0.6, unit: "of a core", source: "an instance above this is late whenever something happens" },
	everySeconds: {
		value: 120,
		unit: "s between two messages of one person",
		source: "everybody who is connected writes, at the busiest time",
	},
	relay: {
		value: 0.01,
		unit: "ms of Redis' CPU per hint and instance",
		source: "too little to be seen in the fleets; a hundred thousand a second is what Redis is known for",
	},
	redisCores: { value: 1, unit: "core", source: "Redis hands out what is published on one core" },
	commit: { value: 2, unit: "ms until a batch is on the disk", source: "a good network disk" },
	patience: { value: 20_000, unit: "ms", source: "app/live/connection.ts gives an attempt up after so long" },
	down: { value: 3000, unit: "ms", source: "an instance starts in about so long on the machine of docs/scale.md" },
} as const satisfies Record<string, Cost>;
