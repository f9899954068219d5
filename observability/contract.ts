/**
 * The telemetry contract: every span, metric, log event and service level there is, with its attributes. What is emitted is
 * declared here and what is declared here is emitted; tests hold both to it, and dashboards, alarms, saved queries and
 * docs/observability.md are made from it. Plain data: it may be read by anything, a build script as well as a test.
 *
 * Names follow OpenTelemetry's semantic conventions where there are any. They are an interface of their own, which dashboards
 * are built on: a call or a fact that is renamed in app/contract keeps its name here (`rpcOf`, `factNames`).
 */
import type { CallName } from "../app/contract/calls.ts";
import type { FactKind } from "../app/contract/facts.ts";

/** What a call of the socket is called in telemetry; `spans` says when it becomes a span. */
export const rpcOf: Record<CallName, { method: string; spans: "always" | "failures" | "never" }> = {
	"message:post": { method: "message.send", spans: "always" },
	"message:edit": { method: "message.edit", spans: "always" },
	"message:delete": { method: "message.delete", spans: "always" },
	"message:journey": { method: "message.journey", spans: "always" },
	"message:stretch": { method: "room.history", spans: "always" },
	"room:since": { method: "room.catchup", spans: "always" },
	"cart:decide": { method: "cart.decide", spans: "always" },
	// Everybody in a room makes these for every message: one that went well is a number, not a span.
	"pointer:move": { method: "read.mark", spans: "failures" },
	"room:here": { method: "room.presence", spans: "failures" },
	typing: { method: "room.typing", spans: "never" },
	"server:ping": { method: "server.ping", spans: "never" },
	"server:slos": { method: "server.slos", spans: "failures" },
};
/** A call of a name nobody declared: a page of another version, or somebody trying. */
export const unknownMethod = "unknown";

/** What a fact is called as the destination of a publish. */
export const factNames: Record<FactKind, string> = {
	"message-posted": "message.created",
	"message-edited": "message.edited",
	"message-deleted": "message.deleted",
	"member-joined": "member.joined",
	"member-left": "member.left",
	"room-changed": "room.changed",
	"cart-changed": "cart.changed",
	"unknown-change": "unknown.changed",
};

/** `values`: a closed list, which alone may stand on a metric. `semconv`: a name of the conventions, not ours. */
type Attribute = { type: "string" | "number" | "boolean" | "strings"; values?: readonly (string | number | boolean)[]; what: string };

/** What we export ourselves: what is lost of it is for operators to mend. */
export const exportedSignals = ["span", "metric", "log"] as const;
const roomKinds = ["public", "private", "direct", "unknown"] as const;
/** Why something came to nothing: refusals stand by their code, everything else by one of these. */
export const errorTypes = ["internal", "unavailable", "timeout", "disconnected", "adapter"] as const;
export const outcomes = ["ok", "refused", "failed"] as const;
/** Socket.IO's own closed list, and `other` for what a later version adds. */
export const disconnectReasons = [
	"transport error",
	"transport close",
	"forced close",
	"ping timeout",
	"parse error",
	"server shutting down",
	"forced server close",
	"client namespace disconnect",
	"server namespace disconnect",
	"other",
] as const;
/** The functions of lambdas/, each a folder. */
export const lambdaNames = ["shop", "upload", "stream"] as const;
const methods = [...new Set(Object.values(rpcOf).map((rpc) => rpc.method)), unknownMethod];

