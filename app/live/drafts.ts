import type { LivePorts } from "./ports.ts";

export type Drafts = {
	/** Takes up kept drafts; returns what lets go. */
	start(): () => void;
	/** The text as it stands; empty drops the draft. */
	set(name: string, text: string): void;
	/** Writes what is still to be written, now. */
	flush(): void;
	/** Drops them all, unwritten ones too. */
	forget(): void;
};

export type DraftsNeeds = {
	ports: Pick<LivePorts, "timers" | "drafts">;
	show(change: (drafts: Record<string, string>) => Record<string, string>): void;
};

/** How long typing may go on before it is written, ms: a crash loses no more than this. */
const writeAfter = 300;

/** Unsent texts by name, kept over reloads and crashes, the last edit of any tab winning. */
export function openDrafts({ ports, show }: DraftsNeeds): Drafts {
	const unwritten = new Map<string, string>();
	let cancelWrite = () => {};

	function put(name: string, text: string): void {
		show((drafts) => {
			if ((drafts[name] ?? "") === text) return drafts;
			const { [name]: _old, ...rest } = drafts;
			return text === "" ? rest : { ...rest, [name]: text };
		});
	}

	function flush(): void {
		cancelWrite();
		for (const [name, text] of unwritten) ports.drafts.put(name, text);
		unwritten.clear();
	}

	return {
		start() {
			for (const [name, text] of Object.entries(ports.drafts.all())) if (!unwritten.has(name)) put(name, text);
			const stop = ports.drafts.listen((name, text) => {
				if (name === null) show((drafts) => (Object.keys(drafts).length === 0 ? drafts : {}));
				// What is being typed here is the later edit.
				else if (!unwritten.has(name)) put(name, text);
			});
			return () => {
				flush();
				stop();
			};
		},
		set(name, text) {
			put(name, text);
			unwritten.set(name, text);
			cancelWrite();
			cancelWrite = ports.timers.after(writeAfter, flush);
		},
		flush,
		forget() {
			cancelWrite();
			unwritten.clear();
			show((drafts) => (Object.keys(drafts).length === 0 ? drafts : {}));
		},
	};
}
