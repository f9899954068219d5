/**
 * Charla from top to bottom: configuration -> database -> domain -> pages -> sockets -> listen -> drain.
 * Read this first; docs/map.md says where everything else is.
 */
import cluster from "node:cluster";
import { rmSync } from "node:fs";
import { createServer, type Server as HttpServer } from "node:http";
import { hostname } from "node:os";
import { openAuth, openBuckets, type Session } from "./app/auth/index.server.ts";
import { type News, openChat, openConsumers, openFacts, openReadText, openRelay, uuidv7 } from "./app/chat/index.server.ts";
import { type Config, ConfigError, readConfig, summaryOf } from "./app/config.server.ts";
import { rates } from "./app/contract/limits.ts";
import { tellingPath } from "./app/contract/telling-path.ts";
import { openAddress, openHttp, openOwnOrigin, prefixOf } from "./app/http/index.server.ts";
import { buildId, builtPages, vitePages } from "./app/http/pages.server.ts";
import { takeFile } from "./app/http/take-file.server.ts";
import { openJobs } from "./app/jobs/index.server.ts";
import { attachRealtime, everybody, openPeers, openTraceParts, shareRates } from "./app/realtime/index.server.ts";
import { openKeys, openLook, openSqlStore } from "./app/shop/index.server.ts";
import { isUnavailable, openInstances, openStorage } from "./app/storage/index.server.ts";
import { sayRefused } from "./app/words/index.server.ts";
import { busName, chooseBus, openDoor, ownWorker, peerRow, runWorkers, sessionSuffix, socketOf } from "./app/workers/index.server.ts";
import { openStore, serveApi } from "./lambdas/shop/serve.ts";
import { openShop } from "./lambdas/shop/shop.ts";
import { openStream } from "./lambdas/stream/serve.ts";
import { openInbox } from "./lambdas/upload/serve.ts";
import { openBeacon } from "./observability/beacon.ts";
import { openBrowserExport } from "./observability/browser-export.ts";
import { endOnUncaught } from "./observability/last-resort.ts";
import { openLevel } from "./observability/level.ts";
import { errorFields } from "./observability/log.ts";
import { openOps } from "./observability/ops.ts";
import { openOwnLog } from "./observability/own-log.ts";
import { type JobName, openRecorder, recordPages } from "./observability/recorder.ts";
import { readTelemetry } from "./observability/settings.ts";
import { stopTelemetry, telemetry } from "./observability/telemetry.ts";

/** Orders made elsewhere (by a function, by another instance that ended) appear in their rooms within this time, ms. */
const lookForCards = 3000;

/** A running Charla. `front` and `pages` are set apart for Vite's own server, which puts its middlewares in between. */
export type Charla = Awaited<ReturnType<typeof startCharla>>;