/** Every attribute a span or a metric may carry. Ids stand on spans and logs only, never on a metric. */
export const attributes = {
	outcome: { type: "string", values: outcomes, what: "ok; refused: an expected no; failed: ours to mend" },
	"error.type": { type: "string", what: "a refusal's code, or one of errorTypes, or an HTTP status; absent when it went well" },
	"chat.message.id": { type: "string", what: "the message's clientId, which is also its trace id" },
	"chat.client_msg.id": { type: "string", what: "the key the browser made; equal to chat.message.id" },
	"chat.room.id": { type: "string", what: "the room" },
	"chat.room.kind": { type: "string", values: roomKinds, what: "kind of room" },
	"chat.message.bytes": { type: "number", what: "UTF-8 bytes of the text" },
	"chat.message.seq": { type: "number", what: "place in the room's log" },
	"chat.dedup": { type: "boolean", what: "the key stood already: answered as before, not announced again" },
	"chat.validation.result": { type: "string", what: "ok, or the refusal's code" },
	"chat.fanout.local": { type: "number", what: "sockets of this instance it was written to" },
	"chat.fanout.instances": { type: "number", what: "instances that work on the database, the announcing one included" },
	"chat.fanout.sample_n": { type: "number", what: "one in so many recipients reports; multiply by it" },
	"chat.adapter": {
		type: "string",
		values: ["memory", "workers", "redis", "log"],
		what: "how it was told; log: read from the log, as no hint came",
	},
	"chat.adapter.lag_ms": { type: "number", what: "from commit to being heard here, by the database's clock" },
	"chat.socket.transport": { type: "string", values: ["websocket", "polling", "unknown"], what: "transport" },
	"chat.socket.recovered": { type: "boolean", what: "not the page's first connection" },
	"chat.conn.id": { type: "string", what: "this connection; no credential" },
	"chat.conn.duration_s": { type: "number", what: "how long it lasted" },
	"chat.conn.events_in": { type: "number", what: "calls made over it" },
	"chat.connect.attempt": { type: "number", what: "the browser's attempt number" },
	"chat.disconnect.reason": { type: "string", values: disconnectReasons, what: "Socket.IO's reason" },
	"chat.page.returned": { type: "number", what: "messages answered" },
	"chat.page.direction": { type: "string", values: ["before", "after", "around", "newest"], what: "where from" },
	"chat.catchup.rooms": { type: "number", what: "rooms asked about" },
	"chat.catchup.facts": { type: "number", what: "facts answered" },
	"chat.remix.phase": { type: "string", values: ["loader", "action", "document"], what: "what of Remix ran" },
	"chat.remix.route_id": { type: "string", what: "the route's id" },
	"chat.job.name": {
		type: "string",
		values: ["session-sweep", "safety-tick", "bot-answer", "order-cards", "start", "relay", "import"],
		what: "background job",
	},
	"chat.db.statement": { type: "string", what: "the statement's name in our code" },
	"chat.db.batch": { type: "number", what: "entries stored by the same statement" },
	"chat.send.attempt": { type: "number", what: "how often this browser tried" },
	"chat.queue.ms": { type: "number", what: "how long it waited for a connection" },
	"chat.ack.status": { type: "string", values: ["ok", "refused", "timeout"], what: "what the browser was answered" },
	"chat.delivery.ms": { type: "number", what: "accepted by the server until it reached this browser, on the server's clock" },
	"chat.render.ms": { type: "number", what: "click until painted here, on the server's clock" },
	"chat.clock.error_ms": { type: "number", what: "clocks disagree: a time came out this far below nothing, and stands as 0" },
	"chat.switch.cached": { type: "boolean", what: "the room was open before" },
	"chat.reconnect.attempts": { type: "number", what: "tries until it was back" },
	"chat.reconnect.backfilled": { type: "number", what: "facts that had been missed" },
	"document.visibility": { type: "string", values: ["visible", "hidden"], what: "whether anybody could see it" },
	stage: { type: "string", values: ["validate", "persist", "publish", "adapter", "deliver", "render"], what: "hop of a message" },
	hop: { type: "string", values: ["local", "remote"], what: "same instance as the sender, or another" },
	direction: { type: "string", values: ["in", "out"], what: "to or from other instances" },
	rule: { type: "string", what: "which limit: a key of rates in app/contract/limits.ts" },
	method: { type: "string", values: ["guest", "return", "owner-link"], what: "how somebody entered" },
	signal: { type: "string", values: [...exportedSignals, "beacon"], what: "what was lost; beacon: what a browser sent, which anybody may" },
	reason: {
		type: "string",
		values: [
			"queue-full",
			"export-failed",
			"too-large",
			"invalid",
			"rejected",
			"tail-full",
			"closing",
			"spill-full",
			"spill-failed",
			"output-failed",
		],
		what: "why it was lost",
	},
	slo: {
		type: "string",
		values: ["send", "send-latency", "delivery", "render", "connect", "reconnect", "history", "page", "loss", "http"],
		what: "which service level",
	},
	"browser.web_vital.name": { type: "string", values: ["cls", "fcp", "inp", "lcp", "ttfb"], what: "web vital" },
	"browser.web_vital.rating": { type: "string", values: ["good", "needs-improvement", "poor"], what: "its rating" },
	"session.id": { type: "string", what: "one tab's visit; random, forgotten with the tab" },
	"user.id": { type: "string", what: "opaque id, never a name" },
	"rpc.system": { type: "string", values: ["socketio"], what: "deprecated name the New Relic agent still reads" },
	"rpc.system.name": { type: "string", values: ["socketio"], what: "semconv" },
	"rpc.service": { type: "string", values: ["chat"], what: "deprecated name the New Relic agent still reads" },
	"rpc.method": { type: "string", values: methods, what: "semconv: what was asked" },
	"messaging.system": { type: "string", values: ["socketio"], what: "semconv" },
	"messaging.operation.name": { type: "string", values: ["publish", "process", "render"], what: "semconv" },
	"messaging.operation.type": { type: "string", values: ["send", "process"], what: "semconv" },
	"messaging.destination.name": { type: "string", values: Object.values(factNames), what: "kind of fact, never a room" },
	"messaging.batch.message_count": { type: "number", what: "semconv: recipients" },
	"db.system.name": { type: "string", values: ["postgresql"], what: "semconv" },
	"db.operation.name": { type: "string", values: ["SELECT", "INSERT", "UPDATE", "DELETE", "OTHER"], what: "semconv" },
	"db.collection.name": { type: "string", what: "semconv: table" },
	"db.query.summary": { type: "string", what: "semconv: operation and table, no literals" },
	"db.response.status_code": { type: "string", what: "semconv: SQLSTATE" },
	"db.client.connection.state": { type: "string", values: ["idle", "used"], what: "semconv" },
	"db.client.connection.pool.name": { type: "string", values: ["charla"], what: "semconv" },
	"server.address": { type: "string", what: "semconv" },
	"server.port": { type: "number", what: "semconv" },
	"http.request.method": {
		type: "string",
		values: ["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH", "_OTHER"],
		what: "semconv",
	},
	"http.response.status_code": { type: "number", what: "semconv" },
	"http.route": { type: "string", what: "semconv: a pattern of app/routes.ts, never the path itself" },
	"url.path": { type: "string", what: "semconv, on http spans; without the query" },
	"url.scheme": { type: "string", values: ["http", "https"], what: "semconv" },
	"url.full": { type: "string", what: "semconv, on outgoing requests; without the query" },
	"user_agent.original": { type: "string", what: "semconv, on spans only; family only" },
	"faas.name": { type: "string", values: lambdaNames, what: "semconv: which function" },
	"faas.trigger": { type: "string", values: ["http", "datasource", "pubsub"], what: "semconv: what a function is called by" },
	"faas.coldstart": { type: "boolean", what: "semconv: the first call of this copy of the function" },
	"faas.invocation_id": { type: "string", what: "semconv: AWS's id of the call" },
	"cloud.resource_id": { type: "string", what: "semconv: the function's ARN" },
	"chat.records": { type: "number", what: "records of the batch" },
	"chat.records.failed": { type: "number", what: "those of them that failed" },
	"chat.file.bytes": { type: "number", what: "bytes of a file to import" },
	"chat.iterator_age_ms": { type: "number", what: "how long a record waited in the stream" },
	"chat.relay.consumer": { type: "string", values: ["activity", "archive", "stream"], what: "who takes events out of the room log" },
	"chat.record.outcome": { type: "string", values: ["ok", "failed"], what: "what became of a record" },
	"v8js.gc.type": { type: "string", values: ["major", "minor", "incremental", "weakcb"], what: "semconv: kind of collection" },
	"network.protocol.version": { type: "string", what: "semconv" },
} as const satisfies Record<string, Attribute>;
export type AttributeName = keyof typeof attributes;

