import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { ReceiveMessageCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { type News, openChat, openFacts, uuidv7 } from "../../app/chat/index.server.ts";
import { openSqlStore } from "../../app/shop/index.server.ts";
import { events as declared } from "../../observability/contract.ts";
import { bundleLambda, bundleLimit } from "../../scripts/bundle-lambdas.ts";
import { callAsync, type GivenUp } from "../../tests/support/async-invocation.ts";
import { type Aws, loadBundle, startAws } from "../../tests/support/aws.ts";
import { freshDatabase } from "../../tests/support/database.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../../tests/support/otlp-receiver.ts";
import { declaredSpan } from "../../tests/support/recorded.ts";
import { bucketInbox } from "./inbox-bucket.ts";
import { faultOf, readImport } from "./index.ts";

let aws: Aws;
let receiver: OtlpReceiver;
let upload: Awaited<ReturnType<typeof loadBundle>>;
let queueUrl = "";
before(async () => {
	[aws, receiver] = await Promise.all([startAws(), startOtlpReceiver()]);
	aws.queues.createBucket("imports");
	aws.queues.createQueue("imports");
	queueUrl = aws.queueUrl("imports");
	upload = await loadBundle("upload", { ...aws.env, IMPORT_QUEUE_URL: queueUrl, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
});
after(async () => {
	upload[Symbol.dispose]();
	await aws[Symbol.asyncDispose]();
	await receiver.close();
});

const tp = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const put = (Key: string, Body: string | Uint8Array, Metadata?: Record<string, string>) =>
	aws.s3.send(new PutObjectCommand({ Bucket: "imports", Key, Body, ...(Metadata ? { Metadata } : {}) }));
const real = () => JSON.parse(readFileSync(new URL("event.json", import.meta.url), "utf8"));
/** An event as S3 sends it for this key. */
function eventOf(...keys: string[]) {
	const { Records } = real();
	return {
		Records: keys.map((key) => {
			const record = structuredClone(Records[0]);
			record.s3.object.key = encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/");
			return record;
		}),
	};
}
const keys = async (Prefix: string) =>
	((await aws.s3.send(new ListObjectsV2Command({ Bucket: "imports", Prefix }))).Contents ?? []).map(({ Key }) => Key as string).sort();
const text = async (Key: string) => (await aws.s3.send(new GetObjectCommand({ Bucket: "imports", Key }))).Body?.transformToString();
async function told(QueueUrl = queueUrl): Promise<Record<string, unknown>[]> {
	const found: Record<string, unknown>[] = [];
	for (let more = true; more; ) {
		const { Messages = [] } = await aws.sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
		found.push(...Messages.map((message) => JSON.parse(message.Body ?? "")));
		more = Messages.length > 0;
	}
	return found;
}

test("[F9] the bundle looks at every file of an event, whatever its name, writes what it found beside it, and tells the application", async () => {
	await put("inbox/catálogo otoño (1).json", '{"kind":"catalogue","version":2,"items":[{"id":"1","name":"Uno"},\n{"id":"2"}]}', {
		traceparent: tp,
	});
	await put("inbox/general/2026-11-25.json", '[{"ts":"1700000000.1","user":"U1","text":"hi"}]');
	assert.deepEqual(await upload.invoke(real()), { checked: 2, refused: 0 });
	const [first, second] = await told();
	assert.deepEqual(
		{ ...first, etag: null, sha256: null },
		{
			v: 1,
			bucket: "imports",
			key: "inbox/catálogo otoño (1).json",
			etag: null,
			version: "0055AED6DCD90281E5",
			name: "catálogo otoño (1).json",
			bytes: 78,
			sha256: null,
			header: { kind: "catalogue", version: 2, channel: null },
			records: 2,
			rejected: 1,
			fault: null,
			tp,
		},
	);
	assert.deepEqual(second?.header, { kind: "channel", version: null, channel: "general" });
	assert.deepEqual(await keys("reports/"), ["reports/catálogo otoño (1).json.report", "reports/general/2026-11-25.json.report"]);
	assert.deepEqual(JSON.parse((await text("reports/catálogo otoño (1).json.report")) ?? "").lines, [
		{ line: 2, field: "name", fault: "missing" },
	]);
	assert.deepEqual((await keys("inbox/")).length, 2, "files stay, and none is written back");
	for (const line of upload.lines.filter((each) => each.event !== "metrics.emf"))
		assert.ok(Object.hasOwn(declared, String(line.event)), String(line.event));
	assert.deepEqual(
		upload.lines
			.filter((line) => line.event === "import.checked")
			.map(({ state, kind, records, records_failed }) => [state, kind, records, records_failed]),
		[
			["ready", "catalogue", 2, 1],
			["ready", "channel", 1, 0],
		],
	);
	const traceId = upload.lines.find((line) => line.event === "lambda.invoked")?.trace_id;
	const spans = receiver.spans.filter((span) => span.traceId === traceId);
	assert.deepEqual(spans.map((span) => span.name).sort(), ["lambda upload", "process upload", "process upload"]);
	for (const span of spans) assert.deepEqual(declaredSpan({ ...span, kind: span.kind as "server" }, "lambda").problems, []);
	assert.deepEqual(
		spans.filter((span) => span.name === "process upload").map((span) => span.links.map((link) => link.traceId)),
		[[tp.slice(3, 35)], []],
		"one came with a trace",
	);
});

test("[F9] bad files go to quarantine with the reason, once, however often the event comes; keys elsewhere are left alone", async () => {
	const bad: [string, string | Uint8Array, string][] = [
		["zip.json", Buffer.from("PK\u0003\u0004"), "compressed (line 1)"],
		["gz +.json", gzipSync("[]"), "compressed (line 1)"],
		["items cut.json", '[{"id":"1","name":"x"},\n', "truncated (line 2)"],
		["items-utf16.json", Buffer.from("[]", "utf16le"), "wrong-encoding (line 1)"],
		["a/b/c.json", "[{}]", "unknown-kind (line 1)"],
		["items-empty.json", "", "empty"],
	];
	for (const [name, body] of bad) await put(`inbox/${name}`, body);
	const event = eventOf(...bad.map(([name]) => `inbox/${name}`));
	assert.deepEqual(await upload.invoke(event), { checked: 0, refused: bad.length });
	assert.deepEqual(await upload.invoke(event), { checked: 0, refused: 0 }, "gone, so it was dealt with");
	for (const [name, body, reason] of bad) {
		assert.equal(await text(`quarantine/${name}.reason.txt`), `${reason}\n`);
		const { ContentLength } = await aws.s3.send(new HeadObjectCommand({ Bucket: "imports", Key: `quarantine/${name}` }));
		assert.equal(ContentLength, body.length);
	}
	assert.ok(!(await keys("inbox/")).some((key) => bad.some(([name]) => key === `inbox/${name}`)));
	assert.deepEqual(
		(await told()).map((message) => (message.fault as { code: string }).code).sort(),
		bad.map(([, , reason]) => reason.split(" ")[0]).sort(),
	);
	await put("other/x.json", "[]");
	assert.deepEqual(await upload.invoke(eventOf("other/x.json", "inbox/", "quarantine/zip.json", "reports/x.json")), {
		checked: 0,
		refused: 0,
	});
	assert.deepEqual(await upload.invoke({}), { checked: 0, refused: 0 });
	assert.deepEqual(await upload.invoke({ Event: "s3:TestEvent", Records: undefined }), { checked: 0, refused: 0 });
});

test("[F9] a bucket that is away fails the call, so that AWS tries again", async () => {
	const event = eventOf("inbox/x.json");
	event.Records[0].s3.bucket.name = "no-such-bucket";
	await assert.rejects(upload.invoke(event), /bucket/i);
	assert.equal(upload.lines.filter((line) => line.event === "lambda.invoked").at(-1)?.outcome, "failed");
});

/** As infra/stacks/api.ts has it; figures.test.ts holds the template to it. */
const retries = 2;

test("[F9] a queue that is away for a moment costs a second look at the files, and no file", async () => {
	await put("inbox/retried/one.json", '{"kind":"catalogue","items":[{"id":"1","name":"Uno"}]}');
	await put("inbox/retried/two.json", "PK\u0003\u0004");
	using later = await loadBundle("upload", { ...aws.env, IMPORT_QUEUE_URL: aws.queueUrl("later") });
	const outcome = await callAsync(later.invoke, eventOf("inbox/retried/one.json", "inbox/retried/two.json"), {
		retries,
		async again() {
			aws.queues.createQueue("later");
		},
		onFailure: () => assert.fail("given up"),
	});
	assert.deepEqual(outcome, { checked: 1, refused: 1 });
	const heard = (await told(aws.queueUrl("later"))).map(({ name, fault }) => [name, (fault as { code: string } | null)?.code ?? null]);
	assert.deepEqual(heard, [
		["retried/one.json", null],
		["retried/two.json", "compressed"],
	]);
	assert.deepEqual(await keys("quarantine/retried/"), ["quarantine/retried/two.json", "quarantine/retried/two.json.reason.txt"]);
});

test("[F9] what fails each time is given up with its event, and done when somebody sends that again", async () => {
	aws.queues.createQueue("upload-failures");
	const failuresUrl = aws.queueUrl("upload-failures");
	const event = eventOf("inbox/late.json");
	event.Records[0].s3.bucket.name = "made-later";
	const gone = await callAsync(upload.invoke, event, {
		retries,
		async onFailure(record) {
			await aws.sqs.send(new SendMessageCommand({ QueueUrl: failuresUrl, MessageBody: JSON.stringify(record) }));
		},
	});
	assert.equal(gone, null);
	const [record, ...more] = (await told(failuresUrl)) as unknown as GivenUp[];
	assert.deepEqual(
		[more.length, record?.requestContext.condition, record?.requestContext.approximateInvokeCount],
		[0, "RetriesExhausted", 3],
	);
	assert.match(record?.responsePayload.errorMessage ?? "", /bucket/i);
	assert.deepEqual(await told(), [], "nothing half done");
	aws.queues.createBucket("made-later");
	await aws.s3.send(
		new PutObjectCommand({ Bucket: "made-later", Key: "inbox/late.json", Body: '{"kind":"catalogue","items":[{"id":"1","name":"Uno"}]}' }),
	);
	assert.deepEqual(await upload.invoke(record?.requestPayload), { checked: 1, refused: 0 });
	assert.deepEqual(
		(await told()).map(({ bucket, key }) => [bucket, key]),
		[["made-later", "inbox/late.json"]],
	);
});

test("[F9] the application hears of a file by the queue, reads it from the bucket, and brings it in on a yes", async () => {
	await using database = await freshDatabase();
	const inbox = bucketInbox({ s3: aws.s3, sqs: aws.sqs, bucket: "imports", queueUrl });
	const news: News[] = [];
	const stages: [string, string | null][] = [];
	const ownTp = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";
	const chat = openChat({
		sql: database.sql,
		publish: (each) => void news.push(each),
		ids: uuidv7,
		askFact: openFacts(null),
		desk: {} as never,
		log: { warn: () => undefined },
		importing: {
			core: { readImport, faultOf },
			files: inbox,
			catalogue: openSqlStore,
			every: 50,
			around(_id, stage, came, work) {
				stages.push([stage, came]);
				return work(ownTp);
			},
		},
	});
	const imports = chat.imports as NonNullable<typeof chat.imports>;
	const ana = await chat.people.enter({ name: "Ana" });
	await database.sql.query("", "update app_user set is_admin = true where id = $1", [ana.id]);
	const errors: unknown[] = [];
	const listening = inbox.listen(
		(file) => imports.arrived(file),
		(error) => errors.push(error),
	);
	try {
		// By the browser, which streams through the application; and two that are put there directly, one of them bad.
		const body = '{"kind":"catalogue","version":7,"items":[{"id":"71","name":"Seven"}]}';
		await inbox.receive(
			"items-7.json",
			(async function* () {
				yield Buffer.from(body.slice(0, 20));
				yield Buffer.from(body.slice(20));
			})(),
			body.length,
			tp,
		);
		await put("inbox/bad.json", "<html>");
		const [key = ""] = (await keys("inbox/")).filter((each) => each.endsWith("/items-7.json"));
		const event = eventOf(key, "inbox/bad.json");
		// S3 may tell twice.
		await Promise.all([upload.invoke(event), upload.invoke(eventOf(key))]);
		const found = async (name: string, ...states: string[]) => {
			for (const end = Date.now() + 20_000; ; ) {
				const [each] = (await imports.list()).filter((one) => one.name === name);
				if (each && states.includes(each.state)) return each;
				assert.ok(Date.now() < end, `${name} is ${each?.state}; ${errors}`);
				await new Promise((done) => setTimeout(done, 20));
			}
		};
		const ready = await found("items-7.json", "ready");
		assert.deepEqual([ready.report?.added, ready.version], [1, 7]);
		assert.equal((await found("bad.json", "refused")).fault?.code, "not-json");
		await imports.confirm(ana, ready.id);
		await found("items-7.json", "applied");
		assert.deepEqual(await database.sql.query("", "select id, name, tp from shop_item"), [{ id: "71", name: "Seven", tp: ownTp }]);
		const continued = stages.filter(([, came]) => came === tp).map(([stage]) => stage);
		assert.deepEqual([continued[0], continued.at(-1)], ["check", "apply"], "in the trace the file came with");
		for (const end = Date.now() + 10_000; (await keys(key)).length > 0; ) assert.ok(Date.now() < end, "the file is not needed any more");
		assert.equal((await imports.list()).length, 2, "told of twice, it is one file");

		// The same content put there again, under the same key, is another file: one that was turned down may be brought in after all.
		const again = (version: object) => {
			const event = eventOf("inbox/items-8.json");
			Object.assign(event.Records[0].s3.object, version);
			return event;
		};
		const named = async (name: string) => (await imports.list()).filter((one) => one.name === name);
		await put("inbox/items-8.json", '{"kind":"catalogue","items":[{"id":"8","name":"Eight"}]}');
		await upload.invoke(again({ versionId: "v1" }));
		await imports.cancel(ana, (await found("items-8.json", "ready")).id);
		await found("items-8.json", "cancelled");
		for (const end = Date.now() + 10_000; (await keys("inbox/items-8")).length > 0; ) assert.ok(Date.now() < end, "it goes");
		await put("inbox/items-8.json", '{"kind":"catalogue","items":[{"id":"8","name":"Eight"}]}');
		await upload.invoke(again({ versionId: "v2" }));
		for (const end = Date.now() + 20_000; (await named("items-8.json")).every(({ state }) => state !== "ready"); )
			assert.ok(Date.now() < end, JSON.stringify(await named("items-8.json")));
		assert.equal((await named("items-8.json")).length, 2);
		await upload.invoke(again({ versionId: undefined, sequencer: "0055AED6DCD90281E9" }));
		for (const end = Date.now() + 20_000; (await named("items-8.json")).length < 3; ) assert.ok(Date.now() < end);

		// Two people's files of one name do not take each other's place, good or bad.
		const both = ["<one", "<two"];
		for (const text of both)
			await inbox.receive(
				"same.json",
				(async function* () {
					yield Buffer.from(text);
				})(),
				text.length,
			);
		const same = (await keys("inbox/")).filter((each) => each.endsWith("/same.json"));
		assert.equal(same.length, 2);
		await upload.invoke(eventOf(...same));
		for (const end = Date.now() + 20_000; (await named("same.json")).length < 2; ) assert.ok(Date.now() < end);
		const aside = (await keys("quarantine/")).filter((each) => each.endsWith("/same.json"));
		assert.deepEqual((await Promise.all(aside.map(text))).sort(), both);
	} finally {
		await listening.stop();
		await imports.stop();
	}
	assert.deepEqual(errors, []);
});

test("the bundle is small", async (t) => {
	const { bytes } = await bundleLambda("upload");
	assert.ok(bytes < bundleLimit, `${bytes} bytes`);
	t.diagnostic(
		`${Math.round(bytes / 1024)} KiB; with AWS's clients ${Math.round(upload.bytes / 1024)} KiB, loaded in ${Math.round(upload.coldStartMs)} ms`,
	);
});
