import assert from "node:assert/strict";
import { test } from "node:test";
import { assertHarmless, decode, tokens } from "../../../tests/support/harmless-html.ts";
import { xssCorpus } from "../../../tests/support/xss-corpus.ts";
import { excerpt } from "../../contract/text.ts";
import { markup } from "./markup.ts";

test("[X3] of 120 attacks and more, nothing is left but allowed tags, attributes and schemes", () => {
	assert.ok(new Set(xssCorpus).size >= 120, `${new Set(xssCorpus).size} different attacks`);
	let shown = 0;
	for (const attack of xssCorpus) {
		for (const body of [
			attack,
			`**x** ${attack}`,
			`> ${attack}`,
			`- ${attack}\n- y`,
			`${attack}\n${attack}`,
			`*${attack}*`,
			`[${attack}](https://e.example)`,
			`\`${attack}`,
		]) {
			const html = markup(body);
			if (html === null) continue;
			shown++;
			assertHarmless(html, body);
		}
	}
	assert.ok(shown > 500, "the premise: most of them went through the renderer");
});

test("[X3] random mixtures of the attacks are harmless too", () => {
	const pieces = xssCorpus.flatMap((attack) => attack.split(/(?=[<>"'`[\]()&:\n])/));
	let state = 42;
	const next = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 1);
	for (let i = 0; i < 1500; i++) {
		const body = Array.from({ length: 4 + (next() % 20) }, () => pieces[next() % pieces.length]).join("");
		const html = markup(body);
		if (html !== null) assertHarmless(html, JSON.stringify(body));
	}
});

test("[X3] the tokenizer of these tests sees what must not be there", () => {
	for (const bad of [
		'<p onclick="x">',
		'<img src="x">',
		'<a href="javascript:alert(1)">',
		'<a href="java&#115;cript:x">',
		'<span class="evil">',
		'<p title="x">',
	])
		assert.throws(() => assertHarmless(bad, bad), assert.AssertionError, bad);
	for (const broken of ["<p", "a < b", "<P>", "<p x=y>", "<!-- -->", "a & b"])
		assert.throws(() => tokens(broken), assert.AssertionError, broken);
});

const shown: [title: string, body: string, html: string | null][] = [
	["plain text needs no markup", "hello there, 2 > 1? no", null],
	["bold", "**x** and __y__", "<p><strong>x</strong> and <strong>y</strong></p>"],
	["emphasis", "*x* and _y_", "<p><em>x</em> and <em>y</em></p>"],
	["struck out", "~~x~~", "<p><s>x</s></p>"],
	["underscores inside a word", "snake_case_name **b**", "<p>snake_case_name <strong>b</strong></p>"],
	["a line break stays one", "*a*\nb", "<p><em>a</em><br />\nb</p>"],
	["paragraphs", "*a*\n\nb", "<p><em>a</em></p>\n<p>b</p>"],
	["a quote", "> said\n\nanswer", "<blockquote>\n<p>said</p>\n</blockquote>\n<p>answer</p>"],
	["a list", "- one\n- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>"],
	["a numbered list keeps its start", "3. three\n4. four", '<ol start="3">\n<li>three</li>\n<li>four</li>\n</ol>'],
	["inline code", "`a < b && c`", "<p><code>a &lt; b &amp;&amp; c</code></p>"],
	["a fence without language", "```\n  two\n    four\n```", '<pre tabindex="0"><code>  two\n    four\n</code></pre>'],
	["a fence of an unknown language", "```nonsense\nx\n```", '<pre tabindex="0"><code>x\n</code></pre>'],
	["code by indentation keeps its leading spaces", "    a\n      b", '<pre tabindex="0"><code>a\n  b\n</code></pre>'],
	["no headings", "# not *big*", "<p># not <em>big</em></p>"],
	["no rules", "*a*\n\n---", "<p><em>a</em></p>\n<p>---</p>"],
	[
		"no pictures: what they link to is a link",
		"![cat](https://e.example/cat.png)",
		'<p>!<a href="https://e.example/cat.png" rel="noopener noreferrer nofollow" target="_blank">cat</a></p>',
	],
	["escaped signs", "\\*not bold\\*", "<p>*not bold*</p>"],
];
for (const [title, body, html] of shown) {
	test(`[M12] ${title}`, () => assert.equal(markup(body), html));
}

test("[M12] what Markdown would not change has no HTML at all: the page shows the body as it is", () => {
	for (const body of ["hello", "two\nlines", "  leading", "1 + 1 = 2", "a - b", "¿qué?", "", "www.example.com"])
		assert.equal(markup(body), null, JSON.stringify(body));
	assert.equal(markup("a < b"), null);
});

test("[M14] code of a known language is coloured, and nothing of it is lost", () => {
	const code = 'const x = "<b>"; // é\n\tif (x) return `\u0024{x}`;';
	const html = markup(`\`\`\`js\n${code}\n\`\`\``) as string;
	assert.match(html, /^<pre data-language="js" tabindex="0"><code><span class="hljs-keyword">const<\/span>/);
	const text = tokens(html)
		.map((t) => ("text" in t ? t.text : ""))
		.join("");
	assert.equal(text, `${code}\n`);
	for (const language of ["python", "sql", "json", "css", "xml", "bash", "typescript", "rust", "diff"])
		assertHarmless(markup(`\`\`\`${language}\nclass A(B): def x 'y' <z w="1"> -- c\n\`\`\``) as string, language);
});

test("[M14] [C-08] a listing of thousands of characters is shown plain, and the worst of texts is rendered in a blink", () => {
	const long = "x = 1;\n".repeat(560);
	assert.doesNotMatch(markup(`\`\`\`js\n${"y".repeat(4001)}\n\`\`\``) as string, /hljs/);
	const worst = [
		long,
		"*".repeat(4000),
		"[".repeat(4000),
		"`".repeat(3999),
		"> ".repeat(2000),
		"- ".repeat(2000),
		"[a](".repeat(1000),
		"*a **b ".repeat(570),
		"<".repeat(4000),
		"&".repeat(4000),
		"https://a.".repeat(400),
		"[](".repeat(1333),
		"[]((".repeat(1000),
		"*_".repeat(2000),
		"~".repeat(4000),
		"![".repeat(2000),
		Array.from({ length: 88 }, (_, i) => "`".repeat(i + 1)).join(" "),
		Array.from({ length: 62 }, (_, i) => `${" ".repeat(2 * i)}- x`).join("\n"),
		`${"- ".repeat(1000)}x`,
		`${"|".repeat(2000)}\n${"|-".repeat(999)}`,
		`\`\`\`js\n${'"\\'.repeat(1300)}`,
	];
	for (const body of worst) {
		const startedAt = performance.now();
		const html = markup(body);
		// Milliseconds, as a rule; an expression that tries every way would take hours, on any machine.
		assert.ok(performance.now() - startedAt < 20_000, `${body.slice(0, 10)} took ${performance.now() - startedAt} ms`);
		if (html !== null) assertHarmless(html, body.slice(0, 10));
	}
});

function link(body: string): { href: string; text: string; after: string } {
	const list = tokens(markup(body) ?? "");
	const at = list.findIndex((t) => "tag" in t && t.tag === "a");
	assert.ok(at >= 0, `no link in ${markup(body)}`);
	const [open, text] = [list[at], list[at + 1]] as [{ attributes: Record<string, string> }, { text: string }];
	assert.deepEqual([open.attributes.rel, open.attributes.target], ["noopener noreferrer nofollow", "_blank"]);
	const after = list
		.slice(at + 3)
		.map((t) => ("text" in t ? t.text : ""))
		.join("");
	return { href: open.attributes.href as string, text: text.text, after };
}

test("[M13] an address becomes a link that opens elsewhere and takes no punctuation along", () => {
	const of = (body: string) => [link(body).href, link(body).after];
	assert.deepEqual(of("see https://example.org/a."), ["https://example.org/a", "."]);
	assert.deepEqual(of("(https://example.org/a)"), ["https://example.org/a", ")"]);
	assert.deepEqual(of("https://example.org/a_(b)!"), ["https://example.org/a_(b)", "!"]);
	assert.deepEqual(of("https://example.org/?q=1&r=2, yes"), ["https://example.org/?q=1&r=2", ", yes"]);
	assert.deepEqual(of('"https://example.org"'), ["https://example.org", '"']);
	assert.deepEqual(of("[words](https://example.org)"), ["https://example.org", ""]);
	assert.equal(link("<mailto:ana@example.org>").href, "mailto:ana@example.org");
	for (const none of ["example.org", "ana@example.org", "//example.org", "ftp://example.org", "10.0.0.1 **x**", "[x](/rooms) *y*"])
		assert.doesNotMatch(markup(none) ?? "", /<a /, none);
});

test("[M13] [C-05] a link leads to exactly the address a person would copy", () => {
	const wiki = "https://en.wikipedia.org/wiki/Northbridge_(computing)";
	const hrefs: [body: string, href: string, after: string][] = [
		["https://www.example.org/foo_-_foo_.pdf", "https://www.example.org/foo_-_foo_.pdf", ""],
		["https://example.com/a_", "https://example.com/a_", ""],
		[`(${wiki})`, wiki, ")"],
		[`[x](${wiki}#E)`, `${wiki}#E`, ""],
		["https://example.com.", "https://example.com", "."],
		["https://example.com, y", "https://example.com", ", y"],
		["<https://example.com/a_b_>", "https://example.com/a_b_", ""],
		["mailto:a@b.cl", "mailto:a@b.cl", ""],
	];
	for (const [body, href, after] of hrefs) assert.deepEqual([link(body).href, link(body).after], [href, after], body);
	assert.doesNotMatch(markup("www.example.com **x**") ?? "", /<a /, "no scheme, no link");
});

/** All that a person would read of what became of a text. */
const readable = (body: string) => {
	const html = markup(body);
	if (html === null) return body;
	return tokens(html)
		.map((t) => ("text" in t ? t.text : ""))
		.join("");
};

test("[M12] [C-06] angle brackets are shown character for character, also in a quote", () => {
	for (const body of ["use List<String> y <usuario>", "<foo>", "a < b && c > d", "&lt;b&gt;", "<script>x</script>", "<!-- x -->"]) {
		assert.equal(readable(body), body);
		assert.equal(readable(`**x** ${body}`), `x ${body}`);
		assert.equal(excerpt(body), body);
	}
});

test("[M13] [C-07] an address of a script is no link, however it is written, and stays readable", () => {
	const bodies = [
		"[x](java\tscript:alert(1))",
		"[x](java&#x09;script:alert(1))",
		"[x](java&Tab;script:alert(1))",
		"[x](javascript&#58;alert(1))",
		"[x](\njavascript:alert(1))",
		"<javascript:alert(1)>",
		"[x](data:text/html,x)",
		"[x](vbscript:x)",
		"[x](//evil.example)",
		"[x](java%09script:alert(1))",
		"![x](javascript:x)",
	];
	for (const body of bodies) {
		assert.doesNotMatch(markup(`${body} **bold**`) as string, /<a[ >]/, body);
		assert.match(readable(body), /x|alert/, body);
	}
});

test("[M13] a host in letters that could deceive is shown in its ASCII form", () => {
	for (const body of ["https://аpple.com/login", "<https://аpple.com/login>"]) {
		assert.deepEqual([link(body).href, link(body).text], ["https://xn--pple-43d.com/login", "https://xn--pple-43d.com/login"]);
	}
	assert.equal(link("https://xn--pple-43d.com/").text, "https://xn--pple-43d.com/", "written in ASCII it is not prettified either");
	assert.equal(link("https://google.com@аpple.com/").href, "https://google.com", "what stands before an @ is linked as what it says");
	assert.match(link("<https://google.com@аpple.com/>").text, /^https:\/\/xn--pple-43d\.com\//);
	assert.equal(link("[the bank](https://аpple.com/)").text, "the bank", "a text of one's own choosing stays");
	assert.equal(link("https://example.org/año").text, "https://example.org/año", "paths may have letters");
});

test("[M13] characters that turn the direction of text do not reach the page as HTML", () => {
	for (const sign of [
		"\u202a",
		"\u202b",
		"\u202c",
		"\u202d",
		"\u202e",
		"\u2066",
		"\u2067",
		"\u2068",
		"\u2069",
		"\u200e",
		"\u200f",
		"\u061c",
	]) {
		for (const body of [
			`a${sign}b`,
			`https://example.org/${sign}gpj.exe`,
			`\`x${sign}y\``,
			`[a${sign}b](https://example.org/${sign})`,
			`\`\`\`\n${sign}\n\`\`\``,
		]) {
			const html = markup(body);
			assert.ok(html !== null, "such a body is never shown as it is");
			assert.ok(!html.includes(sign) && !decode(html).includes(sign), JSON.stringify(body));
		}
		const entity = `&#x${sign.charCodeAt(0).toString(16)};`;
		assert.equal(markup(entity), null, "an entity is the signs it is written with");
		assert.ok(!decode(markup(`[a](https://example.org/${entity})`) as string).includes(sign));
	}
	assert.equal(markup("עברית **ו** عربي"), "<p>עברית <strong>ו</strong> عربي</p>");
});

test("[M12] the same body gives the same HTML, also after thousands of others", () => {
	const first = markup("**same**");
	for (let i = 0; i < 5100; i++) markup(`*${i}*`);
	assert.equal(markup("**same**"), first);
});

test("[M12] [X4] a renderer that throws leaves the text as it was written", () => {
	const body = "**unrendered** <b> text";
	const broken = () => {
		throw new RangeError("Maximum call stack size exceeded");
	};
	assert.equal(markup(body, broken), null);
	assert.equal(markup(body), "<p><strong>unrendered</strong> &lt;b&gt; text</p>", "and is not remembered as unrenderable");
});