type SpanKind = "server" | "client" | "producer" | "consumer" | "internal";
export type Span = {
	/** The name, or what stands for it where a part of it varies; `names` then matches what is emitted. */
	names?: RegExp;
	kind: SpanKind;
	/** Who makes it: us on the server, in the browser or in a function of lambdas/, or an instrumentation package. */
	by: "server" | "browser" | "lambda" | "package";
	parent: string;
	attributes: readonly AttributeName[];
	/** When its status is ERROR. A refusal never is. */
	error: string;
};

const anyRpcAttributes = [
	"rpc.system",
	"rpc.system.name",
	"rpc.service",
	"rpc.method",
	"outcome",
	"error.type",
	"chat.socket.transport",
	"chat.conn.id",
	"user.id",
] as const satisfies AttributeName[];
/** Of a call about one room. */
const rpcAttributes = [...anyRpcAttributes, "chat.room.id"] as const satisfies AttributeName[];
const messageAttributes = ["chat.message.id", "chat.client_msg.id"] as const satisfies AttributeName[];
const messagingAttributes = [
	"messaging.system",
	"messaging.operation.name",
	"messaging.operation.type",
	"messaging.destination.name",
	"chat.message.id",
	"chat.room.id",
	"chat.message.seq",
] as const satisfies AttributeName[];

export const spans = {
	"{METHOD} {route}": {
		names: /^(GET|HEAD|POST|OPTIONS|PUT|DELETE|PATCH|HTTP)( \/\S*| \*)?$/,
		kind: "server",
		by: "package",
		parent: "the caller's traceparent; of an order linked to the imports of the items it names",
		attributes: [
			"http.request.method",
			"http.response.status_code",
			"http.route",
			"url.path",
			"url.scheme",
			"server.address",
			"server.port",
			"user_agent.original",
			"network.protocol.version",
			"chat.remix.phase",
			"error.type",
		],
		error: "5xx",
	},
	"loader {route}": {
		names: /^loader \S+$/,
		kind: "internal",
		by: "server",
		parent: "the http span",
		attributes: ["chat.remix.route_id", "error.type"],
		error: "throws what is no answer",
	},
	"action {route}": {
		names: /^action \S+$/,
		kind: "internal",
		by: "server",
		parent: "the http span",
		attributes: ["chat.remix.route_id", "error.type"],
		error: "throws what is no answer",
	},
	"{METHOD}": {
		names: /^(GET|POST)$/,
		kind: "client",
		by: "package",
		parent: "whoever asks",
		attributes: [
			"http.request.method",
			"http.response.status_code",
			"server.address",
			"server.port",
			"url.full",
			"url.path",
			"url.scheme",
			"network.protocol.version",
			"user_agent.original",
			"error.type",
		],
		error: "4xx, 5xx, no answer",
	},
	"chat/socket.connect": {
		kind: "server",
		by: "server",
		parent: "traceparent in the handshake, or a root",
		attributes: [
			"chat.socket.transport",
			"chat.conn.id",
			"chat.socket.recovered",
			"chat.connect.attempt",
			"outcome",
			"error.type",
			"user.id",
			"rpc.system",
			"rpc.system.name",
			"rpc.service",
		],
		error: "unavailable or internal",
	},
	"chat/socket.disconnect": {
		kind: "server",
		by: "server",
		parent: "a root, linked to chat/socket.connect",
		attributes: [
			"chat.socket.transport",
			"chat.conn.id",
			"chat.disconnect.reason",
			"chat.conn.duration_s",
			"chat.conn.events_in",
			"error.type",
			"user.id",
			"rpc.system",
			"rpc.system.name",
			"rpc.service",
		],
		error: "transport error, parse error",
	},
	"chat/message.send": {
		kind: "server",
		by: "server",
		parent: "the browser's chat/message.send; of an order linked to the imports of the items it names",
		attributes: [...rpcAttributes, ...messageAttributes, "chat.room.kind", "chat.message.bytes", "chat.message.seq", "chat.dedup"],
		error: "it could not be stored or announced",
	},
	"chat/message.edit": {
		kind: "server",
		by: "server",
		parent: "the browser's call",
		attributes: [...rpcAttributes, "chat.client_msg.id", "chat.message.seq"],
		error: "internal or unavailable",
	},
	"chat/message.delete": {
		kind: "server",
		by: "server",
		parent: "the browser's call",
		attributes: [...rpcAttributes, "chat.client_msg.id", "chat.message.seq"],
		error: "internal or unavailable",
	},
	"chat/message.journey": {
		kind: "server",
		by: "server",
		parent: "the browser's call",
		attributes: [...rpcAttributes, "chat.message.seq"],
		error: "internal or unavailable",
	},
	"chat/cart.decide": {
		kind: "server",
		by: "server",
		parent: "the browser's call",
		attributes: [...rpcAttributes],
		error: "internal or unavailable",
	},
	"chat/room.history": {
		kind: "server",
		by: "server",
		parent: "the browser's call",
		attributes: [...rpcAttributes, "chat.page.returned", "chat.page.direction"],
		error: "internal or unavailable",
	},
	"chat/room.catchup": {
		kind: "server",
		by: "server",
		parent: "the browser's call",
		attributes: [...anyRpcAttributes, "chat.catchup.rooms", "chat.catchup.facts"],
		error: "internal or unavailable",
	},
	"chat/read.mark": {
		kind: "server",
		by: "server",
		parent: "the browser's call; made only for failures",
		attributes: [...rpcAttributes],
		error: "internal or unavailable",
	},
	"chat/room.presence": {
		kind: "server",
		by: "server",
		parent: "the browser's call; made only for failures",
		attributes: [...rpcAttributes],
		error: "internal or unavailable",
	},
	"chat.message.validate": {
		kind: "internal",
		by: "server",
		parent: "chat/message.send",
		attributes: ["chat.message.id", "chat.validation.result"],
		error: "never: a refusal is an answer",
	},
	"{OPERATION} {table}": {
		names: /^(SELECT|INSERT|UPDATE|DELETE|OTHER)( [a-z_]+)?$/,
		kind: "client",
		by: "server",
		parent: "the call or request",
		attributes: [
			"db.system.name",
			"db.operation.name",
			"db.collection.name",
			"db.query.summary",
			"db.response.status_code",
			"server.address",
			"server.port",
			"chat.db.statement",
			"chat.db.batch",
			"chat.message.id",
			"error.type",
		],
		error: "the database said no",
	},
	"publish {fact}": {
		names: /^publish (message|member|room|cart|unknown)\.[a-z]+$/,
		kind: "producer",
		by: "server",
		parent: "the call, or the message's root when it was healed from the log; of an order's card linked to the call it was ordered by",
		attributes: [
			...messagingAttributes,
			"error.type",
			"messaging.batch.message_count",
			"chat.fanout.local",
			"chat.fanout.instances",
			"chat.fanout.sample_n",
		],
		error: "the adapter threw",
	},
	"process {fact}": {
		names: /^process (message|member|room|cart|unknown)\.[a-z]+$/,
		kind: "consumer",
		by: "server",
		parent: "the message's root, linked to the publish span when it is known; of an order's card linked to the call it was ordered by",
		attributes: [
			...messagingAttributes,
			"error.type",
			"chat.adapter",
			"chat.adapter.lag_ms",
			"chat.fanout.local",
			"chat.fanout.sample_n",
			"messaging.batch.message_count",
		],
		error: "the adapter threw",
	},
	"import {stage}": {
		names: /^import (check|apply)$/,
		kind: "internal",
		by: "server",
		parent: "what the file came with, linked to its report's trace (the file's id); or that, when it came with none",
		attributes: ["chat.message.id", "error.type"],
		error: "throws; a bad file is refused",
	},
	"process order": {
		kind: "consumer",
		by: "server",
		parent: "the call it was ordered by: that one is linked to the imports of the items it names",
		attributes: ["chat.relay.consumer", "chat.room.id", "chat.message.seq"],
		error: "never",
	},
	"job {name}": {
		names: /^job [a-z-]+$/,
		kind: "consumer",
		by: "server",
		parent: "a root",
		attributes: ["chat.job.name", "error.type"],
		error: "throws",
	},
	"browser chat/message.send": {
		names: /^chat\/message\.send$/,
		kind: "client",
		by: "browser",
		parent: "a root: its ids come from the message's clientId",
		attributes: [
			"chat.message.id",
			"chat.room.id",
			"chat.send.attempt",
			"chat.queue.ms",
			"chat.ack.status",
			"error.type",
			"session.id",
			"chat.socket.transport",
		],
		error: "no answer, or a failure of ours",
	},
	"render {fact}": {
		names: /^render message\.created$/,
		kind: "consumer",
		by: "browser",
		parent: "the publish or process span in the envelope",
		attributes: [
			...messagingAttributes,
			"chat.render.ms",
			"chat.delivery.ms",
			"chat.clock.error_ms",
			"document.visibility",
			"chat.fanout.sample_n",
			"session.id",
		],
		error: "never",
	},
	documentLoad: {
		kind: "internal",
		by: "browser",
		parent: "the traceparent of the page",
		attributes: ["http.route", "session.id"],
		error: "never",
	},
	"chat.room.switch": {
		kind: "internal",
		by: "browser",
		parent: "a root",
		attributes: ["chat.room.id", "session.id", "chat.switch.cached"],
		error: "never",
	},
	"chat.reconnect": {
		kind: "client",
		by: "browser",
		parent: "a root",
		attributes: ["chat.reconnect.attempts", "chat.reconnect.backfilled", "chat.socket.transport", "outcome", "session.id"],
		error: "gave up",
	},
	"lambda {function}": {
		names: /^lambda [a-z]+$/,
		kind: "server",
		by: "lambda",
		parent: "the traceparent of the request, or a root; of an order linked to the imports of the items it names",
		attributes: [
			"faas.name",
			"faas.trigger",
			"faas.coldstart",
			"faas.invocation_id",
			"cloud.resource_id",
			"http.request.method",
			"http.route",
			"http.response.status_code",
			"chat.records",
			"chat.records.failed",
			"outcome",
			"error.type",
		],
		error: "throws, 5xx, or a record failed",
	},
	"process upload": {
		kind: "consumer",
		by: "lambda",
		parent: "lambda upload; linked to what the file came with",
		attributes: ["chat.file.bytes", "outcome", "error.type"],
		error: "the file could not be read; a bad file is refused",
	},
	"process activity": {
		kind: "consumer",
		by: "lambda",
		parent: "lambda stream; linked to the messages it is about, the first eight",
		attributes: ["chat.records", "chat.room.id", "chat.iterator_age_ms"],
		error: "the record could not be taken in",
	},
} as const satisfies Record<string, Span>;
export type SpanName = keyof typeof spans;

