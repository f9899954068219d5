import type { Line } from "./lines.ts";

/**
 * A selection over several messages as lines of "name, time: text", or null when it lies within one: then the browser's
 * own copy is what people expect.
 */
export function copiedLines(content: HTMLElement, lines: readonly Line[], write: (line: Line, text: string) => string): string | null {
	const selection = document.getSelection();
	if (!selection || selection.rangeCount === 0 || selection.isCollapsed) return null;
	const range = selection.getRangeAt(0);
	const byKey = new Map(lines.map((line) => [line.key, line]));
	const copied: string[] = [];
	for (const row of content.querySelectorAll<HTMLElement>("[data-key]")) {
		const body = row.querySelector<HTMLElement>(".body");
		const line = byKey.get(row.dataset.key ?? "");
		if (!body || !line || !range.intersectsNode(body)) continue;
		const part = document.createRange();
		part.selectNodeContents(body);
		const isCut = body.contains(range.startContainer) || body.contains(range.endContainer);
		if (body.contains(range.startContainer)) part.setStart(range.startContainer, range.startOffset);
		if (body.contains(range.endContainer)) part.setEnd(range.endContainer, range.endOffset);
		// innerText knows paragraphs and lists; a part of them has only its characters.
		const text = (isCut ? part.toString() : body.innerText).trim();
		if (text) copied.push(write(line, text));
	}
	return copied.length > 1 ? copied.join("\n") : null;
}