/** Starts everything on a given http server (not yet listening) and returns how to stop it. */
export async function startCharla(config: Config, http: HttpServer) {
	const worker = ownWorker();
	const build = config.dev ? "development" : buildId();
	const kept = telemetry();
	const { settings } = kept ?? {};
	const instance = settings?.instance ?? `${hostname()}/${process.pid}`;
	const log = openOwnLog(config, build);
	const recorder = openRecorder({
		log,
		adapter: () => peers.adapter,
		instances: () => instances.count().all + 1,
		arn: settings?.arn,
		isUnavailable,
		isSampled: kept?.isSampled,
		onQuiet: kept ? (message) => kept.traces.addQuiet(message) : undefined,
	});
	const report = (error: unknown, given: Record<string, string>) => {
		// Whoever reports may have the address as it was asked.
		const about = given.path === undefined ? given : { ...given, path: tellingPath(given.path) };
		return recorder.reference(
			error,
			() => uuidv7().slice(-12),
			(reference, where) => {
				log.error("exception", { reference, ...about, ...errorFields(error), handled: true });
				kept?.noticeError(error, { ...about, reference, ...where });
			},
		);
	};
	// What is expected to happen (the database is away) has no line of its own, but a trace, as everything that fails.
	const refer = (error: unknown) =>
		recorder.reference(
			error,
			() => "",
			() => {},
		);
	// A name nobody had before: a process that ended may come back with the same number.
	const self = `${instance}#${uuidv7().slice(-6)}${worker ? sessionSuffix(worker.number) : ""}`;
	const peers = openPeers({
		openBus: chooseBus({ redisUrl: config.redisUrl, secret: config.sessionSecret, worker, log }),
		instance: self,
		onError: (error) => report(error, { call: "hint" }),
	});
	log.info("service.started", { node: process.version, telemetry: settings?.mode ?? "off", ...summaryOf(config) });

	const storage = await openStorage({ databaseUrl: config.databaseUrl, dataDir: config.dataDir, log, onWaited: recorder.waited });
	await storage.migrate();
	const sql = recorder.sql(storage.sql);

	const listeners: ((news: News) => void)[] = [];
	const publish = (news: News) => {
		for (const hear of listeners) {
			try {
				hear(news);
			} catch (error) {
				// It is committed: whoever listens badly must not make it look as if it were not.
				report(error, { call: "publish" });
			}
		}
	};
	const shopStore = await openStore(config.shopTables, openSqlStore(sql));
	const shop = openShop({ store: shopStore, ids: uuidv7, trace: recorder.ordering });
	const stream = await openStream(config);
	const inbox = config.imports ? await openInbox({ imports: config.imports, dataDir: config.dataDir }) : null;
	const importing = inbox && {
		...inbox,
		catalogue: (tx: typeof sql) => (config.shopTables ? shopStore : openSqlStore(tx)),
		around: recorder.importing,
		round: (work: () => Promise<void>) => recorder.job("import", work),
	};
	const domain = openChat({
		sql,
		publish,
		ids: uuidv7,
		askFact: openFacts(config.factUrl),
		desk: shop,
		log,
		importing,
		activity: stream.store,
	});
	const { observe } = recorder;
	const chat = {
		...domain,
		people: observe("people", domain.people),
		rooms: observe("rooms", domain.rooms),
		messages: observe("messages", domain.messages),
	};

	const secure = config.publicUrl?.startsWith("https:") ?? false;
	const auth = observe("auth", openAuth({ sql, secret: config.sessionSecret, secure }));
	const buckets = openBuckets({
		clock: () => performance.now(),
		off: !config.rateLimits,
		onTaken: shareRates(peers, (...taken) => buckets.takenElsewhere(...taken)),
	});
	const throttle = recorder.throttle(buckets.take);
	const isOwnOrigin = openOwnOrigin(config.publicUrl);
	const addressOf = openAddress(config.proxyHops);

	let draining = false;
	const notReady = async () => (draining ? "draining" : (await storage.ready()) ? null : "database");
	const beacon = openBeacon({
		whoIs: auth.whoIs,
		isOwnOrigin,
		log,
		onSpans(spans) {
			for (const span of spans) kept?.traces.addBrowser(span);
			browsers?.add(spans);
		},
	});
	const browsers = settings?.otlp?.traces
		? openBrowserExport({ ...settings.otlp, resource: { "service.namespace": "chat", "deployment.environment.name": settings.env } })
		: null;
	const ownLevel = openLevel({ logger: log });
	const level = {
		...ownLevel,
		raise(by: string) {
			ownLevel.raise(by);
			peers.tell(everybody, { kind: "log-level", raised: true, by });
		},
		lower(by: string) {
			ownLevel.lower(by);
			peers.tell(everybody, { kind: "log-level", raised: false, by });
		},
	};
	peers.on("log-level", ({ raised, by }) => (raised ? ownLevel.raise(by) : ownLevel.lower(by)));
	const ops = kept
		? openOps({
				telemetry: { ...kept, exporting: () => [...kept.exporting(), ...(browsers ? [browsers.stats()] : [])] },
				sockets: () => realtime.table().map((socket) => ({ ...socket, eventsIn: recorder.eventsIn(socket.connId), roundTrip: null })),
				peers: () => instances.others().map((other) => peerRow(other, worker)),
				askOthers: (reference) => askOthers(reference),
				level,
				log: (event, fields) => log.info(event, fields),
				counts: () => ({ keptLogs: kept.logs.size, fieldsRejected: log.rejected() }),
			})
		: null;
	const askOthers = openTraceParts({
		peers,
		self,
		others: () => instances.others().map(({ id }) => id),
		part: (reference) => ops?.part(reference) ?? null,
	});
	const stopMinutes = kept?.metrics.onMinute((line) => log.raw(line));
	const telemetryOfPages = () => ({ on: kept !== null, sampleRatio: settings?.sampleRatio ?? 0, traceparent: recorder.traceparent() });
	const cards = openLook({
		every: lookForCards,
		look: () => recorder.job("order-cards", domain.orders.showWaiting),
		onError: (error) => log.warn("job.failed", { job: "order-cards", exception_message: String(error) }),
	});
	const api = serveApi({
		shop,
		findKey: openKeys({ sql, ids: uuidv7 }).find,
		isOpen: config.shopOpen,
		person: domain.orders.person,
		room: domain.orders.linkedRoom,
		limit: (key) => throttle(rates.api, `api ${key}`),
		ordered: cards.now,
		isUnavailable,
		report: (error) => report(error, { path: "/api" }),
		requestId: (_request, response) => String(response.getHeader("x-request-id") ?? ""),
		address: (request) => (request as { ip?: string }).ip ?? "",
	});
	const edge = { chat, auth, throttle, log, build, isOwnOrigin, isUnavailable, report, refer };
	const endSession = (session: Session) => realtime.endSession(session);
	const { front, pages } = openHttp({
		...edge,
		secure,
		publicHost: config.publicUrl ? new URL(config.publicUrl).host : null,
		dev: config.dev,
		proxyHops: config.proxyHops,
		sayRefused,
		notReady,
		endSession,
		beacon,
		api,
		takeFile: inbox && domain.imports ? takeFile({ ...edge, ...inbox, imports: domain.imports, traceparent: recorder.traceparent }) : null,
		telemetry: telemetryOfPages,
		within: recorder.request,
		pageAgent: () => kept?.pageHeader() ?? null,
		ops,
	});
	// Before the sockets: Socket.IO puts itself in front of the listeners it finds. Vite's own server has its listener already.
	if (http.listenerCount("request") === 0) http.on("request", front);
	const status = { instance, slos: () => ops?.publicSlos() ?? null };
	const instances = openInstances({
		sql: storage.sql,
		log,
		self: { id: self, version: settings?.version ?? "", build, adapter: busName(peers.adapter, worker) },
		sockets: () => realtime.count(),
		onUnheard: (count) => log.warn("adapter.none", { instances: count + 1 }),
	});
	const realtime = attachRealtime({
		...edge,
		http,
		recorder,
		status,
		peers,
		others: instances.count,
		sessionSuffix: worker ? sessionSuffix(worker.number) : "",
		admission: config,
		addressPrefix: (request) => prefixOf(addressOf(request)),
		stockFanOut: config.stockFanOut,
	});
	listeners.push(realtime.hear);
	const relay = openRelay({
		sql,
		consumers: openConsumers(stream),
		readText: openReadText(config.flaggedWords),
		here: realtime.here,
		log,
		onTaken: recorder.relayed,
		round: (work) => recorder.job("relay", work),
	});
	listeners.push(relay.hear);
	const arriving =
		inbox?.start(
			(file) => domain.imports?.arrived(file) ?? Promise.resolve(),
			(error) => log.warn("job.failed", { job: "import", exception_message: String(error) }),
		) ?? null;
	await instances.start();
	recorder.watch(http);
	recorder.begin({ sockets: realtime.stats, count: realtime.count, pool: storage.pool });
	const jobs = openJobs<JobName>({
		run: storage.run,
		log,
		isUnavailable,
		around: async (name, work) => {
			await recorder.job(name, work).catch((error: unknown) => {
				log.warn("job.failed", { job: name, exception_message: String(error) });
				throw error;
			});
		},
	});
	jobs.every("session-sweep", "0 * * * *", auth.sweep);
	jobs.start();

	let stopped: Promise<void> | null = null;
	async function stopOnce(): Promise<void> {
		draining = true;
		log.info("service.draining", { sockets_left: realtime.count() });
		await Promise.all([cards.stop(), arriving?.stop(), domain.imports?.stop()]);
		// The workers of one machine stop together, so they are nowhere to go.
		const siblings = worker ? config.workers - 1 : 0;
		await realtime.drain(config.drain, instances.count().all > siblings);
		await relay.stop();
		http.closeAllConnections();
		await Promise.all([instances.stop(), jobs.stop(), peers.close()]);
		await storage.close();
		recorder.end();
		stopMinutes?.();
		ops?.stop();
		level.stop();
		await browsers?.stop();
		log.info("service.stopped", { sockets_left: realtime.count() });
	}

	return {
		log,
		chat,
		shop,
		auth,
		storage,
		front,
		pages,
		realtime,
		relay,
		peers,
		instances,
		jobs,
		level,
		ops,
		/** Asks everybody to connect anew, and goes on serving those who come back here. */
		move(): void {
			log.info("service.moving", { sockets_left: realtime.count() });
			// Half, since it is asked twice within a load balancer's delay.
			realtime.move(config.drain / 2);
		},
		/** Sends everybody elsewhere, finishes what was accepted, and stops the database. Called again, it is the same stop. */
		stop(): Promise<void> {
			stopped ??= stopOnce();
			return stopped;
		},
	};
}