export type Metric = {
	/** up-down: may fall too. observed: read when somebody looks. */
	type: "counter" | "up-down" | "histogram" | "observed";
	unit: string;
	/** Upper bounds of a histogram, in `unit`. */
	buckets?: readonly number[];
	/** Closed lists only: who, which room and which message never stand here. */
	attributes: readonly AttributeName[];
	by: "server" | "browser" | "lambda" | "package";
	what: string;
};

/** semconv's bounds for a request, s. */
const requestBuckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;
/** A message's hop is a few milliseconds, so finer at the low end, and with 0.3, which is the service level's line, s. */
const hopBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 10] as const;
/** How long connections last, s: a reload to a day. */
const longBuckets = [0.1, 1, 5, 15, 60, 300, 900, 3600, 14_400, 43_200, 86_400] as const;

export const metrics = {
	"http.server.request.duration": {
		type: "histogram",
		unit: "s",
		buckets: requestBuckets,
		attributes: ["http.request.method", "http.response.status_code", "http.route", "url.scheme", "error.type", "network.protocol.version"],
		by: "package",
		what: "pages and forms; sockets and health checks are not in it",
	},
	"chat.rpc.duration": {
		type: "histogram",
		unit: "s",
		buckets: hopBuckets,
		attributes: ["rpc.method", "outcome", "error.type"],
		by: "server",
		what: "calls of the socket",
	},
	"chat.message.sent": {
		type: "counter",
		unit: "{message}",
		attributes: ["chat.room.kind", "outcome", "error.type"],
		by: "server",
		what: "messages accepted, refused, failed",
	},
	"chat.message.stage.duration": {
		type: "histogram",
		unit: "s",
		buckets: hopBuckets,
		attributes: ["stage"],
		by: "server",
		what: "each hop of a message",
	},
	"chat.message.delivery.duration": {
		type: "histogram",
		unit: "s",
		buckets: hopBuckets,
		attributes: ["hop"],
		by: "browser",
		what: "accepted until it reached a recipient's browser",
	},
	"chat.message.render.duration": {
		type: "histogram",
		unit: "s",
		buckets: hopBuckets,
		attributes: ["document.visibility"],
		by: "browser",
		what: "click until painted at a recipient",
	},
	"chat.message.fanout": {
		type: "histogram",
		unit: "{recipient}",
		buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000],
		attributes: ["chat.room.kind"],
		by: "server",
		what: "sockets a message went to",
	},
	"chat.message.gap": {
		type: "counter",
		unit: "{message}",
		attributes: [],
		by: "server",
		what: "facts healed from the log because no announcement came",
	},
	"chat.socket.active": {
		type: "up-down",
		unit: "{connection}",
		attributes: ["chat.socket.transport"],
		by: "server",
		what: "open sockets",
	},
	"chat.socket.connect.duration": {
		type: "histogram",
		unit: "s",
		buckets: requestBuckets,
		attributes: ["chat.socket.transport", "outcome", "error.type"],
		by: "server",
		what: "handshake until welcome",
	},
	"chat.socket.connection.duration": {
		type: "histogram",
		unit: "s",
		buckets: longBuckets,
		attributes: ["chat.socket.transport", "chat.disconnect.reason"],
		by: "server",
		what: "how long connections last",
	},
	"chat.socket.disconnects": {
		type: "counter",
		unit: "{connection}",
		attributes: ["chat.disconnect.reason"],
		by: "server",
		what: "connections that ended",
	},
	"chat.socket.send_buffer": {
		type: "observed",
		unit: "By",
		attributes: [],
		by: "server",
		what: "bytes waiting for slow readers, all sockets together",
	},
	"chat.socket.upgrade": {
		type: "counter",
		unit: "{connection}",
		attributes: ["outcome"],
		by: "server",
		what: "polling that became a websocket (ok), or ended without (refused)",
	},
	"chat.reconnect.duration": {
		type: "histogram",
		unit: "s",
		buckets: [0.5, 1, 2, 5, 10, 30, 60, 300],
		attributes: ["outcome"],
		by: "browser",
		what: "connection lost until back and caught up",
	},
	"chat.adapter.messages": {
		type: "counter",
		unit: "{message}",
		attributes: ["direction", "chat.adapter"],
		by: "server",
		what: "facts told to other instances and heard from them",
	},
	"chat.adapter.lag": {
		type: "histogram",
		unit: "s",
		buckets: hopBuckets,
		attributes: ["chat.adapter"],
		by: "server",
		what: "commit elsewhere until heard here",
	},
	"chat.room.active": { type: "observed", unit: "{room}", attributes: [], by: "server", what: "rooms somebody here is in" },
	"chat.user.online": { type: "observed", unit: "{user}", attributes: [], by: "server", what: "people with a socket here" },
	"chat.ratelimit.hits": { type: "counter", unit: "{hit}", attributes: ["rule"], by: "server", what: "what was refused as too fast" },
	"chat.auth.attempts": {
		type: "counter",
		unit: "{attempt}",
		attributes: ["method", "outcome"],
		by: "server",
		what: "entering and coming back",
	},
	"chat.web_vital": {
		type: "histogram",
		unit: "1",
		buckets: [0.05, 0.1, 0.25, 0.5, 1, 50, 100, 200, 500, 800, 1000, 1800, 2500, 4000, 8000],
		attributes: ["browser.web_vital.name", "http.route", "browser.web_vital.rating"],
		by: "browser",
		what: "ms, but cls, which has no unit",
	},
	"db.client.operation.duration": {
		type: "histogram",
		unit: "s",
		buckets: hopBuckets,
		attributes: ["db.system.name", "db.operation.name", "db.collection.name", "error.type"],
		by: "server",
		what: "statements",
	},
	"db.client.connection.count": {
		type: "observed",
		unit: "{connection}",
		attributes: ["db.client.connection.state", "db.client.connection.pool.name"],
		by: "server",
		what: "the pool",
	},
	"db.client.connection.pending_requests": {
		type: "observed",
		unit: "{request}",
		attributes: ["db.client.connection.pool.name"],
		by: "server",
		what: "waiting for a connection",
	},
	"db.client.connection.wait_time": {
		type: "histogram",
		unit: "s",
		buckets: requestBuckets,
		attributes: ["db.client.connection.pool.name"],
		by: "server",
		what: "how long statements waited for a connection",
	},
	"db.client.connection.timeouts": {
		type: "counter",
		unit: "{timeout}",
		attributes: ["db.client.connection.pool.name"],
		by: "server",
		what: "statements that got no connection",
	},
	"nodejs.eventloop.utilization": {
		type: "observed",
		unit: "1",
		attributes: [],
		by: "package",
		what: "1: the process does nothing but work",
	},
	"nodejs.eventloop.delay.p99": { type: "observed", unit: "s", attributes: [], by: "package", what: "how late timers run" },
	"v8js.gc.duration": {
		type: "histogram",
		unit: "s",
		buckets: [0.01, 0.1, 1, 10],
		attributes: ["v8js.gc.type"],
		by: "package",
		what: "collections of garbage, in which nothing else happens",
	},
	"process.unix.file_descriptor.count": {
		type: "observed",
		unit: "{file_descriptor}",
		attributes: [],
		by: "server",
		what: "open files and connections, where /proc tells",
	},
	"process.memory.usage": { type: "observed", unit: "By", attributes: [], by: "server", what: "resident memory" },
	"process.cpu.utilization": { type: "observed", unit: "1", attributes: [], by: "server", what: "of one core" },
	"chat.relay.events": {
		type: "counter",
		unit: "{event}",
		attributes: ["chat.relay.consumer"],
		by: "server",
		what: "events taken out of the room log",
	},
	"chat.relay.lag": {
		type: "histogram",
		unit: "s",
		buckets: requestBuckets,
		attributes: ["chat.relay.consumer"],
		by: "server",
		what: "age of the oldest event of a round; two seconds of it are waited on purpose",
	},
	"chat.lambda.invocations": {
		type: "counter",
		unit: "{invocation}",
		attributes: ["faas.name", "faas.trigger", "outcome"],
		by: "lambda",
		what: "calls of functions",
	},
	"chat.lambda.duration": {
		type: "histogram",
		unit: "s",
		buckets: requestBuckets,
		attributes: ["faas.name", "faas.trigger", "outcome"],
		by: "lambda",
		what: "how long a call of a function took, without the start of a copy",
	},
	"chat.lambda.coldstarts": {
		type: "counter",
		unit: "{invocation}",
		attributes: ["faas.name", "faas.trigger"],
		by: "lambda",
		what: "calls that had to wait for a copy to start",
	},
	"chat.lambda.records": {
		type: "counter",
		unit: "{record}",
		attributes: ["faas.name", "faas.trigger", "chat.record.outcome"],
		by: "lambda",
		what: "records functions worked on",
	},
	"otel.sdk.span.started": { type: "counter", unit: "{span}", attributes: [], by: "server", what: "spans begun by the server" },
	"otel.sdk.span.live": {
		type: "up-down",
		unit: "{span}",
		attributes: [],
		by: "server",
		what: "spans begun and not ended; what only grows, leaks",
	},
	"otel.sdk.processor.span.queue.size": {
		type: "observed",
		unit: "{span}",
		attributes: [],
		by: "server",
		what: "spans that wait to be exported",
	},
	"otel.sdk.processor.log.queue.size": {
		type: "observed",
		unit: "{log_record}",
		attributes: [],
		by: "server",
		what: "log lines that wait to be exported by OTLP",
	},
	"otel.sdk.exporter.span.exported": {
		type: "counter",
		unit: "{span}",
		attributes: ["error.type"],
		by: "server",
		what: "spans whose export is over; with error.type it failed",
	},
	"otel.sdk.exporter.log.exported": {
		type: "counter",
		unit: "{log_record}",
		attributes: ["error.type"],
		by: "server",
		what: "log lines whose export by OTLP is over; with error.type it failed",
	},
	"otel.sdk.exporter.metric_data_point.exported": {
		type: "counter",
		unit: "{data_point}",
		attributes: ["error.type"],
		by: "server",
		what: "points of metrics whose export is over; with error.type it failed",
	},
	"telemetry.dropped": {
		type: "counter",
		unit: "{item}",
		attributes: ["signal", "reason"],
		by: "server",
		what: "telemetry that was lost, and why",
	},
	"log.dropped": { type: "counter", unit: "{line}", attributes: ["reason"], by: "server", what: "log lines that never reached CloudWatch" },
	"slo.good": { type: "counter", unit: "{event}", attributes: ["slo"], by: "server", what: "events that were as promised" },
	"slo.valid": { type: "counter", unit: "{event}", attributes: ["slo"], by: "server", what: "events that count" },
} as const satisfies Record<string, Metric>;
export type MetricName = keyof typeof metrics;

