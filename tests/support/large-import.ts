/** Reads a catalogue of 100 MB that is made as it is read, and prints how much memory that took. */
import { readImport } from "../../lambdas/upload/index.ts";

const note = "x".repeat(1100);
async function* made() {
	yield Buffer.from('{"kind":"catalogue","version":1,"items":[\n');
	for (let i = 0; i < 100_000; i += 50) {
		const lines = Array.from({ length: 50 }, (_, n) =>
			JSON.stringify({ id: String(100_000 + i + n), name: (i + n) % 1000 === 0 ? "" : `Item ${i + n}`, note }),
		);
		yield Buffer.from(`${i > 0 ? ",\n" : ""}${lines.join(",\n")}`);
	}
	yield Buffer.from("\n]}\n");
}
const before = process.memoryUsage.rss();
let peak = before;
let rejected = 0;
const reading = readImport(made(), "catalogue.json");
for (;;) {
	const { value, done } = await reading.next();
	peak = Math.max(peak, process.memoryUsage.rss());
	if (done) {
		process.stdout.write(JSON.stringify({ ...value, rejected, grownMb: Math.round((peak - before) / 1_048_576) }));
		break;
	}
	rejected += value.rejected.length;
}
