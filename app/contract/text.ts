/** Text rules both sides apply: what is empty, how long it is, how it is cut. */

// Whitespace, zero-width and other invisible characters: a message made only of them says nothing.
const invisible = /[\s\p{Cc}\p{Cf}\p{Z}\u115f\u1160\u3164\uffa0\u2800]|\u034f/gu;

/** True when nothing visible is left. */
export function isBlank(text: string): boolean {
	return text.replace(invisible, "") === "";
}

/** Length in code points, as people count: an emoji outside the basic plane is one. */
export function lengthOf(text: string): number {
	let n = text.length;
	for (let i = 0; i < text.length - 1; i++) {
		const c = text.charCodeAt(i);
		if (c >= 0xd800 && c <= 0xdbff) {
			n--;
			i++;
		}
	}
	return n;
}

/** The first `max` characters on one line, with an ellipsis when something was cut. */
export function excerpt(text: string, max = 140): string {
	const line = text.replace(/\s+/g, " ").trim();
	const points = Array.from(line);
	return points.length <= max
		? line
		: `${points
				.slice(0, max - 1)
				.join("")
				.trimEnd()}…`;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** 1 to 3 when the text is only that many emoji (a family joined by ZWJ is one), else 0. */
export function emojiOnly(text: string): 0 | 1 | 2 | 3 {
	const trimmed = text.trim();
	if (trimmed.length === 0 || trimmed.length > 120) return 0;
	let count = 0;
	for (const { segment } of graphemes.segment(trimmed)) {
		if (/^\s+$/.test(segment)) continue;
		if (!/^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[0-9#*]\ufe0f?\u20e3)/u.test(segment)) return 0;
		count++;
		if (count > 3) return 0;
	}
	return count as 0 | 1 | 2 | 3;
}