/** What may stand in a log line besides what every line has. Everything else is dropped and counted. */
export const logFields = {
	request_id: "string",
	user_id: "string",
	room_id: "string",
	message_id: "string",
	conn_id: "string",
	outcome: "string",
	error_type: "string",
	error_code: "string",
	duration_ms: "number",
	bytes: "number",
	reference: "string",
	call: "string",
	exception_type: "string",
	exception_message: "string",
	exception_stack: "stack",
	handled: "boolean",
	method: "string",
	route: "string",
	path: "string",
	status: "number",
	ip_prefix: "string",
	node: "string",
	url: "string",
	port: "number",
	telemetry: "string",
	config_hash: "string",
	features: "string",
	sockets: "number",
	rss_mb: "number",
	elu: "number",
	aws_arn: "string",
	sockets_left: "number",
	reason: "string",
	transport: "string",
	recovered: "boolean",
	disconnect_reason: "string",
	conn_seconds: "number",
	events_in: "number",
	seq: "number",
	room_kind: "string",
	recipients: "number",
	instances: "number",
	t_validate_ms: "number",
	t_persist_ms: "number",
	t_publish_ms: "number",
	dedup: "boolean",
	from_seq: "number",
	to_seq: "number",
	direction: "string",
	returned: "number",
	rule: "string",
	adapter: "string",
	lag_ms: "number",
	summary: "string",
	statement: "string",
	job: "string",
	worker: "number",
	action: "string",
	level_from: "string",
	level_to: "string",
	until: "string",
	build: "string",
	metric: "string",
	value: "number",
	name: "string",
	rating: "string",
	count: "number",
	signal: "string",
	detail: "string",
	db_pid: "number",
	migration: "string",
	folder: "string",
	blocked: "string",
	directive: "string",
	import_id: "string",
	state: "string",
	kind: "string",
	deployment_id: "string",
	release: "string",
	marked: "boolean",
	consumer: "string",
	record_id: "string",
	function: "string",
	trigger: "string",
	cold_start: "number",
	records: "number",
	records_failed: "number",
	memory_mb: "number",
} as const satisfies Record<string, "string" | "number" | "boolean" | "stack">;
export type LogField = keyof typeof logFields;

