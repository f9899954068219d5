import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { followedFiles } from "../../infra/constructs/agent-config.ts";
import { unlikeConfigured } from "../../scripts/rehearse/followed-logs.ts";

test("the agent's configuration is held to the files that are there: their times and how their lines begin", (t) => {
	const root = mkdtempSync(join(tmpdir(), "charla-logs-"));
	t.after(() => rmSync(root, { recursive: true, force: true }));
	const write = (file: string, text: string) => {
		mkdirSync(join(root, file, ".."), { recursive: true });
		writeFileSync(join(root, file), text);
	};
	const followed = [
		{ file_path: "/var/log/messages", timestamp_format: "%b %d %H:%M:%S" },
		{ file_path: "/agent.log", timestamp_format: "%Y-%m-%dT%H:%M:%S", multi_line_start_pattern: "^\\d{4}-\\d{2}-\\d{2}T" },
		{ file_path: "/hooks.log", timestamp_format: "[%Y-%m-%d %H:%M:%S" },
		{ file_path: "/gone.log" },
	];
	write("/var/log/messages", "Nov  8 09:05:01 chat-1 systemd[1]: Started Charla.\n");
	write("/agent.log", "2026-11-28T12:00:00 begun\n  and more of it\n");
	write("/hooks.log", "[2026-11-28 12:00:00.123] [d-1]Script\n");
	assert.deepEqual(unlikeConfigured({ root }, followed), ["/gone.log is not there"]);

	write("/var/log/messages", "2026-11-28T12:00:00.123+00:00 chat-1 systemd[1]: Started Charla.\n");
	write("/agent.log", "begun at 2026-11-28T12:00:00\n");
	write("/hooks.log", "2026-11-28 12:00:00 [d-1]Script\n");
	write("/gone.log", "");
	assert.deepEqual(
		unlikeConfigured({ root }, followed).map((line) => line.split(":")[0]),
		[
			"/var/log/messages has no time like %b %d %H",
			"/agent.log does not begin with ^\\d{4}-\\d{2}-\\d{2}T",
			"/hooks.log has no time like [%Y-%m-%d %H",
			"/gone.log is empty",
		],
	);
	for (const { timestamp } of followedFiles)
		assert.doesNotThrow(() => unlikeConfigured({ root }, [{ file_path: "/agent.log", timestamp_format: timestamp ?? "%Y" }]));
});