async function main(): Promise<void> {
	const dev = process.argv.includes("--dev");
	const { problems } = readTelemetry(process.env, { dev });
	const config = readConfig(process.env, { dev, problems });
	crash = endOnUncaught(() => openOwnLog(config, config.dev ? "development" : buildId()));
	// Before anything is started: what is not built cannot be served.
	const built = config.dev ? null : await builtPages();
	if (config.workers > 1 && cluster.isPrimary) return keepWorkers(config);
	const worker = ownWorker();
	const http = createServer();
	const starting = startCharla(config, http);
	stopOnSignal(starting);
	const charla = await starting;

	charla.front.use(charla.pages(recordPages(built ?? (await vitePages(http)))));
	// Several workers share the port by a door in front; by the socket behind it they hand over what is another's.
	const door = worker ? openDoor({ http, worker }) : http;
	if (worker) {
		const path = socketOf(worker.folder, worker.number);
		// Of the worker before this one, if it was killed.
		rmSync(path, { force: true });
		http.listen({ path, exclusive: true });
	}
	// Longer than a load balancer's idle timeout, or it would send requests into connections we are closing.
	http.keepAliveTimeout = door.keepAliveTimeout = 75_000;
	door.once("error", (error: NodeJS.ErrnoException) => {
		const busy = error.code === "EADDRINUSE";
		console.error(busy ? `Port ${config.port} is in use. Choose another, for example: PORT=${config.port + 1} npm start` : error);
		charla
			.stop()
			.then(stopTelemetry)
			.finally(() => process.exit(1));
	});
	// Thousands of browsers come back at once after a restart; the default backlog of 511 would turn some away.
	door.listen({ port: config.port, host: config.host, backlog: 4096 }, () => {
		const { port } = door.address() as { port: number };
		charla.log.info("service.ready", { url: urlOf(config, port), port });
		if (!worker) welcome(config, port, charla);
	});
}