type Event = {
	level: "error" | "warn" | "info" | "debug";
	msg: string;
	fields: readonly LogField[];
	audit?: true;
	frequent?: true;
	apart?: true;
	always?: true;
};

/**
 * Every log line is one of these events; `msg` is its constant sentence. Levels are what it is logged at as a rule. `frequent`
 * ones are written like all others, and exported over OTLP only where spans were recorded: they are nearly all lines there are.
 * Those `apart` are never exported over OTLP, since they say that it fails. Those written `always`, whatever the level, are what
 * alarms listen to.
 */
export const events = {
	"service.started": { level: "info", msg: "Charla is starting", fields: ["node", "telemetry", "config_hash", "features"] },
	"service.ready": { level: "info", msg: "Charla is ready", fields: ["url", "port"] },
	"service.heartbeat": { level: "info", msg: "still here", fields: ["sockets", "rss_mb", "elu", "aws_arn"], always: true },
	"service.moving": { level: "info", msg: "asking everybody to connect anew, and serving on", fields: ["sockets_left"] },
	"service.draining": { level: "info", msg: "stopping: no new work, finishing what was accepted", fields: ["sockets_left"] },
	"deploy.finished": { level: "info", msg: "this instance serves a new release", fields: ["deployment_id", "release", "marked"] },
	"deploy.unmarked": { level: "warn", msg: "New Relic made no marker of a deployment", fields: ["exception_message"] },
	"service.stopped": { level: "info", msg: "stopped", fields: ["sockets_left"] },
	"http.request": {
		level: "info",
		msg: "request",
		fields: ["method", "path", "status", "duration_ms", "bytes", "ip_prefix", "request_id"],
	},
	"http.csp_violated": { level: "warn", msg: "content security policy violated", fields: ["request_id", "blocked", "directive"] },
	"auth.login.succeeded": { level: "info", msg: "somebody entered", fields: ["method", "user_id"], audit: true },
	"auth.login.failed": { level: "warn", msg: "entering was refused", fields: ["method", "error_code"], audit: true },
	"auth.logout": { level: "info", msg: "somebody left", fields: ["user_id"], audit: true },
	"socket.connected": {
		level: "info",
		msg: "socket connected",
		fields: ["user_id", "conn_id", "transport", "recovered", "duration_ms", "ip_prefix"],
	},
	"socket.refused": { level: "warn", msg: "socket refused", fields: ["error_code", "transport", "ip_prefix"] },
	"socket.disconnected": {
		level: "info",
		msg: "socket disconnected",
		fields: ["user_id", "conn_id", "transport", "disconnect_reason", "conn_seconds", "events_in"],
	},
	"message.sent": {
		level: "info",
		msg: "message sent",
		fields: [
			"message_id",
			"room_id",
			"room_kind",
			"user_id",
			"seq",
			"bytes",
			"recipients",
			"instances",
			"t_validate_ms",
			"t_persist_ms",
			"t_publish_ms",
			"duration_ms",
			"outcome",
			"dedup",
		],
		frequent: true,
	},
	"message.rejected": {
		level: "warn",
		msg: "message refused",
		fields: ["message_id", "room_id", "user_id", "error_code", "duration_ms", "outcome"],
	},
	"message.failed": {
		level: "error",
		msg: "message failed",
		fields: ["message_id", "room_id", "user_id", "error_type", "duration_ms", "outcome", "reference"],
	},
	"message.delivered": { level: "debug", msg: "message reached a recipient", fields: ["message_id", "duration_ms"] },
	"message.gap_detected": { level: "warn", msg: "facts were healed from the log", fields: ["room_id", "from_seq", "to_seq"] },
	"message.gap_open": { level: "warn", msg: "a gap could not be filled yet", fields: ["room_id", "exception_message"] },
	"room.joined": { level: "info", msg: "somebody joined a room", fields: ["room_id", "user_id"] },
	"room.left": { level: "info", msg: "somebody left a room", fields: ["room_id", "user_id"] },
	"history.page": { level: "debug", msg: "history read", fields: ["room_id", "user_id", "direction", "returned"] },
	"ratelimit.hit": { level: "warn", msg: "too fast", fields: ["rule", "user_id"] },
	"admission.closed": {
		level: "warn",
		msg: "no room for more connections: newcomers wait, those who are here go on",
		fields: ["reason", "sockets", "lag_ms"],
		always: true,
	},
	"admission.open": { level: "info", msg: "newcomers are let in again", fields: ["sockets", "lag_ms"] },
	"adapter.open": { level: "info", msg: "other instances are heard", fields: ["adapter"] },
	"adapter.lost": {
		level: "warn",
		msg: "other instances are not heard at once for now; the database makes up for it",
		fields: ["adapter"],
	},
	"adapter.away": {
		level: "warn",
		msg: "the way to other instances cannot be opened; trying again",
		fields: ["adapter", "exception_message"],
		always: true,
	},
	"adapter.none": {
		level: "warn",
		msg: "other instances work on this database and no REDIS_URL is set: what happens there is heard a little later",
		fields: ["instances"],
	},
	"adapter.lag": { level: "warn", msg: "another instance was heard late", fields: ["adapter", "lag_ms"] },
	"db.slow_query": { level: "warn", msg: "slow statement", fields: ["summary", "statement", "duration_ms"] },
	"db.away": { level: "warn", msg: "the database is away: everything is refused at once until it is back", fields: ["exception_message"] },
	"db.back": { level: "info", msg: "the database is back", fields: ["duration_ms"] },
	"db.connection_lost": { level: "warn", msg: "an idle database connection was lost", fields: ["exception_message"] },
	"db.server_lost": { level: "warn", msg: "PostgreSQL ended unexpectedly; starting it again", fields: ["db_pid"] },
	"db.server_back": { level: "info", msg: "PostgreSQL is back", fields: ["db_pid", "duration_ms"] },
	"db.server_down": { level: "error", msg: "PostgreSQL does not start; trying again", fields: ["exception_message"] },
	"db.server_killed": { level: "warn", msg: "PostgreSQL takes too long to stop; ending it at once", fields: ["db_pid"] },
	"db.created": { level: "info", msg: "making the database for the first time", fields: ["folder"] },
	"db.adopted": { level: "info", msg: "found PostgreSQL running on the data folder and took it over", fields: ["db_pid"] },
	"db.migrated": { level: "info", msg: "migrated the database", fields: ["migration"] },
	"db.ahead": { level: "warn", msg: "the database is ahead of this code", fields: ["migration"] },
	"worker.lost": { level: "error", msg: "a worker ended unexpectedly; starting another", fields: ["worker", "reason"] },
	"worker.killed": { level: "warn", msg: "a worker takes too long to stop; ending it at once", fields: ["worker"] },
	"bot.failed": { level: "warn", msg: "the bot could not answer", fields: ["room_id", "seq", "exception_message"] },
	"job.failed": { level: "warn", msg: "a background job failed", fields: ["job", "exception_message"] },
	"admin.action": { level: "warn", msg: "an administrator acted", fields: ["action", "user_id"], audit: true },
	"client.error": { level: "warn", msg: "an error in a browser", fields: ["exception_type", "route", "build", "user_id"] },
	"client.web_vital": { level: "debug", msg: "a web vital", fields: ["name", "value", "rating", "route"] },
	"slo.exemplar": {
		level: "info",
		msg: "an example of what breaks a service level",
		fields: ["metric", "value", "reference", "message_id"],
	},
	"log.dropped": { level: "error", msg: "log lines were lost on the way to where they are kept", fields: ["count", "reason"] },
	"log.field_rejected": { level: "warn", msg: "log fields outside the contract were left out", fields: ["count", "name"] },
	"log.level_changed": {
		level: "warn",
		msg: "the log level was changed",
		fields: ["level_from", "level_to", "until", "user_id"],
		audit: true,
	},
	"log.ship_failed": {
		level: "error",
		msg: "CloudWatch does not take log lines at the moment",
		fields: ["count", "exception_type", "exception_message"],
		always: true,
	},
	"telemetry.export_failed": {
		level: "error",
		msg: "telemetry could not be exported",
		fields: ["signal", "reason", "count", "detail"],
		apart: true,
		always: true,
	},
	"import.checked": {
		level: "info",
		msg: "a file to import was looked at",
		fields: ["import_id", "state", "kind", "error_code", "bytes", "records", "records_failed"],
	},
	"import.applied": {
		level: "info",
		msg: "a file was brought in",
		fields: ["import_id", "state", "kind", "user_id", "records", "records_failed"],
	},
	"import.failed": {
		level: "warn",
		msg: "a file could not be worked on; it is tried again",
		fields: ["import_id", "exception_message"],
	},
	"relay.failed": {
		level: "warn",
		msg: "events could not be taken out of a room's log; it is tried again",
		fields: ["consumer", "room_id", "count", "exception_message"],
	},
	"relay.set_aside": { level: "warn", msg: "an event nothing could be made of was set aside", fields: ["consumer", "room_id", "seq"] },
	"activity.record_failed": {
		level: "error",
		msg: "a record of the stream could not be taken in",
		fields: ["record_id", "exception_type", "exception_message"],
	},
	"lambda.invoked": {
		level: "info",
		msg: "a function was called",
		fields: [
			"function",
			"trigger",
			"cold_start",
			"duration_ms",
			"outcome",
			"error_type",
			"method",
			"route",
			"status",
			"records",
			"records_failed",
			"memory_mb",
		],
	},
	"metrics.emf": { level: "info", msg: "metrics of the last minute", fields: [] },
	exception: {
		level: "error",
		msg: "unexpected error",
		fields: ["exception_type", "exception_message", "exception_stack", "handled", "reference", "call", "path", "user_id", "request_id"],
	},
} as const satisfies Record<string, Event>;
export type EventName = keyof typeof events;

