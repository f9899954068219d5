import assert from "node:assert/strict";

const tags = new Set(["p", "br", "strong", "em", "s", "blockquote", "ul", "ol", "li", "a", "code", "pre", "span"]);
const attributes: Record<string, RegExp> = {
	"a href": /^(?:https?:\/\/|mailto:)[^\s"<>]*$/i,
	"a rel": /^noopener noreferrer nofollow$/,
	"a target": /^_blank$/,
	"ol start": /^\d+$/,
	"pre data-language": /^[\w+#.-]+$/,
	"pre tabindex": /^0$/,
	"span class": /^(?:hljs-[a-z_-]+|language)(?: (?:function_|class_|inherited__|constant_|invoke__))*$/,
};

type Token = { tag: string; attributes: Record<string, string> } | { text: string };

/** Text as it stands between tags or in quotes, as a person reads it. */
export function decode(text: string): string {
	return text.replace(/&(#x[0-9a-f]+|#\d+|lt|gt|quot|amp|apos);/gi, (whole, name: string) => {
		if (name.startsWith("#")) return String.fromCodePoint(Number(name.startsWith("#x") ? `0${name.slice(1)}` : name.slice(1)));
		return { lt: "<", gt: ">", quot: '"', amp: "&", apos: "'" }[name] ?? whole;
	});
}

/** Reads a message's HTML strictly: whatever is no plain tag with quoted attributes, and every stray < or >, is an error. */
export function tokens(html: string): Token[] {
	const found: Token[] = [];
	for (let rest = html; rest !== ""; ) {
		const text = /^[^<]+/.exec(rest)?.[0];
		if (text) {
			assert.doesNotMatch(text, /&(?!(?:#x[0-9a-f]+|#\d+|[a-z][a-z0-9]*);)/i, `a bare & in ${html}`);
			found.push({ text: decode(text) });
			rest = rest.slice(text.length);
			continue;
		}
		const [whole, , name, list] =
			/^<(\/?)([a-z]+)((?: [a-z-]+="[^"<>]*")*)(?: \/)?>/.exec(rest) ?? assert.fail(`no plain tag at ${rest.slice(0, 80)}`);
		const read = [...(list as string).matchAll(/ ([a-z-]+)="([^"]*)"/g)].map((m) => [m[1] as string, decode(m[2] as string)] as const);
		found.push({ tag: name as string, attributes: Object.fromEntries(read) });
		rest = rest.slice((whole as string).length);
	}
	return found;
}

/** Nothing but what a message may hold: these tags, these attributes, these schemes. */
export function assertHarmless(html: string, from: string): void {
	for (const token of tokens(html)) {
		if ("text" in token) continue;
		assert.ok(tags.has(token.tag), `<${token.tag}> from ${from}`);
		for (const [name, value] of Object.entries(token.attributes)) {
			const rule = attributes[`${token.tag} ${name}`];
			assert.ok(rule, `${name} on <${token.tag}> from ${from}`);
			assert.match(value, rule, `${name} on <${token.tag}> from ${from}`);
			if (name === "href") assert.ok(["http:", "https:", "mailto:"].includes(new URL(value).protocol), `${value} from ${from}`);
		}
	}
}

/** Holds text up to its own end tag, whatever stands in it. */
const holdsText = new Set(["script", "style", "title", "textarea"]);
const addresses = new Set(["href", "src", "action", "formaction", "xlink:href", "poster", "srcset"]);
const never = new Set(["iframe", "object", "embed", "base", "frame", "animate", "set", "foreignobject", "math"]);

/**
 * The tags of a whole page with the names of their attributes, read as strictly: each of them, and each script, must be one the page
 * could have made itself. `from` says what is in it.
 */
export function tagsOfPage(html: string, from: string): string[] {
	const found: string[] = [];
	const tag = /<(\/?)([a-z][a-z0-9-]*)((?:\s+[a-z][\w:-]*(?:="[^"]*")?)*)\s*\/?>|<!DOCTYPE html>|<!--(?: |\/?\$[!?]?)?-->/iy;
	for (let at = html.indexOf("<"); at >= 0; at = html.indexOf("<", at)) {
		tag.lastIndex = at;
		const [whole, end, name, list] = tag.exec(html) ?? assert.fail(`no plain tag in a page with ${from}: ${html.slice(at, at + 80)}`);
		at += whole.length;
		if (name === undefined) continue;
		const attributes = [...(list as string).matchAll(/([a-z][\w:-]*)(?:="([^"]*)")?/gi)];
		const names = attributes.map((match) => (match[1] as string).toLowerCase());
		assert.ok(!never.has(name.toLowerCase()) && !names.includes("srcdoc") && !names.includes("http-equiv"), `<${name}> with ${from}`);
		for (const [, each, value] of attributes) {
			assert.doesNotMatch(each as string, /^on/i, `<${name} ${each}> with ${from}`);
			if (addresses.has((each as string).toLowerCase()))
				assert.match(decode(value ?? ""), /^(?:https?:\/\/|mailto:|\/(?![/\\])|[#?]|$)/i, `<${name} ${each}> with ${from}`);
		}
		if (name === "script" && !end) assert.ok(names.includes("nonce"), `a script without a nonce with ${from}`);
		found.push(`${end}${name} ${names.join(" ")}`);
		if (end || !holdsText.has(name)) continue;
		const over = html.slice(at).search(new RegExp(`</${name}`, "i"));
		assert.ok(over >= 0, `<${name}> without an end with ${from}`);
		if (name === "script") assert.doesNotMatch(html.slice(at, at + over), /<(?:!--|\/?script)/i, `in a script with ${from}`);
		at += over;
	}
	return found;
}