/** Several processes on one machine: this one has the database and keeps them, and serves nobody itself. */
async function keepWorkers(config: Config): Promise<void> {
	const log = openOwnLog(config, buildId());
	const start = async () => {
		const storage = await openStorage({ databaseUrl: config.databaseUrl, dataDir: config.dataDir, log });
		try {
			// By one before all: the workers find it done.
			await storage.migrate();
			const workers = await runWorkers({ count: config.workers, drain: config.drain, log, databaseUrl: storage.url });
			return { ...workers, storage, stop: () => workers.stop().then(() => storage.close()) };
		} catch (error) {
			await storage.close();
			throw error;
		}
	};
	const starting = start();
	stopOnSignal(starting);
	const { port, storage, stop } = await starting;
	// Why is on the error output of the workers.
	if (port === null)
		return stop()
			.then(stopTelemetry)
			.then(() => process.exit(1));
	const auth = openAuth({ sql: storage.sql, secret: config.sessionSecret, secure: config.publicUrl?.startsWith("https:") ?? false });
	welcome(config, port, { auth, log });
}

/**
 * Heard from the first moment on, or a stop during the start would leave PostgreSQL behind; and every time, since npm passes
 * Ctrl-C on to a process that the terminal has told already.
 */
function stopOnSignal(starting: Promise<{ move(): void; stop(): Promise<void> }>): void {
	const stop = () => {
		starting
			.then((running) => running.stop())
			.then(stopTelemetry)
			.then(
				() => process.exit(0),
				() => process.exit(1),
			);
	};
	// Told by deploy/hooks/move-people.sh once the load balancer sends nobody new: those who are here go where it sends them.
	process.on("SIGUSR2", () => void starting.then((running) => running.move()));
	process.on("SIGTERM", stop);
	process.on("SIGINT", stop);
}

const urlOf = (config: Config, port: number): string =>
	config.publicUrl ?? `http://${config.host === "127.0.0.1" ? "localhost" : config.host}:${port}`;

/** For whoever started it: where it is, and the way to become administrator. */
function welcome(config: Config, port: number, { auth, log }: Pick<Charla, "auth" | "log">): void {
	const url = urlOf(config, port);
	auth.ownerToken().then(
		(token) => {
			// Not log lines: they are for whoever starts the server, and for nothing that collects logs.
			if (process.stdout.isTTY) console.log(`\n  Charla is ready at ${url}\n`);
			if (token) process.stderr.write(`Owner link: ${url}/owner/${token}\n`);
		},
		(error: unknown) => log.warn("job.failed", { job: "start", exception_message: String(error) }),
	);
}

/** Ends the process over an error nobody expected; known once the configuration is. */
let crash: ReturnType<typeof endOnUncaught> | null = null;

if (import.meta.main)
	main().catch(async (error: unknown) => {
		const expected = error instanceof ConfigError || typeof (error as { code?: unknown }).code === "string";
		if (!expected && crash) return crash(error, "start");
		console.error(expected ? (error as Error).message : error);
		await stopTelemetry().catch(() => undefined);
		process.exit(1);
	});