export type Slo = {
	title: string;
	/** Share of good among valid events, over `days`. */
	objective: number;
	days: number;
	/** Where a line is drawn, ms. */
	threshold?: number;
	good: string;
	valid: string;
	/** Name in CloudWatch (EMF): `${emf}Good` and `${emf}Valid`. */
	emf: string;
};

/** What Charla promises, over 28 days. Counters are never sampled; what browsers report is weighed by 1 in N. */
export const slos = {
	send: {
		title: "Messages are stored",
		objective: 0.999,
		days: 28,
		good: "answered ok",
		valid: "sends; refusals of what people wrote do not count",
		emf: "Send",
	},
	"send-latency": {
		title: "Storing feels instant",
		objective: 0.99,
		days: 28,
		threshold: 300,
		good: "answered within 300 ms of the click, at the sender's browser",
		valid: "sends answered ok, of browsers that report",
		emf: "SendLatency",
	},
	delivery: {
		title: "Messages arrive",
		objective: 0.99,
		days: 28,
		threshold: 500,
		good: "at a recipient's browser within 500 ms",
		valid: "recipients who report",
		emf: "Delivery",
	},
	render: {
		title: "Messages are seen",
		objective: 0.99,
		days: 28,
		threshold: 1000,
		good: "painted within 1 s of the click",
		valid: "visible recipients who report",
		emf: "Render",
	},
	connect: {
		title: "People get in",
		objective: 0.995,
		days: 28,
		threshold: 5000,
		good: "welcomed within 5 s",
		valid: "attempts of people who are signed in",
		emf: "Connect",
	},
	reconnect: {
		title: "People get back",
		objective: 0.99,
		days: 28,
		threshold: 10_000,
		good: "back and caught up within 10 s",
		valid: "connections lost while online",
		emf: "Reconnect",
	},
	history: {
		title: "History opens quickly",
		objective: 0.99,
		days: 28,
		threshold: 400,
		good: "a stretch within 400 ms",
		valid: "stretches asked for",
		emf: "History",
	},
	page: {
		title: "Pages load quickly",
		objective: 0.75,
		days: 28,
		threshold: 2500,
		good: "largest paint within 2.5 s",
		valid: "page loads that report",
		emf: "Page",
	},
	loss: {
		title: "Nothing is lost",
		objective: 1,
		days: 28,
		good: "facts announced in order, the late ones after the gap before them was filled",
		valid: "facts announced, and gaps that could not be filled",
		emf: "Loss",
	},
	http: { title: "Pages answer", objective: 0.999, days: 28, good: "no 5xx", valid: "requests for pages and forms", emf: "Http" },
} as const satisfies Record<string, Slo>;
export type SloName = keyof typeof slos;

/** Burn rates that call somebody: how many times too fast, over a long window and a short one (Google's SRE workbook). */
export const burnRates = [
	{ name: "fast", severity: "page", rate: 14.4, long: 3600, short: 300 },
	{ name: "medium", severity: "page", rate: 6, long: 21_600, short: 1800 },
	{ name: "slow", severity: "ticket", rate: 1, long: 259_200, short: 21_600 },
] as const;
/** With fewer valid events than this in the short window nobody is called. */
export const burnGuard = 50;

/** Versions of ours on the wire and in the resource. */
export const serviceName = "chat-web";
export const browserServiceName = "chat-browser";
/** Where the browser sends what it measured. */
export const beaconPath = "/telemetry";
