import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

/*
 * Contrast (WCAG 2) of every pair the design uses, computed from tokens.css in its four sets: nobody can look at all of
 * them, and axe sees only what is on the pages it is shown.
 */

const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");

type Slot = { slot: number; hue: number; chroma: number };
type Tokens = Record<string, string>;
type Look = { name: string; isDark: boolean; isHigh: boolean };

const looks: Look[] = [
	{ name: "light", isDark: false, isHigh: false },
	{ name: "dark", isDark: true, isHigh: false },
	{ name: "high contrast", isDark: false, isHigh: true },
	{ name: "high contrast, dark", isDark: true, isHigh: true },
];

/** What stands between the braces after a selector. */
function block(start: string): string {
	const at = css.indexOf(start);
	assert.notEqual(at, -1, `${start} is in tokens.css`);
	const from = css.indexOf("{", at) + 1;
	return css.slice(from, css.indexOf("}", from));
}

function tokensOf(text: string): Tokens {
	return Object.fromEntries([...text.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map((m) => [m[1], m[2]?.replace(/\s+/g, " ").trim()]));
}

const base = tokensOf(block(":root"));
const high = tokensOf(block('[data-theme="contrast"] {'));
const person = tokensOf(block("\n:is("));
const personHigh = tokensOf(block('[data-theme="contrast"] :is('));
const slots: Slot[] = [...css.matchAll(/\.m(\d+)\s*\{\s*--h:\s*([\d.]+);\s*--c:\s*([\d.]+)/g)].map((m) => ({
	slot: Number(m[1]),
	hue: Number(m[2]),
	chroma: Number(m[3]),
}));

/** Linear sRGB of "oklch(...)", not clipped. */
function linear(text: string, who?: Slot): [number, number, number] {
	const numbers = (/oklch\((.*)\)$/.exec(text)?.[1] ?? "")
		.replace(/calc\(var\(--c\) \* ([\d.]+)\)/g, (_, share) => String((who?.chroma ?? Number.NaN) * Number(share)))
		.replace("var(--c)", String(who?.chroma))
		.replace("var(--h)", String(who?.hue))
		.trim()
		.split(/\s+/)
		.map(Number);
	const [lightness, chroma, hue] = numbers as [number, number, number];
	assert.ok(numbers.length === 3 && numbers.every(Number.isFinite), `a colour: ${text}`);
	const a = chroma * Math.cos((hue * Math.PI) / 180);
	const b = chroma * Math.sin((hue * Math.PI) / 180);
	const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
	const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
	const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
	return [
		4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
		-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
		-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
	];
}

function colour(look: Look, name: string, who?: Slot): [number, number, number] {
	const text = who && name.startsWith("--m-") ? (look.isHigh ? personHigh : person)[name] : (look.isHigh && high[name]) || base[name];
	const refers = /^var\((--[\w-]+)\)$/.exec(text ?? "");
	if (refers) return colour(look, refers[1] as string, who);
	const both = /^light-dark\((oklch\(.*?\)(?=\s*,\s*oklch)),\s*(oklch\(.*\))\)$/.exec(
		(text ?? "").replace(/\(\s+/g, "(").replace(/\s+\)/g, ")"),
	);
	assert.ok(both, `${name} is told for light and dark: ${text}`);
	return linear(both[look.isDark ? 2 : 1] as string, who);
}

function ratio(one: readonly number[], other: readonly number[]): number {
	const luminance = ([r, g, b]: readonly number[]) => {
		const cut = (value: number | undefined) => Math.min(1, Math.max(0, value ?? 0));
		return 0.2126 * cut(r) + 0.7152 * cut(g) + 0.0722 * cut(b);
	};
	const [low, up] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
	return (up + 0.05) / (low + 0.05);
}

const surfaces = ["--paper", "--paper-side", "--paper-hover", "--paper-inset", "--sheet"];
const tints = ["--accent-soft", "--teal-soft", "--warn-soft", "--danger-soft"];
const [shape, text, messages] = [3, 4.5, 7];
const pairs: [front: string, floor: number, grounds: string[]][] = [
	["--ink", messages, [...surfaces, ...tints, "--mark", "--select", "--raised"]],
	["--ink-2", text, [...surfaces, ...tints]],
	["--ink-3", text, surfaces],
	["--accent-ink", text, [...surfaces, "--accent-soft"]],
	["--teal-ink", text, [...surfaces, "--teal-soft"]],
	["--warn-ink", text, [...surfaces, "--warn-soft"]],
	["--danger-ink", text, [...surfaces, "--danger-soft"]],
	["--on-accent", text, ["--accent", "--accent-press", "--danger"]],
	["--on-teal", text, ["--teal"]],
	...["--code-word", "--code-text", "--code-num"].map((name): [string, number, string[]] => [name, text, ["--paper-inset", "--sheet"]]),
	...["--line-control", "--accent", "--teal", "--danger", "--warn", "--focus", "--chart-3"].map((name): [string, number, string[]] => [
		name,
		shape,
		["--paper", "--paper-side", "--paper-hover", "--sheet"],
	]),
];

test("every pair of colours the design uses has the contrast it needs, in each set", () => {
	const low: string[] = [];
	for (const look of looks) {
		const floorOf = (floor: number) => (look.isHigh && floor === text ? messages : floor);
		const measure = (what: string, floor: number, front: readonly number[], ground: readonly number[]) => {
			const found = ratio(front, ground);
			if (!(found >= floorOf(floor))) low.push(`${look.name}: ${what} ${found.toFixed(2)} of ${floorOf(floor)}`);
		};
		for (const [front, floor, grounds] of pairs)
			for (const ground of grounds) measure(`${front} on ${ground}`, floor, colour(look, front), colour(look, ground));
		for (const who of slots) {
			for (const ground of surfaces) measure(`name m${who.slot} on ${ground}`, text, colour(look, "--m-name", who), colour(look, ground));
			measure(`initials m${who.slot}`, text, colour(look, "--m-on", who), colour(look, "--m-fill", who));
		}
	}
	assert.equal(slots.length, 12);
	assert.deepEqual(low, []);
});

test("every colour of a person is one a screen can show", () => {
	const out: string[] = [];
	for (const look of looks)
		for (const who of slots)
			for (const name of ["--m-name", "--m-fill", "--m-on"])
				if (colour(look, name, who).some((value) => value < -0.0008 || value > 1.0008)) out.push(`${look.name} ${name} m${who.slot}`);
	assert.deepEqual(out, []);
});

test("who asks the system for more contrast gets what the choice of it gives", () => {
	assert.deepEqual(tokensOf(block(":root:not([data-theme]) {")), high);
	assert.deepEqual(tokensOf(block(":root:not([data-theme]) :is(")), personHigh);
});
