import hljs from "highlight.js/lib/common";
import MarkdownIt from "markdown-it";
import sanitizeHtml from "sanitize-html";

/**
 * Markdown to HTML, on the server only. Two locks on one door: markdown-it never passes HTML through, and what it makes
 * is cleaned by an allow-list afterwards.
 */
const markdown: InstanceType<typeof MarkdownIt> = new MarkdownIt({
	html: false,
	linkify: true,
	// A line break in the composer is a line break on screen.
	breaks: true,
	highlight(code, language) {
		// A long listing is shown plain: colouring 1,000 lines would hold up everybody's messages.
		const known = language && hljs.getLanguage(language) && code.length <= 4000;
		const html = known ? hljs.highlight(code, { language, ignoreIllegals: true }).value : markdown.utils.escapeHtml(code);
		const label = known ? ` data-language="${markdown.utils.escapeHtml(language)}"` : "";
		return `<pre${label}><code>${html}</code></pre>`;
	},
});
// Pictures would load from strangers' servers; headings and tables have no place in a chat line; whoever writes &lt; means these four signs.
markdown.disable(["image", "heading", "lheading", "table", "html_block", "html_inline", "hr", "reference", "entity"]);
// Only the schemes a person would click on purpose.
markdown.validateLink = (url) => /^(?:https?:\/\/|mailto:)/i.test(url.trim());
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });

/** Shows a host of mixed scripts in its ASCII form, so that a look-alike domain cannot pass for the real one. */
function honestText(href: string, text: string): string {
	try {
		const ascii = new URL(href).hostname;
		if (!ascii.includes("xn--")) return text;
		return text.replace(/^(https?:\/\/)?([^/\s]+)/i, (_, scheme: string | undefined) => `${scheme ?? ""}${ascii}`);
	} catch {
		return text;
	}
}
markdown.renderer.rules.text = (tokens, i) => {
	const token = tokens[i];
	const before = tokens[i - 1];
	const href = before?.type === "link_open" ? String(before.attrGet("href") ?? "") : "";
	const isBare = before?.markup === "linkify" || before?.markup === "autolink";
	return markdown.utils.escapeHtml(href && isBare ? honestText(href, token?.content ?? "") : (token?.content ?? ""));
};

// Characters that turn the direction of what follows: inside a link or a name they disguise it. Isolated by <bdi> instead.
const turning = /[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/g;

const allowed: sanitizeHtml.IOptions = {
	allowedTags: ["p", "br", "strong", "em", "s", "blockquote", "ul", "ol", "li", "a", "code", "pre", "span"],
	allowedAttributes: { a: ["href", "rel", "target"], ol: ["start"], pre: ["data-language", "tabindex"], span: ["class"] },
	allowedClasses: { span: [/^hljs-[a-z_-]+$/, /^(?:language|function_|class_|inherited__|constant_|invoke__)$/] },
	allowedSchemes: ["http", "https", "mailto"],
	allowProtocolRelative: false,
	transformTags: {
		a: sanitizeHtml.simpleTransform("a", { rel: "noopener noreferrer nofollow", target: "_blank" }),
		// Reachable by keyboard, so that long lines can be scrolled without a mouse.
		pre: sanitizeHtml.simpleTransform("pre", { tabindex: "0" }),
	},
};

// Without any of these there is nothing Markdown could do: the body is shown as it is, and nobody pays for rendering it.
const marked = /[*_~`>[\]\\<\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]|https?:|mailto:|^\s*(?:[-+]|\d+[.)])\s|^ {4}|^\t/im;

/** Markdown's own way to HTML; a test hands in one that fails. */
type Renderer = (text: string) => string;

function render(body: string, renderer: Renderer): string | null {
	// Twice: in an address an entity such as &#x202e; becomes the character only while rendering.
	const html = sanitizeHtml(renderer(body.replace(turning, "")).replace(turning, ""), allowed).trim();
	const plain = `<p>${markdown.utils.escapeHtml(body)}</p>`;
	return html === plain ? null : html;
}

const cache = new Map<string, string | null>();

/**
 * Sanitised HTML for a message, or null when the text stands for itself. The last 5,000 renderings are remembered:
 * history is read far more often than it is written.
 */
export function markup(body: string, renderer: Renderer = (text) => markdown.render(text)): string | null {
	if (body === "" || !marked.test(body)) return null;
	const known = cache.get(body);
	if (known !== undefined) return known;
	let html: string | null;
	try {
		html = render(body, renderer);
	} catch {
		// Too deeply nested, or a fault in the renderer: the text stands for itself. It is stored, and has to be shown.
		return null;
	}
	if (cache.size >= 5000) cache.delete(cache.keys().next().value as string);
	cache.set(body, html);
	return html;
}
