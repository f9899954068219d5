import { type DragEvent, useId, useRef, useState } from "react";
import type { DeskWords } from "../../words/desk.server.ts";

type State = { kind: "idle" } | { kind: "sending"; percent: number } | { kind: "failed"; text: string };

/** Where a file is dropped or chosen; it streams to the server as it is. `onDone` hears its id, null where that is told later. */
export function DropZone({ limitMb, onDone, w }: { limitMb: number; onDone: (id: string | null) => void; w: DeskWords }) {
	const [state, setState] = useState<State>({ kind: "idle" });
	const [isOver, setOver] = useState(false);
	const input = useRef<HTMLInputElement>(null);
	const about = useId();

	function send(file: File | undefined): void {
		if (!file || state.kind === "sending") return;
		setState({ kind: "sending", percent: 0 });
		// fetch does not tell how far an upload has come.
		const request = new XMLHttpRequest();
		request.open("POST", `/ops/imports/file?name=${encodeURIComponent(file.name)}`);
		request.setRequestHeader("content-type", "application/json");
		request.upload.onprogress = ({ loaded, total }) => setState({ kind: "sending", percent: Math.floor((loaded / total) * 100) });
		request.onerror = () => setState({ kind: "failed", text: w.sendFailed });
		request.onload = () => {
			if (request.status === 202) {
				setState({ kind: "idle" });
				onDone((JSON.parse(request.responseText) as { id: string | null }).id);
			} else setState({ kind: "failed", text: request.responseText || w.sendFailed });
			if (input.current) input.current.value = "";
		};
		request.send(file);
	}
	function drop(event: DragEvent): void {
		event.preventDefault();
		setOver(false);
		send(event.dataTransfer.files[0]);
	}
	return (
		// biome-ignore lint/a11y/noNoninteractiveElementInteractions: dropping is a second way; the field inside is the first.
		<section
			aria-label={w.file}
			className={isOver ? "drop-zone needs-js is-over" : "drop-zone needs-js"}
			onDragOver={(event) => {
				event.preventDefault();
				setOver(true);
			}}
			onDragLeave={() => setOver(false)}
			onDrop={drop}
		>
			<label>
				<b>{w.drop}</b>
				<input
					ref={input}
					type="file"
					accept=".json,application/json"
					aria-describedby={about}
					disabled={state.kind === "sending"}
					onChange={(event) => send(event.currentTarget.files?.[0])}
				/>
			</label>
			<p id={about}>{w.dropText.replace("{limit}", String(limitMb))}</p>
			{state.kind === "sending" && (
				<p role="status">
					{w.sending.replace("{percent}", String(state.percent))} <progress max={100} value={state.percent} aria-label={w.file} />
				</p>
			)}
			{state.kind === "failed" && (
				<p className="refused" role="alert">
					{state.text}
				</p>
			)}
		</section>
	);
}
